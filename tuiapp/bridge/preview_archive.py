"""Earlier previews of a model: those its folder keeps, and those seen in this session."""

from __future__ import annotations

from pathlib import Path

from engine.protocol.model_files import list_preview_pictures, page_folder_name

MAX_PICTURE_BYTES = 32 << 20
SEEN_KEPT = 32  # of a page; when there are more, every second one is dropped


class PreviewArchive:
    """Pictures by page and iteration. `look` and `read` read the disk: call them in a thread."""

    def __init__(self, model_folder: Path) -> None:
        self._model_folder = model_folder
        self._seen: dict[str, dict[int, bytes]] = {}
        self._kept: dict[str, dict[int, Path]] = {}

    def remember(self, page: str, iteration: int, encoded: bytes) -> None:
        """Keep a picture that was shown. Of very many, ever fewer of the older ones are kept."""
        pictures = self._seen.setdefault(page, {})
        pictures[iteration] = encoded
        if len(pictures) > SEEN_KEPT:
            for dropped in sorted(pictures)[1:-1:2]:
                del pictures[dropped]

    def look(self) -> None:
        """See what the model's folder has; what was seen before stays if it cannot be read now."""
        try:
            pictures = list_preview_pictures(self._model_folder)
        except OSError:
            return
        self._kept = {folder: dict(paths) for folder, paths in pictures.items()}

    def iterations(self, page: str) -> list[int]:
        """Of which iterations there is a picture of the page, ascending."""
        return sorted({*self._seen.get(page, {}), *self._kept.get(page_folder_name(page), {})})

    def read(self, page: str, iteration: int) -> bytes | None:
        """The picture's file; None if it is gone."""
        seen = self._seen.get(page, {}).get(iteration)
        path = self._kept.get(page_folder_name(page), {}).get(iteration)
        return seen or (read_picture(path) if path else None)


def read_picture(path: Path) -> bytes | None:
    """The file's bytes; None if it is gone (a newer picture took its place) or far too large."""
    try:
        if path.stat().st_size > MAX_PICTURE_BYTES:
            return None
        return path.read_bytes()
    except OSError:
        return None
