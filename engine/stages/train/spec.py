"""The train stage: everything about the loop; the model class adds its own options."""

from __future__ import annotations

from engine.models.classes import MODEL_CLASSES
from engine.protocol.options import Choice, Integer, Life, Number, Option, Text
from engine.protocol.spec import DEVICE, StageSpec

MODEL = Option(
    "model",
    "Model",
    Text(r"[A-Za-z0-9][A-Za-z0-9 .-]{0,63}", "1 to 64 letters, digits, spaces, dots and dashes"),
    "new",
    "The model's name. A new name makes a new model, a known one goes on with that model.",
)

MODEL_CLASS = Option(
    "model_class",
    "Model class",
    Choice(tuple((spec.id, spec.summary) for spec in MODEL_CLASSES)),
    MODEL_CLASSES[0].id,
    "Which kind of model to train.",
)

TRAIN = StageSpec(
    id="train",
    title="Train",
    group="Model",
    summary="Teach a model both faces, until it is stopped or reaches its target.",
    code="engine.stages.train.run:run",
    needs=("workspace", "writable", "both-facesets"),
    resources=("model-{model}_{model_class}",),
    trains_model=True,
    options=(
        MODEL,
        MODEL_CLASS,
        Option(
            "target_iter",
            "Target iteration",
            Integer(0, 100_000_000),
            0,
            "Stop when the model has made this many iterations; 0 means never.",
            unit="iterations",
            life=Life.RUNNING,
        ),
        Option(
            "max_minutes",
            "Time limit",
            Number(0, 100_000, 1),
            0.0,
            "Stop after this many minutes of this run; 0 means never.",
            unit="minutes",
            life=Life.RUNNING,
        ),
        Option(
            "save_minutes",
            "Save every",
            Number(0.05, 1440, 1),
            2.0,
            "Save the model each time so many minutes have passed. It is also saved after the first"
            " iteration, on request, and at the end.",
            unit="minutes",
            life=Life.RUNNING,
        ),
        Option(
            "preview_seconds",
            "Preview every",
            Number(0, 86_400, 5),
            30.0,
            "Make a new preview picture each time so many seconds have passed; 0 means only with"
            " the timed saves and on request.",
            unit="seconds",
            life=Life.RUNNING,
        ),
        Option(
            "precision",
            "Precision",
            Choice(
                (
                    ("float32", "exact, the reference"),
                    ("bf16", "about twice as fast where the device computes bfloat16"),
                    ("auto", "bf16 where the device computes it, else float32"),
                )
            ),
            "float32",
            "What the nets compute in. Weights, losses and optimizer are float32 in every case.",
            advanced=True,
        ),
        Option(
            "seed",
            "Random seed",
            Integer(0, 2**31 - 1),
            0,
            "Starts the random numbers of a new model and its samples; 0 takes a fresh one.",
            advanced=True,
        ),
        Option(
            "loaders",
            "Sample threads",
            Text(r"auto|[1-9]\d?", "auto or a number from 1 to 99"),
            "auto",
            "How many threads prepare samples. Auto: half the CPU cores without a GPU, all but one"
            " with one, 8 at most.",
            advanced=True,
        ),
        DEVICE,
    ),
)
