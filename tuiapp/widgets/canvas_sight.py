"""Which part of a picture a canvas shows, as a value: all of it at zoom 1, up to 20 times larger.

Coordinates of the picture are continuous: the pixel in column i covers i to i + 1, so a drawn point
truncated to whole numbers is the pixel that it lies in, as masks are drawn from polygons.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

XY = tuple[float, float]

ZOOMS = (1.0, 20.0)
# DeepFaceLab's steps of its mask editor's wheel (pipeline specification 8.2).
ZOOM_STEP, ZOOM_STEP_PART = 0.2, 0.1


@dataclass(frozen=True)
class Sight:
    """picture_wh, box_wh: sizes in pixels, of the picture and of the room that it is drawn in.
    centre_xy: what of the picture lies in the middle of the box; it counts where zoom > 1."""

    picture_wh: tuple[int, int]
    box_wh: tuple[int, int]
    zoom: float = 1.0
    centre_xy: XY = (0.0, 0.0)

    @property
    def scale(self) -> float:
        """Pixels of the box per pixel of the picture."""
        (width, height), (box_width, box_height) = self.picture_wh, self.box_wh
        return self.zoom * min(box_width / width, box_height / height)

    @property
    def middle_xy(self) -> XY:
        """What is really in the middle of the box: the whole picture is never shown off-centre."""
        if self.zoom > ZOOMS[0]:
            return self.centre_xy
        return self.picture_wh[0] / 2, self.picture_wh[1] / 2

    def to_box(self, xy: XY) -> XY:
        """Where a point of the picture lies in the box."""
        scale, middle = self.scale, self.middle_xy
        return (
            (xy[0] - middle[0]) * scale + self.box_wh[0] / 2,
            (xy[1] - middle[1]) * scale + self.box_wh[1] / 2,
        )

    def to_picture(self, box_xy: XY) -> XY:
        """Which point of the picture lies there, perhaps one outside of it."""
        scale, middle = self.scale, self.middle_xy
        return (
            (box_xy[0] - self.box_wh[0] / 2) / scale + middle[0],
            (box_xy[1] - self.box_wh[1] / 2) / scale + middle[1],
        )

    def clamped(self, xy: XY) -> XY:
        """The nearest point of the picture."""
        return (
            min(max(xy[0], 0.0), float(self.picture_wh[0])),
            min(max(xy[1], 0.0), float(self.picture_wh[1])),
        )

    def centred(self, xy: XY) -> Sight:
        """With that point in the middle, as far as it lies in the picture."""
        return replace(self, centre_xy=self.clamped(xy))

    def panned(self, dx: float, dy: float) -> Sight:
        """Moved over the picture by that many of its pixels."""
        middle = self.middle_xy
        return self.centred((middle[0] + dx, middle[1] + dy))

    def with_point_at(self, xy: XY, box_xy: XY) -> Sight:
        """Moved so that the point of the picture lies there in the box, as far as possible."""
        now = self.to_picture(box_xy)
        return self.panned(xy[0] - now[0], xy[1] - now[1])

    def zoomed(self, zoom: float, about_xy: XY) -> Sight:
        """At another zoom (cut to 1..20), the point `about_xy` where it was in the box."""
        place = self.to_box(about_xy)
        zoom = min(max(zoom, ZOOMS[0]), ZOOMS[1])
        return replace(self, zoom=zoom, centre_xy=self.middle_xy).with_point_at(about_xy, place)

    def stepped(self, steps: int, about_xy: XY) -> Sight:
        """Zoomed by DeepFaceLab's steps, inwards where `steps` > 0."""
        zoom = self.zoom
        for _ in range(abs(steps)):
            change = ZOOM_STEP + ZOOM_STEP_PART * zoom
            zoom += change if steps > 0 else -change
        return self.zoomed(round(zoom, 3), about_xy)

    def showing(self, xy: XY, margin: float = 0.1) -> Sight:
        """Moved no further than needed to have the point in the box, `margin` of the box away from
        its edges."""
        box = self.to_box(xy)
        shifts = [
            min(0.0, at - margin * side) + max(0.0, at - (1 - margin) * side)
            for at, side in zip(box, self.box_wh, strict=True)
        ]
        return self.panned(shifts[0] / self.scale, shifts[1] / self.scale)

    def fitted(self, picture_wh: tuple[int, int], box_wh: tuple[int, int]) -> Sight:
        """The same part of a picture of another size, or in another box."""
        across, down = (new / old for new, old in zip(picture_wh, self.picture_wh, strict=True))
        centre = (self.centre_xy[0] * across, self.centre_xy[1] * down)
        return Sight(picture_wh, box_wh, self.zoom, centre)
