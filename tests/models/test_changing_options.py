"""What every model in training does with changed options and reset nets, shown on a tiny one."""

from __future__ import annotations

import numpy as np
import pytest

from engine.protocol.errors import UsageError
from tests.train.made_faces import write_workspace
from tests.train.tiny_model import stream_for, tiny_model

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("without_tracing")]  # builds nets


def trained(root, model, steps=1):
    with stream_for(root, model.sampling()) as batches:
        for _ in range(steps):
            assert model.train_step(batches).applied
    return model


def test_training_goes_on_with_another_batch_size(tmp_path):  # T29
    write_workspace(tmp_path, 3)
    model = trained(tmp_path, tiny_model())
    model.change_options({"batch_size": 3})
    assert model.sampling().batch_size == 3
    assert trained(tmp_path, model).iteration == 2


@pytest.mark.parametrize(
    ("changes", "named"), [({"batch_size": 0}, "--batch-size 0"), ({"nonsense": 1}, "nonsense")]
)
def test_a_change_that_is_refused_changes_nothing(changes, named):
    model = tiny_model()
    before = dict(model.options)
    with pytest.raises(UsageError, match=named):
        model.change_options({"random_src_flip": True, **changes})
    assert model.options == before


def test_a_reset_net_starts_anew_with_its_optimizer_and_the_others_stay(tmp_path):  # T22
    write_workspace(tmp_path, 3)
    model = trained(tmp_path, tiny_model())
    before, first = model.state(), tiny_model().state()
    model.reset_nets(["inter"])
    after = model.state()
    kernel = "dense1/weight:0"
    assert not np.array_equal(after["inter"][kernel], before["inter"][kernel])
    assert not np.array_equal(after["inter"][kernel], first["inter"][kernel])
    np.testing.assert_equal(after["encoder"], before["encoder"])
    slots = after["src_dst_opt"]
    for name, values in slots.items():
        if name.startswith("acc_inter/"):
            assert not values.any(), name
        else:
            np.testing.assert_array_equal(values, before["src_dst_opt"][name])
    assert before["src_dst_opt"][f"acc_inter/{kernel.removesuffix(':0')}_0:0"].any()


def test_a_net_that_is_not_there_cannot_be_reset():
    with pytest.raises(UsageError, match="inter_AB"):
        tiny_model().reset_nets(["inter_AB"])


def test_a_step_tells_how_much_of_the_faces_the_masks_cover(tmp_path):
    write_workspace(tmp_path, 3)
    model = tiny_model()
    with stream_for(tmp_path, model.sampling()) as batches:
        health = model.train_step(batches).health
    assert set(health) == {"mask_src", "mask_dst"}
    assert all(0 < value < 1 for value in health.values())
