"""The stage `video-render`: merged frames to a video with the destination's timing and sound."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from fractions import Fraction

from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.stage import StageContext
from engine.protocol.workspace import list_images
from engine.stages.merge.ledger import lines_of
from engine.stages.video_render.consent import settle_consent
from engine.stages.video_render.disclosure import Disclosure, sheet_path
from engine.stages.video_render.films import Film, films_of, targets
from engine.stages.video_render.kinds import KINDS, Kind
from engine.stages.video_render.placing import finish_earlier, part_of, place
from engine.stages.video_render.reference import Reference, reference_of
from engine.stages.video_render.sealing import Sealing, made_of, sealing_of
from engine.stages.video_render.span import span_of
from engine.stages.video_render.spec import ALPHA_KINDS, LOSSY_KINDS
from engine.stages.video_render.writing import Progress, Showing, write_film


def render_video(context: StageContext) -> None:
    """Make `result.*` (and `result_mask.*`) from the merged frames.

    Raises `InputError` when frames or a consent are missing, frames differ in size or cannot be
    read, or there is nothing to sign with, `UsageError` for a range that the video does not have,
    `ConfirmationNeeded` when a result is there, `StageError` when ffmpeg fails or the result cannot
    be signed; in each case, and when stopped, no file has changed but those of an earlier run that
    had finished when it was killed: they take their places first.
    """
    kind = KINDS[context.options["kind"]]
    _require_merged(context)
    consents = settle_consent(context)
    finish_earlier(context)
    _require_confirmation(context, kind)
    reference = reference_of(context, kind)
    span = span_of(context.options, reference.timing)
    films = films_of(context, kind, reference, span)
    _tell_oddities(context, reference, films[0])
    lines = lines_of(context.workspace, films[0].images)
    made = made_of(lines)
    sealing = sealing_of(context, reference, made)
    showing = _showing(kind, reference, span, films[0].card_frames)
    sheets = Disclosure(context, films[0], showing.timing, lines, made, consents, sealing.disclosed)
    _write(context, showing, films, sealing, sheets)
    _report(context, reference, films, sealing)


def _require_merged(context: StageContext) -> None:
    merged = context.workspace.dst.merged
    if not list_images(merged):
        raise InputError(f"no merged frames in {merged}", "run merge first", code="no-merged")


def _require_confirmation(context: StageContext, kind: Kind) -> None:
    replaced = [path.name for path in targets(context, kind) if path.exists()]
    if replaced and not context.confirmed:
        raise ConfirmationNeeded(
            f"{' and '.join(replaced)} is there already in {context.workspace.root}",
            "confirm (--yes) to move it to the workspace's trash when the new one is whole",
        )


def _tell_oddities(context: StageContext, reference: Reference, film: Film) -> None:
    kind, (width_px, height_px) = context.options["kind"], film.size_px
    if context.options["alpha"] and not film.masks:
        context.warn(
            f"the kind {kind} holds no alpha: the result has none",
            f"choose one of these kinds: {', '.join(ALPHA_KINDS)}",
        )
    if kind in LOSSY_KINDS and (width_px % 2 or height_px % 2):
        context.warn(
            f"frames of {width_px}x{height_px} need colour in full resolution (4:4:4), which many"
            " players do not show",
            "for all players the destination must have an even width and height",
        )
    colour = film.encoding.colour if film.encoding else None
    if colour and not reference.colour.known:
        source = f"{reference.video.name} does not say its" if reference.video else "there is no"
        context.note(f"{source} colour matrix; written, and said in the result: {colour.words}")


def _showing(kind: Kind, reference: Reference, span: range, card_frames: int) -> Showing:
    delayed = kind.delayed_start and not span.start
    start_s = reference.start_s if delayed else Fraction(0)
    timing = reference.timing.part(span).longer(card_frames)
    return Showing(timing, reference.sample_aspect, start_s)


def _write(
    context: StageContext,
    showing: Showing,
    films: Sequence[Film],
    sealing: Sealing,
    sheets: Disclosure,
) -> None:
    """Write all films beside their targets; only when all are whole, and the result is signed and
    disclosed, they take their places."""
    progress = Progress(context, total=sum(film.frames for film in films))
    with ExitStack() as stack:
        parts = [(stack.enter_context(part_of(film.target)), film.target) for film in films]
        for film, (part, _) in zip(films, parts, strict=True):
            write_film(film, part, showing, progress)
        parts += sealing.mark(context, films[0], parts[0][0], stack)
        parts += sheets.write(parts[0][0], stack)
        place(context, parts)


def _report(
    context: StageContext, reference: Reference, films: Sequence[Film], sealing: Sealing
) -> None:
    film, timing = films[0], reference.timing
    colour = film.encoding.colour if film.encoding else None
    context.result(
        result=str(film.target),
        mask=str(films[1].target) if len(films) > 1 else None,
        frames=film.frames,
        draft=context.options["draft"],
        rate=str(timing.rate_hz) if timing.rate_hz else "variable",
        sound=" ".join(film.sound.arguments) if film.sound else "none",
        colour=colour.words if colour else "RGB",
        alpha=bool(film.masks),
        marking=sealing.words,
        disclosure=None if context.options["draft"] else str(sheet_path(film.target, ".md")),
    )
