"""Several devices of one machine train one model, each on its part of every batch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.nets import optimizers
from tests.models.mean_of_halves import MeanOfHalves
from tests.models.on_two_devices import MOVED_TOGETHER, STEPS
from tests.models.tiny_saehd import MadeBatches, tiny_saehd

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[2]
CASES = {
    "df-ud": {"gan_power": 0.1, "true_face_power": 0.01, "clipgrad": True, "lr_dropout": "y"},
    "liae-ud": {"random_warp": False, "adabelief": False, "recompute": True},
}


@pytest.fixture(scope="module", params=CASES)
def trained(request, tmp_path_factory):
    """Options, and what two devices made of them."""
    options = {"archi": request.param, "batch_size": 4, **CASES[request.param]}
    path = tmp_path_factory.mktemp("two") / "result.npz"
    subprocess.run(
        [sys.executable, "-m", "tests.models.on_two_devices", str(path), json.dumps(options)],
        cwd=REPOSITORY,
        check=True,
    )
    with np.load(path) as found:
        return options, dict(found)


def test_two_devices_move_weights_by_the_mean_of_the_gradients_of_their_halves(
    trained, monkeypatch
):
    monkeypatch.setattr(optimizers, "MOVED_TOGETHER", MOVED_TOGETHER)
    options, found = trained
    model = tiny_saehd(**options)
    batches = MadeBatches(count=4)
    reference = MeanOfHalves(model)
    for _ in range(STEPS):
        reference.step(batches.next())
    for file, tensors in model.state().items():
        for name, value in tensors.items():
            wanted = found[f"{file}/{name}"]
            np.testing.assert_allclose(value, wanted, rtol=0, atol=1e-5, err_msg=name)
    preview = next(iter(model.preview_pages(batches.make(99)).values()))
    assert np.abs(found["preview"].astype(int) - preview).max() <= 1


def test_both_devices_have_the_same_weights(trained):
    assert trained[1]["copies differ"] == 0


@pytest.mark.usefixtures("without_tracing")
def test_losses_are_those_of_the_whole_batch(trained):
    options, found = trained
    first = tiny_saehd(**options).train_step(MadeBatches(count=4)).losses
    np.testing.assert_allclose(found["losses"][0], first, rtol=1e-5)


def test_a_batch_that_two_devices_cannot_share_is_refused_in_words(trained):
    assert trained[1]["refusal"] == (
        "--batch-size 5: 2 devices cannot have equally many faces each; take 4 or 6"
    )
