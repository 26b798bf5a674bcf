"""Picture files' bytes to pixels, within bounds; nothing in them can execute."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from engine.protocol.errors import InputError

# 64 megapixels: an 8K frame has 33. More is refused before it is decoded.
MAX_PICTURE_PIXELS = 64_000_000


def decode(encoded: bytes) -> NDArray[np.uint8]:
    """JPEG, PNG or WebP bytes to (h, w, 3) uint8 RGB. Raises InputError."""
    try:
        with Image.open(BytesIO(encoded), formats=("JPEG", "PNG", "WEBP")) as image:
            if image.width * image.height > MAX_PICTURE_PIXELS:
                raise _too_large(f"{image.width}x{image.height} pixels")
            return np.asarray(image.convert("RGB"))
    except Image.DecompressionBombError as error:
        raise _too_large(str(error)) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        # Pillow reports damaged files by any of these.
        raise InputError(
            f"these {len(encoded)} bytes are no readable picture: {error}",
            "give a JPEG, PNG or WebP file that is complete",
        ) from error


def _too_large(size: str) -> InputError:
    return InputError(
        f"a picture is too large to show: {size}",
        f"pictures of up to {MAX_PICTURE_PIXELS // 1_000_000} megapixels can be shown",
    )
