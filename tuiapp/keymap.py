"""Every key of the app, in one table. Footers, the help screen and rebinding all come from it.

Only keys that every terminal and tmux pass on are used: no ctrl+enter, no ctrl+shift, nothing on
tmux's prefix ctrl+b.
"""

from __future__ import annotations

from textual.binding import BindingType

from tuiapp.key_row import Key as Key
from tuiapp.label_keys import LABEL_KEYS
from tuiapp.manual_keys import MANUAL_KEYS
from tuiapp.merge_keys import MERGE_KEYS
from tuiapp.review_keys import REVIEW_KEYS

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
    "log": "Log",
    "dialog": "Dialogs",
    "running": "Options of a run",
    "pick": "Choices and lines",
    "help": "Help",
}


def _help(context: str) -> Key:
    """A second key for the help, where it does not write a question mark."""
    words = "Show all keys and what they do."
    return Key(f"{context}-help", context, "question_mark", "app.help", "Help", words, shown=False)


def _training(
    id: str, keys: str, action: str, label: str, help: str, *, shown: bool = False
) -> Key:
    """DeepFaceLab's keys of its preview window, and what that window does not have."""
    return Key(f"training-{id}", "training", keys, action, label, help, shown)


def _faces(id: str, keys: str, action: str, label: str, help: str, *, shown: bool = False) -> Key:
    """The browser of faces has more keys than a footer: most are only in the help."""
    return Key(f"faceset-{id}", "faceset", keys, action, label, help, shown)


def _report(id: str, keys: str, action: str, label: str, help: str, *, shown: bool = True) -> Key:
    return Key(f"report-{id}", "report", keys, action, label, help, shown)


