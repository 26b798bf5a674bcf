"""Suggestions made in a thread of their own: GrabCut takes longer than a key may wait."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from engine.faces.label_suggestions import (
    refine_by_grabcut,
    suggest_from_landmarks,
    suggest_to_hairline,
)
from engine.media.images import decode_face_bgr_u8
from engine.protocol.errors import FacewrightError, UsageError
from engine.protocol.events import Event, LabelsRefused, LabelsSuggested
from engine.protocol.label_commands import LabelsSuggest, Polygons, Suggestion, in_file_order
from engine.stages.label_session.label_file import LabelFile, plain_polygons, read_label_file


class Suggester:
    """Answers `LabelsSuggest`; the newest question waits, those before it are dropped. Use as a
    context."""

    def __init__(self, tell: Callable[[Event, int | None], None], wake: Callable[[], None]) -> None:
        self._tell = tell
        self._wake = wake
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="suggestions")
        self._working: tuple[LabelsSuggest, Future[Polygons]] | None = None
        self._next: tuple[LabelsSuggest, Path] | None = None

    def __enter__(self) -> Suggester:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def ask(self, question: LabelsSuggest, path: Path) -> None:
        """Answer soon, from the face file as it is then."""
        self._next = question, path
        self._begin()

    def collect(self) -> None:
        """Tell the answer that was found meanwhile."""
        if self._working is None or not self._working[1].done():
            return
        (question, work), self._working = self._working, None
        try:
            answer: Event = LabelsSuggested(
                name=question.name,
                how=question.how,
                polygons=work.result(),
                command_seq=question.seq,
            )
        except FacewrightError as error:
            answer = LabelsRefused(
                command_seq=question.seq, message=error.message, remedy=error.remedy
            )
        self._tell(answer, question.sender)
        self._begin()

    def _begin(self) -> None:
        if self._working is not None or self._next is None:
            return
        (question, path), self._next = self._next, None
        work = self._thread.submit(lambda: suggested(read_label_file(path), question.how))
        work.add_done_callback(lambda _: self._wake())
        self._working = question, work


def suggested(file: LabelFile, how: Suggestion) -> Polygons:
    """All polygons that the face could have: suggested ones take the place of those that include,
    the drawn ones that exclude stay; GrabCut changes all of them. Raises `UsageError` where there
    is nothing to begin with, `InputError` for a picture that cannot be read."""
    drawn = file.data.seg_ie_polys
    excludes = [polygon for polygon in file.polygons if not polygon.is_include]
    if how == "landmarks":
        found = suggest_from_landmarks(file.data.landmarks)
        return in_file_order((*plain_polygons(found), *excludes))
    picture = decode_face_bgr_u8(file.jpeg_bytes, file.path)
    if how == "hairline":
        found = suggest_to_hairline(picture, file.data.landmarks)
        return in_file_order((*plain_polygons(found), *excludes))
    if not drawn:
        raise UsageError("nothing is drawn yet", "draw a polygon, or have one suggested, first")
    return in_file_order(plain_polygons(refine_by_grabcut(picture, drawn)))
