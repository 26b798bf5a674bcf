"""What is written: the result and, if wanted, its mask, each with all its pictures in one size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.media.video_write import Encoding, Sound
from engine.protocol.errors import InputError
from engine.protocol.stage import StageContext
from engine.protocol.workspace import list_images
from engine.stages.video_render.encodings import Picture
from engine.stages.video_render.frames import chosen_frames, common_size_px, expected_stems
from engine.stages.video_render.kinds import Kind
from engine.stages.video_render.reference import Reference
from engine.stages.video_render.sound import sound_of
from engine.stages.video_render.spec import ALPHA_KINDS


@dataclass(frozen=True)
class Film:
    """One result. masks: the alpha of each of `images`, or empty. encoding: None for a folder of
    pictures."""

    target: Path
    images: Sequence[Path]
    size_px: tuple[int, int]
    encoding: Encoding | None
    masks: Sequence[Path] = ()
    sound: Sound | None = None


def targets(context: StageContext, kind: Kind) -> list[Path]:
    """Where the result goes, and its mask if it has one."""
    names = ("result", "result_mask") if _wants_mask_film(context) else ("result",)
    return [context.workspace.root / f"{name}{kind.suffix}" for name in names]


def films_of(context: StageContext, kind: Kind, reference: Reference, span: range) -> list[Film]:
    """The films of the frames `span`. Raises `InputError` where frames or masks are missing or
    differ in size."""
    merged, size_px = _pictures(context, context.workspace.dst.merged, reference, span)
    if reference.size_px not in (None, size_px):
        context.warn(f"merged frames are {_by(size_px)}, data_dst is {_by(reference.size_px)}")
    masks, mask_px = _masks(context, reference, span)
    alpha = masks if _wants_alpha(context) else []
    if alpha and mask_px != size_px:
        raise InputError(
            f"merged frames are {_by(size_px)}, their masks are {_by(mask_px)}",
            "run merge again, or leave --alpha out",
            code="mixed-sizes",
        )
    picture = Picture(*size_px, reference.colour, bool(alpha))
    encoding = kind.encode(context.options, picture) if kind.encode else None
    sound = sound_of(context, kind, reference, span)
    result, *mask = targets(context, kind)
    films = [Film(result, merged, size_px, encoding, alpha, sound)]
    return films + [_mask_film(context, kind, target, masks, mask_px) for target in mask]


def _masks(
    context: StageContext, reference: Reference, span: range
) -> tuple[list[Path], tuple[int, int]]:
    """The masks, as alpha or for a film of their own, and their size; none if not wanted."""
    if _wants_alpha(context) or _wants_mask_film(context):
        return _pictures(context, context.workspace.dst.merged_mask, reference, span)
    return [], (0, 0)


def _mask_film(
    context: StageContext, kind: Kind, target: Path, masks: list[Path], size_px: tuple[int, int]
) -> Film:
    # Masks are grey: no colour is said of them.
    picture = Picture(*size_px)
    encoding = kind.encode_mask(context.options, picture) if kind.encode_mask else None
    return Film(target, masks, size_px, encoding)


def _pictures(
    context: StageContext, folder: Path, reference: Reference, span: range
) -> tuple[list[Path], tuple[int, int]]:
    stems = expected_stems(context.workspace.dst.frames, reference.timing.frames)
    chosen = chosen_frames(folder, stems, span)
    return chosen, common_size_px(chosen, context.check_stop)


def _wants_mask_film(context: StageContext) -> bool:
    return context.options["mask"] and bool(list_images(context.workspace.dst.merged_mask))


def _wants_alpha(context: StageContext) -> bool:
    return context.options["alpha"] and context.options["kind"] in ALPHA_KINDS


def _by(size_px: tuple[int, int] | None) -> str:
    return "x".join(map(str, size_px or ()))
