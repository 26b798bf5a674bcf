"""The look's options: one row per setting of a merged frame, for the stage, the forms and the keys.

Names, ranges and interactive defaults are DeepFaceLab's (pipeline specification 9.2); a choice's
place in its list is the number that DeepFaceLab gives it.
"""

from __future__ import annotations

from engine.protocol.options import Choice, Flag, Integer, Number, Option, When

BLENDING_MODES = ("overlay", "hist-match", "seamless", "seamless-hist-match")
MASKED_MODES = ("original", *BLENDING_MODES)

MODE = Option(
    "mode",
    "Mode",
    Choice(
        (
            ("original", "the frame as it is; the mask is written all the same"),
            ("overlay", "the predicted face laid over the frame"),
            ("hist-match", "as overlay, with the histogram of the frame's face"),
            ("seamless", "the face's texture in the frame's light, by Poisson blending"),
            ("seamless-hist-match", "as seamless, with the histogram of the frame's face"),
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
            ("XSeg-prd", "what the XSeg net sees of the predicted face"),
            ("XSeg-dst", "what the XSeg net sees of the face in the frame"),
            ("XSeg-prd*XSeg-dst", "where both XSeg masks agree"),
            (
                "learned-prd*learned-dst*XSeg-prd*XSeg-dst",
                "where all learned and XSeg masks agree",
            ),
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
    applies=When("mode", MASKED_MODES),
)

BLUR_MASK_MODIFIER = Option(
    "blur_mask_modifier",
    "Blur mask",
    Integer(0, 400),
    0,
    "Softens the mask's edge inwards; measured at four times the model's resolution.",
    unit="px",
    applies=When("mode", MASKED_MODES),
)

MOTION_BLUR_POWER = Option(
    "motion_blur_power",
    "Motion blur",
    Integer(0, 100),
    0,
    "Blurs the face along its movement, where frames have one face at most.",
    unit="%",
    applies=When("mode", BLENDING_MODES),
)

OUTPUT_FACE_SCALE = Option(
    "output_face_scale",
    "Face scale",
    Integer(-50, 50),
    0,
    "Makes the pasted face smaller, or larger when negative.",
    unit="%",
    applies=When("mode", (*BLENDING_MODES, "raw-rgb")),
)

COLOR_TRANSFER_MODE = Option(
    "color_transfer_mode",
    "Colour transfer",
    Choice(
        (
            ("none", "the colours as predicted"),
            ("rct", "Reinhard: mean and spread of each Lab channel"),
            ("lct", "linear: mean and covariance"),
            ("mkl", "linear, moving colours as little as possible"),
            ("mkl-m", "mkl within the mask"),
            ("idt", "whole distributions, step by step"),
            ("idt-m", "idt within the mask"),
            ("sot-m", "optimal transport within the mask; slow"),
            ("mix-m", "lightness by its spread, colours by transport, within the mask; slow"),
        )
    ),
    "rct",
    "How the predicted face takes over the colours of the frame's face.",
    applies=When("mode", BLENDING_MODES),
)

MASKED_HIST_MATCH = Option(
    "masked_hist_match",
    "Match within the mask",
    Flag(),
    True,
    "Match histograms within the mask only.",
    applies=When("mode", ("hist-match",)),
)

HIST_MATCH_THRESHOLD = Option(
    "hist_match_threshold",
    "Histogram threshold",
    Integer(0, 255),
    238,
    "Lower values keep the brightest colours out of the match.",
    applies=When("mode", ("hist-match", "seamless-hist-match")),
)

SHARPEN_MODE = Option(
    "sharpen_mode",
    "Sharpening",
    Choice(
        (
            ("none", "no sharpening"),
            ("box", "unsharp mask with a box"),
            ("gaussian", "unsharp mask with a Gaussian, half as strong"),
        )
    ),
    "none",
    "How the face is sharpened.",
    applies=When("mode", BLENDING_MODES),
)

BLURSHARPEN_AMOUNT = Option(
    "blursharpen_amount",
    "Sharpen or blur",
    Integer(-100, 100),
    0,
    "Above zero the face is sharpened, if a sharpening is chosen; below zero it is blurred.",
    applies=When("mode", BLENDING_MODES),
)

SUPER_RESOLUTION_POWER = Option(
    "super_resolution_power",
    "Super resolution",
    Integer(0, 100),
    0,
    "How much of the face comes from the face enhancer, at four times the model's resolution. Needs"
    " DeepFaceLab's FaceEnhancer.npy.",
    unit="%",
    applies=When("mode", (*BLENDING_MODES, "raw-rgb", "raw-predict")),
)

IMAGE_DENOISE_POWER = Option(
    "image_denoise_power",
    "Denoise frame",
    Integer(0, 500),
    0,
    "Takes the noise out of the frame, not of the face.",
    applies=When("mode", BLENDING_MODES),
)

BICUBIC_DEGRADE_POWER = Option(
    "bicubic_degrade_power",
    "Degrade frame",
    Integer(0, 100),
    0,
    "Takes sharpness out of the frame, not of the face, by scaling it down and up.",
    applies=When("mode", BLENDING_MODES),
)

COLOR_DEGRADE_POWER = Option(
    "color_degrade_power",
    "Degrade colours",
    Integer(0, 100),
    0,
    "Reduces the colours of the merged frame towards a palette of 256.",
    unit="%",
    applies=When("mode", BLENDING_MODES),
)

MORPH_FACTOR = Option(
    "morph_factor",
    "Morph",
    Number(0.0, 1.0, 0.01),
    1.0,
    "For models that have one (AMP, some .dfm): 1 is src's face, less goes towards dst's.",
)

LOOK_OPTIONS: tuple[Option, ...] = (
    MODE,
    MASKED_HIST_MATCH,
    HIST_MATCH_THRESHOLD,
    MASK_MODE,
    ERODE_MASK_MODIFIER,
    BLUR_MASK_MODIFIER,
    MOTION_BLUR_POWER,
    OUTPUT_FACE_SCALE,
    COLOR_TRANSFER_MODE,
    SHARPEN_MODE,
    BLURSHARPEN_AMOUNT,
    SUPER_RESOLUTION_POWER,
    IMAGE_DENOISE_POWER,
    BICUBIC_DEGRADE_POWER,
    COLOR_DEGRADE_POWER,
)

# A row for each field of a look: those above, and what only some model classes have a use for.
LOOK_FIELDS: tuple[Option, ...] = (*LOOK_OPTIONS, MORPH_FACTOR)
