from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.protocol.commands import Preview, Save, SetOptions
from engine.protocol.errors import InputError, Stopped
from engine.protocol.history import HISTORY_NAME, read_history
from engine.train import loop as loop_module
from engine.train.crops import CropCache
from engine.train.generations import Generations
from tests.support.context import context_for
from tests.train.made_faces import write_workspace
from tests.train.tiny_model import TINY_PX, tiny_loop, tiny_model

# Tracing would take most of the time here; the stage's tests train with it.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("without_tracing")]


@pytest.fixture
def workspace(tmp_path):
    return write_workspace(tmp_path, 3)


def iterations_in_history(folder):
    return [point.iteration for point in read_history(folder / HISTORY_NAME)]


def train(workspace, **options):
    """Train to the end; returns what was reported, the model, and its folder."""
    context = context_for(workspace, "train", **options)
    folder = workspace / "model" / "new_tiny"
    with tiny_loop(context, folder) as loop:
        loop.run()
        return context, loop.model, folder


def test_training_ends_at_its_target_saved_with_a_gapless_history(workspace):
    context, _, folder = train(workspace, target_iter=6)
    assert Generations(folder).iterations()[-1] == 6
    assert context.saves[-1] == 6
    assert iterations_in_history(folder) == [1, 2, 3, 4, 5, 6]
    assert [row[0] for row in context.loss_rows] == [1, 2, 3, 4, 5, 6]


def test_the_first_iteration_of_a_new_model_is_saved_and_shown(workspace):
    context, _, folder = train(workspace, target_iter=3)
    assert 1 in context.saves
    pages = {page: path for page, path, iteration in context.previews if iteration == 1}
    assert list(pages) == ["Quick96", "Quick96 masked"]
    picture = cv2.imread(str(pages["Quick96"]))
    assert picture.shape == (2 * TINY_PX, 5 * TINY_PX, 3)
    assert (folder / "preview.jpg").exists()


def test_a_stop_saves_and_the_next_start_goes_on_without_gap_or_repetition(workspace):
    context = context_for(workspace, "train")
    context.stop_after = 4
    folder = workspace / "model" / "new_tiny"
    with tiny_loop(context, folder) as loop, pytest.raises(Stopped):
        loop.run()
    assert Generations(folder).iterations()[-1] == 4
    context, _, _ = train(workspace, target_iter=7)
    assert [row[0] for row in context.loss_rows] == [5, 6, 7]
    assert iterations_in_history(folder) == [1, 2, 3, 4, 5, 6, 7]


def test_a_run_in_two_parts_ends_with_the_weights_of_a_run_in_one(workspace, tmp_path):
    one_piece = context_for(workspace, "train", target_iter=8)
    with tiny_loop(one_piece, tmp_path / "whole") as loop:
        loop.run()
        expected = loop.model.state()
    for target in (5, 8):  # 5: the sixth step draws anew, the seventh repeats its batch
        part = context_for(workspace, "train", target_iter=target)
        with tiny_loop(part, tmp_path / "parts") as loop:
            loop.run()
            found = loop.model.state()
    for stem, tensors in expected.items():
        for name, tensor in tensors.items():
            np.testing.assert_array_equal(found[stem][name], tensor, err_msg=f"{stem}/{name}")


def test_a_damaged_newest_save_is_passed_over_and_history_goes_back_with_it(workspace):
    _, _, folder = train(workspace, target_iter=3)
    train(workspace, target_iter=6)
    (folder / "generations" / "00000006" / "encoder.safetensors").write_bytes(b"damaged")
    context, _, _ = train(workspace, target_iter=5)
    assert any("iteration 6 is damaged" in warning for warning in context.warnings)
    assert [row[0] for row in context.loss_rows] == [4, 5]
    assert iterations_in_history(folder) == [1, 2, 3, 4, 5]


def test_a_model_at_its_target_is_left_alone(workspace):
    _, _, folder = train(workspace, target_iter=2)
    before = (folder / "generations" / "00000002" / "manifest.json").stat().st_mtime_ns
    context, model, _ = train(workspace, target_iter=2)
    assert model.iteration == 2
    assert context.loss_rows == []
    after = (folder / "generations" / "00000002" / "manifest.json").stat().st_mtime_ns
    assert after == before


def test_commands_save_preview_and_change_the_target_while_it_runs(workspace):
    context = context_for(workspace, "train", target_iter=50)
    context.queue = [Save(), Preview(redraw=True), SetOptions(values={"target_iter": 4})]
    with tiny_loop(context, workspace / "model" / "new_tiny") as loop:
        loop.run()
    assert loop.model.iteration == 4
    assert context.changed_options == {"target_iter": 4}
    assert len(context.previews) == 4  # two pages after the first iteration, two on request


def test_an_option_out_of_range_or_not_changeable_is_refused_and_training_goes_on(workspace):
    context = context_for(workspace, "train", target_iter=2)
    context.queue = [
        SetOptions(values={"save_minutes": -1}),
        SetOptions(values={"model": "other"}),
    ]
    with tiny_loop(context, workspace / "model" / "new_tiny") as loop:
        loop.run()
        assert loop.options["save_minutes"] == context.options["save_minutes"]
    assert loop.model.iteration == 2
    assert len(context.warnings) >= 1


def test_a_time_limit_ends_training_as_done(workspace):
    _, model, folder = train(workspace, max_minutes=0.001)
    assert model.iteration >= 1
    assert Generations(folder).iterations()[-1] == model.iteration


def test_a_save_that_fails_warns_and_one_at_the_end_says_what_is_left(workspace):
    context = context_for(workspace, "train", target_iter=3)
    folder = workspace / "model" / "new_tiny"
    with tiny_loop(context, folder, model=tiny_model()) as loop:
        (folder / "generations").write_text("a file where the saves should go")
        with pytest.raises(InputError, match="last good save is that of iteration 0"):
            loop.run()
    assert loop.model.iteration == 3
    assert any("training goes on" in warning for warning in context.warnings)


def test_faces_that_go_missing_end_training_with_everything_learned_saved(workspace, monkeypatch):
    context = context_for(workspace, "train", target_iter=9)
    folder = workspace / "model" / "new_tiny"
    with tiny_loop(context, folder) as loop:
        make = loop.batches.make

        def until_the_disk_is_gone(first, count):
            if first >= 8:
                for side in ("src", "dst"):
                    for path in (workspace / f"data_{side}" / "aligned").glob("*.jpg"):
                        path.unlink()
                for samples in (loop.batches.src, loop.batches.dst):
                    samples._cache = CropCache(0)
            return make(first, count)

        monkeypatch.setattr(loop.batches, "make", until_the_disk_is_gone)
        with pytest.raises(InputError, match="none of the 3 src faces"):
            loop.run()
        assert loop.model.iteration > 1
    assert Generations(folder).iterations()[-1] == loop.model.iteration
    assert context.saves[-1] == loop.model.iteration


def test_steps_so_long_that_a_stop_has_to_wait_are_told_once(workspace, monkeypatch):
    monkeypatch.setattr(loop_module, "SLOW_STEP_SECONDS", 0.0)
    context, _, _ = train(workspace, target_iter=4)
    assert [text for text in context.warnings if "a stop has to wait" in text] == context.warnings
    assert len(context.warnings) == 1
