"""Streams numbered frames to a view as fast as they are taken; says at the end what came of it.

Run it in a terminal: `python -m tests.graphics.stream_app SECONDS REPORT.json [SIDE_PX]`. Each
frame is a photograph-like picture with its number as twelve black and white squares on top.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from textual.app import ComposeResult
from textual.widgets import Label

from tuiapp.graphics.appmixin import PixelApp
from tuiapp.graphics.frame import Fit
from tuiapp.graphics.probe import probe_terminal
from tuiapp.graphics.view import PixelView

SQUARES = 12
SQUARE_PX = 24
_OFFER_EVERY_S = 1 / 60
_LAG_CHECK_S = 0.02


def scene(side_px: int) -> NDArray[np.uint8]:
    """(side, side, 3) uint8: smooth shading with soft texture, as hard on encoders as a face."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(30, 226, (24, 24, 3)).astype(np.uint8)
    smooth = np.asarray(
        Image.fromarray(coarse).resize((side_px, side_px), Image.Resampling.BICUBIC)
    )
    grain = rng.normal(0, 4, (side_px, side_px, 1))
    return (smooth + grain).clip(0, 255).astype(np.uint8)


def numbered(picture: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """`picture` rolled on by `number` pixels, with the number in squares along its top."""
    frame = np.roll(picture, number * 3, axis=1)
    for bit in range(SQUARES):
        white = number >> bit & 1
        frame[:SQUARE_PX, bit * SQUARE_PX : (bit + 1) * SQUARE_PX] = 255 * white
    frame[SQUARE_PX : SQUARE_PX + 6, : SQUARES * SQUARE_PX] = (255, 0, 255)
    return frame


class StreamApp(PixelApp[None]):
    CSS = """
    Screen { background: #000000; }
    PixelView { width: 57; height: 27; background: #000000; }
    """

    def __init__(self, seconds: float, report: Path, side_px: int) -> None:
        super().__init__(graphics=probe_terminal())
        self._seconds = seconds
        self._report = report
        self._scene = scene(side_px)
        self._number = 0
        self._lags_ms: list[float] = []
        self._acks_ms: list[float] = []

    def compose(self) -> ComposeResult:
        yield Label("", id="count")
        yield PixelView(fit=Fit.CONTAIN)

    def on_mount(self) -> None:
        self._started_s = self._due_s = time.monotonic()
        self.set_interval(_OFFER_EVERY_S, self._offer)
        self._check_lag()

    def _check_lag(self) -> None:
        """How late the event loop comes to a call that was due: what a key would wait."""
        now_s = time.monotonic()
        self._lags_ms.append((now_s - self._due_s) * 1000)
        self._due_s = now_s + _LAG_CHECK_S
        asyncio.get_running_loop().call_later(_LAG_CHECK_S, self._check_lag)

    def _offer(self) -> None:
        if time.monotonic() - self._started_s > self._seconds:
            self._finish()
            return
        self._number += 1
        view = self.query_one(PixelView)
        view.set_frame(numbered(self._scene, self._number))
        self._acks_ms.append(view.stats.ack_ms)
        self.query_one("#count", Label).update(f"{self._number}")

    def _finish(self) -> None:
        lags = sorted(self._lags_ms)
        facts = {
            "why": self.overlay.graphics.why,
            "offered": self._number,
            "frames_per_s": self.query_one(PixelView).stats.sent / self._seconds,
            "lag_median_ms": lags[len(lags) // 2],
            "lag_p95_ms": lags[len(lags) * 95 // 100],
            "lag_max_ms": lags[-1],
            "ack_median_ms": float(np.median(self._acks_ms)),
            **asdict(self.query_one(PixelView).stats),
        }
        self._report.write_text(json.dumps(facts))
        self.exit()


def main() -> None:
    seconds, report = float(sys.argv[1]), Path(sys.argv[2])
    StreamApp(seconds, report, int(sys.argv[3]) if len(sys.argv) > 3 else 512).run()


if __name__ == "__main__":
    main()
