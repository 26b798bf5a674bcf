"""What the faceset browser says, in words."""

from __future__ import annotations

from engine.protocol.workspace import Side
from tuiapp.bridge.face_facts import FacesetFacts
from tuiapp.bridge.face_fields import NUMBERS, Face
from tuiapp.bridge.face_folder import Moved
from tuiapp.bridge.faceset_list import FacesetList
from tuiapp.bridge.wording import count_text, plain_text


def listing_line(state: FacesetList, facts: FacesetFacts) -> str:
    """`12 345 faces, 210 shown, 12 marked  by yaw down  filter yaw>0.3  no index (i)`."""
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
    missing = len(facts.faces) - facts.indexed
    if not missing:
        return []
    return ["no index (i)" if not facts.indexed else f"{count_text(missing)} not in the index (i)"]


def current_line(state: FacesetList, problem: str = "") -> str:
    """Place, name, mark and numbers of the cursor's face; with a problem of its file, that."""
    face = state.current
    if face is None:
        return ""
    place = f"{count_text(state.cursor + 1)}."
    mark = "marked" if face.key in state.marks else ""
    rest = [plain_text(problem)] if problem else _numbers(face)
    return "  ".join(part for part in (place, plain_text(face.name), mark, *rest) if part)


def _numbers(face: Face) -> list[str]:
    return [text for field in NUMBERS if field.indexed and (text := field.text(face))]


def nothing_text(state: FacesetList, side: Side) -> str:
    """What stands where faces would."""
    if state.faces:
        return "no face passes; esc leaves the filter, / changes it"
    if side.pack.is_file():
        return (
            f"the faces of {side.name} are packed and not in the index: key i opens the stage that"
            " reads them, then they can be seen; faceset-unpack makes them files again"
        )
    return f"no faces in {side.aligned}: faces-extract makes them"


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
