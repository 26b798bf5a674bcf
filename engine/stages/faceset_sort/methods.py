"""The sorting methods: a row is all that the form, the command line and the run need of one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SortMethod:
    """number: as in DeepFaceLab's menu; None for methods that it does not have.

    code: "module:function", an `engine.faces.sorting.ranking.Method`, resolved in the engine only.
    measures: rows of `engine.faces.sorting.scores.MEASURES` that it needs ("pixels": the pictures).
    from_index: it ranks by the faceset's index instead, and its code is an
    `engine.stages.faceset_sort.by_index.IndexMethod`.
    """

    number: int | None
    name: str
    explanation: str
    code: str
    measures: tuple[str, ...] = ()
    from_index: bool = False


_CODE = "engine.faces.sorting.methods:"
_INDEX_CODE = "engine.stages.faceset_sort.by_index:"
_POSE = "pitch_yaw_rad"

METHODS: tuple[SortMethod, ...] = (
    SortMethod(0, "blur", "sharp to blurred", _CODE + "by_sharpness", ("sharpness",)),
    SortMethod(
        1,
        "motion-blur",
        "little motion blur to much",
        _CODE + "by_motion_sharpness",
        ("motion_sharpness",),
    ),
    SortMethod(2, "face-yaw", "turned to the picture's left to right", _CODE + "by_yaw", (_POSE,)),
    SortMethod(3, "face-pitch", "looking up to looking down", _CODE + "by_pitch", (_POSE,)),
    SortMethod(
        4,
        "face-source-rect-size",
        "large in the frame to small",
        _CODE + "by_rect_area",
        ("rect_area_px",),
    ),
    SortMethod(
        5,
        "hist",
        "each beside the one of most alike colours",
        _CODE + "by_histogram_chain",
        ("bgr_histogram",),
    ),
    SortMethod(
        6,
        "hist-dissim",
        "most unlike all others first",
        _CODE + "by_unusual_histogram",
        ("masked_histogram",),
    ),
    SortMethod(7, "brightness", "bright to dark", _CODE + "by_brightness", ("brightness",)),
    SortMethod(8, "hue", "by mean hue, from high to low", _CODE + "by_hue", ("hue",)),
    SortMethod(
        9,
        "black",
        "most black last: faces cut at the frame's edge",
        _CODE + "by_black",
        ("black_values",),
    ),
    SortMethod(
        10,
        "origname",
        "the frames' order",
        _CODE + "by_source_name",
        ("source_name",),
    ),
    SortMethod(
        11,
        "oneface",
        "trash all faces of frames with several; needs names as extraction gives them",
        _CODE + "one_face_a_frame",
    ),
    SortMethod(
        12,
        "absdiff",
        "each beside the one whose pixels differ least, or most",
        _CODE + "by_pixel_chain",
        ("pixels",),
    ),
    SortMethod(
        13,
        "final",
        "the best faces: all poses, sharp, unlike each other; trash the rest",
        _CODE + "best_by_sharpness",
        ("sharpness", _POSE, "grey_histogram"),
    ),
    SortMethod(
        14,
        "final-fast",
        "the best faces, large instead of sharp ones: quicker",
        _CODE + "best_by_rect_area",
        ("rect_area_px", _POSE, "grey_histogram"),
    ),
    SortMethod(
        None,
        "identity",
        "one person's faces, the surest first, then other people's",
        _INDEX_CODE + "by_identity",
        from_index=True,
    ),
    SortMethod(
        None,
        "duplicates",
        "trash faces that are nearly identical to a sharper one",
        _INDEX_CODE + "without_duplicates",
        from_index=True,
    ),
    SortMethod(
        None,
        "coverage",
        "src only: what dst needs most first, by head angle, mouth and light",
        _INDEX_CODE + "by_coverage",
        from_index=True,
    ),
)


def method_named(name: str) -> SortMethod:
    """The row of that name."""
    return next(method for method in METHODS if method.name == name)
