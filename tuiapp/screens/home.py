"""The workspace at a glance: what is there, the next sensible step, all stages, all runs."""

from __future__ import annotations

import time

from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, OptionList

from engine import catalog
from engine.protocol.goals import Goal
from engine.protocol.spec import StageSpec
from engine.protocol.survey import SideSurvey, WorkspaceSurvey
from engine.provenance.marking import marking_state
from engine.runtime.client import RunInfo, RunState
from tuiapp.bridge.wording import duration_text, plain_text
from tuiapp.forms.goal_fill import TRAIN
from tuiapp.keymap import bindings
from tuiapp.screens.framed import FramedScreen
from tuiapp.screens.goals import ask_for_goal
from tuiapp.screens.pick import ask_which_way
from tuiapp.screens.stage import StageScreen
from tuiapp.widgets.key_list import KeyList, Row
from tuiapp.widgets.next_step import INTERACTIVE, NextStepBar
from tuiapp.widgets.survey_card import SurveyCard, side_lines, work_lines

RUNS_SHOWN = 100
SIGNS = {
    RunState.STARTING: "… starting",
    RunState.RUNNING: "> running",
    RunState.DONE: "+ done",
    RunState.STOPPED: "= stopped",
    RunState.FAILED: "! failed",
    RunState.REFUSED: "! refused",
    RunState.CRASHED: "! crashed",
}
STYLES = {
    RunState.RUNNING: "$primary",
    RunState.STARTING: "$primary",
    RunState.DONE: "$success",
    RunState.STOPPED: "$warning",
}


class HomeScreen(FramedScreen):
    """Where one starts and comes back to."""

    BINDINGS = bindings("home")
    context = "home"
    AUTO_FOCUS = "NextStepBar"
    place = "Home"
    _survey_shown: WorkspaceSurvey | None = None

    def body(self) -> ComposeResult:
        with Container(id="glance"):
            yield SurveyCard("src: whose face is put in", id="src")
            yield SurveyCard("dst: whose face is replaced", id="dst")
            yield SurveyCard("model, merged, result", id="work")
        yield NextStepBar()
        with Horizontal(id="lists"):
            with Vertical():
                yield KeyList(id="stages")
                yield Input(placeholder="sort, masks, model ...", id="stage-filter", compact=True)
            yield KeyList(id="runs")

    def on_mount(self) -> None:
        self.query_one("#stages").border_title = "Stages"
        self._show_stages("")
        self.query_one("#runs", KeyList).border_title = "Runs"

    def paint(self) -> None:
        runs = self.query_one("#runs", KeyList)
        runs.show_rows(run_rows(self.workbench.board.infos[:RUNS_SHOWN], time.time()))
        survey = self.workbench.survey
        self._show_survey(survey)
        if survey is not None:
            live = [watch.view for watch in self.workbench.board.live()]
            self.query_one(NextStepBar).show_step(survey.next_step, is_empty(survey), live)

    def _show_survey(self, survey: WorkspaceSurvey | None) -> None:
        if survey is None or survey is self._survey_shown:
            return
        self._survey_shown = survey
        self.query_one("#src", SurveyCard).show_lines(side_lines(survey.src))
        self.query_one("#dst", SurveyCard).show_lines(side_lines(survey.dst))
        self.query_one("#work", SurveyCard).show_lines(
            work_lines(survey, marking_state(self.workbench.workspace).words)
        )

    def _show_stages(self, words: str) -> None:
        """Those of these words, or all."""
        found, stages = stages_of(words), self.query_one("#stages", KeyList)
        stages.show_rows(stage_rows(found))
        counts = f"{len(found)} of {len(catalog.STAGES)}  esc all"
        stages.border_subtitle = counts if words.split() else "/ filter"
        stages.first_choice()

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.query_one("#stage-filter").focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._show_stages(event.value)

    def on_input_submitted(self) -> None:
        """On to the list of what was found; enter once more opens its first line."""
        self.remove_class("-filtering")
        self.action_focus_stages()

    def action_all_stages(self) -> None:
        self.query_one("#stage-filter", Input).value = ""
        if self.has_class("-filtering"):
            self.on_input_submitted()

    def on_next_step_bar_taken(self, event: NextStepBar.Taken) -> None:
        if event.run is not None:
            self.workbench.open_run_by_id(event.run)
        elif event.step.stage_id in INTERACTIVE:
            ask_which_way(self.workbench, event.step.stage_id, event.step.values)
        elif event.step.stage_id is not None:
            self.workbench.open_form(event.step.stage_id, event.step.values)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        chosen = event.option.id
        if chosen is None:
            return
        if event.option_list.id == "stages":
            self.workbench.open_form(chosen)
        else:
            self.workbench.open_run_by_id(chosen)

    def action_next_step(self) -> None:
        self.query_one(NextStepBar).take()

    def action_goal(self) -> None:
        ask_for_goal(self.workbench, self._take_goal)

    async def _take_goal(self, goal: Goal, gpu_gib: float) -> None:
        """On to the form of training if there are faces to train on."""
        survey = self.workbench.survey
        if survey is None or not (has_faces(survey.src) and has_faces(survey.dst)):
            return
        self.workbench.open_form(TRAIN)
        if isinstance(self.app.screen, StageScreen):
            self.app.screen.explain(goal.settings_for(TRAIN, gpu_gib))

    def action_focus_stages(self) -> None:
        self.query_one("#stages").focus()

    def action_focus_runs(self) -> None:
        self.query_one("#runs").focus()

    def action_faces(self, side_name: str) -> None:
        self.workbench.open_faceset(side_name)

    def action_models(self) -> None:
        self.workbench.open_models()

    def action_masks(self, side_name: str) -> None:
        self.workbench.open_masks(side_name)

    def action_report(self, side_name: str) -> None:
        self.workbench.open_report(side_name)

    def action_review(self, side_name: str) -> None:
        self.workbench.open_debug_review(side_name)

    def action_refresh(self) -> None:
        self.workbench.look_again()


