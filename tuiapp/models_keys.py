"""The keys of the list of models, of one model's screen and of two models compared."""

from __future__ import annotations

from tuiapp.key_row import Key, help_key

_BOTH = (  # id, keys, action, label, help, shown
    ("train", "t", "train", "Train", "Open the form that trains the model.", True),
    ("merge", "m", "merge", "Merge", "Open the form that merges frames with it.", True),
    ("reset", "z", "reset", "Reset", "Make nets anew: for a new dst, other faces, RTM.", True),
    ("pretrain", "p", "pretrain", "Pretrain", "Teach it faces as such, from many people.", False),
    ("rename", "r", "rename", "Rename", "Give the model another name.", False),
    ("duplicate", "d", "duplicate", "Duplicate", "Make a second model of it.", False),
    ("snapshot", "s", "snapshot", "Snapshot", "Give a save a name, so that it stays.", False),
    ("export", "e", "export", "Export", "Write it as files that DeepFaceLab opens.", False),
    ("onnx", "E", "onnx", "Export ONNX", "Write it as one ONNX file (.dfm).", False),
    ("plan", "P", "plan", "Plan", "Write or check its training plan.", False),
    ("timelapse", "v", "timelapse", "Timelapse", "Make a video of how it learned.", False),
)


def _models(id: str, keys: str, action: str, label: str, help: str, shown: bool = True) -> Key:
    return Key(f"models-{id}", "models", keys, action, label, help, shown)


def _model(id: str, keys: str, action: str, label: str, help: str, shown: bool = True) -> Key:
    return Key(f"model-{id}", "model", keys, action, label, help, shown)


MODELS_KEYS: tuple[Key, ...] = (
    _models("actions", "a", "all_actions", "Actions", "All that can be done with the model."),
    *(_models(*row) for row in _BOTH),
    _models("delete", "x", "delete", "Delete", "Move the model to the trash, after asking."),
    _models("undelete", "u", "undelete", "Undo", "Bring back the model deleted last.", False),
    _models("mark", "space", "mark", "Mark", "Mark a model to compare it; at most two."),
    _models("compare", "c", "compare", "Compare", "See in what two models' options differ."),
    _models("import", "i", "import", "Import", "Take over a model of DeepFaceLab.", False),
    help_key("models"),
    _models("back", "escape", "back", "Back", "Leave the list."),
    _model("restore", "b", "restore", "Restore", "Go back to the save at hand, after asking."),
    *(_model(*row) for row in _BOTH),
    _model("delete", "x", "delete", "Delete save", "Move the snapshot or backup to the trash."),
    _model("pictures", "l", "losses", "Range", "Losses of all iterations, or the last."),
    help_key("model"),
    _model("back", "escape", "back", "Back", "Back to the list of models."),
    Key("comparison-all", "comparison", "a", "all", "All", "Show what is the same, too."),
    help_key("comparison"),
    Key("comparison-back", "comparison", "escape", "back", "Back", "Back to the models."),
)
