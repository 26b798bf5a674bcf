"""The train stage: everything about the loop; the model class adds its own options."""

from __future__ import annotations

from engine.models.classes import SWAP_CLASSES
from engine.protocol.options import (
    Choice,
    FilePath,
    Flag,
    Integer,
    Life,
    Number,
    Option,
    Text,
    Unless,
    When,
)
from engine.protocol.plan_presets import PRESETS
from engine.protocol.spec import DEVICE, StageSpec

# Of models: what `Text` wants, and in words.
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9 .-]{0,63}"
NAME_RULE = "1 to 64 letters, digits, spaces, dots and dashes"

MODEL = Option(
    "model",
    "Model",
    Text(NAME_PATTERN, NAME_RULE),
    "new",
    "The model's name. A new name makes a new model, a known one goes on with that model.",
    kept=False,
)

MODEL_CLASS = Option(
    "model_class",
    "Model class",
    Choice(tuple((spec.id, spec.summary) for spec in SWAP_CLASSES)),
    SWAP_CLASSES[0].id,
    "Which kind of model to train.",
    kept=False,
)

_ADDRESS = r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}"

TRAIN = StageSpec(
    id="train",
    title="Train",
    group="Model",
    summary="Teach a model both faces, until it is stopped or reaches its target",
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
            kept=False,
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
            "keep",
            "Saves to keep",
            Integer(1, 100),
            3,
            "How many of the newest saves stay on the disk. The best one, by its smoothed loss"
            " among those made with the same options, stays besides.",
            unit="saves",
            life=Life.RUNNING,
        ),
        Option(
            "autobackup_hour",
            "Backup every",
            Integer(0, 24),
            0,
            "Keep the save of each time so many hours have passed as a backup; 0 means never. The"
            " last 24 stay. A backup takes room only once its save is no longer kept.",
            unit="hours",
            life=Life.RUNNING,
        ),
        Option(
            "write_preview_history",
            "Preview history",
            Flag(),
            False,
            "Keep pictures of the same faces as the model learns, for looking back and for the"
            " stage model-timelapse: every 10 iterations, of larger faces less often.",
            life=Life.RUNNING,
        ),
        Option(
            "history_first",
            "First face of the history",
            Integer(0, 1_000_000),
            0,
            "The number of the first sample that the preview history shows: another number shows"
            " other faces.",
            life=Life.RUNNING,
            applies=When("write_preview_history", (True,)),
            advanced=True,
        ),
        Option(
            "history_pictures",
            "Pictures in the history",
            Integer(100, 100_000),
            2000,
            "At most so many pictures of each preview page stay: then every second one goes, and"
            " new ones are made half as often.",
            unit="pictures",
            life=Life.RUNNING,
            applies=When("write_preview_history", (True,)),
            advanced=True,
        ),
        Option(
            "tensorboard",
            "TensorBoard",
            Flag(),
            False,
            "Also write losses and times as TensorBoard event files to the model's folder.",
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
            "plan",
            "Training plan",
            Choice(
                (
                    ("own", "the model's plan.json, if it has one"),
                    ("none", "no plan: options stay as they are"),
                    ("file", "the one that plan_file names"),
                    *((preset, plan.note) for preset, plan in PRESETS.items()),
                )
            ),
            "own",
            "Phases that change options by themselves, one after another. A preset or file becomes"
            " the model's own plan, which later runs follow from where they stand; an earlier one"
            " goes to the trash. Numbers of iterations are starting points: change them in the app"
            " or in plan.json.",
        ),
        Option(
            "plan_file",
            "Plan file",
            FilePath(),
            "",
            "A plan that was written for another model.",
            applies=When("plan", ("file",)),
            kept=False,
        ),
        Option(
            "collapse_guard",
            "Collapse guard",
            Flag(),
            True,
            "When losses are no numbers, explode, creep up or stand still, or masks show nothing,"
            " go back to the last good save and go on from there. Off, steps that are no numbers"
            " are still not applied, nor are single ones that are far too large.",
            life=Life.RUNNING,
            advanced=True,
        ),
        Option(
            "remedy",
            "After a collapse",
            Choice(
                (
                    ("clipgrad", "clip gradients from then on"),
                    ("gentle", "also without GAN, true face and styles"),
                    ("none", "other faces alone"),
                )
            ),
            "clipgrad",
            "What to change when the collapse guard has gone back to a good save. Options that were"
            " changed since that save are as they were then.",
            life=Life.RUNNING,
            applies=When("collapse_guard", (True,)),
        ),
        Option(
            "retry_smaller_batch",
            "Smaller batch if needed",
            Flag(),
            False,
            "When the device has too little memory, go on with half the batch instead of ending.",
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
            kept=False,
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
        Option(
            "workers",
            "Several machines",
            Text(
                rf"|{_ADDRESS}(,{_ADDRESS})+",
                "host:port of two machines or more, such as 10.0.0.1:4000,10.0.0.2:4000",
            ),
            "",
            "Train one model on several machines: start this stage on each of them with the same"
            " list, each with its own number, equally many devices, its own workspace and the same"
            " faces. Each makes its part of every batch; the first alone saves, shows previews and"
            " takes changes, the others take model and options from it. Only in a network whose"
            " every user you trust: whoever reaches such a port commands the machine.",
            advanced=True,
            kept=False,
        ),
        Option(
            "worker_index",
            "Number of this machine",
            Integer(0, 63),
            0,
            "Which address of the list this machine is, from 0; number 0 leads.",
            applies=Unless("workers", ("",)),
            advanced=True,
            kept=False,
        ),
        DEVICE,
    ),
)
