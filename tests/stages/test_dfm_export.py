"""Models written as ONNX files: all or nothing, what was there before in the trash."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest

from engine.models.amp.model import Amp
from engine.models.amp.spec import AMP
from engine.models.classes import SWAP_CLASSES, model_code
from engine.models.onnx_export import exporting
from engine.models.onnx_export.exporting import require_room
from engine.models.predictor import load_predictor
from engine.protocol.dfm_files import LARGEST_BYTES, read_dfm_header
from engine.protocol.errors import ConfirmationNeeded, InputError, Stopped
from engine.protocol.files import PART
from engine.protocol.options import complete_values
from engine.protocol.workspace import Workspace
from engine.stages.dfm_export.run import export_dfm
from engine.stages.xseg_export.run import export_xseg
from engine.train.generations import Generations
from tests.models.amp.golden_amp import TINY
from tests.models.onnx_export.playing import DeepFaceLive, session
from tests.models.tiny_saehd import MadeBatches, saved_by, tiny_saehd
from tests.models.xseg.made_xseg import write_dfl_xseg
from tests.support.context import context_for
from tests.support.disks import small_disk
from tests.support.tree import tree

pytestmark = pytest.mark.slow  # starts nets

SIDE = 32
FACES = MadeBatches(3, SIDE).next().dst.target_bgr


@pytest.fixture(scope="module")
def trained() -> Any:
    """A tiny untrained model's save; no training makes its file another."""
    return saved_by(tiny_saehd("liae-ud", face_type="wf"))


def save(root: Path, trained: Any, **changes: Any) -> None:
    manifest = msgspec.structs.replace(trained.manifest, **changes)
    Generations(Workspace(root).model("tiny", "saehd")).write(manifest, trained.state)


def run(root: Path, *, confirmed: bool = False, **options: Any) -> Any:
    given = {"model": "tiny", "model_class": "saehd", **options}
    context = context_for(root, "dfm-export", confirmed=confirmed, **given)
    export_dfm(context)
    return context


def test_the_file_draws_what_merging_draws(tmp_path: Path, trained: Any) -> None:
    save(tmp_path, trained, iteration=12)
    context = run(tmp_path)
    path = tmp_path / "model" / "tiny_SAEHD_model.dfm"
    assert context.facts == {"iteration": 12, "bytes": path.stat().st_size, "file": str(path)}
    assert context.reported[-1] == (3, 3)
    expected = load_predictor(Workspace(tmp_path), "tiny", "saehd", "cpu").predict(FACES)
    player = DeepFaceLive(path.read_bytes())
    for number, face in enumerate(FACES):
        mask_dst, drawn, mask_src = player.convert(face)
        np.testing.assert_allclose(drawn, expected.face_bgr[number], atol=1e-4)
        np.testing.assert_allclose(mask_dst[..., 0], expected.mask_dst[number], atol=1e-4)
        np.testing.assert_allclose(mask_src[..., 0], expected.mask_src[number], atol=1e-4)


def test_merging_with_the_file_of_an_amp_model_draws_what_merging_with_the_model_draws(
    tmp_path: Path,
) -> None:
    given = complete_values(AMP.options, {})
    model = Amp({**given, **TINY, "face_type": "head"}, seed=7, dtype="float32")
    saved = saved_by(model)
    manifest = msgspec.structs.replace(saved.manifest, model_class="amp")
    Generations(Workspace(tmp_path).model("tiny", "amp")).write(manifest, saved.state)
    run(tmp_path, model_class="amp")
    workspace, factors = Workspace(tmp_path), np.float32([0, 0.4, 1])
    faces = MadeBatches(3, TINY["resolution"]).next().dst.target_bgr
    ours = load_predictor(workspace, "tiny", "amp", "cpu")
    played = load_predictor(workspace, "tiny_AMP_model", "dfm", "cpu")
    assert played.face_type is ours.face_type
    expected, found = (predictor.predict(faces, factors) for predictor in (ours, played))
    for name, wanted in vars(expected).items():
        np.testing.assert_allclose(getattr(found, name), wanted, atol=1e-4)
    assert np.abs(found.face_bgr - played.predict(faces).face_bgr).max() > 1e-3


def test_the_file_says_whose_it_is(tmp_path: Path, trained: Any) -> None:
    save(tmp_path, trained, iteration=12)
    run(tmp_path)
    model = onnx.load(str(tmp_path / "model" / "tiny_SAEHD_model.dfm"))
    notes = {entry.key: entry.value for entry in model.metadata_props}
    saved = Generations(Workspace(tmp_path).model("tiny", "saehd")).newest(lambda *_: None)
    assert notes == {
        "facewright.model_name": "tiny",
        "facewright.model_class": "saehd",
        "facewright.face_type": "wf",
        "facewright.resolution": str(SIDE),
        "facewright.iteration": "12",
        "facewright.fingerprint": saved.manifest.fingerprint(),
    }
    assert model.graph.name == "SAEHD"
    header = read_dfm_header(tmp_path / "model" / "tiny_SAEHD_model.dfm")
    assert (header.face_type, header.iteration, header.batch) == ("wf", 12, None)


