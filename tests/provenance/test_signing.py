"""Signed files: what C2PA's reader and ours say of them, and what stays as it was."""

from __future__ import annotations

import getpass
import json
import os
import re
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import av
import c2pa
import pytest

from engine.media.images import write_image
from engine.protocol.errors import InputError, Stopped
from engine.provenance import library
from engine.provenance.manifest import SOURCE_TYPE, Made, definition
from engine.provenance.plate import open_plate
from engine.provenance.reading import Standing, examine
from engine.provenance.sequence import LIST_NAME, write_list
from engine.provenance.signing import EMBEDDED_SUFFIXES, can_hold_manifest
from engine.provenance.store import read_store, sidecar_of
from tests.provenance.signed import Studio, flip_byte, seal_of, web_identity
from tests.support.clips import listing, make_clip, numbered_frame
from tests.support.disks import small_disk

FFV1 = ("-c:v", "ffv1", "-level", "3")


@pytest.fixture(scope="module")
def studio():
    return Studio()


@pytest.fixture(scope="module")
def identity(studio, tmp_path_factory):
    return studio.identity(tmp_path_factory.mktemp("studio"))


@pytest.fixture(scope="module")
def plate(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("plate") / "data_dst.mp4", frames=6, tone=True)


def signed_clip(folder: Path, name: str, identity, plate, **how) -> Path:
    path = make_clip(folder / name, frames=8, tone=True, **how)
    shutil.copy(path, folder / f"unsigned{path.suffix}")
    seal_of(identity, plate).into(path)
    return path


def sign_by_library(builder: c2pa.Builder, identity, plain: Path, marked: Path) -> None:
    """As another program does it."""
    info = c2pa.C2paSignerInfo(
        identity.algorithm, identity.chain_pem.encode(), identity.key_pem.encode(), None
    )
    with plain.open("rb") as source, marked.open("w+b") as target:
        builder.sign(c2pa.Signer.from_info(info), "mp4", source, target)


def packets(path: Path) -> list[tuple]:
    """Every packet of every stream: its bytes and when it is shown."""
    with av.open(str(path)) as container:
        rates = [(one.type, one.frames, one.time_base) for one in container.streams]
        found = [
            (one.stream.index, one.pts, one.dts, one.duration, bytes(one))
            for one in container.demux()
        ]
    return [*rates, *found]


@pytest.mark.parametrize("suffix", sorted(EMBEDDED_SUFFIXES))
def test_a_signed_file_is_trusted_by_the_library_itself_against_the_studios_root(
    tmp_path, studio, identity, plate, suffix
):
    path = signed_clip(tmp_path, f"result{suffix}", identity, plate)
    settings = c2pa.Settings.from_dict({"trust": {"user_anchors": studio.root_pem}})
    with path.open("rb") as file:
        reader = c2pa.Reader(suffix[1:], file, context=c2pa.Context(settings))
        assert reader.get_validation_state() == "Trusted"
        manifest = reader.get_active_manifest()
    [actions] = [one for one in manifest["assertions"] if one["label"] == "c2pa.actions.v2"]
    opened, edited = actions["data"]["actions"]
    assert opened["action"] == "c2pa.opened"
    assert opened["parameters"]["ingredients"]
    assert (edited["action"], edited["digitalSourceType"]) == ("c2pa.edited", SOURCE_TYPE)
    assert edited["softwareAgent"]["name"] == "Facewright"
    assert edited["parameters"]["facewright.model_sha256"] == "a" * 64
    assert edited["parameters"]["facewright.settings_sha256"] == "b" * 64
    [ingredient] = manifest["ingredients"]
    assert (ingredient["title"], ingredient["relationship"]) == ("plate", "parentOf")


