"""Every key of the app, in one table. Footers, the help screen and rebinding all come from it.

Only keys that every terminal and tmux pass on are used: no ctrl+enter, no ctrl+shift, nothing on
tmux's prefix ctrl+b.
"""

from __future__ import annotations

from textual.binding import BindingType

from tuiapp.faces_keys import FACES_KEYS
from tuiapp.key_row import Key as Key
from tuiapp.key_row import help_key
from tuiapp.label_keys import LABEL_KEYS
from tuiapp.manual_keys import MANUAL_KEYS
from tuiapp.merge_keys import MERGE_KEYS
from tuiapp.models_keys import MODELS_KEYS
from tuiapp.review_keys import REVIEW_KEYS
from tuiapp.training_keys import TRAINING_KEYS

CONTEXTS: dict[str, str] = {
    "app": "Everywhere",
    "home": "Home",
    "list": "Lists",
    "form": "Form of a stage",
    "number": "Fields with a number",
    "choice": "Fields with a choice",
    "flag": "Fields with yes or no",
    "run": "Run",
    "training": "Training",
    "plan": "Training plan",
    "merge": "Merge",
    "mask": "Masks",
    "review": "Review of frames",
    "manual": "Faces by hand",
    "faceset": "Faces",
    "report": "Report on a faceset",
    "map": "Map of head angles",
    "models": "Models",
    "model": "One model",
    "comparison": "Two models compared",
    "log": "Log",
    "dialog": "Dialogs",
    "running": "Options of a run",
    "pick": "Choices and lines",
    "help": "Help",
}


