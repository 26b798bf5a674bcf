from __future__ import annotations

from functools import reduce
from pathlib import Path

from engine.protocol import events
from engine.protocol.events import AnyEvent
from tuiapp.bridge.run_view import NOTES_KEPT, RunView, ViewState, apply


def viewed(*happened: AnyEvent) -> RunView:
    return reduce(apply, happened, RunView())


def started(stage: str = "train", **options: object) -> events.Started:
    return events.Started(
        t=100.0, run="r1", stage=stage, options=dict(options), pid=1, pid_started=1.0
    )


def test_a_view_without_events_is_starting_and_live() -> None:
    assert RunView().state is ViewState.STARTING
    assert RunView().state.live


def test_a_training_run_is_given_the_loss_names_of_its_model_class() -> None:
    view = viewed(started(model_class="quick96"))
    assert view.state is ViewState.RUNNING
    assert view.loss_names == ("src", "dst")


def test_losses_of_a_model_class_nobody_knows_are_numbered() -> None:
    view = viewed(
        started(model_class="from-the-future"),
        events.Losses(iteration=7, step_ms=12.0, values=(0.5, 0.25)),
    )
    assert view.loss_names == ("loss 1", "loss 2")
    assert (view.iteration, view.losses) == (7, (0.5, 0.25))


def test_a_stage_that_does_not_train_has_no_losses() -> None:
    assert not viewed(started("faces-extract")).trains


def test_a_stage_that_only_tries_a_training_has_no_losses_either() -> None:
    assert not viewed(started("train-preflight", model_class="quick96")).trains


def test_progress_replaces_progress() -> None:
    view = viewed(
        started(),
        events.Progress(done=1, total=10, rate=2.0, eta_s=4.5, note="a"),
        events.Progress(done=5, total=10, unit="faces"),
    )
    assert (view.done, view.total, view.unit, view.rate, view.eta_s) == (5, 10, "faces", None, None)
    assert view.fraction == 0.5


def test_the_fraction_is_not_known_without_a_total_and_never_above_one() -> None:
    assert viewed(events.Progress(done=5)).fraction is None
    assert viewed(events.Progress(done=15, total=10)).fraction == 1.0


def test_the_newest_picture_of_each_preview_page_is_kept() -> None:
    view = viewed(
        events.PreviewReady(page="faces", path="previews/1.jpg", iteration=1),
        events.PreviewReady(page="masks", path="previews/2.jpg", iteration=1),
        events.PreviewReady(page="faces", path="previews/3.jpg", iteration=9),
    )
    assert {name: page.path for name, page in view.previews.items()} == {
        "faces": Path("previews/3.jpg"),
        "masks": Path("previews/2.jpg"),
    }


def test_warnings_are_kept_apart_from_notes_with_their_remedy() -> None:
    view = viewed(
        events.Note(text="fine"), events.Note(text="few faces", level="warning", remedy="add some")
    )
    assert [line.text for line in view.notes] == ["fine"]
    assert [(line.text, line.remedy) for line in view.warnings] == [("few faces", "add some")]


def test_notes_are_bounded_and_the_last_ones_stay() -> None:
    view = viewed(*(events.Note(text=str(n)) for n in range(NOTES_KEPT + 5)))
    assert len(view.notes) == NOTES_KEPT
    assert view.notes[-1].text == str(NOTES_KEPT + 4)


def test_an_option_changed_while_running_shows_in_the_options() -> None:
    view = viewed(started(batch=4), events.OptionChanged(name="batch", value=8))
    assert view.options["batch"] == 8


def test_exit_status_130_is_stopped_and_0_is_done() -> None:
    assert viewed(started(), events.Finished(exit_status=0)).state is ViewState.DONE
    stopping = viewed(started(), events.Stopping())
    assert stopping.state is ViewState.STOPPING
    assert apply(stopping, events.Finished(exit_status=130)).state is ViewState.STOPPED


def test_a_failure_tells_refused_crashed_and_failed_apart() -> None:
    def state(code: str, refused: bool = False) -> ViewState:
        event = events.Failed(exit_status=4, message="m", remedy="r", code=code, refused=refused)
        return viewed(started(), event).state

    assert state("crashed") is ViewState.CRASHED
    assert state("input", refused=True) is ViewState.REFUSED
    assert state("failed") is ViewState.FAILED


def test_facts_of_several_results_add_up() -> None:
    view = viewed(events.Result(facts={"a": 1, "b": 2}), events.Result(facts={"b": 3}))
    assert view.facts == {"a": 1, "b": 3}
