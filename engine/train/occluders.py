"""Things before a face, made up: hands, microphones, cups, sticks, hair, shapes of any texture.

A net that sees faces behind them learns to leave them out, though nobody drew a mask. They need not
look right; they need to differ as much as what really comes before faces does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from engine.media.filters import line_kernel
from engine.train.occluder_canvas import (
    F32,
    Canvas,
    Generator,
    Place,
    coarse_noise,
    gradient,
    textured,
    tiled,
)

# Skin from dark to light, BGR 0..1: hands of others than the one whose face it is.
_SKIN_TONES = np.array(
    [(0.16, 0.24, 0.36), (0.27, 0.38, 0.55), (0.42, 0.55, 0.74), (0.58, 0.70, 0.87)], np.float32
)
_OWN_SKIN_CHANCE = 0.7
_HAIR_TONES = np.array(
    [(0.05, 0.05, 0.07), (0.1, 0.15, 0.22), (0.3, 0.45, 0.6), (0.5, 0.5, 0.5)], np.float32
)
_BLUR_CHANCE = 0.35
_LARGEST_SMEAR = 0.07  # of the side


@dataclass(frozen=True, eq=False)
class Scene:
    """What an occluder is made for.

    face_bgr: (side, side, 3). face: what is face of it, (side, side). patches: pieces of the user's
    own pictures, any size, BGR. All float32, 0..1.
    """

    face_bgr: F32
    face: F32
    patches: Sequence[F32]

    @property
    def side_px(self) -> int:
        return len(self.face)


@dataclass(frozen=True, eq=False)
class Occluder:
    """image_bgr (side, side, 3) lies before the face where alpha (side, side) is 1; 0..1."""

    image_bgr: F32
    alpha: F32


Painter = Callable[[Generator, Canvas, Scene], None]


def draw_occluder(rng: Generator, scene: Scene) -> Occluder:
    """Something before the face of the scene; all of it follows from `rng`."""
    canvas = Canvas(scene.side_px)
    painter = _PAINTERS[int(rng.choice(len(_PAINTERS), p=_CHANCES))]
    painter(rng, canvas, scene)
    canvas.shade(_light(rng, scene))
    return _blurred(rng, canvas)


def _light(rng: Generator, scene: Scene) -> F32:
    """The light of the face's surroundings, more or less: as its own brightness is spread."""
    side_px = scene.side_px
    brightness = cv2.GaussianBlur(scene.face_bgr.mean(axis=2), (0, 0), side_px / 6)
    spread = brightness / max(float(brightness.mean()), 0.05)
    even = 1 + rng.uniform(0, 0.9) * (spread - 1)
    return np.asarray(np.clip(even, 0.3, 2) * np.exp(rng.normal(0, 0.2)), np.float32)


def _blurred(rng: Generator, canvas: Canvas) -> Occluder:
    """Edges as soft as a lens makes them, and sometimes smeared by a fast move."""
    alpha = canvas.alpha[..., None]
    both = np.concatenate([canvas.image_bgr * alpha, alpha], axis=2)
    both = cv2.GaussianBlur(both, (0, 0), rng.uniform(0.3, 1.6) * canvas.side_px / 256)
    if rng.random() < _BLUR_CHANCE:
        length_px = max(2, int(rng.uniform(0, _LARGEST_SMEAR) * canvas.side_px))
        both = cv2.filter2D(both, -1, line_kernel(length_px, float(rng.uniform(0, 180))))
    cover = np.clip(both[..., 3], 0, 1)
    image = both[..., :3] / np.maximum(cover, 1e-3)[..., None]
    return Occluder(np.clip(image, 0, 1).astype(np.float32), cover.astype(np.float32))


def _place_on_face(rng: Generator, scene: Scene, lowest_share: float = 0.0) -> Place:
    """A pixel of the face, not above that share of its height; the middle if there is no face."""
    rows, columns = np.nonzero(scene.face > 0.5)
    if not len(rows):
        return np.full(2, scene.side_px / 2)
    chosen = np.flatnonzero(rows >= rows.min() + lowest_share * np.ptp(rows))
    at = int(chosen[rng.integers(len(chosen))])
    return np.array([columns[at], rows[at]], np.float64)


def _direction(rng: Generator) -> Place:
    """From where things are held before a face: mostly below, (x, y) of length 1."""
    angle = rng.normal(np.pi / 2, 0.9) if rng.random() < 0.85 else rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


