"""How many faces look which way: head angles down and across, for one mouth and light or all.

Pure state of the coverage map: no disk, no Textual.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.protocol.faceset_report import MOUTHS, Cell, Coverage
from tuiapp.bridge.report_entries import FaceChoice
from tuiapp.bridge.wording import count_text

# To each side of the middle: 90 and 45 degrees in steps of 15. What lies beyond counts at the edge.
YAW_CELLS, PITCH_CELLS = 6, 3
COLUMNS, ROWS = 2 * YAW_CELLS + 1, 2 * PITCH_CELLS + 1
ALL = "all"
LIGHTS = ("from the left", "even", "from the right")


@dataclass(frozen=True)
class Tally:
    """Faces of one place of the map; `lacking`: of dst's, those that src does not cover."""

    src: int = 0
    dst: int = 0
    lacking: int = 0

    def plus(self, cell: Cell) -> Tally:
        return Tally(self.src + cell.src, self.dst + cell.dst, self.lacking + cell.lacking)


class CoverageTable:
    """The map of one report, with what it is narrowed to and where one is in it."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self.mouth = ALL
        self.light = ALL
        self.row, self.column = PITCH_CELLS, YAW_CELLS
        self._tallies: dict[tuple[int, int], Tally] = {}
        self._count()
        self._go_to_worst()

    def next_mouth(self) -> None:
        """Only faces with the mouth so; after the last all of them."""
        self.mouth = _next(self.mouth, MOUTHS)
        self._count()

    def next_light(self) -> None:
        """Only faces lit from there; after the last all of them."""
        self.light = _next(self.light, LIGHTS)
        self._count()

    def move(self, rows: int, columns: int) -> None:
        """So many places on, at most to an edge."""
        self.row = max(0, min(self.row + rows, ROWS - 1))
        self.column = max(0, min(self.column + columns, COLUMNS - 1))

    def tally(self, row: int, column: int) -> Tally:
        """Rows from looking up to down, columns from looking to the picture's left to right."""
        return self._tallies.get((row, column), Tally())

    @property
    def current(self) -> Tally:
        return self.tally(self.row, self.column)

    def yaw_deg(self, column: int) -> float:
        return (YAW_CELLS - column) * self._coverage.yaw_step_deg

    def pitch_deg(self, row: int) -> float:
        return (PITCH_CELLS - row) * self._coverage.pitch_step_deg

    def current_words(self) -> str:
        """`yaw +30° pitch 0°: dst 12 faces, 3 of them not covered; src 9`."""
        here = self.current
        lacking = f", {count_text(here.lacking)} not covered" if here.lacking else ""
        dst, src = count_text(here.dst, "face"), count_text(here.src)
        return f"{self._angles_words()}: dst {dst}{lacking}; src {src}"

    def current_faces(self) -> FaceChoice:
        """The dst faces here that src does not cover; if there are none, all of dst's at these
        angles."""
        here = (self.row, self.column)
        files = tuple(
            name
            for hole in self._coverage.holes
            if self._passes(*hole.place[2:4]) and _on_map(*hole.place[:2]) == here
            for name in hole.files
        )
        if files:
            return FaceChoice("dst", files, files[0], f"not covered, {self._angles_words()}")
        return FaceChoice("dst", filter_text=self._angles_filter())

    def _angles_words(self) -> str:
        yaw_deg, pitch_deg = self.yaw_deg(self.column), self.pitch_deg(self.row)
        return f"yaw {degrees_text(yaw_deg)} pitch {degrees_text(pitch_deg)}"

    def _angles_filter(self) -> str:
        """For the browser; what the map counts at an edge may lie beyond it."""
        yaw = _range_words("yaw", self.yaw_deg(self.column), self._coverage.yaw_step_deg, YAW_CELLS)
        step_deg = self._coverage.pitch_step_deg
        pitch = _range_words("pitch", self.pitch_deg(self.row), step_deg, PITCH_CELLS)
        return f"{yaw} {pitch}"

    def _count(self) -> None:
        self._tallies = {}
        for cell in self._coverage.cells:
            if self._passes(cell.mouth, cell.light_side):
                place = _on_map(cell.yaw, cell.pitch)
                self._tallies[place] = self._tallies.get(place, Tally()).plus(cell)

    def _passes(self, mouth_steps: int, light_steps: int) -> bool:
        mouth = MOUTHS[min(mouth_steps, len(MOUTHS) - 1)]
        light = LIGHTS[max(-1, min(light_steps, 1)) + 1]
        return self.mouth in (ALL, mouth) and self.light in (ALL, light)

    def _go_to_worst(self) -> None:
        """To the place where most faces are not covered, if there is one."""
        lacking = {place: tally.lacking for place, tally in self._tallies.items() if tally.lacking}
        if lacking:
            self.row, self.column = max(lacking, key=lambda place: (lacking[place], place))


def degrees_text(degrees: float) -> str:
    """`+15°`, `0°`."""
    return f"{degrees:+.0f}°" if degrees else "0°"


def _on_map(yaw_steps: int, pitch_steps: int) -> tuple[int, int]:
    """Row and column."""
    yaw = max(-YAW_CELLS, min(yaw_steps, YAW_CELLS))
    pitch = max(-PITCH_CELLS, min(pitch_steps, PITCH_CELLS))
    return PITCH_CELLS - pitch, YAW_CELLS - yaw


def _range_words(field: str, middle_deg: float, step_deg: float, cells: int) -> str:
    """`yaw>22.5deg yaw<37.5deg`, open to what lies beyond the map."""
    most_deg, half_deg = cells * step_deg, step_deg / 2
    lowest = [f"{field}>{middle_deg - half_deg:g}deg"] if middle_deg > -most_deg else []
    highest = [f"{field}<{middle_deg + half_deg:g}deg"] if middle_deg < most_deg else []
    return " ".join(lowest + highest)


def _next(chosen: str, choices: Iterable[str]) -> str:
    ring = (ALL, *choices)
    return ring[(ring.index(chosen) + 1) % len(ring)]
