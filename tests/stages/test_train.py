from __future__ import annotations

import time
import weakref
from dataclasses import replace

import numpy as np
import pytest

from engine.faces.face_type import FaceType
from engine.models.predictor import load_predictor
from engine.models.quick96 import model
from engine.models.quick96.model import Quick96
from engine.protocol.errors import InputError, Stopped, UsageError
from engine.protocol.history import HISTORY_NAME, read_history
from engine.protocol.workspace import Workspace
from engine.runtime.client.launch import complete_options
from engine.stages.train.run import run
from engine.stages.train.spec import TRAIN
from engine.train.generations import Generations
from tests.support.context import context_for
from tests.train.made_faces import write_faceset, write_workspace


@pytest.fixture(autouse=True)
def narrow_nets(monkeypatch):
    """Nets of an eighth of the channels, which learn in larger steps, as small nets do."""
    arch = replace(Quick96.architecture({}), ae_dims=32, e_dims=8, d_dims=8, d_mask_dims=4)
    monkeypatch.setattr(Quick96, "architecture", staticmethod(lambda options: arch))
    monkeypatch.setattr(model, "SCHEDULE", replace(model.SCHEDULE, rate=1e-3))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return write_workspace(tmp_path_factory.mktemp("workspace"), 4)


def history_of(root, name="new"):
    return read_history(root / "model" / f"{name}_quick96" / HISTORY_NAME)


@pytest.mark.slow
def test_quick96_learns_stops_goes_on_and_merging_can_load_it(workspace):
    first = context_for(workspace, "train", device="cpu", seed=3)
    first.stop_after = 25
    with pytest.raises(Stopped):
        run(first)
    assert first.saves[-1] == 25
    early, late = np.array([row[1] for row in first.loss_rows])[[0, -1]]
    assert (late < 0.85 * early).all(), "both losses fall"

    second = context_for(workspace, "train", device="cpu", target_iter=27)
    run(second)
    assert [row[0] for row in second.loss_rows] == [26, 27]
    assert [point.iteration for point in history_of(workspace)] == list(range(1, 28))
    assert second.facts["iteration"] == second.facts["saved_iteration"] == 27
    assert second.facts["samples_deliverable_per_s"] > second.facts["samples_wanted_per_s"]
    assert {page for page, _, _ in second.previews} == {"Quick96", "Quick96 masked"}

    predictor = load_predictor(Workspace(workspace), "new", "quick96", "cpu")
    assert (predictor.resolution, predictor.iteration) == (96, 27)
    prediction = predictor.predict(np.random.default_rng(0).random((3, 96, 96, 3), np.float32))
    assert prediction.face_bgr.shape == (3, 96, 96, 3)
    assert prediction.mask_src.shape == prediction.mask_dst.shape == (3, 96, 96)
    assert 0 <= prediction.face_bgr.min() < prediction.face_bgr.max() <= 1


@pytest.mark.slow
@pytest.mark.usefixtures("without_tracing")
def test_a_resumed_run_keeps_its_precision_and_lets_the_save_go(tmp_path, monkeypatch):
    write_workspace(tmp_path, 3)
    run(context_for(tmp_path, "train", device="cpu", precision="bf16", plan="none", target_iter=1))

    again = complete_options(Workspace(tmp_path), TRAIN, {"target_iter": 2})
    assert {again[name] for name in ("precision", "plan", "device")} == {"bf16", "none", "cpu"}
    held = []
    read = Generations.newest

    def newest(*arguments, **more):
        saved = read(*arguments, **more)
        held.append(weakref.ref(saved))
        return saved

    monkeypatch.setattr(Generations, "newest", newest)
    context = context_for(tmp_path, "train", **again)
    context.losses = lambda *_: held.append(held[0]() is not None)
    run(context)
    assert any("mixed_bfloat16" in note for note in context.notes)
    assert held[1:] == [False], "the weights that it went on from are not in memory any more"


def test_a_stop_while_starting_ends_before_anything_is_trained(workspace):
    context = context_for(workspace, "train", model="early", device="cpu")
    context.stop_requested = True
    begun = time.monotonic()
    with pytest.raises(Stopped):
        run(context)
    assert time.monotonic() - begun < 10
    assert context.loss_rows == []


def test_pictures_that_are_no_faces_are_named_and_left_out(tmp_path):
    write_workspace(tmp_path, 2)
    (tmp_path / "data_src" / "aligned" / "foreign.jpg").write_bytes(b"\xff\xd8 no picture")
    context = context_for(tmp_path, "train", device="cpu")

    def stop_when_src_is_read(text):
        context.stop_requested = text.startswith("src")

    context.note = stop_when_src_is_read
    with pytest.raises(Stopped):
        run(context)
    assert any("foreign.jpg" in warning for warning in context.warnings)


def test_a_side_without_faces_is_refused_with_what_to_do(tmp_path):
    write_faceset(tmp_path / "data_src" / "aligned", 1)
    (tmp_path / "data_dst" / "aligned").mkdir(parents=True)
    with pytest.raises(InputError, match="no usable faces") as refused:
        run(context_for(tmp_path, "train", device="cpu"))
    assert "--side dst" in refused.value.remedy
    assert not (tmp_path / "model").exists()


def test_a_model_that_was_never_saved_is_refused_with_those_that_exist(workspace):
    with pytest.raises(InputError, match="nobody") as refused:
        load_predictor(Workspace(workspace), "nobody", "quick96", "cpu")
    assert refused.value.code == "no-model"
    assert "NAME_CLASS" in refused.value.remedy


def test_a_target_out_of_range_is_refused_before_anything_starts(workspace):
    with pytest.raises(UsageError, match="0 to"):
        context_for(workspace, "train", target_iter=-1)


@pytest.mark.slow
@pytest.mark.usefixtures("without_tracing")
def test_faces_that_show_less_than_the_model_are_told(tmp_path):
    write_faceset(tmp_path / "data_src" / "aligned", 2, face_type=FaceType.HALF)
    write_faceset(tmp_path / "data_dst" / "aligned", 2, face_type=FaceType.WHOLE_FACE)
    context = context_for(tmp_path, "train", device="cpu", target_iter=1)
    run(context)
    assert len(context.warnings) == 1
    assert "2 of 2 faces in" in context.warnings[0]
    assert "data_src" in context.warnings[0]


@pytest.mark.slow
def test_a_new_model_beside_one_of_another_class_with_its_name_is_told(tmp_path):
    write_workspace(tmp_path, 2)
    (tmp_path / "model" / "new_saehd" / "generations" / "000000700").mkdir(parents=True)
    context = context_for(tmp_path, "train", device="cpu")

    def stop_before_compiling(text):
        context.stop_requested = "compiled now" in text

    context.note = stop_before_compiling
    with pytest.raises(Stopped):
        run(context)
    assert any("beside new (saehd) at iteration 700" in warning for warning in context.warnings)
