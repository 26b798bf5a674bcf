"""The checks, each a function that gives findings. None changes anything."""

from __future__ import annotations

import json
import locale
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path


class Verdict(StrEnum):
    """How a finding is to be taken."""

    GOOD = "good"
    FACT = "fact"
    ADVICE = "advice"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's page; `remedy` says what to do."""

    topic: str
    verdict: Verdict
    text: str
    remedy: str = ""


_LIBRARIES = (
    "facewright",
    "tensorflow",
    "keras",
    "numpy",
    "scipy",
    "opencv-python-headless",
    "dlib-bin",
    "mtcnn",
    "av",
    "imageio",
    "imageio-ffmpeg",
    "c2pa-python",
    "textual",
    "rich",
    "pillow",
)
_FREE_BYTES_WANTED = 10 * 10**9  # a short 1080p project: frames, faces, model, result


def examine(folder: Path, *, probe_engine: bool = True) -> list[Finding]:
    """All findings for this machine, with `folder` as the place of work."""
    checks: tuple[Callable[[], list[Finding]], ...] = (
        _machine,
        _libraries,
        _gpus,
        _tensorflow if probe_engine else list,
        _weights,
        _ffmpeg,
        lambda: _disk(folder),
        lambda: _consent(folder),
        lambda: _marking(folder),
        _terminal,
        _tmux,
        _session,
    )
    return [finding for check in checks for finding in _found_by(check)]


def _found_by(check: Callable[[], list[Finding]]) -> list[Finding]:
    """A broken install is what the doctor is asked about: it must not end him."""
    try:
        return check()
    except ImportError as error:
        text = f"{error.name or 'a library'} cannot be loaded: {error}"
        return [
            Finding("libraries", Verdict.PROBLEM, text, "pip install --force-reinstall facewright")
        ]


def _machine() -> list[Finding]:
    import psutil

    memory_gb = psutil.virtual_memory().total / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    text = f"Python {sys.version.split()[0]}, {cores} CPU cores, {memory_gb:.0f} GiB memory"
    if memory_gb < 6:
        return [Finding("machine", Verdict.ADVICE, text, "training wants 6 GiB or more")]
    return [Finding("machine", Verdict.GOOD, text)]


def _libraries() -> list[Finding]:
    found, missing = [], []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    findings = [Finding("libraries", Verdict.FACT, ", ".join(found))]
    if missing:
        text = f"not installed: {', '.join(missing)}"
        findings.append(Finding("libraries", Verdict.PROBLEM, text, "pip install facewright"))
    return findings