KEYS: tuple[Key, ...] = (
    Key("help", "app", "f1", "help", "Help", "Show all keys and what they do."),
    Key("home", "app", "f2", "home", "Home", "Back to the workspace at a glance.", shown=False),
    Key("newest-run", "app", "f3", "newest_run", "Run", "Show the newest run.", shown=False),
    Key(
        "quit",
        "app",
        "ctrl+q",
        "leave",
        "Quit",
        "Leave the workbench. Runs go on; `facewright` shows them again.",
    ),
    Key("home-next", "home", "n", "next_step", "Next step", "Open the next sensible stage."),
    Key("home-stages", "home", "s", "focus_stages", "Stages", "Go to the list of stages."),
    Key(
        "home-filter",
        "home",
        "slash",
        "filter",
        "Filter",
        "Show only the stages of some words; enter goes to them.",
        shown=False,
    ),
    Key("home-all", "home", "escape", "all_stages", "All", "Show all stages again.", shown=False),
    Key("home-runs", "home", "u", "focus_runs", "Runs", "Go to the list of runs."),
    Key("home-goal", "home", "b", "goal", "Goal", "Set the options for what you want to have."),
    Key("home-src-faces", "home", "f", "faces('src')", "Faces", "Look at the faces of src."),
    Key(
        "home-dst-faces",
        "home",
        "F",
        "faces('dst')",
        "Faces of dst",
        "Look at the faces of dst.",
        shown=False,
    ),
    Key(
        "home-src-report",
        "home",
        "t",
        "report('src')",
        "Report",
        "The report on src's faces.",
        shown=False,
    ),
    Key(
        "home-dst-report",
        "home",
        "T",
        "report('dst')",
        "Report on dst",
        "The report on dst's faces.",
        shown=False,
    ),
    Key("home-models", "home", "o", "models", "Models", "The models: compare, rename, reset."),
    Key("home-src-masks", "home", "m", "masks('src')", "Masks", "Draw masks on src's faces."),
    Key(
        "home-dst-masks",
        "home",
        "M",
        "masks('dst')",
        "Masks of dst",
        "Draw masks on dst's faces.",
        shown=False,
    ),
    Key(
        "home-dst-review",
        "home",
        "d",
        "review('dst')",
        "Frames of dst",
        "Look through dst's frames with what was found in them.",
        shown=False,
    ),
    Key(
        "home-src-review",
        "home",
        "D",
        "review('src')",
        "Frames of src",
        "Look through src's frames with what was found in them.",
        shown=False,
    ),
    Key(
        "home-refresh",
        "home",
        "r",
        "refresh",
        "Look again",
        "Look at the workspace again.",
        shown=False,
    ),
    help_key("home"),
    Key("list-down", "list", "j", "cursor_down", "Down", "One line down.", shown=False),
    Key("list-up", "list", "k", "cursor_up", "Up", "One line up.", shown=False),
    Key(
        "list-choose", "list", "enter", "select", "Choose", "Open what the line is of.", shown=False
    ),
    Key("list-first", "list", "g", "first", "First", "To the first line.", shown=False),
    Key("list-last", "list", "G", "last", "Last", "To the last line.", shown=False),
    Key("form-goal", "form", "f4", "goal", "Goal", "Set the options for what you want to have."),
    Key("form-start", "form", "f5,ctrl+r", "start", "Start", "Start the stage with these values."),
    Key(
        "form-advanced",
        "form",
        "f6",
        "toggle_advanced",
        "More",
        "Show or hide the advanced options.",
    ),
    Key(
        "form-copy",
        "form",
        "f7",
        "copy_command",
        "Copy",
        "Copy the command line that does the same.",
    ),
    Key("form-reset", "form", "f8", "reset", "Defaults", "Set every option to its default."),
    Key(
        "form-check",
        "form",
        "f9",
        "check",
        "Check first",
        "Try what this needs: memory, time, disk. Nothing is changed.",
    ),
    Key("form-back", "form", "escape", "back", "Back", "Leave the form; nothing is started."),
    Key("number-more", "number", "up", "step(1)", "More", "One step more.", shown=False),
    Key("number-less", "number", "down", "step(-1)", "Less", "One step less.", shown=False),
    Key("choice-next", "choice", "right", "cycle(1)", "Next", "The next choice.", shown=False),
    Key("choice-previous", "choice", "left", "cycle(-1)", "Prev", "The one before.", shown=False),
    Key(
        "flag-turn", "flag", "space,left,right", "turn", "Turn", "Yes to no and back.", shown=False
    ),
    Key("flag-yes", "flag", "y", "set(True)", "Yes", "Yes.", shown=False),
    Key("flag-no", "flag", "n", "set(False)", "No", "No.", shown=False),
    Key("run-stop", "run", "x", "stop", "Stop", "Stop the run; finished work is saved."),
    Key("run-resume", "run", "r", "resume", "Resume", "Start the stage again with these values."),
    Key("run-edit", "run", "e", "edit", "Form", "Open the stage's form with this run's values."),
    Key("run-options", "run", "o", "options", "Set", "Change options while it runs."),
    Key("run-report", "run", "t", "report", "Report", "Show the report that the run made."),
    Key("run-faces", "run", "f", "faces", "Faces", "Look at the faces that the run is about."),
    Key("run-log", "run", "l", "log", "Log", "Show the whole log."),
    Key(
        "run-next-page",
        "run",
        "full_stop",
        "page(1)",
        "Next page",
        "Next page of the preview.",
        shown=False,
    ),
    Key(
        "run-previous-page",
        "run",
        "comma",
        "page(-1)",
        "Previous page",
        "Previous page of the preview.",
        shown=False,
    ),
    Key(
        "run-big-preview",
        "run",
        "z",
        "big_preview",
        "Zoom",
        "Give the whole screen to the preview, and back.",
        shown=False,
    ),
    help_key("run"),
    Key("run-back", "run", "escape", "back", "Back", "Leave the screen; the run goes on."),
    *TRAINING_KEYS,
    *MERGE_KEYS,
    *LABEL_KEYS,
    *MANUAL_KEYS,
    *REVIEW_KEYS,
    *FACES_KEYS,
    *MODELS_KEYS,
    Key("log-follow", "log", "f", "follow", "Follow", "Stay at the end as lines come, or stop it."),
    Key("log-top", "log", "g", "top", "Top", "To the first line that is kept."),
    Key("log-end", "log", "G", "end", "End", "To the last line, and follow."),
    Key("log-down", "log", "j", "down", "Down", "One line down.", shown=False),
    Key("log-up", "log", "k", "up", "Up", "One line up.", shown=False),
    Key("log-back", "log", "escape", "back", "Back", "Leave the log."),
    Key("dialog-yes", "dialog", "y", "yes", "Yes", "Agree."),
    Key("dialog-no", "dialog", "n,escape", "no", "No", "Do not."),
    Key("running-take", "running", "enter", "take", "Take over", "Send what was changed."),
    Key("running-leave", "running", "escape", "leave", "Leave", "Change nothing."),
    Key("pick-leave", "pick", "escape", "leave", "Leave", "Choose nothing."),
    Key(
        "help-back",
        "help",
        "escape,f1,question_mark,tab",
        "back",
        "Back",
        "Leave the help.",
        display="esc",
    ),
    Key("help-down", "help", "j", "down", "Down", "One line down.", shown=False),
    Key("help-up", "help", "k", "up", "Up", "One line up.", shown=False),
)
KEYS_BY_ID: dict[str, Key] = {key.id: key for key in KEYS}


def bindings(context: str) -> list[BindingType]:
    """The bindings of one context, for a `BINDINGS` of a screen or widget."""
    return [key.binding() for key in KEYS if key.context == context]


def keys_text(keys: str) -> str:
    """Key names as they are written on keyboards: `ctrl+q` -> `^q`, `question_mark` -> `?`."""
    return " or ".join(_KEY_SIGNS.get(key, key.replace("ctrl+", "^")) for key in keys.split(","))


_KEY_SIGNS = {
    "question_mark": "?",
    "full_stop": ".",
    "comma": ",",
    "escape": "esc",
    "slash": "/",
    "backslash": "\\",
    "grave_accent": "`",
    "semicolon": ";",
    "colon": ":",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "minus": "-",
    "plus": "+",
    "equals_sign": "=",
}
