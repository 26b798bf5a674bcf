"""The stage faces-extract as data. Words, ranges and defaults follow DFL's prompts."""

from __future__ import annotations

from engine.protocol.options import Choice, FilePath, Flag, Integer, Number, Option, Text, When
from engine.protocol.spec import DEVICE, FRESH, SIDE, WORKERS, StageSpec

FRAMES = Option(
    "frames",
    "Frames",
    Choice(
        (
            ("all", "all of them, going on where an earlier run stopped"),
            ("without-faces", "those in which no face was found: try another detector"),
            ("deleted-debug", "those whose picture in aligned_debug was deleted, as in DFL"),
            ("marked", "those marked: no face, suspicious landmarks, or by hand"),
        )
    ),
    "all",
    "Which frames to extract. Of frames that are extracted again the earlier faces go to the trash,"
    " unless none is found now.",
)

FACE_TYPE = Option(
    "face_type",
    "Face type",
    Choice(
        (
            ("wf", "whole face with forehead: the usual choice"),
            ("f", "full face, from brows to chin"),
            ("mf", "mid face, 30 % more than half"),
            ("h", "half face, from brows to mouth"),
            ("head", "the whole head with hair"),
            ("mark_only", "the whole frame, with the face only marked"),
        )
    ),
    "wf",
    "How much of the head a face shows. A model of a narrower type can train on a wider faceset,"
    " not the other way round.",
)

MAX_FACES = Option(
    "max_faces",
    "Max faces per frame",
    Integer(0, 100),
    0,
    "Keep at most so many faces of a frame, the largest first; 0 keeps all. 3 is good advice for"
    " crowded src material.",
)

IMAGE_SIZE = Option(
    "image_size",
    "Image size",
    Text(
        r"auto|25[6-9]|2[6-9]\d|[3-9]\d\d|1\d{3}|20[0-3]\d|204[0-8]",
        "auto or a number from 256 to 2048",
    ),
    "auto",
    "Side of the face pictures. Auto is 512, and 768 for head. More than 512 pays only if the"
    " material is that sharp.",
    unit="px",
)

JPEG_QUALITY = Option(
    "jpeg_quality",
    "JPEG quality",
    Integer(1, 100),
    90,
    "Quality of the face pictures. Above 95 files grow much and faces hardly gain.",
)

DETECTOR = Option(
    "detector",
    "Detector",
    Choice(
        (
            ("mtcnn", "neural: finds small, dark, tilted and half-covered faces"),
            ("dlib-hog", "classic: frontal faces only, starts at once, needs no TensorFlow"),
            ("dlib-cnn", "dlib's neural one: turned heads, too; a second and more for a frame"),
            ("s3fd", "DFL's own, with your S3FD.npy; made for a GPU"),
        )
    ),
    "mtcnn",
    "What finds the faces. How well each does is told in .docs/detectors.md.",
)

LANDMARKS = Option(
    "landmarks",
    "Landmarks",
    Choice(
        (
            ("dlib68", "dlib's, averaged over ten looks: steady from frame to frame"),
            ("2dfan", "DFL's own for all types but head, with your 2DFAN.npy; made for a GPU"),
            ("3dfan", "DFL's own for head, with your 3DFAN.npy; made for a GPU"),
        )
    ),
    "dlib68",
    "What places the 68 landmarks, by which the face is cut out.",
)

WEIGHTS = Option(
    "weights",
    "Weights folder",
    FilePath(),
    "",
    "Where S3FD.npy, 2DFAN.npy and 3DFAN.npy of a DeepFaceLab installation lie (its facelib folder"
    " will do). Without it they are looked for in ~/.local/share/facewright/weights and in the"
    " workspace's model folder.",
    advanced=True,
)

SECOND_PASS = Option(
    "second_pass",
    "Second pass",
    Flag(),
    True,
    "Find the face again in its upright crop, and take the mean over five shifted looks there, as"
    " DFL does: steadier, and six times the work.",
    applies=When("landmarks", ("2dfan", "3dfan")),
    advanced=True,
)

DEBUG_IMAGES = Option(
    "debug_images",
    "Debug images",
    Choice(
        (
            ("auto", "for dst, not for src, as DFL does"),
            ("yes", "write them"),
            ("no", "write none"),
        )
    ),
    "auto",
    "Write every frame with landmarks, mask, detector box and crop square into aligned_debug.",
)

