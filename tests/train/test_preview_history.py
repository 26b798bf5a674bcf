"""The preview history: pictures of the same faces as the model learns.

Trap T19 of the training spec: writing them must not hold up training.
"""

from __future__ import annotations

import threading

import cv2
import pytest

from engine.protocol.commands import SetOptions
from engine.protocol.model_files import list_preview_pictures, read_preview_pictures
from engine.train import preview_history
from engine.train.preview_history import PreviewHistory
from tests.support.context import context_for
from tests.support.disks import small_disk
from tests.train.light_model import LIGHT_PX, light_loop
from tests.train.made_faces import write_workspace

pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(tmp_path):
    return write_workspace(tmp_path, 2)


def train(workspace, *, side_px=LIGHT_PX, queue=(), **options):
    """Returns the model's folder and the context."""
    context = context_for(workspace, "train", **{"write_preview_history": True, **options})
    context.queue = list(queue)
    folder = workspace / "model" / "new_light"
    history = PreviewHistory(folder, side_px)
    with light_loop(context, folder, companions=[history]) as loop:
        step = loop.model.train_step

        def unhurried_step(batches, loss_limit=float("inf")):
            if history._writing:
                history._writing[-1].result()  # a real step takes longer than writing a picture
            return step(batches, loss_limit)

        loop.model.train_step = unhurried_step
        loop.run()
    return folder, context


def iterations(folder, page="light"):
    return [iteration for iteration, _ in list_preview_pictures(folder)[page]]


def test_every_tenth_iteration_each_page_is_kept_as_a_picture(workspace):
    folder, _ = train(workspace, target_iter=35)
    assert iterations(folder) == iterations(folder, "light-masked") == [10, 20, 30]
    (_, path) = list_preview_pictures(folder)["light"][1]
    assert path == folder / "preview_history" / "light" / "00000020.jpg"
    picture = cv2.imread(str(path))
    assert picture.shape == (2 * LIGHT_PX, 3 * LIGHT_PX, 3)
    assert picture[-1, -1].tolist() == pytest.approx([20, 20, 20], abs=2)


def test_larger_faces_are_kept_less_often(workspace):
    folder, _ = train(workspace, side_px=192, target_iter=65)
    assert iterations(folder) == [30, 60]


def test_nothing_is_kept_unless_wanted_and_that_can_change_while_training(workspace):
    folder, _ = train(workspace, target_iter=30, write_preview_history=False)
    assert list_preview_pictures(folder) == {}
    switched_on = SetOptions(values={"write_preview_history": True})
    folder, _ = train(workspace, target_iter=60, write_preview_history=False, queue=[switched_on])
    assert iterations(folder) == [40, 50, 60]


def test_it_shows_the_same_faces_each_time_whichever_are_wanted(workspace):
    folder, _ = train(workspace, target_iter=20, history_first=200)
    for _, path in list_preview_pictures(folder)["light"]:
        assert cv2.imread(str(path))[4, 4, 0] == pytest.approx(200, abs=4)


def test_too_many_pictures_become_half_as_many_and_later_ones_come_half_as_often(workspace):
    folder, _ = train(workspace, target_iter=1200, history_pictures=100)
    assert iterations(folder) == iterations(folder, "light-masked") == list(range(20, 1201, 20))
    assert read_preview_pictures(folder / "preview_history").every == 20
    folder, _ = train(workspace, target_iter=1250, history_pictures=100)
    assert iterations(folder)[-3:] == [1200, 1220, 1240], "also in the next run"


def test_a_disk_that_does_not_answer_costs_pictures_and_holds_nothing_up(workspace, monkeypatch):
    free = threading.Event()
    write = preview_history.write_atomically

    def stuck(*arguments, **more):
        assert free.wait(30)
        write(*arguments, **more)

    monkeypatch.setattr(preview_history, "write_atomically", stuck)
    context = context_for(workspace, "train", write_preview_history=True, target_iter=200)
    folder = workspace / "model" / "new_light"
    with light_loop(context, folder, companions=[PreviewHistory(folder, LIGHT_PX)]) as loop:
        step = loop.model.train_step

        def freeing_step(batches, loss_limit=float("inf")):
            if loop.model.iteration == 195:
                free.set()
            return step(batches, loss_limit)

        loop.model.train_step = freeing_step
        loop.run()
    assert iterations(folder)[:4] == [10, 20, 30, 40]
    assert len(iterations(folder)) <= 5, "what waits is bounded"


def test_a_full_disk_costs_pictures_and_not_the_training(tmp_path):
    with small_disk(tmp_path / "disk", "300k") as disk:
        workspace = write_workspace(disk, 2)
        filler = disk / "filler"
        context = context_for(workspace, "train", write_preview_history=True, target_iter=60)
        folder = workspace / "model" / "new_light"
        with light_loop(context, folder, companions=[PreviewHistory(folder, LIGHT_PX)]) as loop:
            step = loop.model.train_step

            def filling_step(batches, loss_limit=float("inf")):
                if loop.model.iteration == 25:
                    with pytest.raises(OSError), filler.open("wb") as file:
                        file.write(bytes(1 << 20))
                if loop.model.iteration == 55:
                    filler.unlink()
                return step(batches, loss_limit)

            loop.model.train_step = filling_step
            loop.run()
        assert any("preview_history" in warning for warning in context.warnings)
        assert iterations(folder)[0] == 10
        assert loop.model.iteration == 60
        assert not list((folder / "preview_history").rglob("*.part*"))


def test_pictures_of_what_is_undone_and_of_a_pretraining_go_to_the_trash(workspace):
    folder, context = train(workspace, target_iter=35)
    history = PreviewHistory(folder, LIGHT_PX)
    with light_loop(context, folder, companions=[history]) as loop, history:
        loop.model.iteration = 20  # it went back
        history.restored(loop, {})
        assert iterations(folder) == iterations(folder, "light-masked") == [10, 20]
        history.restarted(loop)
        assert iterations(folder) == []
    assert len(list(context.workspace.trash.rglob("00000*.jpg"))) == 6


def test_after_pretraining_pictures_come_as_often_as_at_first(workspace):
    folder, context = train(workspace, target_iter=1010, history_pictures=100)
    assert read_preview_pictures(folder / "preview_history").every == 20
    history = PreviewHistory(folder, LIGHT_PX)
    with light_loop(context, folder, companions=[history]) as loop, history:
        history.restarted(loop)
        loop.model.iteration = 0
        loop.live.values["target_iter"] = 10
        loop.run()
    assert iterations(folder) == [10]