def _gpus() -> list[Finding]:
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        text = f"no NVIDIA GPU seen ({error})"
        return [Finding("gpu", Verdict.ADVICE, text, "training runs on the CPU, slowly")]
    try:
        return [_gpu(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError as error:
        text = f"the NVIDIA driver does not tell about its GPUs ({error})"
        return [Finding("gpu", Verdict.ADVICE, text, "see what nvidia-smi says")]
    finally:
        pynvml.nvmlShutdown()


def _gpu(index: int) -> Finding:
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    used, total = memory.used / 2**30, memory.total / 2**30
    text = f"GPU {index}: {pynvml.nvmlDeviceGetName(handle)}, {used:.1f} of {total:.1f} GiB in use"
    return Finding("gpu", Verdict.GOOD, text)


def _tensorflow() -> list[Finding]:
    """Ask a process of its own, since this one never loads TensorFlow."""
    try:
        answer = subprocess.run(
            [sys.executable, "-P", "-m", "engine", "--probe"],
            capture_output=True,
            timeout=120,
            check=True,
        )
        facts = json.loads(answer.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, ValueError, IndexError) as error:
        detail = getattr(error, "stderr", b"") or b""
        text = f"TensorFlow does not start: {error} {detail[-300:].decode(errors='replace')}"
        return [Finding("tensorflow", Verdict.PROBLEM, text, "reinstall tensorflow")]
    gpus = [device for device in facts["devices"] if device["type"] == "GPU"]
    text = f"TensorFlow {facts['tensorflow']} starts in {facts['import_s']} s, sees "
    if gpus:
        names = ", ".join(device["details"] or device["name"] for device in gpus)
        return [Finding("tensorflow", Verdict.GOOD, text + names)]
    remedy = "with an NVIDIA GPU: pip install 'facewright[gpu]'"
    return [Finding("tensorflow", Verdict.FACT, text + "no GPU", remedy)]


def _weights() -> list[Finding]:
    note = "training data of the 68-point landmark model excludes commercial use"
    remedy = "for commercial work clear it with its makers or use other landmarks; see the README"
    findings = [
        _weight_file("mtcnn", "mtcnn", ".lz4", "MTCNN face detector (MIT)"),
        _weight_file(
            "landmarks",
            "face_recognition_models",
            "shape_predictor_68_face_landmarks.dat",
            "dlib 68-point landmarks",
        ),
    ]
    return [*findings, Finding("landmarks", Verdict.ADVICE, note, remedy)]


def _weight_file(topic: str, package: str, suffix: str, what: str) -> Finding:
    try:
        files = distribution(package).files or []
    except PackageNotFoundError:
        files = []
    present = any(
        str(file).endswith(suffix) and Path(str(file.locate())).is_file() for file in files
    )
    if present:
        return Finding(topic, Verdict.GOOD, f"{what}: there")
    return Finding(topic, Verdict.PROBLEM, f"{what}: missing", f"pip install {package}")


def _ffmpeg() -> list[Finding]:
    import imageio_ffmpeg

    try:
        program = imageio_ffmpeg.get_ffmpeg_exe()
        listing = subprocess.run(
            [program, "-hide_banner", "-encoders"], capture_output=True, timeout=30, check=True
        ).stdout.decode(errors="replace")
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        text = f"no working ffmpeg: {error}"
        return [Finding("video", Verdict.PROBLEM, text, "pip install imageio-ffmpeg")]
    wanted = ("libx264", "libx264rgb", "libx265", "ffv1", "prores_ks", "aac")
    there = [name for name in wanted if f" {name} " in listing]
    text = f"ffmpeg {imageio_ffmpeg.get_ffmpeg_version()} encodes {', '.join(there)}"
    verdict = Verdict.GOOD if "libx264" in there and "aac" in there else Verdict.PROBLEM
    remedy = "" if verdict is Verdict.GOOD else "pip install --force-reinstall imageio-ffmpeg"
    return [Finding("video", verdict, text, remedy)]


def _disk(folder: Path) -> list[Finding]:
    usage = shutil.disk_usage(folder)
    text = f"{usage.free / 1e9:.1f} GB free in {folder}"
    if not os.access(folder, os.W_OK):
        return [Finding("disk", Verdict.PROBLEM, f"{folder} is not writable", "choose another")]
    if usage.free < _FREE_BYTES_WANTED:
        remedy = "a minute of 1080p as PNG frames takes about 5 GB; jpg takes a tenth"
        return [Finding("disk", Verdict.ADVICE, text, remedy)]
    return [Finding("disk", Verdict.GOOD, text)]


def _consent(folder: Path) -> list[Finding]:
    """Of a folder that is a workspace."""
    from engine.protocol.consent_judgement import consent_glance
    from engine.protocol.workspace import SIDES, Workspace

    sides = [Workspace(folder).side(name) for name in SIDES]
    if not any(side.video() or side.frames.is_dir() for side in sides):
        return []
    consents = [consent_glance(side) for side in sides]
    text = "; ".join(f"{name}: {one.words}" for name, one in zip(SIDES, consents, strict=True))
    if all(one.allows_final for one in consents):
        return [Finding("consent", Verdict.GOOD, text)]
    remedy = "facewright run consent-record; until then video-render makes drafts only (--draft)"
    return [Finding("consent", Verdict.ADVICE, text, remedy)]


def _marking(folder: Path) -> list[Finding]:
    """Whether results are marked here, and by which certificate."""
    from engine.protocol.errors import FacewrightError
    from engine.protocol.workspace import Workspace
    from engine.provenance.identity import known_identity
    from engine.provenance.marking import marking_state
    from engine.provenance.settings import signing_settings

    state = marking_state(Workspace(folder))
    verdict = Verdict.FACT if state.on and not state.problem else Verdict.ADVICE
    remedy = "" if state.on else "facewright run marking --state on"
    findings = [Finding("marking", verdict, f"marking of results is {state.words}", remedy)]
    try:
        identity = known_identity(signing_settings())
    except FacewrightError as error:
        return [*findings, Finding("marking", Verdict.PROBLEM, error.message, error.remedy)]
    words = identity.words if identity else "a self-made certificate, made at the first render"
    findings.append(Finding("marking", Verdict.FACT, f"results are signed by {words}"))
    warnings = identity.warnings if identity else ()
    return findings + [Finding("marking", Verdict.ADVICE, warning) for warning in warnings]


def _terminal() -> list[Finding]:
    from tuiapp.graphics.probe import probe_terminal
    from tuiapp.settings import load_settings

    findings = []
    if sys.stdout.isatty() and sys.stdin.isatty():
        graphics = probe_terminal(load_settings().graphics)
        findings.append(Finding("terminal", Verdict.GOOD, f"pictures: {graphics.why}"))
    else:
        text = "not in a terminal: pictures not probed"
        findings.append(Finding("terminal", Verdict.FACT, text, "run `facewright doctor` in one"))
    if os.environ.get("COLORTERM") not in ("truecolor", "24bit"):
        remedy = "if it shows 24-bit colour: export COLORTERM=truecolor"
        text = f"TERM={os.environ.get('TERM', '')} without COLORTERM: colours may be few"
        findings.append(Finding("terminal", Verdict.ADVICE, text, remedy))
    if "utf" not in locale.getpreferredencoding(False).lower():
        text = f"character set {locale.getpreferredencoding(False)}"
        remedy = "export LC_ALL=C.UTF-8, else frames and blocks are question marks"
        findings.append(Finding("terminal", Verdict.PROBLEM, text, remedy))
    return findings


def _tmux() -> list[Finding]:
    if not os.environ.get("TMUX"):
        there = shutil.which("tmux") is not None
        text = "not inside tmux; runs outlive the terminal anyway"
        return [Finding("tmux", Verdict.FACT, text if there else "tmux is not installed")]
    try:
        asked = _tmux_says("display", "-p", "#{version} #{client_termfeatures}")
        passthrough = _tmux_says("show", "-gv", "allow-passthrough")
    except (OSError, subprocess.SubprocessError) as error:
        text = f"TMUX is set, but tmux does not answer: {error}"  # in a container, for example
        return [Finding("tmux", Verdict.ADVICE, text, "unset TMUX, if this is not inside tmux")]
    number, _, features = asked.strip().partition(" ")
    sixel = "with sixel" if "sixel" in features.split(",") else "no sixel from the outer terminal"
    findings = [Finding("tmux", Verdict.FACT, f"tmux {number}, {sixel}")]
    if passthrough.strip() not in ("on", "all"):
        text = "allow-passthrough is off: the outer terminal's pictures cannot be asked for"
        remedy = "tmux set -g allow-passthrough on (and in ~/.tmux.conf)"
        findings.append(Finding("tmux", Verdict.ADVICE, text, remedy))
    return findings


def _tmux_says(*words: str) -> str:
    done = subprocess.run(["tmux", *words], capture_output=True, timeout=5, check=True)
    return done.stdout.decode(errors="replace")


def _session() -> list[Finding]:
    """systemd may end all of a user's processes at logout, detached ones too."""
    config = Path("/etc/systemd/logind.conf")
    try:
        lines = [line.strip() for line in config.read_text().splitlines()]
    except OSError:
        return []
    if "KillUserProcesses=yes" not in lines:
        return []
    text = "systemd ends your processes at logout (KillUserProcesses=yes)"
    return [Finding("session", Verdict.PROBLEM, text, "loginctl enable-linger")]
