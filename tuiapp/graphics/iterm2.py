"""iTerm2 inline pictures (OSC 1337) as JPEG: small and cheap; also WezTerm, VS Code, Konsole."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def encode_iterm2(rgb_u8: NDArray[np.uint8], columns: int, rows: int, *, jpeg_quality: int) -> str:
    """The sequence that draws a picture (h, w, 3) over `columns` x `rows` cells at the cursor."""
    out = BytesIO()
    # 4:4:4 at high quality: thin coloured lines (landmarks, masks) must stay readable.
    subsampling = 0 if jpeg_quality >= 85 else 2
    Image.fromarray(rgb_u8).save(out, "JPEG", quality=jpeg_quality, subsampling=subsampling)
    data = out.getvalue()
    control = (
        f"inline=1;size={len(data)};width={columns};height={rows};"
        "preserveAspectRatio=0;doNotMoveCursor=1"
    )
    return f"\x1b]1337;File={control}:{base64.b64encode(data).decode('ascii')}\x07"