def _across(direction: Place) -> Place:
    return np.array([-direction[1], direction[0]])


def _skin(rng: Generator, scene: Scene) -> F32:
    """A picture of skin: the face's own colour or another, a little redder or paler."""
    seen = scene.face_bgr[scene.face > 0.5]
    if len(seen) and rng.random() < _OWN_SKIN_CHANCE:
        colour = np.quantile(seen, rng.uniform(0.4, 0.75), axis=0)
    else:
        first, second = _SKIN_TONES[rng.integers(len(_SKIN_TONES), size=2)]
        colour = first + rng.random() * (second - first)
    colour = colour * np.exp(rng.normal(0, 0.07, 3))
    return textured(rng, colour.astype(np.float32), scene.side_px, rng.uniform(0.02, 0.07))


def _any_texture(rng: Generator, scene: Scene) -> F32:
    """A piece of the user's own pictures, a plain colour, a run of colours, or noise."""
    kind = rng.random()
    if kind < 0.5 and scene.patches:
        return tiled(rng, scene.patches[int(rng.integers(len(scene.patches)))], scene.side_px)
    if kind < 0.7:
        return gradient(rng, scene.side_px)
    colour = rng.random(3).astype(np.float32)
    return textured(rng, colour, scene.side_px, rng.choice([0.02, 0.1, 0.35]))


def _dark_or_metal(rng: Generator, scene: Scene) -> F32:
    grey = rng.uniform(0.02, 0.25) if rng.random() < 0.75 else rng.uniform(0.4, 0.8)
    colour = np.float32(grey) * np.exp(rng.normal(0, 0.08, 3)).astype(np.float32)
    return textured(rng, colour, scene.side_px, rng.uniform(0.02, 0.4))


def _hand(rng: Generator, canvas: Canvas, scene: Scene) -> None:
    """A forearm, a palm, four fingers more or less bent, and a thumb."""
    palm, towards_arm = _place_on_face(rng, scene, 0.2), _direction(rng)
    skin = _skin(rng, scene)
    unit_px = scene.side_px * rng.uniform(0.09, 0.17)  # half a palm
    forwards, sideways = -towards_arm, _across(towards_arm) * rng.choice([-1.0, 1.0])
    rounding = rng.uniform(0.15, 0.5)
    wrist = palm + towards_arm * unit_px
    arm = _any_texture(rng, scene) if rng.random() < 0.4 else skin  # a sleeve, or none
    elbow = wrist + towards_arm * 2 * scene.side_px
    canvas.limb(wrist, elbow, (0.75 * unit_px, 1.3 * unit_px), arm, rounding)
    for share in (-0.55, 0.0, 0.55):
        knuckle = palm + unit_px * (0.7 * forwards + share * sideways)
        canvas.limb(wrist, knuckle, (0.6 * unit_px, 0.42 * unit_px), skin, rounding * 0.5)
    spread, curl = rng.uniform(0.0, 0.35), rng.uniform(0.0, 1.0)
    for number in range(4):
        share = (number - 1.5) / 1.5
        start = palm + unit_px * (0.75 * forwards + 0.75 * share * sideways)
        length_px = unit_px * (1.75 - 0.35 * share**2) * rng.uniform(0.85, 1.1)
        turn = spread * share + rng.normal(0, 0.08)
        _finger(canvas, start, (forwards, sideways), (length_px, turn, curl), skin, rounding)
    thumb = palm + unit_px * (0.8 * sideways - 0.1 * forwards)
    pose = (unit_px * 1.3, rng.uniform(0.3, 1.1), curl * 0.5)
    _finger(canvas, thumb, (forwards, sideways), pose, skin, rounding)


def _finger(
    canvas: Canvas,
    start: Place,
    axes: tuple[Place, Place],
    pose: tuple[float, float, float],
    skin: F32,
    rounding: float,
) -> None:
    """Three joints: pose is the length in pixels, the turn from the hand's own direction in
    radians, and how far (0..1) the finger is bent towards the onlooker, which shortens it."""
    forwards, sideways = axes
    length_px, turn, curl = pose
    radius_px = length_px * 0.16
    for joint, share in enumerate((0.45, 0.3, 0.25)):
        heading = np.cos(turn) * forwards + np.sin(turn) * sideways
        seen = 1 - curl * (0.35 + 0.45 * joint)  # below 0 it points back
        end = start + heading * length_px * share * seen
        tip_px = radius_px * 0.92
        canvas.limb(start, end, (radius_px, tip_px), skin, rounding)
        start, radius_px = end, tip_px


