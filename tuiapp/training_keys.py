"""The keys of training's screen, DeepFaceLab's among them, and of the plan's."""

from __future__ import annotations

from tuiapp.key_row import Key, help_key


def _training(
    id: str, keys: str, action: str, label: str, help: str, *, shown: bool = False
) -> Key:
    """DeepFaceLab's keys of its preview window, and what that window does not have."""
    return Key(f"training-{id}", "training", keys, action, label, help, shown)


TRAINING_KEYS: tuple[Key, ...] = (
    _training(
        "stop", "enter,x", "stop", "Stop", "Save the model and stop, after asking.", shown=True
    ),
    _training("save", "s", "save", "Save", "Save the model now.", shown=True),
    _training("backup", "b", "backup", "Backup", "Save the model now and keep it as a backup."),
    _training("preview", "p", "preview", "Preview", "Make a new preview now.", shown=True),
    _training("redraw", "P", "redraw", "Other faces", "Make a new preview of other faces."),
    _training("next-page", "space,full_stop", "page(1)", "Page", "Next page of the preview."),
    _training("previous-page", "comma", "page(-1)", "Page back", "Previous page of the preview."),
    _training("earlier", "left", "earlier(-1)", "Earlier", "See an earlier preview beside it."),
    _training("later", "right", "earlier(1)", "Later", "See a later one beside it, or none."),
    _training("compare", "c", "compare", "Compare", "See the first preview beside it, or none."),
    _training(
        "range",
        "l",
        "loss_range",
        "Range",
        "Losses of all iterations, or the last ones.",
        shown=True,
    ),
    _training("log-scale", "L", "log_scale", "Log scale", "Losses on a logarithmic axis, or not."),
    _training("next-mark", "m", "mark(1)", "Mark", "Next mark under the losses."),
    _training("previous-mark", "M", "mark(-1)", "Mark back", "Previous mark under the losses."),
    _training(
        "share",
        "z",
        "share",
        "Zoom",
        "All the room to the preview, to the losses, or shared.",
        shown=True,
    ),
    _training("options", "o", "options", "Set", "Change options while it runs.", shown=True),
    _training("plan", "t", "plan", "Plan", "The training plan: phases in order.", shown=True),
    _training("next-run", "n", "other_run(1)", "Next run", "The next training that goes on."),
    _training("previous-run", "N", "other_run(-1)", "Run back", "The training before it."),
    _training(
        "resume", "r", "resume", "Resume", "Start the stage again with these values.", shown=True
    ),
    _training("edit", "e", "edit", "Form", "Open the stage's form with this run's values."),
    _training("log", "v", "log", "Log", "Show the whole log."),
    help_key("training"),
    _training("back", "escape", "back", "Back", "Leave the screen; the run goes on.", shown=True),
    Key("plan-edit", "plan", "e", "edit", "Edit", "Change the phase: its options and its end."),
    Key("plan-add", "plan", "a", "add", "Add", "Add a phase after this one."),
    Key("plan-remove", "plan", "d,delete", "remove", "Remove", "Take the phase out."),
    Key(
        "plan-take-away",
        "plan",
        "D",
        "take_away",
        "No plan",
        "Take the whole plan away.",
        shown=False,
    ),
    Key("plan-earlier", "plan", "K", "move(-1)", "Earlier", "Move the phase up.", shown=False),
    Key("plan-later", "plan", "J", "move(1)", "Later", "Move the phase down.", shown=False),
    Key("plan-preset", "plan", "f", "preset", "Ready ones", "Take one of the ready plans."),
    Key("plan-save", "plan", "s", "save", "Save", "Save the plan; a run that goes on follows it."),
    help_key("plan"),
    Key("plan-back", "plan", "escape", "back", "Back", "Leave the plan, asking if it is changed."),
)
