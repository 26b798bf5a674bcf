"""Cards of the home screen: what is there of one part of the workspace."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from engine.protocol.dfm_files import READY_CLASS
from engine.protocol.survey import FileFact, FolderFact, ModelFact, SideSurvey, WorkspaceSurvey
from tuiapp.bridge.wording import bytes_text, count_text, plain_text

Line = tuple[str, str]  # what, and how much of it


class SurveyCard(Static):
    """Lines of `what  how much` in a titled box."""

    def __init__(self, title: str, *, id: str) -> None:
        super().__init__("looking ...", id=id, markup=False)
        self.border_title = title

    def show_lines(self, lines: list[Line]) -> None:
        width = max(len(what) for what, _ in lines) + 2
        parts: list[Content | str | tuple[str, str]] = []
        for what, amount in lines:
            style = "dim" if amount == NOTHING else ""
            parts += [(what.ljust(width), "$primary"), (amount, style), "\n"]
        self.update(Content.assemble(*parts[:-1]))


NOTHING = "none"


def side_lines(side: SideSurvey) -> list[Line]:
    """Video, frames, faces and consent of one side."""
    return [
        ("video", file_text(side.video)),
        ("frames", folder_text(side.frames, "frame")),
        ("faces", faces_text(side)),
        ("consent", plain_text(side.consent.words)),
    ]


def work_lines(survey: WorkspaceSurvey, marking: str) -> list[Line]:
    """Models, merged frames and results, and whether results are marked."""
    return [
        ("model", models_text(survey.models)),
        ("merged", merged_text(survey)),
        ("result", results_text(survey.results)),
        ("marking", plain_text(marking)),
    ]


def file_text(file: FileFact | None) -> str:
    return f"{plain_text(file.name)}  {bytes_text(file.bytes)}" if file else NOTHING


def folder_text(folder: FolderFact, noun: str) -> str:
    if not folder.count:
        return NOTHING
    return f"{count_text(folder.count, noun)}  {bytes_text(folder.bytes)}"


def faces_text(side: SideSurvey) -> str:
    if not side.packed:
        return folder_text(side.faces, "face")
    return "packed" + (
        f", {count_text(side.faces.count, 'loose face')}" if side.faces.count else ""
    )


def models_text(models: tuple[ModelFact, ...]) -> str:
    """The newest model with its iteration, and how many more there are."""
    if not models:
        return NOTHING
    newest = models[0]
    words = f"{plain_text(newest.name)} ({newest.model_class})"
    if newest.iteration is not None:
        words += f", iteration {count_text(newest.iteration)}"
    elif newest.origin == "dfl":
        words += ", DeepFaceLab's"
    elif newest.origin == READY_CLASS:
        words += ", ready to merge"
    return words + (f", {len(models) - 1} more" if len(models) > 1 else "")


def merged_text(survey: WorkspaceSurvey) -> str:
    words = folder_text(survey.merged, "frame")
    if survey.merged_mask.count:
        words += f", {count_text(survey.merged_mask.count, 'mask')}"
    return words


def results_text(results: tuple[FileFact, ...]) -> str:
    if not results:
        return NOTHING
    more = f", {len(results) - 1} more" if len(results) > 1 else ""
    return file_text(results[0]) + more