def _microphone(rng: Generator, canvas: Canvas, scene: Scene) -> None:
    """A head with a mesh, a stick, and often a hand around it."""
    head = _place_on_face(rng, scene, 0.45)
    towards_grip = _direction(rng)
    radius_px = scene.side_px * rng.uniform(0.04, 0.12)
    paint = _dark_or_metal(rng, scene)
    stick = paint if rng.random() < 0.5 else _dark_or_metal(rng, scene)
    length_px = radius_px * rng.uniform(5, 14)
    foot = head + towards_grip * length_px
    thick_px = radius_px * rng.uniform(0.3, 0.75)
    canvas.limb(head, foot, (thick_px, thick_px * 0.8), stick, rng.uniform(0.2, 0.7))
    oval = head + towards_grip * radius_px * rng.uniform(0, 0.5)
    mesh = paint * _mesh(rng, scene.side_px, radius_px)
    canvas.limb(head, oval, (radius_px, radius_px * 0.9), mesh, rng.uniform(0.1, 0.8))
    if rng.random() < 0.6:
        _fist(rng, canvas, scene, head + towards_grip * length_px * 0.55, towards_grip)


def _mesh(rng: Generator, side_px: int, radius_px: float) -> F32:
    """(side, side, 1): rows of holes in a microphone's head, or none."""
    period_px = max(2.5, radius_px / rng.uniform(3, 8))
    y, x = np.mgrid[:side_px, :side_px].astype(np.float32) * np.float32(2 * np.pi / period_px)
    waves = np.sin(x + y) * np.sin(x - y) * rng.uniform(0, 0.5)
    return np.asarray(1 + waves[..., None], np.float32)


def _fist(rng: Generator, canvas: Canvas, scene: Scene, middle: Place, along_stick: Place) -> None:
    """Four bent fingers side by side along a stick, the back of the hand beside them, an arm."""
    skin = _skin(rng, scene)
    width_px = scene.side_px * rng.uniform(0.035, 0.06)
    sideways = _across(along_stick) * rng.choice([-1.0, 1.0])
    rounding = rng.uniform(0.2, 0.5)
    back = middle + sideways * width_px * 1.8
    arm_end = back + (sideways + along_stick * rng.uniform(0.2, 2)) * scene.side_px
    canvas.limb(back, arm_end, (width_px * 1.7, width_px * 2.2), skin, rounding)
    for number in range(4):
        at = middle + along_stick * width_px * 1.5 * (number - 1.5)
        end = at - sideways * width_px * rng.uniform(1.2, 2.0)
        canvas.limb(back, at, (width_px * 1.3, width_px), skin, rounding * 0.6)
        canvas.limb(at + sideways * width_px, end, (width_px, width_px * 0.85), skin, rounding)


def _cup(rng: Generator, canvas: Canvas, scene: Scene) -> None:
    """A vessel: wider at one end, with a handle or a hand around it."""
    rim = _place_on_face(rng, scene, 0.5)
    downwards = _direction(rng)
    width_px = scene.side_px * rng.uniform(0.07, 0.17)
    height_px = width_px * rng.uniform(1.5, 3)
    sideways = _across(downwards)
    foot = rim + downwards * height_px
    taper = rng.uniform(0.6, 1.1)
    outline = [
        rim - sideways * width_px,
        rim + sideways * width_px,
        foot + sideways * width_px * taper,
        foot - sideways * width_px * taper,
    ]
    paint = _any_texture(rng, scene)
    y, x = np.mgrid[: scene.side_px, : scene.side_px].astype(np.float32)
    offset = (x - rim[0]) * sideways[0] + (y - rim[1]) * sideways[1]
    light = 1 - rng.uniform(0.1, 0.6) * np.square(np.clip(offset / width_px, -1, 1))
    canvas.shape(outline, paint * light[..., None].astype(np.float32))
    if rng.random() < 0.6:
        _fist(rng, canvas, scene, rim + downwards * height_px * 0.6, downwards)


