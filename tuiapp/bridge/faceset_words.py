"""What the faceset browser says, in words."""

from __future__ import annotations

from engine.protocol.workspace import Side
from tuiapp.bridge.face_facts import FacesetFacts
from tuiapp.bridge.face_fields import NUMBERS, Face
from tuiapp.bridge.face_folder import Moved, trash_folder
from tuiapp.bridge.faceset_list import FacesetList
from tuiapp.bridge.wording import count_text, plain_text

NAME_CELLS = 32  # leaves pose, sharpness and size on a line of 80


def listing_line(state: FacesetList, facts: FacesetFacts) -> str:
    """`12 345 faces, 210 shown, 12 marked  by yaw down  filter yaw>20  no index (i)`."""
    counts = [count_text(len(state.faces), "face")]
    if len(state.shown) != len(state.faces):
        counts.append(f"{count_text(len(state.shown))} shown")
    if state.marks:
        counts.append(f"{count_text(len(state.marks))} marked")
    parts = [", ".join(counts), f"by {state.order.name}{' down' if state.descending else ''}"]
    if state.filter_text:
        parts.append(f"filter {plain_text(state.filter_text)}")
    if state.limit_label:
        parts.append(f"only {plain_text(state.limit_label)}")
    if state.in_range:
        parts.append(f"range of {count_text(len(state.range_keys()))} (v)")
    if facts.packed:
        parts.append("packed: only to be seen")
    return "  ".join([*parts, *_index_words(facts)])


def _index_words(facts: FacesetFacts) -> list[str]:
    if facts.problem:
        return [f"damaged index (i): {plain_text(facts.problem)}"]
    words = [f"{count_text(facts.no_faces)} without face data"] if facts.no_faces else []
    missing = len(facts.faces) - facts.indexed - facts.no_faces
    if missing:
        is_none = missing == len(facts.faces)
        words.append("no index (i)" if is_none else f"{count_text(missing)} not in the index (i)")
    return words


def current_line(state: FacesetList, problem: str = "") -> str:
    """Place, name, mark and numbers of the cursor's face; with a problem of its file, that."""
    face = state.current
    if face is None:
        return ""
    place = f"{count_text(state.cursor + 1)}."
    mark = "marked" if face.key in state.marks else ""
    if not problem and face.no_face:
        problem = f"no face: {face.no_face}"
    rest = [plain_text(problem)] if problem else _numbers(face)
    return "  ".join(part for part in (place, _short(plain_text(face.name)), mark, *rest) if part)


def _short(name: str) -> str:
    """A long name without its middle: what else is told of the face must have room beside it."""
    return name if len(name) <= NAME_CELLS else f"{name[: NAME_CELLS - 15]}…{name[-14:]}"


def _numbers(face: Face) -> list[str]:
    return [text for field in NUMBERS if field.indexed and (text := field.text(face))]


def nothing_text(state: FacesetList, side: Side, writer: str | None = None) -> str:
    """What stands where faces would. writer: a stage that goes on and may make some."""
    if state.faces:
        return "no face passes: esc shows all again, / changes the filter"
    if side.pack.is_file():
        return (
            f"the faces of {side.name} are packed and not in the index: key i opens the stage that"
            " reads them, then they can be seen; faceset-unpack makes them files again"
        )
    if writer is not None:
        return f"no faces in {side.aligned} yet: {writer} goes on"
    return f"no faces in {side.aligned}: faces-extract makes them"


# What can be shown alone, by the words that then stand in the listing.
MARKED, DUPLICATES, PERSON = "marked", "near duplicates", "like"
_NONE_FOUND = {
    MARKED: "no face is marked",
    DUPLICATES: "no face looks nearly the same as a sharper one",
    PERSON: "no other face is of this one's person",
}
_NOT_KNOWN = {
    DUPLICATES: "what looks nearly the same only the index knows: key i makes it",
    PERSON: "who this is only the index knows: key i makes it, with Identity",
}


def none_found_words(what: str, *, is_known: bool) -> str:
    """Why none of `what` can be shown alone. is_known: whether the index tells at all."""
    return _NONE_FOUND[what] if is_known else _NOT_KNOWN[what]


def trash_question(state: FacesetList, faces: list[Face], side: Side) -> str:
    """What is to go where, and what of it one does not see."""
    what = count_text(len(faces), "marked face") if state.marks else plain_text(faces[0].name)
    seen = {face.key for face in state.shown}
    hidden = sum(face.key not in seen for face in faces)
    unseen = f", {count_text(hidden)} of them not shown now," if hidden else ""
    move = "goes" if len(faces) == 1 else "go"
    where = f"{side.frames.name}/{trash_folder(side).name}"
    return f"{what}{unseen} {move} to {where}. Key u undoes it."


def moved_words(moved: Moved, direction: str) -> str:
    """What came of moving faces to the trash or back."""
    where = f"{moved.folder.parent.name}/{moved.folder.name}"
    words = f"{count_text(moved.count, 'face')} {direction} {where}"
    if direction == "to":
        return f"{words}; u brings them back" if moved.count else "no such faces any more"
    if moved.in_the_way:
        left = count_text(len(moved.in_the_way), "face")
        return f"{words}; {left} left there: a file of that name is here"
    return words
