"""What is written: the result and, if wanted, its mask, each with all its pictures in one size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from engine.media.images import ImageU8
from engine.media.video_write import Encoding, Sound
from engine.protocol.errors import InputError
from engine.protocol.stage import StageContext
from engine.protocol.workspace import DRAFT_NAME, list_images
from engine.stages.video_render.encodings import Picture
from engine.stages.video_render.frames import chosen_frames, common_size_px, expected_stems
from engine.stages.video_render.kinds import Kind
from engine.stages.video_render.reference import Reference
from engine.stages.video_render.signs import Sign, end_card, signs_of
from engine.stages.video_render.sound import sound_of
from engine.stages.video_render.spec import ALPHA_KINDS, DRAFT_TEXT


@dataclass(frozen=True)
class Film:
    """One result. masks: the alpha of each of `images`, or empty. encoding: None for a folder of
    pictures. signs: laid over each of `images`. card: (h, w, 3), shown for `card_frames` frames
    after the last one."""

    target: Path
    images: Sequence[Path]
    size_px: tuple[int, int]
    encoding: Encoding | None
    masks: Sequence[Path] = ()
    sound: Sound | None = None
    signs: tuple[Sign, ...] = ()
    card: ImageU8 | None = None
    card_frames: int = 0

    @property
    def frames(self) -> int:
        return len(self.images) + self.card_frames


def targets(context: StageContext, kind: Kind) -> list[Path]:
    """Where the result goes, and its mask if it has one."""
    result = DRAFT_NAME if context.options["draft"] else "result"
    names = (result, f"{result}_mask") if _wants_mask_film(context) else (result,)
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
    films += [_mask_film(context, kind, target, masks, mask_px) for target in mask]
    return _with_card(context, _with_signs(context, films), reference, span)


def _with_signs(context: StageContext, films: list[Film]) -> list[Film]:
    """The result's pictures say what the options want; a mask film says nothing."""
    result, *masks = films
    encoding = result.encoding
    if encoding and context.options["draft"]:
        said = ("-metadata", f"title={DRAFT_TEXT}", "-metadata", f"comment={DRAFT_TEXT}")
        encoding = replace(encoding, arguments=(*encoding.arguments, *said))
    signs = signs_of(context.options, result.size_px)
    return [replace(result, encoding=encoding, signs=signs), *masks]


def _with_card(
    context: StageContext, films: list[Film], reference: Reference, span: range
) -> list[Film]:
    """All films get longer by the end card, which is black in a mask film."""
    seconds = Fraction(context.options["end_card"])
    if not seconds:
        return films
    count = max(1, round(seconds / reference.timing.part(span).last_frame_s))
    card = end_card(context.options, films[0].size_px)
    cards = [card, *(np.zeros((*film.size_px[::-1], 3), np.uint8) for film in films[1:])]
    return [
        replace(film, card=card, card_frames=count) for film, card in zip(films, cards, strict=True)
    ]


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
