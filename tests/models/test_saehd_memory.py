"""Options that trade time for memory change what a step costs, not what it computes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.tiny_saehd import MadeBatches, tiny_saehd

ALL_NETS = {"gan_power": 0.1, "true_face_power": 0.01, "face_style_power": 1.0}


def state_after(steps: int, **changes) -> dict[str, np.ndarray]:
    """All weights and optimizer state after so many steps, by file and name."""
    model = tiny_saehd(**changes)
    batches = MadeBatches(count=model.sampling().batch_size)
    results = [model.train_step(batches) for _ in range(steps)]
    assert all(result.applied for result in results)
    state = {
        f"{file}/{name}": value
        for file, tensors in model.state().items()
        for name, value in tensors.items()
    }
    state["losses"] = np.array([result.losses for result in results])
    state["masks"] = np.array([result.health["mask_src"] for result in results])
    return state


def assert_equal_within(found, wanted, tolerance: float) -> None:
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=0, atol=tolerance, err_msg=name)


@pytest.fixture
def only_liae_compiled(archi, request):
    """All nets together are made sooner as they come than compiled."""
    if not archi.startswith("liae"):
        request.getfixturevalue("without_tracing")


@pytest.mark.slow
@pytest.mark.usefixtures("only_liae_compiled")
@pytest.mark.parametrize("archi", ["df-ud", "liae-t"])
def test_three_accumulated_batches_are_one_batch_of_three_times_as_many_faces(archi):
    changes = {"clipgrad": True, **({} if archi.startswith("liae") else ALL_NETS)}
    whole = state_after(3, archi=archi, batch_size=6, **changes)
    pieces = state_after(3, archi=archi, batch_size=2, accumulate=3, **changes)
    assert_equal_within(pieces, whole, 1e-5)


def test_accumulating_draws_all_its_faces_at_once():
    assert tiny_saehd(batch_size=2, accumulate=5).sampling().batch_size == 10


@pytest.mark.usefixtures("without_tracing")
def test_accumulation_leaves_nets_that_rest_alone():
    model = tiny_saehd("liae-ud", batch_size=2, accumulate=2, random_warp=False)
    before = model.state()["inter_AB"]
    model.train_step(MadeBatches(count=4))
    after = model.state()["inter_AB"]
    assert all(np.array_equal(after[name], value) for name, value in before.items())


@pytest.mark.slow
@pytest.mark.usefixtures("only_liae_compiled")
@pytest.mark.parametrize("archi", ["df-udt", "liae-udc"])
def test_recomputed_gradients_are_the_same(archi):
    changes = {} if archi.startswith("liae") else ALL_NETS
    kept = state_after(3, archi=archi, **changes)
    recomputed = state_after(3, archi=archi, recompute=True, **changes)
    assert_equal_within(recomputed, kept, 1e-6)


@pytest.mark.slow
def test_recomputation_can_be_switched_while_training_and_in_bfloat16():
    model = tiny_saehd(dtype="mixed_bfloat16")
    batches = MadeBatches()
    for on in (True, False):
        model.change_options({"recompute": on})
        assert model.train_step(batches).applied
