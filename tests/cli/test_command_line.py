"""The `facewright` command from the outside: statuses, messages, signals."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from engine import catalog
from engine.protocol.workspace import Workspace
from engine.runtime import client
from tests.merge.workspace import merge_workspace
from tests.support.clips import make_clip
from tests.support.command import Outcome, facewright, start_facewright
from tests.support.consent import agree_by
from tests.support.tree import tree
from tuiapp.doctor import Verdict, examine

pytestmark = pytest.mark.slow  # starts processes or nets


def wait_for_line(process: subprocess.Popen[str], part: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if part in line:
            return line
    raise AssertionError(f"no line with {part!r}")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "data_src.mp4")


@contextmanager
def idle_run(root: Path) -> Iterator[client.RunInfo]:
    """A detached run that waits for viewers and does nothing else; stopped at the end."""
    merge_workspace(root, frames=1)
    started = facewright("run", "label-session", "--side", "dst", "-w", root, "--detach")
    assert started.status == 0, started.stderr
    [info] = client.list_runs(Workspace(root))
    yield info
    facewright("stop", "-w", root)


@pytest.fixture(scope="module")
def poor_doctor() -> Outcome:
    """The doctor where characters, tmux and a library are missing."""
    code = "import sys; sys.modules['pynvml'] = None; sys.argv = ['facewright', 'doctor'];"
    code += "from tuiapp.cli import main; sys.exit(main())"
    poor = {**os.environ, "PYTHONIOENCODING": "ascii", "TMUX": "/nowhere/socket,1,0"}
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=poor)
    return Outcome(done.returncode, done.stdout, done.stderr)


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    from tuiapp.cli import COMMANDS

    shown = facewright("--help")
    assert shown.status == 0
    for command in COMMANDS:
        assert f"facewright {command}" in shown.stdout
    code = "import sys; sys.argv=['facewright','--help']; from tuiapp.cli import main; main();"
    code += "print([m for m in ('numpy','rich','textual','tensorflow','cv2') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    assert out.stdout.splitlines()[-1] == "[]"


def test_stages_lists_all_and_describes_one_with_all_its_options() -> None:
    listed = facewright("stages")
    described = json.loads(facewright("stages", "video-extract", "--json").stdout)
    assert [line.split()[0] for line in listed.stdout.splitlines()] == [
        spec.id for spec in catalog.STAGES
    ]
    assert [option["name"] for option in described["options"]] == [
        option.name for option in catalog.stage("video-extract").options
    ]


def test_stages_tells_what_only_some_model_classes_take() -> None:
    described = facewright("stages", "merge").stdout
    assert "with --model-class amp or dfm\n  --morph-factor" in described
    as_json = json.loads(facewright("stages", "merge", "--json").stdout)
    assert [option["name"] for option in as_json["morph_options"]] == ["morph_factor"]


def test_a_run_without_terminal_reports_and_ends_with_0(tmp_path: Path, clip: Path) -> None:
    shutil.copy(clip, tmp_path)
    done = facewright("run", "video-extract", "-w", tmp_path, "--side", "src")
    assert done.status == 0, done.stderr
    assert "video-extract: done in" in done.stderr


def test_json_gives_one_event_a_line_from_started_to_finished(tmp_path: Path, clip: Path) -> None:
    shutil.copy(clip, tmp_path)
    done = facewright("run", "video-extract", "-w", tmp_path, "--side=src", "--json")
    names = [event["ev"] for event in done.events]
    assert (done.status, names[0], names[-1]) == (0, "started", "finished")


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["run", "demo-media", "--dst-frames", "5"], 2, "10 to 600"),
        (["run", "demo-media", "--dst-frame", "50"], 2, "--dst-frames"),
        (["run", "merge", "--morph-factor", "1"], 2, "add --model-class amp or dfm"),
        (["run", "demo-media", "--dst-frames"], 2, "needs a value"),
        (["run", "demo-medai"], 2, "demo-media"),
        (["run"], 2, "facewright stages"),
        (["run", "demo-media", "frames"], 2, "unexpected 'frames'"),
        (["--frobnicate"], 2, "facewright --help"),
        (["attach", "nothing"], 2, "no run 'nothing'"),
        (["stop"], 2, "no runs"),
        (["run", "train"], 3, "faces-extract"),
        (["run", "merge"], 3, "video-extract"),
        (["run", "video-extract", "--side", "src"], 3, "data_src"),
        (["run", "faces-extract", "--side", "src"], 3, "video-extract"),
        (["run", "video-render"], 3, "merge"),
    ],
)
def test_bad_usage_ends_with_a_reason_and_a_remedy_and_changes_nothing(
    tmp_path: Path, words: list[str], status: int, says: str
) -> None:
    done = facewright(*words, *([] if words[0].startswith("-") else ["-w", tmp_path]))
    assert done.status == status, done.stderr
    assert says in done.stderr
    assert "->" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_missing_workspace_is_refused(tmp_path: Path) -> None:
    done = facewright("run", "demo-media", "-w", tmp_path / "none")
    assert (done.status, "no workspace" in done.stderr) == (3, True)


def test_what_would_be_replaced_needs_yes_and_goes_to_the_trash(tmp_path: Path, clip: Path) -> None:
    shutil.copy(clip, tmp_path)
    (tmp_path / "data_src").mkdir()
    (tmp_path / "data_src" / "00001.png").write_bytes(b"precious")
    before = tree(tmp_path)
    refused = facewright("run", "video-extract", "-w", tmp_path, "--side", "src")
    assert (refused.status, "--yes" in refused.stderr) == (2, True)
    assert tree(tmp_path) == before
    done = facewright("run", "video-extract", "-w", tmp_path, "--side", "src", "--yes")
    assert done.status == 0, done.stderr
    [kept] = Workspace(tmp_path).trash.rglob("00001.png")
    assert kept.read_bytes() == b"precious"


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_read_only_workspace_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = facewright("run", "demo-media", "-w", tmp_path)
    tmp_path.chmod(0o700)
    assert (done.status, "not allowed" in done.stderr) == (3, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_stops_and_ends_with_130(tmp_path: Path, number: signal.Signals) -> None:
    process = start_facewright("run", "demo-media", "-w", tmp_path, "--dst-frames", "600", "--json")
    wait_for_line(process, '"progress"')
    process.send_signal(number)
    assert process.wait(timeout=10) == 130
    [info] = client.list_runs(Workspace(tmp_path))
    assert info.state is client.RunState.STOPPED


def test_a_killed_command_leaves_its_run_going_and_attach_shows_the_end(tmp_path: Path) -> None:
    process = start_facewright("run", "demo-media", "-w", tmp_path, "--dst-frames", "60", "--json")
    wait_for_line(process, '"progress"')
    process.kill()
    process.wait()
    attached = facewright("attach", "-w", tmp_path, "--json")
    assert attached.status == 0
    assert attached.events[0]["ev"] == "started"
    assert attached.events[-1]["ev"] == "finished"
    assert (tmp_path / "data_dst.mp4").is_file()


def test_detach_gives_the_id_and_stop_stops_it(tmp_path: Path) -> None:
    started = facewright("run", "demo-media", "-w", tmp_path, "--dst-frames", "600", "--detach")
    run_id = started.stdout.strip()
    stopped = facewright("stop", run_id, "-w", tmp_path)
    assert stopped.status == 0, stopped.stderr
    listed = json.loads(facewright("runs", "-w", tmp_path, "--json").stdout)
    assert [(run["id"], run["state"]) for run in listed] == [(run_id, "stopped")]


def test_the_engine_is_no_child_of_the_terminals_session(tmp_path: Path) -> None:
    with idle_run(tmp_path) as info:
        process = info.folder.process()
        assert process is not None
        assert os.getsid(process.pid) == process.pid


def test_doctor_reports_every_topic_as_data() -> None:
    done = facewright("doctor", "--json")
    topics = {finding["topic"] for finding in json.loads(done.stdout)}
    assert {"machine", "libraries", "gpu", "tensorflow", "landmarks", "video", "disk"} <= topics
    assert "commercial" in done.stdout


def test_doctor_tells_of_a_workspaces_consents(tmp_path: Path) -> None:
    (tmp_path / "data_src.mp4").write_bytes(b"video")
    agree_by(tmp_path, "src", "Anna")
    [consent] = [one for one in examine(tmp_path, probe_engine=False) if one.topic == "consent"]
    assert (consent.verdict, consent.text) == (Verdict.ADVICE, "src: valid: Anna; dst: none")
    agree_by(tmp_path, "dst", "Bert")
    [consent] = [one for one in examine(tmp_path, probe_engine=False) if one.topic == "consent"]
    assert consent.verdict is Verdict.GOOD


def test_asked_for_help_a_command_does_nothing_else(tmp_path: Path) -> None:
    with idle_run(tmp_path):
        for command in ("demo", "stages", "runs", "stop", "log", "show", "doctor"):
            asked = facewright(command, "--help", cwd=tmp_path)
            assert (asked.status, f"facewright {command}" in asked.stdout) == (0, True)
            [info] = client.list_runs(Workspace(tmp_path))
            assert info.state.live and not (tmp_path / "demo").exists()


def test_ctrl_c_before_the_first_event_stops_the_run_that_was_just_made(tmp_path: Path) -> None:
    process = start_facewright("run", "demo-media", "-w", tmp_path, "--dst-frames", "600")
    while process.poll() is None and not list(tmp_path.rglob("job.json")):
        psutil.cpu_percent(interval=0.001)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert (process.returncode, "Traceback" in told) == (130, False), told
    assert [info.state for info in client.list_runs(Workspace(tmp_path))] == ["stopped"]


def test_ctrl_c_while_waiting_for_a_hung_engine_says_how_to_end_it(tmp_path: Path) -> None:
    with idle_run(tmp_path) as info:
        process = info.folder.process()
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        waiting = start_facewright("stop", "-w", tmp_path)
        assert waiting.stderr is not None and "stopping" in waiting.stderr.readline()
        waiting.send_signal(signal.SIGINT)
        _, told = waiting.communicate(timeout=20)
        os.kill(process.pid, signal.SIGCONT)
    assert (waiting.returncode, f"kill -9 {process.pid}" in told) == (130, True), told


@pytest.mark.parametrize("words", [("demo-medai",), ("demo-media", "--frobnicate")])
def test_with_json_every_refusal_is_an_event_too(tmp_path: Path, words: tuple[str, ...]) -> None:
    refused = facewright("run", *words, "-w", tmp_path, "--json")
    [event] = refused.events
    assert (refused.status, event["ev"], event["refused"]) == (2, "failed", True)


def test_a_misspelt_command_is_not_taken_for_a_folder(tmp_path: Path) -> None:
    refused = facewright("dcotor", cwd=tmp_path)
    assert refused.status == 2 and "`facewright doctor`" in refused.stderr


def test_a_workspace_whose_name_is_not_utf8_is_refused_and_left_alone(tmp_path: Path) -> None:
    root = os.fsencode(tmp_path) + b"/\xff"
    os.mkdir(root)  # noqa: PTH102 - bytes
    refused = facewright("run", "demo-media", "-w", os.fsdecode(root), "--dst-frames", "10")
    assert (refused.status, "UTF-8" in refused.stderr) == (3, True), refused.stderr
    assert os.listdir(root) == []  # noqa: PTH208


def test_commands_that_are_told_can_be_pasted_into_a_shell(tmp_path: Path) -> None:
    root = tmp_path / "my own faces"
    root.mkdir()
    started = facewright("run", "demo-media", "-w", root, "--dst-frames", "600", "--detach")
    told = next(part for part in started.stderr.split("`") if "stop" in part)
    assert facewright(*shlex.split(told)[1:]).status == 0


def test_when_nobody_reads_on_the_run_goes_on_and_says_so(tmp_path: Path) -> None:
    process = start_facewright("run", "demo-media", "-w", tmp_path, "--dst-frames", "600", "--json")
    wait_for_line(process, '"progress"')
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert "goes on" in process.stderr.read()
    process.wait(timeout=10)
    [info] = client.list_runs(Workspace(tmp_path))
    assert info.state.live
    facewright("stop", "-w", tmp_path)


def test_a_terminal_without_the_characters_gets_question_marks(poor_doctor: Outcome) -> None:
    assert "Traceback" not in poor_doctor.stderr and "disk" in poor_doctor.stdout


def test_doctor_names_what_cannot_be_imported(poor_doctor: Outcome) -> None:
    assert (poor_doctor.status, "pynvml" in poor_doctor.stdout) == (4, True), poor_doctor.stderr


def test_doctor_outlives_a_tmux_that_does_not_answer(poor_doctor: Outcome) -> None:
    assert "does not answer" in poor_doctor.stdout


def test_doctor_outlives_a_tmux_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMUX", "/nowhere/socket,1,0")
    monkeypatch.setenv("PATH", "/nowhere")
    [told] = [one for one in examine(tmp_path, probe_engine=False) if one.topic == "tmux"]
    assert "does not answer" in told.text
