"""DeepFaceLab 1.0's models: their sizes, and each trained on two real people and merged with."""

from __future__ import annotations

import numpy as np
import pytest

from engine.models.classes import model_code, model_spec
from engine.models.dfl1.spec import DFL1
from engine.protocol.options import complete_values
from engine.protocol.workspace import Workspace, list_images
from engine.stages.merge.run import run as merge
from engine.stages.train.run import run as train
from tests.models.dfl1.narrow import make_narrow
from tests.stages.extracting import extract, workspace
from tests.support.context import context_for

IDS = tuple(spec.id for spec in DFL1)


def conv(taps, channels_in, channels_out):
    return taps * taps * channels_in * channels_out + channels_out


def dense(units_in, units_out):
    return units_in * units_out + units_out


def ups(channels_in, widths):
    pairs = zip((channels_in, *widths), widths, strict=False)
    return sum(conv(3, one, 4 * other) for one, other in pairs)


def downs(widths):
    return sum(conv(5, one, other) for one, other in zip((3, *widths), widths, strict=False))


def inter(flat, code, channels, out, side):
    return dense(flat, code) + dense(code, side * side * channels) + ups(channels, (out,))


def decoder(channels_in, face, mask):
    return (
        ups(channels_in, face)
        + conv(5, face[-1], 3)
        + ups(channels_in, mask)
        + conv(5, mask[-1], 1)
    )


FULL = (128, 256, 512, 1024)
# What spec, training 15 says of each, written once more.
WEIGHTS = {
    ("h64", False): downs(FULL)
    + inter(16 * 1024, 1024, 1024, 512, 4)
    + 2 * decoder(512, (512, 256, 128), (256, 128, 64)),
    ("h64", True): downs((128, 256, 512, 768))
    + inter(16 * 768, 512, 512, 256, 4)
    + 2 * decoder(256, (256, 128, 64), (128, 64, 32)),
    ("h128", False): downs(FULL)
    + inter(64 * 1024, 512, 512, 512, 8)
    + 2 * decoder(512, (512, 256, 128), (512, 256, 128)),
    ("h128", True): downs(FULL)
    + inter(64 * 1024, 256, 256, 256, 8)
    + 2 * decoder(256, (256, 128, 64), (256, 128, 64)),
    ("liaef128", False): downs(FULL)
    + 2 * inter(64 * 1024, 256, 512, 512, 8)
    + decoder(1024, (512, 256, 128), (512, 256, 128)),
    ("sae", False): downs((126, 252, 504, 1008))
    + inter(64 * 1008, 512, 512, 512, 8)
    + 2 * decoder(512, (504, 252, 126), (168, 84, 42))
    + 2 * 4 * sum(conv(3, width, width) for width in (504, 252, 126)),
}
WEIGHTS["df", False] = WEIGHTS["h128", False]


@pytest.mark.slow
@pytest.mark.parametrize(("model_class", "light"), WEIGHTS)
def test_nets_of_the_original_size_have_as_many_weights_as_its_layers_make(model_class, light):
    spec = model_spec(model_class)
    options = complete_values(spec.options, {"lighter_ae": True} if light else {})
    nets = model_code(spec).architecture(options).make().nets.values()
    weights = [variable for net in nets for _, variable in net.named_weights()]
    assert sum(int(np.prod(variable.shape)) for variable in weights) == WEIGHTS[model_class, light]


@pytest.fixture(scope="module")
def two_people(tmp_path_factory):
    root = tmp_path_factory.mktemp("pair")
    for side in ("src", "dst"):
        workspace(root, f"pairA_{side}.mp4", (0, 60, 120, 180), side=side)
        extract(root, side=side)
    return root


@pytest.mark.slow
@pytest.mark.parametrize("model_class", IDS)
def test_every_model_learns_two_faces_and_is_merged_with(model_class, two_people, monkeypatch):
    make_narrow(model_class, monkeypatch)
    chosen = {"model_class": model_class, "device": "cpu"}
    training = context_for(two_people, "train", **chosen, seed=5, target_iter=25, preview_seconds=0)
    train(training)
    losses = np.array([row[1] for row in training.loss_rows])
    assert (losses[-5:].mean(axis=0) < 0.9 * losses[:5].mean(axis=0)).all(), losses

    merging = context_for(two_people, "merge", confirmed=True, fresh=True, **chosen)
    merge(merging)
    merged = list_images(Workspace(two_people).dst.merged)
    assert len(merged) == merging.facts["rendered"] == merging.facts["faces"] == 4
