"""What is rendered is signed as altered, unless that was turned off with a reason."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import av
import pytest

from engine.media.video_read import count_packets
from engine.protocol.errors import ConfirmationNeeded, InputError, Stopped
from engine.protocol.user_folders import config_folder, data_folder
from engine.protocol.workspace import Workspace, list_images
from engine.provenance.identity import self_made_root_pem
from engine.provenance.marking import switch_marking
from engine.provenance.reading import Reading, Standing, examine
from engine.provenance.signing import Seal
from engine.provenance.store import read_store, sidecar_of
from engine.stages.merge.ledger import Ledger, Rendered
from engine.stages.video_render.disclosure import Disclosure, content_sha256
from engine.stages.video_render.sealing import Sealing
from tests.provenance.signed import Studio, flip_byte, seal_of
from tests.support.clips import listing, make_clip
from tests.support.disks import small_disk
from tests.support.results import decoded, merge_masks, merge_numbers, render

pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(tmp_path):
    make_clip(tmp_path / "data_dst.mp4", frames=5, tone=True)
    merge_numbers(tmp_path, range(5))
    return Workspace(tmp_path)


def reading_of(path: Path) -> Reading:
    return examine(path, self_made_root_pem())


def settings_file(text: str) -> None:
    path = config_folder() / "settings.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def own_settings(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
    return settings_file


@pytest.mark.parametrize(
    ("kind", "name", "where"),
    [
        ("mp4", "result.mp4", "in the file"),
        ("avi", "result.avi", "in the file"),
        ("mov-lossless", "result.mov", "in the file"),
        ("ffv1", "result.mkv", "in the side-car result.mkv.c2pa"),
        ("png-sequence", "result", "in the side-car SHA256SUMS.c2pa"),
    ],
)
def test_every_kind_of_result_is_signed_with_the_plate_as_what_it_was_made_from(
    workspace, kind, name, where
):
    context = render(workspace.root, kind=kind)
    reading = reading_of(workspace.root / name)
    assert (reading.standing, reading.where) == (Standing.TRUSTED, where)
    assert [action.kind for action in reading.actions] == ["c2pa.opened", "c2pa.edited"]
    assert reading.says_altered
    assert [(one.title, one.relation) for one in reading.ingredients] == [("plate", "parentOf")]
    assert "self-made certificate" in context.facts["marking"]


def test_pictures_of_any_name_are_signed_and_checked_by_name(tmp_path):
    names = [
        os.fsdecode(name) for name in (b"f\xff.png", b"a\xc2\x85.png", b"b\n.png", b"c\\n.png")
    ]
    merge_numbers(tmp_path, range(4))
    for path, name in zip(list_images(tmp_path / "data_dst" / "merged"), names, strict=True):
        path.rename(path.with_name(name))
    render(tmp_path, kind="png-sequence")
    result = tmp_path / "result"
    assert reading_of(result).standing is Standing.TRUSTED
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=result, check=True)
    for name in names:
        (result / name).rename(tmp_path / "aside")
        assert reading_of(result).problems == (f"pictures that were signed are missing: {name}",)
        (tmp_path / "aside").rename(result / name)


@pytest.mark.parametrize("kind", ["mov-lossless", "prores-4444"])
def test_what_has_alpha_for_compositing_stays_untouched_and_gets_a_side_car(workspace, kind):
    merge_masks(workspace.root, 5)
    render(workspace.root, kind=kind, alpha=True)
    result = workspace.root / "result.mov"
    assert reading_of(result).where == "in the side-car result.mov.c2pa"
    sidecar_of(result).unlink()
    assert reading_of(result).standing is Standing.UNMARKED


def test_a_signed_result_has_the_frames_times_and_sound_of_an_unsigned_one(workspace):
    render(workspace.root, kind="mov-lossless")
    result = workspace.root / "result.mov"
    signed, sound = decoded(result), _sound(result)
    switch_marking(workspace, on=False, reason="to compare")
    render(workspace.root, kind="mov-lossless", confirmed=True)
    unsigned = decoded(result)
    assert signed[1] == unsigned[1]
    assert all((a == b).all() for a, b in zip(signed[0], unsigned[0], strict=True))
    assert sound == _sound(result)
    assert count_packets(result, lambda: None) == 5


def test_where_marking_is_off_nothing_is_signed_and_the_result_says_why(workspace):
    switch_marking(workspace, on=False, reason="the broadcaster signs")
    context = render(workspace.root)
    assert reading_of(workspace.root / "result.mp4").standing is Standing.UNMARKED
    assert context.facts["marking"].endswith("the broadcaster signs")
    assert any("carries no mark" in warning for warning in context.warnings)


def test_the_sheet_of_an_unmarked_result_says_so_without_the_reason(workspace):
    switch_marking(workspace, on=False, reason="Ms Miller of the client wants it so")
    render(workspace.root)
    for sheet in workspace.root.glob("*.disclosure.*"):
        assert "turned off" in sheet.read_text()
        assert "Miller" not in sheet.read_text()


def test_an_unmarked_result_does_not_keep_the_side_car_of_the_one_before(workspace):
    render(workspace.root, kind="ffv1")
    switch_marking(workspace, on=False, reason="a test")
    render(workspace.root, kind="ffv1", confirmed=True)
    assert reading_of(workspace.root / "result.mkv").standing is Standing.UNMARKED
    [sidecar] = workspace.trash.glob("*/*.c2pa")
    assert sidecar.name == "result.mkv.c2pa"
    assert reading_of(sidecar.with_name("result.mkv")).standing is Standing.TRUSTED


def killed_at(renaming: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends a render before the n-th renaming of one of its files."""
    left, rename = renaming, Path.rename

    def killing(self: Path, target: Path) -> Path:
        nonlocal left
        left -= "result" in self.name
        if not left:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", killing)


