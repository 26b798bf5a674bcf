"""What the faceset browser shows and where one is in it: order, filter, marks, cursor.

Pure state: no disk, no Textual. Its cost is one pass over the faces when order or filter change.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from tuiapp.bridge.face_fields import FIELDS, NAME, Face, FaceKey, Field, Test, parse_filter


class FacesetList:
    """The faces of one side, "src" or "dst". `shown` are those that pass the filter, in order."""

    def __init__(self, side: str) -> None:
        self.side = side
        self.faces: tuple[Face, ...] = ()
        self.shown: list[Face] = []
        self.cursor = 0
        self.marks: set[FaceKey] = set()
        self.order: Field = NAME
        self.descending = False
        self.filter_text = ""
        self.limit_label = ""
        self._tests: tuple[Test, ...] = ()
        self._limit: frozenset[FaceKey] | None = None
        self._range_from: FaceKey | None = None
        self._follow: tuple[list[Face], int] = ([], 0)

    # The faces

    def replace(self, faces: Iterable[Face]) -> None:
        """The disk's faces now. The cursor stays on its face or goes to the next that is left;
        marks of faces that are gone are dropped."""
        self.faces = tuple(sorted(faces, key=lambda face: face.name))
        keys = {face.key for face in self.faces}
        self.marks &= keys
        if self._range_from not in keys:
            self._range_from = None
        self._arrange()

    def sort_by(self, order: Field, *, descending: bool = False) -> None:
        self.order, self.descending = order, descending
        self._arrange()

    def next_order(self, *, indexed: bool) -> None:
        """The next field to sort by; with `indexed` also those that only the index knows."""
        fields = [field for field in FIELDS if indexed or not field.indexed]
        place = fields.index(self.order) + 1 if self.order in fields else 0
        self.sort_by(fields[place % len(fields)])

    def reverse(self) -> None:
        self.sort_by(self.order, descending=not self.descending)

    def filter_by(self, text: str) -> None:
        """Show what passes (`face_fields.parse_filter`). Raises UsageError, changing nothing."""
        self._tests, self.filter_text = parse_filter(text), text
        self._arrange()

    def limit_to(self, keys: Iterable[FaceKey] | None, label: str = "") -> None:
        """Show only these of the faces that pass the filter; None: all of them again."""
        self._limit, self.limit_label = (None if keys is None else frozenset(keys)), label
        self._arrange()

    def _arrange(self) -> None:
        # The cursor's face, those after it, then those before it, nearest first; of the last
        # faces that were shown, since a filter that is being typed may show none for a moment.
        if self.shown:
            self._follow = self.shown, self.cursor
        before, at = self._follow
        follow = chain(before[at:], reversed(before[:at]))
        passing = [face for face in self.faces if self._passes(face)]
        self.shown = _sorted(passing, self.order, self.descending)
        place = {face.key: n for n, face in enumerate(self.shown)}
        self.cursor = next((place[face.key] for face in follow if face.key in place), 0)

    def _passes(self, face: Face) -> bool:
        if self._limit is not None and face.key not in self._limit:
            return False
        return all(test(face) for test in self._tests)

    # The cursor

    @property
    def current(self) -> Face | None:
        return self.shown[self.cursor] if self.shown else None

    def move(self, steps: int) -> None:
        """So many faces on; at most to an end."""
        self.move_to(self.cursor + steps)

    def move_to(self, place: int) -> None:
        self.cursor = max(0, min(place, len(self.shown) - 1))

    def move_rows(self, rows: int, columns: int) -> None:
        """So many rows of `columns` on, in the same column; a last row that is shorter is entered
        at its end, and where there is no row to go to the cursor stays."""
        if not self.shown:
            return
        last_row = (len(self.shown) - 1) // columns
        row = max(0, min(self.cursor // columns + rows, last_row))
        self.move_to(row * columns + self.cursor % columns)

    # Marks

    def toggle_mark(self) -> None:
        """Mark or unmark the cursor's face; ends a range by marking all of it."""
        if self._range_from is not None:
            self.end_range()
        elif self.current is not None:
            self.marks ^= {self.current.key}

    def start_range(self) -> None:
        self._range_from = self.current.key if self.current else None

    def end_range(self) -> None:
        """Mark all from where the range began to the cursor."""
        self.marks |= self.range_keys()
        self._range_from = None

    def drop_range(self) -> None:
        self._range_from = None

    @property
    def in_range(self) -> bool:
        return self._range_from is not None

    def range_keys(self) -> set[FaceKey]:
        """The faces that ending the range now would mark; none if its start is not shown."""
        if self._range_from is None:
            return set()
        start = next((n for n, f in enumerate(self.shown) if f.key == self._range_from), None)
        if start is None:
            return set()
        low, high = sorted((start, self.cursor))
        return {face.key for face in self.shown[low : high + 1]}

    def mark_shown(self) -> None:
        """Mark all that is shown; if all of it is marked, unmark it."""
        keys = {face.key for face in self.shown}
        if keys <= self.marks:
            self.marks -= keys
        else:
            self.marks |= keys

    def chosen(self) -> list[Face]:
        """The marked faces, shown or not, in the disk's order; without marks the cursor's."""
        if self.marks:
            return [face for face in self.faces if face.key in self.marks]
        return [self.current] if self.current else []


def _sorted(faces: list[Face], order: Field, descending: bool) -> list[Face]:
    """By value, those of one value as they came (by name); faces of which the value is not known
    come last either way."""
    known = [face for face in faces if order.get(face) is not None]
    unknown = [face for face in faces if order.get(face) is None]
    return sorted(known, key=order.get, reverse=descending) + unknown  # type: ignore[arg-type]
