"""XSeg models of DeepFaceLab in and out."""

from __future__ import annotations

import pickle
import shutil

import numpy as np
import pytest
from msgspec.structs import replace

from engine.faces.dfl_weights import read_dfl_weights
from engine.models.dfl_files.writing import dfl_data, write_tensors
from engine.models.xseg.model import OPTIMIZER, XSegModel
from engine.models.xseg.predictor import DFL_DATA_FILE, DFL_NET_FILE, MEAN, NET
from engine.protocol.workspace import Workspace
from engine.train.generations import Generations
from tests.stages.test_model_import_export import assert_same_model, exported, imported
from tests.support.shared import shared_path

pytestmark = pytest.mark.slow  # starts nets


@pytest.fixture
def reference(tmp_path, monkeypatch):
    """The reference's net, which has one base channel, as a whole model after seven steps."""
    monkeypatch.setattr(XSegModel, "base_channels", 1)
    folder = tmp_path / "theirs"
    folder.mkdir()
    net = shared_path("golden", "nets", "xseg", "XSeg_256_base1.npy")
    shutil.copy(net, folder / DFL_NET_FILE)
    rng = np.random.default_rng(2)
    tensors = pickle.loads(net.read_bytes())
    state = {
        f"acc_XSeg/{name.removesuffix(':0')}_0:0": rng.random(tensor.shape, np.float32)
        for name, tensor in tensors.items()
    }
    write_tensors(folder / f"{NET}_opt.npy", {"iters:0": np.int64(7), **state})
    options = {"face_type": "head", "batch_size": 3, "pretrain": False}
    losses = [[0.75 - number / 64] for number in range(7)]  # whole in float32, as ours are
    (folder / DFL_DATA_FILE).write_bytes(dfl_data(7, options, losses))
    return folder


def test_a_model_of_deepfacelab_round_trips_bit_for_bit(tmp_path, reference):
    root = tmp_path / "workspace"
    (root / "model").mkdir(parents=True)
    imported(root, model_class="xseg", model="theirs", **{"from": str(reference)})
    saved = Generations(Workspace(root).model("theirs", "xseg")).newest(lambda *_: None)
    assert set(saved.state) == {NET, OPTIMIZER}
    assert saved.manifest.iteration == 7
    assert saved.manifest.options["face_type"] == "head"
    assert saved.state[OPTIMIZER]["iters:0"] == 7

    out = tmp_path / "ours"
    exported(root, model_class="xseg", model="theirs", to=str(out))
    (out / "XSeg_summary.txt").unlink()
    assert_same_model(out, reference)


def test_exporting_leaves_other_models_files_alone(tmp_path, reference):
    root = tmp_path / "workspace"
    (root / "model").mkdir(parents=True)
    imported(root, model_class="xseg", model="theirs", **{"from": str(reference)})
    neighbour = root / "model" / "XSeg_SAEHD_encoder.npy"
    neighbour.write_bytes(b"of a model that is called XSeg")
    exported(root, model_class="xseg", model="theirs")
    assert neighbour.read_bytes() == b"of a model that is called XSeg"
    assert (root / "model" / DFL_NET_FILE).is_file()


def test_what_is_exported_is_the_mean_that_masks_are_made_with(tmp_path, reference):
    root = tmp_path / "workspace"
    (root / "model").mkdir(parents=True)
    imported(root, model_class="xseg", model="theirs", **{"from": str(reference)})
    model = Workspace(root).model("theirs", "xseg")
    saved = Generations(model).newest(lambda *_: None)
    mean = {name: tensor + np.float32(0.5) for name, tensor in saved.state[NET].items()}
    state = {**saved.state, MEAN: {**mean, "steps:0": np.int64(3)}}
    Generations(model).write(replace(saved.manifest, iteration=8), state)
    exported(root, model_class="xseg", model="theirs", to=str(tmp_path / "ours"))
    written = read_dfl_weights(tmp_path / "ours" / DFL_NET_FILE)
    assert written.keys() == mean.keys()
    assert all(np.array_equal(written[name], mean[name]) for name in mean)
