"""What to do about a report's findings, in plain words: one row per finding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Sized

from engine.protocol.faceset_report import (
    Advice,
    Coverage,
    DoubtfulLandmarks,
    Duplicates,
    FacesetReport,
    OtherFace,
    Overview,
    People,
)

_MOST_HOLES = 8
_NAMED_FRAMES = 6

HOLE_REMEDY = {
    "pose": "add src material that shows this head angle",
    "mouth": "add src material with the mouth like this at this head angle",
    "light": "add src material lit like this: colour transfer does not move the light",
    "combination": "add src material that shows these together",
}


def advise(report: FacesetReport) -> list[Advice]:
    """The advice that a report gives rise to, the weightiest first."""
    side = report.side
    return [
        *_on_people(report.people, side),
        *_on_landmarks(report.doubtful_landmarks, side),
        *_on_coverage(report.coverage),
        *_on_duplicates(report.duplicates, report.overview.faces, side),
        *_on_blur(report.sharpness.blurred, side),
        *_on_small_faces(report.overview.small_faces, side),
        *_on_files(report.overview, side),
    ]


def _on_people(people: People | None, side: str) -> Iterator[Advice]:
    if people is None:
        return
    if people.others:
        what = f"{_faces(people.others)} of other people: {_named(_files(people.others))}"
        away = f"look at them; move those out of data_{side}/aligned that are not wanted"
        yield Advice("people", what, away)
    if people.perhaps_others:
        what = f"{_faces(people.perhaps_others)} perhaps of others"
        what = f"{what}: {_named(_files(people.perhaps_others))}"
        yield Advice("perhaps_people", what, "look at them", is_warning=False)


def _on_landmarks(doubtful: list[DoubtfulLandmarks], side: str) -> Iterator[Advice]:
    if doubtful:
        what = f"{_faces(doubtful)} with doubtful landmarks: {_named(_files(doubtful))}"
        remedy = {
            "src": "look at them; remove wrong ones: a model learns wrong shapes from them",
            "dst": "look at them; remove wrong ones, keep profiles that must be swapped",
        }
        yield Advice("doubtful_landmarks", what, remedy[side])


def _on_coverage(coverage: Coverage | None) -> Iterator[Advice]:
    if coverage is None:
        return
    for hole in coverage.holes[:_MOST_HOLES]:
        what = f"src lacks {hole.looks} ({hole.missing}): {_counted(hole.dst_faces, 'dst face')}"
        frames = f"frame{'s' if len(hole.frames) > 1 else ''} {_named(hole.frames)}"
        yield Advice("coverage", f"{what}, {frames}", hole.do)
    left = coverage.holes[_MOST_HOLES:]
    if left:
        faces = sum(hole.dst_faces for hole in left)
        what = f"{len(left)} more such holes, with {faces} dst faces"
        yield Advice("coverage", what, "see the report")


def _on_duplicates(duplicates: Duplicates, faces: int, side: str) -> Iterator[Advice]:
    if duplicates.superfluous:
        what = f"{duplicates.superfluous} of {faces} faces are nearly identical to sharper ones"
        if side == "src":
            remedy = "they can go: training then spends its time on the others"
            yield Advice("duplicates", what, remedy)
        else:
            yield Advice("duplicates", what, "leave them: merging needs every dst face", False)


def _on_blur(blurred: list[str], side: str) -> Iterator[Advice]:
    if blurred:
        what = f"{_faces(blurred)} much less sharp than the others: {_named(blurred)}"
        if side == "src":
            yield Advice("blurred", what, "remove them: blur is learnt, too")
        else:
            yield Advice("blurred", what, "leave them: merging needs every dst face", False)


def _on_small_faces(small: list[str], side: str) -> Iterator[Advice]:
    if small:
        what = f"{_faces(small)} that were small in their frames: {_named(small)}"
        if side == "src":
            yield Advice("small_faces", what, "use closer shots if there are")
        else:
            yield Advice("small_faces", what, "leave them: merging needs every dst face", False)


def _on_files(overview: Overview, side: str) -> Iterator[Advice]:
    if overview.no_faces:
        what = f"{len(overview.no_faces)} files are no faces: {_named(sorted(overview.no_faces))}"
        yield Advice("no_faces", what, "move them away")
    if len(overview.face_types) > 1:
        kinds = ", ".join(f"{count} {kind}" for kind, count in overview.face_types.items())
        remedy = "extract all with one face type"
        yield Advice("face_types", f"face types are mixed: {kinds}", remedy)
    if overview.without_frame_name and side == "dst":
        what = f"{overview.without_frame_name} faces do not know their frame"
        remedy = "extract these frames again: they cannot be merged"
        yield Advice("without_frame_name", what, remedy)


def _faces(found: Sized) -> str:
    return _counted(len(found), "face")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count > 1 else ''}"


def _files(found: Sequence[OtherFace] | Sequence[DoubtfulLandmarks]) -> list[str]:
    return [one.file for one in found]


def _named(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED_FRAMES])
    return f"{shown} and {len(names) - _NAMED_FRAMES} more" if len(names) > _NAMED_FRAMES else shown