@pytest.mark.parametrize("marked_then", [True, False])
def test_no_kill_leaves_a_result_beside_the_side_car_of_another(
    workspace, monkeypatch, marked_then
):
    result, sheet = (workspace.root / f"result.mkv{one}" for one in ("", ".disclosure.json"))
    render(workspace.root, kind="ffv1")
    switch_marking(workspace, on=marked_then, reason="a test")
    wanted = Standing.TRUSTED if marked_then else Standing.UNMARKED
    told: list[str] = []
    for renaming in (2, 5, 6, 7, 9, 10, 11, 20):
        killed_at(renaming, monkeypatch)
        try:
            render(workspace.root, kind="ffv1", confirmed=True)
        except KeyboardInterrupt:
            monkeypatch.undo()
            between = reading_of(result)
            waits = (workspace.root / ".result.whole" / "result.mkv.c2pa").exists()
            assert between.standing in (Standing.TRUSTED, Standing.UNMARKED)
            if between.standing is Standing.UNMARKED and waits:
                assert "start video-render again" in between.problems[0]
            told += between.problems
            with pytest.raises(ConfirmationNeeded):  # what was finished takes its place before
                render(workspace.root, kind="ffv1")
        monkeypatch.undo()
        assert reading_of(result).standing in (Standing.TRUSTED, wanted)
        assert json.loads(sheet.read_text())["sha256"] == content_sha256(result)
    assert reading_of(result).standing is wanted
    assert bool(told) == marked_then


def test_a_rendered_plate_that_was_signed_itself_is_carried_with_its_signer(workspace, tmp_path):
    camera = Studio("Camera Maker")
    seal_of(camera.identity(tmp_path)).into(workspace.dst.video())
    render(workspace.root)
    [plate] = reading_of(workspace.root / "result.mp4").ingredients
    assert (plate.marked, plate.signer.split(",")[0]) == (True, "Camera Maker")


def test_a_plate_that_was_changed_after_it_was_signed_is_warned_of(workspace, tmp_path):
    plate = workspace.dst.video()
    seal_of(Studio("Camera Maker").identity(tmp_path)).into(plate)
    flip_byte(plate, plate.read_bytes().index(b"isom"))  # within ftyp: not covered
    flip_byte(plate, plate.read_bytes().index(b"Lavf") + 1)
    context = render(workspace.root)
    assert any("data_dst.mp4 came with does not hold" in one for one in context.warnings)
    assert reading_of(workspace.root / "result.mp4").ingredients[0].problems


def test_the_manifest_has_the_hashes_of_model_and_settings_that_the_merge_ledger_has(workspace):
    ledger = Ledger.of(workspace)
    merged = sorted(workspace.dst.merged.iterdir())
    ledger.begin([path.stem for path in merged], ())
    with ledger:
        for path in merged:
            size = path.stat().st_size
            ledger.add(Rendered(path.stem, "key", size, 0, "a" * 64, "b" * 64))
    render(workspace.root)
    edited = reading_of(workspace.root / "result.mp4").actions[1]
    assert edited.parameters["facewright.model_sha256"] == "a" * 64
    assert edited.parameters["facewright.settings_sha256"] == "b" * 64


def test_a_studios_certificate_is_used_by_the_settings(workspace, own_settings, tmp_path_factory):
    studio, folder = Studio("A Studio"), tmp_path_factory.mktemp("keys")
    named = studio.write(folder)
    own_settings(f'[signing]\ncertificate = "{named.certificate}"\nkey = "{named.key}"\n')
    context = render(workspace.root)
    reading = examine(workspace.root / "result.mp4", studio.root_pem)
    assert (reading.standing, reading.signer) == (Standing.TRUSTED, "A Studio, Signer")
    assert context.facts["marking"] == "signed by the certificate of A Studio"


