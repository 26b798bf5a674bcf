"""The map of head angles counts, narrows and names what the report holds."""

from __future__ import annotations

import msgspec

from engine.protocol.faceset_report import Duplicates, NearlyIdentical
from tests.tuiapp.report_made import made_coverage, made_report
from tuiapp.bridge.coverage_table import COLUMNS, ROWS, CoverageTable, Tally
from tuiapp.bridge.report_entries import MOST_ENTRIES, findings


def table_at(row: int, column: int) -> CoverageTable:
    table = CoverageTable(made_coverage())
    table.move(row - table.row, column - table.column)
    return table


def test_it_begins_where_most_faces_are_not_covered() -> None:
    table = CoverageTable(made_coverage())
    assert table.current == Tally(src=0, dst=2, lacking=2)
    assert (table.row, table.column) == (2, 4)


def test_what_lies_beyond_the_map_counts_at_its_edge() -> None:
    assert CoverageTable(made_coverage()).tally(ROWS - 1, COLUMNS - 1) == Tally(src=1)


def test_it_stops_at_its_edges() -> None:
    table = table_at(0, 0)
    table.move(-1, -1)
    assert (table.row, table.column) == (0, 0)
    table.move(99, 99)
    assert (table.row, table.column) == (ROWS - 1, COLUMNS - 1)


def test_mouth_and_light_narrow_what_is_counted() -> None:
    table = table_at(3, 6)
    assert table.current == Tally(src=11, dst=45, lacking=1)
    table.next_mouth()
    assert (table.mouth, table.current) == ("closed", Tally(src=8, dst=40))
    table.next_mouth()
    table.next_mouth()
    assert (table.mouth, table.current) == ("open", Tally(src=3, dst=5, lacking=1))
    table.next_light()
    assert (table.light, table.current) == ("from the left", Tally())
    table.next_mouth()
    table.next_mouth()
    table.next_light()
    table.next_light()
    table.next_light()
    assert (table.mouth, table.light, table.current.dst) == ("all", "all", 45)


def test_a_place_gives_the_faces_that_are_not_covered_or_a_filter_for_all() -> None:
    facing = table_at(3, 6)
    assert facing.current_faces().files == ("00003_0.jpg",)
    facing.next_mouth()
    assert not facing.current_faces().files
    edge = table_at(0, 0).current_faces()
    assert edge.filter_text == "yaw>82.5deg pitch>37.5deg"


def test_a_finding_with_too_many_lines_says_how_many_are_left_out() -> None:
    groups = [NearlyIdentical(f"{n}.jpg", [f"{n}b.jpg"]) for n in range(MOST_ENTRIES + 5)]
    report = msgspec.structs.replace(made_report(None), duplicates=Duplicates(205, groups))
    found = findings(report)[-1]
    assert (len(found.entries), found.left_out) == (MOST_ENTRIES, 5)
    assert found.faces is not None and len(found.faces.files) == 2 * len(groups)