ROTATIONS = Option(
    "rotations",
    "Second try",
    Choice(
        (
            ("all", "doubled, and turned by 30, 90 and 180 degrees"),
            ("tilt", "doubled, and turned by 30 degrees"),
            ("none", "no second try"),
        )
    ),
    "all",
    "What to try again where a frame shows no face. Each try costs time in frames without faces.",
)

FOLLOW_FACES = Option(
    "follow_faces",
    "Follow faces",
    Flag(),
    True,
    "In videos, look once more and closely where a face is missing that the frames around have, and"
    " drop what MTCNN finds for some frames without being sure. Of pictures by themselves it drops"
    " unsure finds of MTCNN in which the landmarks do not agree.",
)

DETECTION_SIZE = Option(
    "detection_size",
    "Detection size",
    Integer(320, 1920),
    640,
    "Faces are looked for in frames scaled to this longer side. Larger finds smaller faces and"
    " takes longer: double the size, four times the time. S3FD sees smaller frames at half their"
    " size, as in DFL.",
    unit="px",
    advanced=True,
)

MIN_FACE_SIZE = Option(
    "min_face_size",
    "Min face size",
    Integer(10, 2000),
    20,
    "Drop faces whose detector box is narrower than this in the frame. DFL drops below 40.",
    unit="px",
    advanced=True,
)

MIN_SCORE = Option(
    "min_score",
    "Min score",
    Number(0.5, 0.99, 0.05),
    0.8,
    "How sure MTCNN must be of a face. In videos, faces that come and go within ten frames and"
    " never score 0.98 are dropped whatever this says, unless they are a frame's only ones and"
    " score 0.95.",
    applies=When("detector", ("mtcnn",)),
    advanced=True,
)

HOG_UPSAMPLE = Option(
    "hog_upsample",
    "HOG enlargement",
    Integer(0, 2),
    1,
    "How often the frame is doubled for dlib's detector: 0 finds faces from 80 px on, 1 from 40,"
    " 2 from 20, each four times slower.",
    applies=When("detector", ("dlib-hog",)),
    advanced=True,
)

CNN_UPSAMPLE = Option(
    "cnn_upsample",
    "CNN enlargement",
    Integer(0, 2),
    0,
    "How often the frame is doubled for dlib's neural detector: 0 finds faces from 80 px on, 1 from"
    " 40, 2 from 20, each four times slower.",
    applies=When("detector", ("dlib-cnn",)),
    advanced=True,
)

S3FD_MIN_SCORE = Option(
    "s3fd_min_score",
    "Min score",
    Number(0.05, 0.99, 0.05),
    0.5,
    "How sure S3FD must be of a face. DFL keeps them from 0.5 on.",
    applies=When("detector", ("s3fd",)),
    advanced=True,
)

INTERPOLATION = Option(
    "interpolation",
    "Interpolation",
    Choice(
        (
            ("lanczos", "sharp, what DFL meant to do"),
            ("bilinear", "soft, what DFL does"),
        )
    ),
    "lanczos",
    "How a face is resampled when it is cut out.",
    advanced=True,
)

FACES_EXTRACT = StageSpec(
    id="faces-extract",
    title="Extract faces",
    group="Faces",
    summary="Finds the faces in the frames and cuts them out, upright, with 68 landmarks",
    code="engine.stages.faces_extract.run:run",
    options=(
        SIDE,
        FRAMES,
        FACE_TYPE,
        MAX_FACES,
        IMAGE_SIZE,
        JPEG_QUALITY,
        DETECTOR,
        LANDMARKS,
        DEBUG_IMAGES,
        ROTATIONS,
        FOLLOW_FACES,
        DETECTION_SIZE,
        MIN_FACE_SIZE,
        MIN_SCORE,
        HOG_UPSAMPLE,
        CNN_UPSAMPLE,
        S3FD_MIN_SCORE,
        SECOND_PASS,
        WEIGHTS,
        INTERPOLATION,
        FRESH,
        WORKERS,
        DEVICE,
    ),
    needs=("writable", "frames"),
    resources=("faces-{side}",),
    replaces="the faces in aligned and the pictures in aligned_debug, when asked to start afresh"
    " or when they were made with other options; and the faces of frames that are extracted again",
    help="Writes data_SIDE/aligned/FRAME_N.jpg with DFL's metadata, largest face first, and"
    " data_SIDE/aligned_debug/FRAME.jpg for every frame. Started again, it goes on where it"
    " stopped; faces deleted by hand since then stay deleted. Frames without a face are marked, for"
    " --frames without-faces and for faces-manual.",
)
