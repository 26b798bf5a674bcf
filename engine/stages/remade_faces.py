"""How stages end that make every face of a side anew: in a folder beside it, or in its place."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.stages.beside import Beside, Pair, Tally


def remake_faces(
    beside: Beside,
    faces: Sequence[Path],
    make_missing: Callable[[Sequence[Pair]], Tally],
    outcome: str,
) -> None:
    """Make the faces, put them in place if the option says so, and report the run's result.

    make_missing: makes those of the pairs that are not made yet. outcome: what the faces are then,
    as the name of a fact: "resized". Only what an earlier run left half in place is completed, if
    there is such. Raises what `Beside` and `make_missing` raise.
    """
    context, in_place = beside.context, beside.context.options["in_place"]
    beside.prepare(fresh=context.options["fresh"])
    if beside.is_half_in_place:
        replaced = beside.put_in_place("faces")
        context.result(put_in_place=replaced, folder=str(beside.source))
        return
    started = time.monotonic()
    pairs = [(face, beside.made / face.name) for face in faces]
    tally = make_missing(pairs)
    seconds = time.monotonic() - started
    replaced = 0
    if in_place:
        replaced = beside.put_in_place("faces")
    else:
        beside.tell_left_over(pairs)
    facts: dict[str, int | float | str | None] = {
        "faces": len(faces),
        outcome: tally.made,
        "kept": tally.kept,
        "left_out": len(tally.problems),
        "put_in_place": replaced,
        "faces_per_s": round(tally.made / seconds, 2) if tally.made else None,
        "folder": str(beside.source if in_place else beside.made),
    }
    context.result(**facts)