def test_an_earlier_save_is_exported_by_its_iteration_also_quantised(
    tmp_path: Path, trained: Any
) -> None:
    for iteration in (5, 9):
        save(tmp_path, trained, iteration=iteration)
    exact, rough = tmp_path / "exact", tmp_path / "rough"
    assert run(tmp_path, save="5", to=str(exact)).facts["iteration"] == 5
    assert run(tmp_path, to=str(rough), quantised=True).facts["iteration"] == 9
    name = "tiny_SAEHD_model.dfm"
    assert (rough / name).stat().st_size < 0.8 * (exact / name).stat().st_size


def test_a_file_that_is_there_is_replaced_only_if_confirmed_and_goes_to_the_trash(
    tmp_path: Path, trained: Any
) -> None:
    save(tmp_path, trained)
    path = tmp_path / "model" / "tiny_SAEHD_model.dfm"
    path.write_bytes(b"of another time")
    with pytest.raises(ConfirmationNeeded, match="is there"):
        run(tmp_path)
    assert path.read_bytes() == b"of another time"
    run(tmp_path, confirmed=True)
    [trash] = Workspace(tmp_path).trash.iterdir()
    assert (trash / "model" / path.name).read_bytes() == b"of another time"
    assert DeepFaceLive(path.read_bytes()).height == SIDE


def test_what_a_killed_run_left_is_swept_by_the_next(tmp_path: Path, trained: Any) -> None:
    save(tmp_path, trained)
    half = tmp_path / "model" / f".tiny_SAEHD_model.0a1b2c3d{PART}.dfm"
    half.write_bytes(b"half")
    run(tmp_path)
    assert not half.exists()


def test_outside_the_workspace_nothing_is_ever_replaced(tmp_path: Path, trained: Any) -> None:
    root, out = tmp_path / "work", tmp_path / "out"
    save(root, trained)
    out.mkdir()
    (out / "tiny_SAEHD_model.dfm").write_bytes(b"of others")
    with pytest.raises(InputError, match="is there"):
        run(root, confirmed=True, to=str(out))
    assert (out / "tiny_SAEHD_model.dfm").read_bytes() == b"of others"


def test_a_model_that_is_not_there_or_has_no_such_save_is_refused(
    tmp_path: Path, trained: Any
) -> None:
    save(tmp_path, trained)
    with pytest.raises(InputError, match="there is no model other"):
        run(tmp_path, model="other")
    with pytest.raises(InputError, match="777"):
        run(tmp_path, save="777")
    assert not list((tmp_path / "model").glob("*.dfm"))


def test_a_full_disk_and_a_stop_leave_everything_as_it_was(tmp_path: Path, trained: Any) -> None:
    with small_disk(tmp_path / "disk", "8m") as root:
        save(root, trained)
        path = root / "model" / "tiny_SAEHD_model.dfm"
        path.write_bytes(b"of another time")
        before = tree(root / "model")
        context = context_for(root, "dfm-export", confirmed=True, model="tiny", model_class="saehd")
        context.stop_after = 2
        with pytest.raises(Stopped):
            export_dfm(context)
        assert tree(root / "model") == before
        with (root / "filler").open("wb", buffering=0) as filler:
            while os.statvfs(root).f_bavail:
                filler.write(bytes(4096))
        with pytest.raises(InputError, match="disk is full"):
            run(root, confirmed=True)
        assert tree(root / "model") == before


def test_a_save_of_pretraining_is_exported_with_a_warning(tmp_path: Path, trained: Any) -> None:
    save(tmp_path, trained, options={**trained.manifest.options, "pretrain": True})
    assert any("pretraining" in warning for warning in run(tmp_path).warnings)


def test_a_model_too_large_for_one_file_is_refused_and_told_what_fits() -> None:
    kernel = np.broadcast_to(np.float32(0), (3, 3, 8192, 8192))  # 2.25 GiB that take no room
    with pytest.raises(InputError, match=r"2\.25 GiB") as refused:
        require_room({"decoder": {"conv/weight:0": kernel}}, quantised=False)
    assert refused.value.code == "onnx-too-large"
    assert "--quantised" in refused.value.remedy
    require_room({"decoder": {"conv/weight:0": kernel}}, quantised=True)
    table = np.broadcast_to(np.float32(0), (1 << 15, 1 << 14))
    assert table.nbytes > LARGEST_BYTES
    with pytest.raises(InputError) as refused:
        require_room({"inter": {"dense1/weight:0": table}}, quantised=True)
    assert "--quantised" not in refused.value.remedy


def test_every_class_that_is_offered_can_be_written() -> None:
    for spec in SWAP_CLASSES:
        options = {option.name: option.default for option in spec.options}
        architecture = model_code(spec).architecture(options)
        assert type(architecture) in exporting.WRITERS, spec.id
        assert model_code(spec).face_type(options).short, spec.id


def test_xseg_of_deepfacelabs_files_is_written_as_one_file(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    write_dfl_xseg(tmp_path / "theirs", face_type="head")
    options = {"xseg_model": str(tmp_path / "theirs")}
    context = context_for(tmp_path, "xseg-export", **options)
    export_xseg(context)
    path = tmp_path / "model" / "XSeg_model.onnx"
    assert context.facts == {"iteration": 5, "bytes": path.stat().st_size, "file": str(path)}
    assert session(path.read_bytes()).get_outputs()[0].name == "out_mask:0"
    with pytest.raises(ConfirmationNeeded, match="is there"):
        export_xseg(context_for(tmp_path, "xseg-export", **options))
    with pytest.raises(InputError, match="no XSeg model"):
        export_xseg(context_for(tmp_path, "xseg-export", confirmed=True, xseg_model="none"))
