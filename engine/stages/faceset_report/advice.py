"""What to do about a report's findings, in plain words: one row per finding."""

from __future__ import annotations

from typing import Any

_MOST_HOLES = 8
_NAMED_FRAMES = 6

Advice = dict[str, str]  # "what" was found, what to "do"

_HOLE_REMEDY = {
    "pose": "add src material that shows this head angle",
    "mouth": "add src material with the mouth like this at this head angle",
    "light": "add src material lit like this; colour transfer evens out colours, not where the"
    " light comes from",
    "combination": "add src material that shows these together",
}


def advise(report: dict[str, Any]) -> list[Advice]:
    """The advice that a report (as in its JSON file) gives rise to, the weightiest first."""
    side = report["side"]
    rows = (
        *_on_people(report["people"], side),
        *_on_landmarks(report["doubtful_landmarks"], side),
        *_on_coverage(report["coverage"]),
        *_on_duplicates(report["duplicates"], report["overview"]["faces"], side),
        *_on_sharpness(report["sharpness"], report["overview"], side),
        *_on_files(report["overview"], side),
    )
    return [{"what": what, "do": do} for what, do in rows]


def _on_people(people: dict[str, Any] | None, side: str) -> list[tuple[str, str]]:
    if people is None or not people["others"]:
        return []
    files = _named([one["file"] for one in people["others"]])
    away = f"look at them and move those out of data_{side}/aligned that are not to be used"
    return [(f"{len(people['others'])} faces look like other people: {files}", away)]


def _on_landmarks(doubtful: list[dict[str, str]], side: str) -> list[tuple[str, str]]:
    if not doubtful:
        return []
    what = f"{len(doubtful)} faces have doubtful landmarks: {_named([d['file'] for d in doubtful])}"
    if side == "src":
        return [(what, "remove them: a model learns wrong shapes from wrong landmarks")]
    return [(what, "look at them; remove wrong ones, profiles may stay if they must be swapped")]


def _on_coverage(coverage: dict[str, Any] | None) -> list[tuple[str, str]]:
    if coverage is None:
        return []
    rows = [
        (
            f"src lacks {hole['looks']} ({hole['missing']}): {hole['dst_faces']} dst faces,"
            f" frames {_named(hole['frames'])}",
            _HOLE_REMEDY[hole["missing"]],
        )
        for hole in coverage["holes"][:_MOST_HOLES]
    ]
    left = coverage["holes"][_MOST_HOLES:]
    if left:
        faces = sum(hole["dst_faces"] for hole in left)
        rows.append((f"{len(left)} more such holes, with {faces} dst faces", "see the report"))
    return rows


def _on_duplicates(duplicates: dict[str, Any], faces: int, side: str) -> list[tuple[str, str]]:
    count = duplicates["superfluous"]
    if not count or side == "dst":  # merging needs every dst face
        return []
    what = f"{count} of {faces} faces are nearly identical to sharper ones"
    return [(what, "they can go: training then spends its time on the others")]


def _on_sharpness(
    sharpness: dict[str, Any], overview: dict[str, Any], side: str
) -> list[tuple[str, str]]:
    rows = []
    if sharpness["blurred"] and side == "src":
        what = f"{len(sharpness['blurred'])} faces are much less sharp than the others"
        rows.append((f"{what}: {_named(sharpness['blurred'])}", "remove them: blur is learnt, too"))
    if overview["small_faces"] and side == "src":
        what = f"{len(overview['small_faces'])} faces were small in their frames"
        rows.append((f"{what}: {_named(overview['small_faces'])}", "use closer shots if there are"))
    return rows


def _on_files(overview: dict[str, Any], side: str) -> list[tuple[str, str]]:
    rows = []
    if overview["no_faces"]:
        files = _named(sorted(overview["no_faces"]))
        rows.append((f"{len(overview['no_faces'])} files are no faces: {files}", "move them away"))
    if len(overview["face_types"]) > 1:
        kinds = ", ".join(f"{count} {kind}" for kind, count in overview["face_types"].items())
        rows.append((f"face types are mixed: {kinds}", "extract all with one face type"))
    if overview["without_frame_name"] and side == "dst":
        what = f"{overview['without_frame_name']} faces do not know their frame"
        rows.append((what, "extract these frames again: they cannot be merged"))
    return rows


def _named(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED_FRAMES])
    return f"{shown} and {len(names) - _NAMED_FRAMES} more" if len(names) > _NAMED_FRAMES else shown
