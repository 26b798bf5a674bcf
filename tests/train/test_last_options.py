"""Options that a run was trained with are those that the next one begins with."""

from __future__ import annotations

import pytest

from engine.protocol.commands import SetOptions
from engine.protocol.errors import Stopped
from engine.protocol.model_files import LAST_OPTIONS, read_last_options, saved_options
from engine.train.generations import Generations
from engine.train.last_options import KeptOptions
from tests.support.context import context_for
from tests.train.light_model import light_loop
from tests.train.made_faces import write_workspace

OF_RUN = {"save_minutes": 9.0, "target_iter": 6, "autobackup_hour": 2}


@pytest.fixture
def workspace(tmp_path):
    return write_workspace(tmp_path, 3)


@pytest.fixture
def folder(workspace):
    return workspace / "model" / "new_light"


def train(workspace, folder, act=None, **options):
    """`act`: called with the loop before its first step."""
    context = context_for(workspace, "train", **{**OF_RUN, **options})
    with light_loop(context, folder) as loop:
        loop.companions = [KeptOptions(OF_RUN, loop.model.options)]
        if act:
            act(loop)
        loop.run()
    return context


def test_a_model_that_was_never_trained_has_no_last_options(folder):
    folder.mkdir(parents=True)
    (folder / LAST_OPTIONS).write_text('{"of_run": {"target_iter": 6}}')
    assert saved_options(folder) == {}


def test_the_runs_own_options_are_kept_with_the_model(workspace, folder):
    train(workspace, folder)
    assert saved_options(folder).items() >= {**OF_RUN, "batch_size": 2}.items()


def test_what_is_changed_while_it_trains_is_kept_as_well(workspace, folder):
    def ask(loop):
        loop.context.queue.append(SetOptions({"autobackup_hour": 4, "batch_size": 4}))

    train(workspace, folder, ask)
    assert saved_options(folder)["autobackup_hour"] == 4
    assert saved_options(folder)["batch_size"] == 4
    assert read_last_options(folder).changed == {}, "the last save has it"


def test_a_stop_while_changed_options_are_compiled_comes_before_the_next_step_and_keeps_them(
    workspace, folder
):
    def ask(loop):
        def stop_meanwhile():
            loop.context.stop_requested = True

        loop.model.trace = stop_meanwhile
        loop.context.queue.append(SetOptions({"batch_size": 4, "max_minutes": 7}))

    with pytest.raises(Stopped):
        train(workspace, folder, ask)
    newest = Generations(folder).newest(lambda text, remedy: None).manifest
    assert newest.iteration == 1
    assert newest.options["batch_size"] == 2
    assert saved_options(folder)["batch_size"] == 4
    assert "max_minutes" not in saved_options(folder), "it was for that run alone"
    train(workspace, folder, target_iter=3)
    assert read_last_options(folder).changed == {}, "what the next run saved is newer"


@pytest.mark.parametrize("text", ["", "[]", '{"of_run": 3}', "\\x00"])
def test_a_file_that_is_none_leaves_what_the_save_says(workspace, folder, text):
    train(workspace, folder)
    (folder / LAST_OPTIONS).write_text(text)
    assert saved_options(folder)["batch_size"] == 2
    assert "target_iter" not in saved_options(folder)