def _slab(rng: Generator, canvas: Canvas, scene: Scene) -> None:
    """A telephone, a book, a sheet: a rectangle seen at an angle."""
    middle, direction = _place_on_face(rng, scene), _direction(rng)
    long_px, short_px = scene.side_px * rng.uniform((0.12, 0.08), (0.35, 0.2))
    sideways = _across(direction)
    corners = np.array([(1, 1), (1, -1), (-1, -1), (-1, 1)]) * rng.uniform(0.75, 1.1, (4, 2))
    outline = [middle + a * long_px * direction + b * short_px * sideways for a, b in corners]
    chosen = _dark_or_metal if rng.random() < 0.5 else _any_texture
    canvas.shape(outline, chosen(rng, scene))
    if rng.random() < 0.5:
        _fist(rng, canvas, scene, middle + direction * long_px * 0.7, direction)


def _bar(rng: Generator, canvas: Canvas, scene: Scene) -> None:
    """Something long across the picture: a stick, a cable, a strap, an arm."""
    middle = _place_on_face(rng, scene)
    direction = _direction(rng)
    length_px = scene.side_px * rng.uniform(0.2, 1.5)
    start = middle - direction * length_px * rng.choice([0.0, 0.5])
    thick_px = scene.side_px * rng.choice([rng.uniform(0.008, 0.03), rng.uniform(0.03, 0.1)])
    paint = _any_texture(rng, scene)
    bend = _across(direction) * rng.normal(0, 0.15) * length_px
    end = start + direction * length_px
    corners = [start, (start + end) / 2 + bend, end]
    for first, second in pairwise(corners):
        canvas.limb(first, second, (thick_px, thick_px), paint, rng.uniform(0, 0.6))


def _blob(rng: Generator, canvas: Canvas, scene: Scene) -> None:
    """A closed curve: food, a toy, smoke's edge, a shoulder that passes by."""
    middle = _place_on_face(rng, scene)
    size_px = scene.side_px * np.exp(rng.uniform(np.log(0.05), np.log(0.28)))
    turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    radius = np.ones_like(turn)
    for wave in range(1, 7):
        radius += rng.normal(0, 0.35 / wave) * np.cos(wave * turn + rng.uniform(0, 2 * np.pi))
    stretch = np.array([np.exp(rng.normal(0, 0.3)), 1.0])
    reach = size_px * np.clip(radius, 0.2, 2)[:, None] * stretch
    outline = middle + np.stack([np.cos(turn), np.sin(turn)], axis=1) * reach
    canvas.shape(outline, _any_texture(rng, scene))
    canvas.shade(1 + rng.uniform(0, 0.2) * coarse_noise(rng, scene.side_px, 6))


def _hair(rng: Generator, canvas: Canvas, scene: Scene) -> None:
    """A lock of hair that falls over the face from above or from a side."""
    columns = np.flatnonzero((scene.face > 0.5).any(axis=0))
    rows = np.flatnonzero((scene.face > 0.5).any(axis=1))
    if not len(columns):
        return
    root = np.array(
        [rng.uniform(columns[0], columns[-1]), rows[0] - rng.uniform(0, 0.05) * scene.side_px]
    )
    fall_px = np.ptp(rows) * rng.uniform(0.15, 0.7)
    lean_px = rng.normal(0, 0.25) * np.ptp(columns)
    colour = _HAIR_TONES[rng.integers(len(_HAIR_TONES))] * np.exp(rng.normal(0, 0.25, 3))
    width_px = np.ptp(columns) * rng.uniform(0.02, 0.15)
    for _ in range(int(rng.integers(8, 30))):
        shift = rng.normal(0, 1, 2) * (width_px, 0.02 * fall_px)
        end = root + shift * (1.5, 1) + (lean_px, fall_px * rng.uniform(0.6, 1.1))
        middle = (root + end) / 2 + (rng.normal(0.3, 0.1) * lean_px, 0)
        tone = np.asarray(colour * np.exp(rng.normal(0, 0.25)), np.float32)
        thick_px = scene.side_px * rng.uniform(0.002, 0.008)
        canvas.limb(root + shift, middle, (thick_px * 1.5, thick_px), tone, 0.2)
        canvas.limb(middle, end, (thick_px, thick_px * 0.4), tone, 0.2)


# How often each is drawn; hands first: they hide faces most.
_WEIGHTS: dict[Painter, float] = {
    _hand: 6,
    _microphone: 4,
    _blob: 4,
    _bar: 2,
    _cup: 2,
    _slab: 2,
    _hair: 1.5,
}
_PAINTERS = tuple(_WEIGHTS)
_CHANCES = np.array(list(_WEIGHTS.values())) / sum(_WEIGHTS.values())
