"""From labels to a model, from the model to masks in faces, and where those are seen."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from engine.faces.face_file import face_mask
from engine.faces.face_type import FaceType
from engine.models.xseg import model
from engine.models.xseg.model import OPTIMIZER, XSegModel
from engine.models.xseg.predictor import MEAN, NET, load_xseg
from engine.nets.device import Device
from engine.protocol.errors import InputError, Stopped
from engine.protocol.history import HISTORY_NAME, read_history
from engine.protocol.workspace import Workspace
from engine.stages.xseg_train.faces import MaskFaces
from engine.stages.xseg_train.run import run
from engine.train.generations import Generations
from tests.stages.facesets import data_of, run_stage
from tests.support.context import context_for
from tests.train.labelled_faces import write_masked_faces


@pytest.fixture(autouse=True)
def narrow_nets(monkeypatch):
    """Nets of two base channels instead of 32."""
    monkeypatch.setattr(XSegModel, "base_channels", 2)


def labelled_workspace(root, *, labelled=4, plain=2):
    write_masked_faces(root / "data_src" / "aligned", labelled)
    write_masked_faces(root / "data_dst" / "aligned", plain, drawn=False, first=labelled)
    return root


def train(root, *, stop_after=None, **given):
    context = context_for(root, "xseg-train", device="cpu", **{"seed": 5, **given})
    context.stop_after = stop_after
    run(context)
    return context


def saves_of(root):
    return Generations(Workspace(root).model("XSeg", "xseg"))


@pytest.mark.slow
@pytest.mark.usefixtures("without_tracing")
def test_a_model_learns_labels_goes_on_and_masks_faces_that_training_then_learns_inside(tmp_path):
    root = labelled_workspace(tmp_path)
    first = train(root, target_iter=3, batch_size=2)
    assert {page for page, _, _ in first.previews} == {
        "XSeg training faces",
        "XSeg src faces",
        "XSeg dst faces",
    }
    assert first.facts["iterations_made"] == 3

    second = train(root, target_iter=5, batch_size=2)
    assert second.facts["iterations_made"] == 2
    saved = saves_of(root).newest(second.warn)
    assert saved.manifest.iteration == 5
    assert set(saved.state) == {NET, MEAN, OPTIMIZER}
    rows = read_history(Workspace(root).model("XSeg", "xseg") / HISTORY_NAME)
    assert [row.iteration for row in rows] == list(range(1, 6))
    assert all(np.isfinite(row.losses).all() and len(row.losses) == 1 for row in rows)

    applied = run_stage(root, "xseg-apply", side="dst", device="cpu", fresh=True)
    assert applied.facts["masked"] == 2
    net = load_xseg(Workspace(root), device="cpu")
    assert net.face_type is FaceType.WHOLE_FACE
    assert net.fingerprint == saved.manifest.fingerprint()
    for path in (root / "data_dst" / "aligned").iterdir():
        data = data_of(path)
        assert data.xseg_mask_compressed is not None
        assert set(np.unique(face_mask(data, (256, 256)))) <= {0.0, 1.0}


@pytest.mark.slow
def test_the_loss_on_labelled_faces_falls(tmp_path, monkeypatch):
    monkeypatch.setattr(model, "SCHEDULE", replace(model.SCHEDULE, rate=1e-3))
    root = labelled_workspace(tmp_path)
    losses = [row[1][0] for row in train(root, target_iter=25, batch_size=2).loss_rows]
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.03


@pytest.mark.slow
@pytest.mark.usefixtures("without_tracing")
def test_a_stop_saves_and_leaving_pretraining_keeps_the_weights_at_iteration_0(tmp_path):
    root = labelled_workspace(tmp_path)
    many = str(root / "data_src" / "aligned")
    with pytest.raises(Stopped):
        train(root, stop_after=3, batch_size=2, pretrain=True, pretrain_faces=many)
    pretrained = saves_of(root).newest(lambda text, remedy: None)
    assert pretrained.manifest.iteration == 3
    trained = train(root, target_iter=1, batch_size=2, pretrain=False)
    assert trained.facts["iteration"] == 1
    saved = saves_of(root).newest(trained.warn)
    moved = [
        np.abs(saved.state[NET][name] - tensor).max()
        for name, tensor in pretrained.state[NET].items()
    ]
    # One step of RMSprop moves no weight further than 3.2 times the rate.
    assert max(moved) < 1e-3


def learned_from(root, labels):
    """What a model would learn from, and what it is told of that."""
    context = context_for(root, "xseg-train", labels=labels)
    device = Device("CPU", is_gpu=False, bf16=False)
    sources = MaskFaces(context).sources(
        context.options, FaceType.WHOLE_FACE, seed=1, device=device
    )
    return context, sources


@pytest.mark.parametrize(
    ("labels", "note"),
    [
        ("auto", "learned from: drawn"),
        ("drawn", "learned from: drawn"),
        ("self", "learned from: self"),
        ("drawn+self", "learned from: drawn+self"),
    ],
)
def test_labels_come_from_where_the_option_says(tmp_path, labels, note):
    context, _ = learned_from(labelled_workspace(tmp_path), labels)
    assert any(note in text for text in context.notes), context.notes


def test_without_labels_applied_masks_are_learned(tmp_path):
    write_masked_faces(tmp_path / "data_dst" / "aligned", 2, drawn=False, applied=True)
    context, _ = learned_from(tmp_path, "auto")
    assert any("learned from: applied" in text for text in context.notes)


def test_without_any_mask_faces_label_themselves(tmp_path):
    write_masked_faces(tmp_path / "data_dst" / "aligned", 2, drawn=False)
    context, _ = learned_from(tmp_path, "auto")
    assert any("learned from: self" in text for text in context.notes)


@pytest.mark.parametrize("labels", ["drawn", "applied"])
def test_masks_that_nobody_has_are_refused_with_what_to_do(tmp_path, labels):
    write_masked_faces(tmp_path / "data_dst" / "aligned", 2, drawn=False)
    with pytest.raises(InputError) as refused:
        learned_from(tmp_path, labels)
    assert refused.value.code == "no-labels"
    assert "--labels self" in refused.value.remedy


def test_one_side_with_faces_is_enough(tmp_path):
    root = labelled_workspace(tmp_path)
    shutil.rmtree(root / "data_dst")
    _, sources = learned_from(root, "auto")
    assert list(sources.shown) == ["src"]
