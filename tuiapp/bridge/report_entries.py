"""A faceset report as lines: findings with what to do about them, and the faces of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from engine.protocol.faceset_report import Advice, FacesetReport, Hole, OtherFace
from tuiapp.bridge.wording import count_text

# So many lines of one finding: more would only be scrolled over, and its first line opens them all.
MOST_ENTRIES = 200
_NAMED = 3


@dataclass(frozen=True)
class FaceChoice:
    """Faces to look at: of which side, which files (none: all that pass the filter), which of them
    first, and what they are. outdated: they changed since these names were written down."""

    side: str
    files: tuple[str, ...] = ()
    first: str = ""
    label: str = ""
    filter_text: str = ""
    outdated: bool = False


@dataclass(frozen=True)
class Entry:
    """One line of a finding, and the faces it leads to."""

    text: str
    faces: FaceChoice


@dataclass(frozen=True)
class Finding:
    """What was found and what to do about it, with at most `MOST_ENTRIES` of its lines; left_out:
    how many more there are. faces: all of them, None where it is not about single faces."""

    title: str
    what: str
    do: str
    is_warning: bool
    entries: tuple[Entry, ...] = ()
    left_out: int = 0
    faces: FaceChoice | None = None


def findings(report: FacesetReport) -> list[Finding]:
    """The report's findings in the order of its advice; holes by what they lack."""
    first_of: dict[str, Advice] = {}
    for advice in report.advice:
        first_of.setdefault(advice.about, advice)
    found: list[Finding] = []
    for advice in first_of.values():
        found += _holes(report) if advice.about == "coverage" else [_finding(advice, report)]
    return found


def _finding(advice: Advice, report: FacesetReport) -> Finding:
    title, entries_of = _KINDS.get(advice.about, (advice.about, _no_entries))
    entries = list(entries_of(report))
    # The advice names the first of the faces, which are lines here.
    what = advice.what.split(": ")[0] if entries else advice.what
    return _with_entries(Finding(title, what, advice.do, advice.is_warning), entries)


def _with_entries(finding: Finding, entries: list[Entry]) -> Finding:
    files = dict.fromkeys(name for entry in entries for name in entry.faces.files)
    if not files:
        return finding
    label = finding.title.lower()
    return replace(
        finding,
        entries=tuple(entries[:MOST_ENTRIES]),
        left_out=max(0, len(entries) - MOST_ENTRIES),
        faces=FaceChoice(entries[0].faces.side, tuple(files), next(iter(files)), label),
    )


Entries = Iterator[Entry]


def _no_entries(report: FacesetReport) -> Entries:
    yield from ()


def _single(report: FacesetReport, label: str, lines: Iterable[tuple[str, str]]) -> Entries:
    """Faces each of which is a line: (file, what is to be said of it). Any leads to all of them."""
    told = dict(lines)
    files = tuple(told)
    for name, words in told.items():
        yield Entry(f"{name}  {words}".rstrip(), FaceChoice(report.side, files, name, label))


def _other_people(report: FacesetReport) -> Entries:
    others = report.people.others if report.people else []
    yield from _single(report, "other people", map(_person_line, others))


def _perhaps_other_people(report: FacesetReport) -> Entries:
    others = report.people.perhaps_others if report.people else []
    yield from _single(report, "perhaps other people", map(_person_line, others))


def _person_line(face: OtherFace) -> tuple[str, str]:
    return face.file, f"person {face.person}, distance {face.distance:.2f}"


def _doubtful(report: FacesetReport) -> Entries:
    lines = ((one.file, one.why) for one in report.doubtful_landmarks)
    yield from _single(report, "doubtful landmarks", lines)


def _blurred(report: FacesetReport) -> Entries:
    yield from _single(report, "blurred", ((name, "") for name in report.sharpness.blurred))


def _small(report: FacesetReport) -> Entries:
    yield from _single(report, "small", ((name, "") for name in report.overview.small_faces))


def _no_faces(report: FacesetReport) -> Entries:
    yield from _single(report, "no faces", report.overview.no_faces.items())


def _holes(report: FacesetReport) -> Iterator[Finding]:
    """One finding for each thing that src lacks, the one that most faces of dst need first."""
    by_lack: dict[str, list[Hole]] = {}
    for hole in report.coverage.holes if report.coverage else ():
        by_lack.setdefault(hole.missing, []).append(hole)
    faces_of = {lack: sum(hole.dst_faces for hole in holes) for lack, holes in by_lack.items()}
    for lack in sorted(by_lack, key=lambda lack: -faces_of[lack]):
        holes = by_lack[lack]
        what = (
            f"{count_text(faces_of[lack], 'dst face')} in {count_text(len(holes), 'hole')} of src"
        )
        finding = Finding(f"Lacking {lack}", what, holes[0].do, is_warning=True)
        yield _with_entries(finding, [_hole_entry(hole) for hole in holes])


def _hole_entry(hole: Hole) -> Entry:
    frames = f", {_some(hole.frames)}" if hole.frames else ""
    choice = FaceChoice("dst", tuple(hole.files), label=f"hole: {hole.looks}")
    return Entry(f"{count_text(hole.dst_faces)}x {hole.looks}{frames}", choice)


def _duplicates(report: FacesetReport) -> Entries:
    for group in report.duplicates.groups:
        files = (group.kept, *group.others)
        choice = FaceChoice(report.side, files, group.kept, f"like {group.kept}")
        yield Entry(f"{group.kept}  and {len(group.others)}: {_some(group.others)}", choice)


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (" ..." if len(names) > _NAMED else "")


_KINDS: dict[str, tuple[str, Callable[[FacesetReport], Entries]]] = {
    "people": ("Other people", _other_people),
    "perhaps_people": ("Perhaps other people", _perhaps_other_people),
    "doubtful_landmarks": ("Doubtful landmarks", _doubtful),
    "duplicates": ("Nearly identical", _duplicates),
    "blurred": ("Blurred", _blurred),
    "small_faces": ("Small in their frames", _small),
    "no_faces": ("No faces", _no_faces),
    "face_types": ("Face types", _no_entries),
    "without_frame_name": ("Frame not known", _no_entries),
}