def has_faces(side: SideSurvey) -> bool:
    """There is a faceset to train on."""
    return bool(side.faces.count or side.packed)


def is_empty(survey: WorkspaceSurvey) -> bool:
    """Neither side has anything yet."""
    return survey.src.is_empty and survey.dst.is_empty


def stages_of(words: str) -> tuple[StageSpec, ...]:
    """The stages that have all of these words, or beginnings of words, in what is told of them."""
    wanted = words.lower().split()

    def told(spec: StageSpec) -> str:
        return f"{spec.id} {spec.title} {spec.group} {spec.summary}".lower()

    return tuple(spec for spec in catalog.STAGES if all(word in told(spec) for word in wanted))


def stage_rows(stages: tuple[StageSpec, ...]) -> list[Row]:
    """Stages under headings of their groups, groups in the order of the work."""
    if not stages:
        return [(None, Content.styled("no stage of these words", "dim"))]
    rows: list[Row] = []
    for group in dict.fromkeys(spec.group for spec in stages):
        rows.append((None, Content.styled(group, "bold")))
        rows += [(spec.id, _stage_line(spec)) for spec in stages if spec.group == group]
    return rows


def _stage_line(spec: StageSpec) -> Content:
    return Content.assemble(f"  {spec.title}", (f"  {spec.summary}", "dim"))


def run_rows(infos: list[RunInfo], now: float) -> list[Row]:
    """Runs, the newest first."""
    if not infos:
        return [(None, Content.styled("none yet", "dim"))]
    return [(info.id, _run_line(info, now)) for info in infos]


def _run_line(info: RunInfo, now: float) -> Content:
    ago = f"{duration_text(now - (info.ended_at or info.started_at))} ago"
    detail = f"since {ago.removesuffix(' ago')}" if info.state.live else ago
    if info.progress is not None and info.progress.total and info.state is not RunState.DONE:
        detail = f"{info.progress.done}/{info.progress.total}, {detail}"
    if info.message:
        detail = f"{detail}: {plain_text(info.message)}"
    return Content.assemble(
        (SIGNS[info.state].ljust(11), STYLES.get(info.state, "$error")),
        info.stage.ljust(15) + " ",
        (detail, "dim"),
    )
