"""A faceset report: what was found, what to do about it, and the faces it is about."""

from __future__ import annotations

import time
from dataclasses import replace

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList, Static

from engine.protocol.faceset_report import FacesetReport, Overview
from engine.protocol.workspace import SIDES
from tuiapp.bridge.coverage_table import CoverageTable
from tuiapp.bridge.face_folder import changed_since
from tuiapp.bridge.report_entries import FaceChoice, Finding, findings
from tuiapp.bridge.wording import count_text, duration_text, plain_text
from tuiapp.keymap import bindings
from tuiapp.screens.framed import FramedScreen
from tuiapp.widgets.coverage_map import CoverageMap
from tuiapp.widgets.key_list import KeyList, Row


class ReportScreen(FramedScreen):
    """Draws a report as it was read; enter on a line shows the faces it is about."""

    CSS_PATH = "report.tcss"
    BINDINGS = bindings("report")
    context = "report"
    AUTO_FOCUS = "#findings"

    def __init__(self, report: FacesetReport) -> None:
        super().__init__()
        self.report = report
        self.place = f"Report on {report.side}"
        self._choices: dict[str, FaceChoice] = {}

    def body(self) -> ComposeResult:
        yield Static("", id="head", markup=False)
        if self.report.coverage is not None:
            yield CoverageMap(CoverageTable(self.report.coverage))
        yield KeyList(id="findings")

    def on_mount(self) -> None:
        rows, self._choices = finding_rows(findings(self.report))
        self.query_one("#findings", KeyList).show_rows(rows)
        self._show_head()

    def on_screen_resume(self) -> None:
        if self.query("#head"):
            self._show_head()

    def _show_head(self) -> None:
        text = head_text(self.report, time.time(), outdated=self.is_outdated)
        self.query_one("#head", Static).update(text)

    @property
    def is_outdated(self) -> bool:
        """Faces that the report is about are others now, or have other names."""
        sides = SIDES if self.report.coverage is not None else (self.report.side,)
        workspace, made_at = self.workbench.workspace, self.report.made_at
        return any(changed_since(workspace.side(side), made_at) for side in sides)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if event.option.id is not None:
            self._show_faces(self._choices[event.option.id])

    def on_coverage_map_chosen(self, event: CoverageMap.Chosen) -> None:
        self._show_faces(event.faces)

    def _show_faces(self, choice: FaceChoice) -> None:
        self.workbench.show_faces(replace(choice, outdated=self.is_outdated))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action not in ("mouth", "light", "map") or self.report.coverage is not None

    def action_map(self) -> None:
        """From the list to the map and back."""
        self.focus_next()

    def action_mouth(self) -> None:
        self.query_one(CoverageMap).table.next_mouth()
        self.query_one(CoverageMap).refresh()

    def action_light(self) -> None:
        self.query_one(CoverageMap).table.next_light()
        self.query_one(CoverageMap).refresh()

    def action_faces(self) -> None:
        self.workbench.show_faces(FaceChoice(self.report.side))

    def action_other_side(self) -> None:
        self.workbench.open_report("dst" if self.report.side == "src" else "src")

    def action_again(self) -> None:
        self.workbench.open_form("faceset-report", {"side": self.report.side})


def head_text(report: FacesetReport, now: float, *, outdated: bool) -> Content:
    """Two lines: the faceset, and how well src covers dst."""
    changed = ("  changed since (r)" if outdated else "", "$warning")
    faces = Content.assemble(_faces_words(report, now), changed)
    return Content("\n").join([faces, _coverage_words(report)])


def _faces_words(report: FacesetReport, now: float) -> str:
    overview = report.overview
    words = [
        f"{count_text(overview.faces, 'face')} of {count_text(overview.frames, 'frame')}",
        _most(overview.sizes_px, "px"),
        _most(overview.face_types),
        _masks_words(overview),
        f"{duration_text(now - report.made_at)} ago",
    ]
    return "  ".join(word for word in words if word)


def _most(counts: dict[str, int], unit: str = "") -> str:
    """`512x512 px`, or with several kinds `512x512 px and 2 more`."""
    first = plain_text(next(iter(counts), ""))
    more = f" and {len(counts) - 1} more" if len(counts) > 1 else ""
    return f"{first} {unit}".rstrip() + more


def _masks_words(overview: Overview) -> str:
    if not overview.with_applied_mask:
        return ""
    return f"{count_text(overview.with_applied_mask)} with mask"


def _coverage_words(report: FacesetReport) -> Content:
    coverage = report.coverage
    if coverage is None:
        other = "dst" if report.side == "src" else "src"
        return Content(f"no coverage: {other} had no faces when the report was made")
    share = coverage.dst_faces_covered / max(1, coverage.dst_faces)
    pose_share = coverage.pose_covered / max(1, coverage.dst_faces)
    return Content.assemble(
        (f"src covers {share:.0%} of {count_text(coverage.dst_faces, 'dst face')}", "bold"),
        f", {pose_share:.0%} by head angle alone; "
        f"{count_text(coverage.src_faces_not_needed, 'src face')} not needed",
    )


def finding_rows(found: list[Finding]) -> tuple[list[Row], dict[str, FaceChoice]]:
    """The list's lines, and the faces that each of them leads to, by its id."""
    rows: list[Row] = []
    choices: dict[str, FaceChoice] = {}

    def add(content: Content, faces: FaceChoice | None) -> None:
        id = f"line-{len(rows)}" if faces is not None else None
        rows.append((id, content))
        if id is not None and faces is not None:
            choices[id] = faces

    for finding in found:
        add(_title_line(finding), finding.faces)
        for entry in finding.entries:
            add(Content(f"  {plain_text(entry.text)}"), entry.faces)
        if finding.left_out:
            add(Content.styled(f"  {count_text(finding.left_out)} more", "dim"), finding.faces)
    if not found:
        rows.append((None, Content.styled("nothing to do: no finding", "$success")))
    return rows, choices


def _title_line(finding: Finding) -> Content:
    """`! Blurred  3 faces much less sharp than the others`, and below it what to do."""
    sign, style = ("!", "bold $warning") if finding.is_warning else ("·", "bold")
    return Content.assemble(
        (f"{sign} {finding.title}", style),
        f"  {plain_text(finding.what)}",
        (f"\n  -> {plain_text(finding.do)}", "$primary"),
    )
