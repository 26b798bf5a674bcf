"""Saves that turned out damaged: out of the way of new ones, and not kept for ever."""

from __future__ import annotations

from engine.protocol.stage import StageContext
from engine.train.generations import Generations

DAMAGED_KEPT = 3


def put_damaged_aside(context: StageContext, generations: Generations, iteration: int) -> None:
    """Rename the damaged saves newer than `iteration`, where training goes on. The newest of all
    that were put aside stay, older ones go to the workspace's trash. Raises `InputError` if the
    disk refuses."""
    for path in generations.put_aside_after(iteration):
        context.warn(
            f"a damaged save was put aside: {path}",
            f"the newest {DAMAGED_KEPT} stay there; delete it when you like",
        )
    old = generations.aside("damaged")[:-DAMAGED_KEPT]
    trash = context.workspace.move_to_trash(old, "damaged-saves")
    if trash:
        context.note(f"{len(old)} damaged saves of earlier were moved to {trash}")
