"""How a viewer of a merge session looks at frames: view, zoom, scale and place, as a value."""

from __future__ import annotations

from msgspec.structs import replace

from engine.protocol.events import MergeShown
from engine.protocol.merge_commands import MergeView, View, Zoom

# In the order of the key that goes through them. DeepFaceLab's checkerboard has a key of its own.
VIEWS: tuple[View, ...] = ("result", "wipe", "side", "mask", "original")
VIEW_WORDS: dict[View, str] = {
    "result": "result",
    "wipe": "before and after",
    "side": "side by side",
    "mask": "mask",
    "original": "frame as it was",
    "alpha": "checkerboard",
}
# DeepFaceLab's steps and ends of its preview scale (pipeline specification 9.3).
SCALE_STEP = 0.1
SCALES = (0.1, 4.0)
WIPE_STEP = 0.05
PAN_STEP = 0.2  # of what is seen


def next_view(sight: MergeView, direction: int) -> MergeView:
    """The view after (1) or before (-1) this one; the result after what is not among them."""
    if sight.view not in VIEWS:
        return replace(sight, view=VIEWS[0])
    return replace(sight, view=VIEWS[(VIEWS.index(sight.view) + direction) % len(VIEWS)])


def turned_alpha(sight: MergeView) -> MergeView:
    return replace(sight, view="result" if sight.view == "alpha" else "alpha")


def wiped(sight: MergeView, direction: int) -> MergeView:
    """The edge of the wipe moved; what showed something else shows the wipe now."""
    wipe = min(1.0, max(0.0, sight.wipe + direction * WIPE_STEP))
    return replace(sight, view="wipe", wipe=round(wipe, 2))


def zoomed(sight: MergeView, zoom: Zoom) -> MergeView:
    """Another zoom, at its own place and scale."""
    return replace(sight, zoom=zoom, scale=1.0, centre_x=None, centre_y=None)


def scaled(sight: MergeView, steps: int) -> MergeView:
    scale = min(SCALES[1], max(SCALES[0], sight.scale + steps * SCALE_STEP))
    return replace(sight, scale=round(scale, 1))


def panned(sight: MergeView, shown: MergeShown, dx: int, dy: int) -> MergeView:
    """Another place of the frame that `shown` is a part of; the same where all of it is seen."""
    left, top, width, height = shown.crop
    return replace(
        sight,
        centre_x=_moved(left, width, shown.frame_width, dx),
        centre_y=_moved(top, height, shown.frame_height, dy),
    )


def _moved(start: int, length: int, whole: int, direction: int) -> float:
    """The middle of what is seen of one axis, 0..1, moved within the frame."""
    half = length / 2 / whole
    centre = (start / whole + half) + direction * PAN_STEP * 2 * half
    return round(min(1 - half, max(half, centre)), 4)


def next_track(sight: MergeView, tracks: tuple[str, ...]) -> MergeView:
    """Whose look is seen and set: after all faces (""), each of `tracks`."""
    choices = ("", *tracks)
    place = choices.index(sight.track) if sight.track in choices else -1
    return replace(sight, track=choices[(place + 1) % len(choices)])