@pytest.mark.parametrize("suffix", sorted(EMBEDDED_SUFFIXES))
def test_every_packet_of_a_signed_file_is_that_of_the_unsigned_one(
    tmp_path, identity, plate, suffix
):
    path = signed_clip(tmp_path, f"result{suffix}", identity, plate)
    assert path.read_bytes() != (tmp_path / f"unsigned{suffix}").read_bytes()
    assert packets(path) == packets(tmp_path / f"unsigned{suffix}")


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_one_flipped_byte_is_detected(tmp_path, studio, identity, plate, suffix, part):
    path = signed_clip(tmp_path, f"result{suffix}", identity, plate)
    begin = path.read_bytes().index(b"mdat")
    flip_byte(path, begin + 8 + int((path.stat().st_size - begin - 8) * part))
    reading = examine(path, studio.root_pem)
    assert reading.standing is Standing.INVALID
    assert "the file was changed after it was signed" in reading.problems


def test_a_byte_flipped_in_the_manifest_is_detected_too(tmp_path, studio, identity, plate):
    path = signed_clip(tmp_path, "result.mp4", identity, plate)
    flip_byte(path, path.read_bytes().index(b"Faces were replaced"))
    assert examine(path, studio.root_pem).standing is Standing.INVALID


def test_without_the_studios_root_the_signer_is_not_trusted_but_the_file_is_whole(
    tmp_path, identity, plate
):
    path = signed_clip(tmp_path, "result.mp4", identity, plate)
    reading = examine(path, Studio("Another").root_pem)
    assert reading.standing is Standing.UNTRUSTED
    assert reading.says_altered
    assert reading.signer.startswith("Test Studio")


def test_a_plates_own_manifest_is_carried_on_as_that_of_the_ingredient(
    tmp_path, studio, identity, plate
):
    camera = Studio("Camera Maker")
    marked = make_clip(tmp_path / "data_dst.mp4", frames=4)
    seal_of(camera.identity(tmp_path)).into(marked)
    label = read_store(marked).report["active_manifest"]
    path = signed_clip(tmp_path, "result.mp4", identity, marked)
    store = read_store(path, studio.root_pem + camera.root_pem)
    assert store.verdict == "Trusted"
    [ingredient] = store.active["ingredients"]
    assert ingredient["active_manifest"] == label
    assert label in store.report["manifests"]
    assert examine(path).ingredients[0].signer.startswith("Camera Maker")


def test_a_plates_side_car_is_carried_on_too(tmp_path, studio, identity):
    camera = Studio("Camera Maker")
    marked = make_clip(tmp_path / "data_dst.mkv", frames=4, codec=FFV1)
    seal_of(camera.identity(tmp_path)).beside(marked, sidecar_of(marked))
    path = signed_clip(tmp_path, "result.mp4", identity, marked)
    [ingredient] = examine(path, studio.root_pem).ingredients
    assert (ingredient.marked, ingredient.problems) == (True, ())
    assert ingredient.signer.startswith("Camera Maker")


def test_a_plate_that_was_changed_after_it_was_signed_is_said_to_be(tmp_path, studio, identity):
    marked = make_clip(tmp_path / "data_dst.mp4", frames=4)
    seal_of(identity).into(marked)
    flip_byte(marked, marked.stat().st_size - 100)
    assert open_plate(marked).problem.endswith("on so: the file was changed after it was signed")
    path = signed_clip(tmp_path, "result.mp4", identity, marked)
    reading = examine(path, studio.root_pem)
    assert reading.standing is Standing.TRUSTED
    assert "the file was changed after it was signed" in reading.ingredients[0].problems


def test_a_plate_whose_manifest_is_damaged_is_an_ingredient_without_one(tmp_path, studio, identity):
    marked = make_clip(tmp_path / "data_dst.mp4", frames=4)
    seal_of(identity).into(marked)
    flip_byte(marked, marked.read_bytes().index(b"jumd") + 2)
    path = signed_clip(tmp_path, "result.mp4", identity, marked)
    reading = examine(path, studio.root_pem)
    assert reading.standing is Standing.TRUSTED
    assert not reading.ingredients[0].marked


def test_a_manifest_that_lies_elsewhere_is_not_fetched_and_keeps_no_plate_from_being_used(
    tmp_path, studio, identity
):
    plain = make_clip(tmp_path / "plain.mp4", frames=4)
    marked = tmp_path / "data_dst.mp4"
    with seal_of(identity)._builder() as builder:
        builder.set_no_embed()
        builder.set_remote_url("http://127.0.0.1:9/result.c2pa")
        sign_by_library(builder, identity, plain, marked)
    with pytest.raises(InputError, match=r"lies elsewhere.*127\.0\.0\.1"):
        examine(marked)
    assert "not carried on" in open_plate(marked).problem
    path = signed_clip(tmp_path, "result.mp4", identity, marked)
    assert examine(path, studio.root_pem).standing is Standing.TRUSTED