def _map(id: str, keys: str, action: str, label: str, help: str, *, shown: bool = False) -> Key:
    return Key(f"map-{id}", "map", keys, action, label, help, shown)


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
    Key("home-runs", "home", "u", "focus_runs", "Runs", "Go to the list of runs."),
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
    Key("home-src-report", "home", "t", "report('src')", "Report", "The report on src's faces."),
    Key(
        "home-dst-report",
        "home",
        "T",
        "report('dst')",
        "Report on dst",
        "The report on dst's faces.",
        shown=False,
    ),
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
    _help("home"),
    Key("list-down", "list", "j", "cursor_down", "Down", "One line down.", shown=False),
    Key("list-up", "list", "k", "cursor_up", "Up", "One line up.", shown=False),
    Key("list-first", "list", "g", "first", "First", "To the first line.", shown=False),
    Key("list-last", "list", "G", "last", "Last", "To the last line.", shown=False),
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
    _help("run"),
    Key("run-back", "run", "escape", "back", "Back", "Leave the screen; the run goes on."),
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
    _help("training"),
    _training("back", "escape", "back", "Back", "Leave the screen; the run goes on.", shown=True),
    *MERGE_KEYS,
    *LABEL_KEYS,
    *MANUAL_KEYS,
    *REVIEW_KEYS,
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
    ),
    Key("plan-earlier", "plan", "K", "move(-1)", "Earlier", "Move the phase up."),
    Key("plan-later", "plan", "J", "move(1)", "Later", "Move the phase down."),
    Key("plan-preset", "plan", "f", "preset", "Ready ones", "Take one of the ready plans."),
    Key("plan-save", "plan", "s", "save", "Save", "Save the plan; a run that goes on follows it."),
    _help("plan"),
    Key("plan-back", "plan", "escape", "back", "Back", "Leave the plan, asking if it is changed."),
    _faces(
        "zoom",
        "enter",
        "zoom",
        "Zoom",
        "The face large, beside its frame with landmarks; and back.",
        shown=True,
    ),
    _faces(
        "mark", "space", "mark", "Mark", "Mark the face or unmark it; ends a range.", shown=True
    ),
    _faces("range", "v", "range", "Range", "Begin a range here; mark all of it at the other end."),
    _faces("mark-shown", "a", "mark_shown", "All", "Mark all that is shown, or unmark it."),
    _faces(
        "trash",
        "x",
        "trash",
        "Trash",
        "Move the marked faces (or this one) to the trash.",
        shown=True,
    ),
    _faces("restore", "u", "restore", "Undo", "Bring back what went to the trash last."),
    _faces(
        "filter",
        "slash",
        "filter",
        "Filter",
        "Show only some: yaw>0.3 sharp<50 or a part of a name.",
        shown=True,
    ),
    _faces(
        "order",
        "s",
        "order",
        "Order",
        "Order what is shown by the next thing known of faces.",
        shown=True,
    ),
    _faces("reverse", "S", "reverse", "Reverse", "Turn the order round."),
    _faces("only-marked", "m", "only_marked", "Marked", "Show only what is marked, or all again."),
    _faces(
        "duplicates",
        "d",
        "duplicates",
        "Duplicates",
        "Show only near duplicates of sharper faces, or all again.",
    ),
    _faces(
        "person",
        "p",
        "same_person",
        "Person",
        "Show only faces of this one's person, or all again.",
    ),
    _faces(
        "sort",
        "f5",
        "form('faceset-sort')",
        "Sort",
        "Open the form of the stage that sorts the files.",
    ),
    _faces(
        "index",
        "i",
        "form('faceset-index')",
        "Index",
        "Open the form of the stage that makes the index.",
    ),
    _faces("masks", "e", "masks", "Masks", "Draw masks on these faces, beginning with this one."),
    _faces("report", "t", "report", "Report", "The report on these faces."),
    _faces("look", "r", "look", "Look again", "Look at the folder again."),
    _faces("other", "o", "other_side", "Other side", "The faces of the other side."),
    _faces("left", "left,h", "step(-1)", "Left", "One face back."),
    _faces("right", "right,l", "step(1)", "Right", "One face on."),
    _faces("up", "up,k", "row(-1)", "Up", "One row up."),
    _faces("down", "down,j", "row(1)", "Down", "One row down."),
    _faces("page-up", "pageup,b", "page(-1)", "Page up", "One page up."),
    _faces("page-down", "pagedown,f", "page(1)", "Page down", "One page down."),
    _faces("first", "home,g", "first", "First", "To the first face."),
    _faces("last", "end,G", "last", "Last", "To the last face."),
    _faces("larger", "plus,equals_sign", "tiles(1)", "Larger", "Larger pictures, fewer of them."),
    _faces("smaller", "minus", "tiles(-1)", "Smaller", "Smaller pictures, more of them."),
    _help("faceset"),
    _faces(
        "back", "escape", "back", "Back", "Leave filter, range, zoom; then the screen.", shown=True
    ),
    _report("map", "tab,shift+tab", "map", "Map", "From the list to the map, and back."),
    _report("mouth", "m", "mouth", "Mouth", "Count only faces with the mouth so.", shown=False),
    _report("light", "b", "light", "Light", "Count only faces lit from there.", shown=False),
    _report("faces", "f", "faces", "Faces", "Look at all the faces."),
    _report("other", "o", "other_side", "Other side", "The report on the other side."),
    _report("again", "r", "again", "Again", "Open the form of the stage that makes the report."),
    _report("help", "question_mark", "app.help", "Help", "Show all keys.", shown=False),
    _report("back", "escape", "back", "Back", "Leave the report."),
    _map("left", "left,h", "move(0,-1)", "Left", "One place to the left."),
    _map("right", "right,l", "move(0,1)", "Right", "One place to the right."),
    _map("up", "up,k", "move(-1,0)", "Up", "One place up."),
    _map("down", "down,j", "move(1,0)", "Down", "One place down."),
    _map("choose", "enter", "choose", "Faces", "Show the dst faces that look so.", shown=True),
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
    Key("help-back", "help", "escape,f1,question_mark,tab", "back", "Back", "Leave the help."),
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
