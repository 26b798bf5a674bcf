"""Marking of results: what is signed, by whom and where, as the last thing before they take their
places. Masks are not: they are mattes, and show nobody."""

from __future__ import annotations

import hashlib
import shlex
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from engine.protocol.stage import StageContext
from engine.provenance.identity import Identity, identity_of
from engine.provenance.manifest import Made
from engine.provenance.marking import marking_state
from engine.provenance.plate import Plate, open_plate
from engine.provenance.sequence import write_list
from engine.provenance.settings import signing_settings
from engine.provenance.signing import NotSignedError, Seal, can_hold_manifest, room_bytes
from engine.provenance.store import sidecar_of
from engine.provenance.xmp import XMP_SUFFIXES, add_source_type
from engine.stages.merge.ledger import Rendered
from engine.stages.video_render.films import Film
from engine.stages.video_render.placing import part_of
from engine.stages.video_render.reference import Reference


@dataclass(frozen=True)
class Sealing:
    """How a result is marked. seal: None where marking is off. words: by whom, or why not, as the
    house may know; disclosed: what others are told, who have no business with a reason."""

    seal: Seal | None
    words: str
    disclosed: str

    def mark(
        self, context: StageContext, film: Film, part: Path, stack: ExitStack
    ) -> list[tuple[Path, Path]]:
        """Sign the film, which is finished in `part`. Returns (part, target) of what is to lie
        beside it; these parts are removed at the end of `stack` if they are still there.

        Where there is no room to sign in the file, it is signed beside, and a warning says so.
        Raises `InputError` when the disk is full, `StageError` when it cannot be signed."""
        if (seal := self.seal) is None:
            return []
        if film.encoding is None:
            listed = write_list(part, context.check_stop)
            _sign(context, seal, lambda seal: seal.beside(listed, sidecar_of(listed)))
            return []
        if _goes_into(film, part) and _has_room(context, film, part):
            if part.suffix in XMP_SUFFIXES:
                add_source_type(part)
            _sign(context, seal, lambda seal: seal.into(part))
            return []
        sidecar = sidecar_of(film.target)
        beside = stack.enter_context(part_of(sidecar))
        _sign(context, seal, lambda seal: seal.beside(part, beside))
        return [(beside, sidecar)]


def sealing_of(context: StageContext, reference: Reference, made: Made) -> Sealing:
    """How the film will be marked: known to work before anything is rendered. Raises `InputError`
    where the certificate or the plate cannot be used."""
    state = marking_state(context.workspace)
    if state.problem:
        context.warn(f"marking: {state.problem}; the result is marked", "move that file away")
    if not state.on:
        where = shlex.quote(str(context.workspace.root))
        context.warn(
            f"the result carries no mark: marking is {state.words}",
            f"turn it on again: facewright run marking -w {where} --state on",
        )
        return Sealing(None, state.words, "none, it is turned off")
    identity = identity_of(signing_settings())
    for warning in identity.warnings:
        context.warn(warning)
    seal = Seal(identity, made, _plate(context, reference, identity), context.check_stop)
    seal.rehearse()
    words = f"signed by {identity.words}"
    return Sealing(seal, words, disclosed=words)


def _sign(context: StageContext, seal: Seal, sign: Callable[[Seal], None]) -> None:
    """With a time stamp if the settings want one. Where its authority, which gave one when the
    render began, gives none any more, the render is not lost for that."""
    try:
        sign(seal)
    except NotSignedError as error:
        authority = seal.identity.timestamp_authority
        if not authority:
            raise
        sign(seal.unstamped)
        context.warn(
            f"the result has no time stamp of {authority}: {error.reason}",
            "its signature counts as long as the certificate; for a time stamp render again, when"
            " the authority answers",
        )


def made_of(lines: Sequence[Rendered | None]) -> Made:
    """The model and the looks of merged frames, by their lines in the merge ledger. Where there
    were several, the sha256 of all of theirs."""
    known = [line for line in lines if line]
    models = {line.model for line in known if line.model}
    return Made(_one_hash(models), _one_hash({line.settings for line in known if line.settings}))


def _one_hash(hashes: set[str]) -> str:
    if len(hashes) <= 1:
        return next(iter(hashes), "")
    return hashlib.sha256("".join(sorted(hashes)).encode()).hexdigest()


def _plate(context: StageContext, reference: Reference, identity: Identity) -> Plate | None:
    if reference.video is None:
        return None
    plate = open_plate(reference.video, identity.chain_pem, context.check_stop)
    if plate.problem:
        context.warn(
            f"the manifest that {reference.video.name} came with {plate.problem}",
            "get the video again from whoever made it",
        )
    return plate


def _goes_into(film: Film, part: Path) -> bool:
    """With alpha it is made for compositing, where files are best left alone."""
    return can_hold_manifest(part) and not film.masks


def _has_room(context: StageContext, film: Film, part: Path) -> bool:
    """Whether the copy has room that signing in the file makes of it."""
    if shutil.disk_usage(part.parent).free > room_bytes(part):
        return True
    context.warn(
        f"the disk has no room for a copy of {film.target.name}, which signing in the file makes:"
        f" the mark lies beside it, in {sidecar_of(film.target).name}",
        "deliver both; or make room and render again",
    )
    return False