def test_nobody_on_the_web_is_asked_who_made_a_file(tmp_path, studio, identity):
    plain, marked = make_clip(tmp_path / "plain.mp4", frames=2), tmp_path / "marked.mp4"
    manifest = definition(Made())
    manifest["assertions"].append(web_identity("example.com"))
    with c2pa.Builder(manifest) as builder:
        sign_by_library(builder, identity, plain, marked)
    store = read_store(marked, studio.root_pem)
    assert store.verdict == "Trusted"
    assert "did_unavailable" not in json.dumps(store.report)


def test_a_side_car_of_ffv1_validates_and_the_film_stays_untouched(
    tmp_path, studio, identity, plate
):
    path = make_clip(tmp_path / "result.mkv", frames=4, codec=FFV1)
    before = path.read_bytes()
    seal_of(identity, plate).beside(path, sidecar_of(path))
    assert path.read_bytes() == before
    reading = examine(path, studio.root_pem)
    assert (reading.standing, reading.where) == (
        Standing.TRUSTED,
        "in the side-car result.mkv.c2pa",
    )
    flip_byte(path, len(before) // 2)
    assert examine(path, studio.root_pem).standing is Standing.INVALID


def test_a_folder_of_pictures_is_signed_by_the_list_of_their_hashes(
    tmp_path, studio, identity, plate
):
    folder = tmp_path / "result"
    folder.mkdir()
    for number in range(6):
        write_image(folder / f"{number:05d}.png", numbered_frame(number))
    listed = write_list(folder)
    seal_of(identity, plate).beside(listed, sidecar_of(listed))
    assert examine(folder, studio.root_pem).standing is Standing.TRUSTED
    flip_byte(folder / "00003.png", 300)
    (folder / "00001.png").rename(folder / "00009.png")
    reading = examine(folder, studio.root_pem)
    assert reading.standing is Standing.INVALID
    assert [problem.rpartition(": ")[2] for problem in reading.problems] == [
        "00003.png",
        "00001.png",
        "00009.png",
    ]
    flip_byte(folder / LIST_NAME, 3)
    assert "the file was changed after it was signed" in examine(folder).problems


def test_nothing_personal_stands_in_a_manifest(tmp_path, identity, plate):
    path = signed_clip(tmp_path, "result.mp4", identity, plate)
    store = json.dumps(read_store(path).report)
    words = set(re.findall(r"\w+", store))
    assert not words & {getpass.getuser(), socket.gethostname()}
    for place in (str(Path.home()), str(tmp_path), str(plate.parent)):
        assert place not in store
        assert place.encode() not in path.read_bytes()
    assert "data_dst" not in store
    assert "thumbnail" not in store


def test_a_file_without_a_manifest_is_unmarked_and_one_that_is_no_video_is_refused(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", frames=2)
    assert examine(clip).standing is Standing.UNMARKED
    assert examine(make_clip(tmp_path / "clip.mkv", frames=2)).standing is Standing.UNMARKED
    with pytest.raises(InputError, match="cannot read"):
        examine(tmp_path / "nothing.mp4")
    with pytest.raises(InputError, match="is a side-car"):
        examine(tmp_path / "clip.mp4.c2pa")


def test_a_signed_film_is_known_by_what_is_in_it_where_its_name_does_not_say(
    tmp_path, studio, identity, plate
):
    path = signed_clip(tmp_path, "result.mp4", identity, plate)
    copy = path.rename(tmp_path / "result.mp4.bak")
    assert examine(copy, studio.root_pem).standing is Standing.TRUSTED


@pytest.mark.parametrize("content", [b"", b"a few words"])
def test_what_is_not_what_its_name_says_and_holds_no_manifest_is_called_so(tmp_path, content):
    path = tmp_path / "notes.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"notes\.mp4 cannot be read as mp4"):
        examine(path)


def test_a_signed_film_whose_container_is_damaged_has_a_manifest_that_does_not_hold(
    tmp_path, identity, plate
):
    path = signed_clip(tmp_path, "result.mp4", identity, plate)
    flip_byte(path, 0)  # how long its first box is
    assert examine(path).standing is Standing.INVALID


def test_a_plate_that_only_ffmpeg_can_read_is_an_ingredient(tmp_path, studio, identity):
    plate = make_clip(tmp_path / "clip.mkv", frames=2).rename(tmp_path / "data_dst.mp4")
    path = signed_clip(tmp_path, "result.mp4", identity, plate)
    assert not examine(path, studio.root_pem).ingredients[0].marked


def test_verifying_tells_the_same_in_the_same_order_each_time(tmp_path, identity, plate):
    path = signed_clip(tmp_path, "result.mp4", identity, plate)
    told = [list(examine(path).actions[-1].parameters) for _ in range(5)]
    assert told == [sorted(told[0])] * 5


@pytest.mark.parametrize(
    ("name", "size", "can"),
    [
        ("result.avi", (1 << 30) - 1, True),
        ("result.avi", 1 << 30, False),  # its index would not hold
        ("result.mov", 1 << 20, True),
        ("result.mov", 1 << 30, False),  # not worth a copy of all
        ("result.mp4", 1 << 33, True),
        ("result.mkv", 1 << 20, False),
    ],
)
def test_what_is_signed_in_itself_is_said_by_kind_and_size(tmp_path, name, size, can):
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(size)
    assert can_hold_manifest(path) is can


def test_a_disk_that_is_full_while_signing_leaves_the_file_as_it_was(tmp_path, identity):
    with small_disk(tmp_path / "disk", "600k") as disk:
        path = make_clip(disk / "result.mp4", frames=100)
        before = path.read_bytes()
        (disk / "filler").write_bytes(b"\0" * (500 * 1024 - len(before)))
        with pytest.raises(InputError, match="disk is full"):
            seal_of(identity).into(path)
        assert path.read_bytes() == before
        assert {one.name for one in disk.iterdir()} == {"result.mp4", "filler"}


@pytest.mark.parametrize("way", ["into", "beside", "rehearse"])
def test_a_stop_ends_signing_within_the_file_and_leaves_all_as_it_was(tmp_path, identity, way):
    plate, path = (make_clip(tmp_path / name, frames=4) for name in ("plate.mp4", "result.mp4"))
    before, blocks = listing(tmp_path), iter(range(5))

    def check_stop():
        if next(blocks, None) is None:
            raise Stopped

    seal = replace(seal_of(identity, plate), check_stop=check_stop)
    targets = {"into": [path], "beside": [path, sidecar_of(path)], "rehearse": []}[way]
    with pytest.raises(Stopped):
        getattr(seal, way)(*targets)
    assert listing(tmp_path) == before


def test_a_stop_ends_the_look_at_a_plate_that_is_signed(tmp_path, identity):
    path = make_clip(tmp_path / "plate.mp4", frames=4)
    seal_of(identity).into(path)
    blocks = iter(range(20))  # its own hash takes one

    def check_stop():
        if next(blocks, None) is None:
            raise Stopped

    with pytest.raises(Stopped):
        open_plate(path, check_stop=check_stop)


def test_signing_takes_no_room_on_the_disk_of_temporary_files(
    tmp_path, monkeypatch, studio, identity
):
    monkeypatch.setenv("TMPDIR", "/nowhere")
    monkeypatch.setattr(library, "MEMORY_BYTES", 1 << 20)
    path = make_clip(tmp_path / "result.mp4", frames=4)
    size = 3 << 20
    with path.open("ab") as file:
        file.write(size.to_bytes(4, "big") + b"mdat" + bytes(size - 8))
    seal = seal_of(identity)
    seal.into(path)
    assert examine(path, studio.root_pem).standing is Standing.TRUSTED
    assert os.environ["TMPDIR"] == "/nowhere"
    other = tmp_path / "result.mkv"
    other.write_bytes(bytes(size))
    seal.beside(other, sidecar_of(other))
    assert examine(other, studio.root_pem).standing is Standing.TRUSTED