@pytest.mark.parametrize("kind", ["mp4", "ffv1", "png-sequence"])
def test_a_stop_while_the_result_is_signed_is_obeyed_and_leaves_nothing(
    workspace, monkeypatch, kind
):
    before = listing(workspace.root)
    mark = Sealing.mark

    def stopped_then(sealing, context, *rest):
        context.stop_requested = True
        return mark(sealing, context, *rest)

    monkeypatch.setattr(Sealing, "mark", stopped_then)
    monkeypatch.setattr(Disclosure, "write", None)  # is not come to
    with pytest.raises(Stopped):
        render(workspace.root, kind=kind)
    assert listing(workspace.root) == before


def test_a_time_stamp_authority_that_fails_at_the_end_costs_its_stamp_but_no_render(
    workspace, own_settings, tmp_path_factory, monkeypatch
):
    studio = Studio()
    named = studio.write(tmp_path_factory.mktemp("keys"))
    own_settings(
        f'[signing]\ncertificate = "{named.certificate}"\nkey = "{named.key}"\n'
        'timestamp-authority = "http://127.0.0.1:9"\n'
    )
    monkeypatch.setattr(Seal, "rehearse", lambda seal: None)  # it answered then
    context = render(workspace.root)
    assert "no time stamp of http://127.0.0.1:9" in context.warnings[-1]
    reading = examine(Path(context.facts["result"]), studio.root_pem)
    assert (reading.standing, reading.signed_at) == (Standing.TRUSTED, "")


def test_a_certificate_that_cannot_sign_is_refused_before_anything_is_rendered(
    workspace, own_settings, tmp_path_factory
):
    named = Studio().write(tmp_path_factory.mktemp("keys"))
    other = Studio().write(tmp_path_factory.mktemp("other"))
    own_settings(f'[signing]\ncertificate = "{named.certificate}"\nkey = "{other.key}"\n')
    before = listing(workspace.root)
    with pytest.raises(InputError, match="not that of any of the 2 certificates") as refused:
        render(workspace.root)
    assert refused.value.remedy
    assert listing(workspace.root) == before


def test_without_room_for_a_copy_the_mark_lies_beside_the_result_and_that_is_said(
    workspace, tmp_path
):
    large = (480, 270)
    merge_numbers(workspace.root, range(12), large)
    make_clip(workspace.root / "data_dst.mp4", frames=12, size_px=large)
    render(workspace.root, kind="mov-lossless")
    taken = [path.stat().st_size for path in workspace.root.rglob("*") if path.is_file()]
    pages_bytes = sum(-(-size // 4096) * 4096 for size in taken)
    half_bytes = (workspace.root / "result.mov").stat().st_size // 2
    with small_disk(tmp_path / "disk", str(pages_bytes + half_bytes + (1 << 16))) as disk:
        shutil.copy(workspace.dst.video(), disk)
        merge_numbers(disk, range(12), large)
        context = render(disk, kind="mov-lossless")
        assert any("no room for a copy of result.mov" in one for one in context.warnings)
        reading = reading_of(disk / "result.mov")
        assert (reading.standing, reading.where) == (
            Standing.TRUSTED,
            "in the side-car result.mov.c2pa",
        )


def test_what_a_kill_left_while_signing_is_removed_by_the_next_render(workspace, monkeypatch):
    left: list[str] = []

    def killed(self):
        left.extend(path.name for path in workspace.root.glob(".*part*"))
        for name in left:
            shutil.copy(workspace.root / name, workspace.root / f"{name}.kept")
        raise KeyboardInterrupt

    monkeypatch.setattr(Seal, "rehearse", lambda self: None)
    monkeypatch.setattr(Seal, "_builder", killed)
    with pytest.raises(KeyboardInterrupt):
        render(workspace.root)
    assert len(left) >= 2
    for name in left:
        (workspace.root / f"{name}.kept").rename(workspace.root / name)
    monkeypatch.undo()
    render(workspace.root)
    assert not list(workspace.root.glob(".*part*"))


def test_the_source_type_is_there_for_programs_that_read_xmp_only(workspace):
    render(workspace.root)
    data = (workspace.root / "result.mp4").read_bytes()
    assert b"<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/" in data
    assert read_store(workspace.root / "result.mp4") is not None


def test_the_self_made_key_is_for_its_user_alone(workspace):
    render(workspace.root)
    folder = data_folder() / "signing"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "key.pem").stat().st_mode & 0o777 == 0o600


def _sound(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.audio[0])]
