"""The look's options: one row per setting of a merged frame, for the stage, the forms and the keys.

Names, ranges and interactive defaults are DeepFaceLab's (pipeline specification 9.2); a choice's
place in its list is the number that DeepFaceLab gives it.
"""

from __future__ import annotations

from engine.protocol.options import Choice, Integer, Option, When

MODE = Option(
    "mode",
    "Mode",
    Choice(
        (
            ("original", "the frame as it is; the mask is written all the same"),
            ("overlay", "the predicted face laid over the frame"),
            (
                "raw-rgb",
                "the whole predicted square laid over the frame, for compositing elsewhere",
            ),
            ("raw-predict", "the predicted square alone, at the model's resolution"),
        )
    ),
    "overlay",
    "How the predicted face is put into the frame.",
)

MASK_MODE = Option(
    "mask_mode",
    "Mask",
    Choice(
        (
            ("full", "the whole predicted square"),
            ("dst", "the hull of the landmarks found in the frame"),
            ("learned-prd", "the mask that the model predicts for the face it puts in"),
            ("learned-dst", "the mask that the model predicts for the face in the frame"),
            ("learned-prd*learned-dst", "where both learned masks agree"),
            ("learned-prd+learned-dst", "where either learned mask is"),
        )
    ),
    "learned-prd*learned-dst",
    "Which part of the predicted square replaces the frame. Quote a value with a * in the shell.",
)

ERODE_MASK_MODIFIER = Option(
    "erode_mask_modifier",
    "Erode mask",
    Integer(-400, 400),
    0,
    "Shrinks the mask, or grows it when negative; measured at four times the model's resolution.",
    unit="px",
    applies=When("mode", ("overlay",)),
)

BLUR_MASK_MODIFIER = Option(
    "blur_mask_modifier",
    "Blur mask",
    Integer(0, 400),
    0,
    "Softens the mask's edge inwards; measured at four times the model's resolution.",
    unit="px",
    applies=When("mode", ("overlay",)),
)

OUTPUT_FACE_SCALE = Option(
    "output_face_scale",
    "Face scale",
    Integer(-50, 50),
    0,
    "Makes the pasted face smaller, or larger when negative.",
    unit="%",
    applies=When("mode", ("overlay", "raw-rgb")),
)

COLOR_TRANSFER_MODE = Option(
    "color_transfer_mode",
    "Colour transfer",
    Choice(
        (
            ("none", "the colours as predicted"),
            ("rct", "Reinhard: mean and spread per Lab channel"),
        )
    ),
    "rct",
    "How the predicted face takes over the colours of the frame's face.",
    applies=When("mode", ("overlay",)),
)

LOOK_OPTIONS: tuple[Option, ...] = (
    MODE,
    MASK_MODE,
    ERODE_MASK_MODIFIER,
    BLUR_MASK_MODIFIER,
    OUTPUT_FACE_SCALE,
    COLOR_TRANSFER_MODE,
)
