"""What viewers ask of a training while it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.protocol.commands import Command, Preview, Save, SetOptions
from engine.protocol.errors import InputError, UsageError

if TYPE_CHECKING:
    from engine.train.loop import TrainingLoop


def obey(loop: TrainingLoop, command: Command) -> None:
    """Do what the command says. What cannot be done is told, and training goes on."""
    match command:
        case Save():
            _save(loop)
        case Preview(redraw=redraw):
            if redraw:
                loop.previewing.show_others()
            loop.preview()
        case SetOptions(values=values):
            _set_options(loop, values)
        case _:
            loop.each_companion(lambda companion: companion.asked(loop, command))


def _save(loop: TrainingLoop) -> None:
    loop.saving.try_again()
    if not loop.may_save:
        loop.saving.tell_unsound("save again when training goes on")
    loop.save()


def _set_options(loop: TrainingLoop, values: Mapping[str, Any]) -> None:
    try:
        loop.change_options(values, "on request")
    except (UsageError, InputError) as error:
        loop.context.warn(error.message, error.remedy)
