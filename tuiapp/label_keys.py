"""The keys of the mask editor: DeepFaceLab's (pipeline specification 8.2), and what it lacks.

Where DeepFaceLab has a key held down, a terminal has one that switches: they never tell that a key
was let go.
"""

from __future__ import annotations

from tuiapp.key_row import Key

MANY_FACES = 5  # so many a key with Shift goes


def _mask(id: str, keys: str, action: str, label: str, help: str, *, shown: bool = False) -> Key:
    return Key(f"mask-{id}", "mask", keys, action, label, help, shown)


def _cursor(name: str, key: str, across: int, down: int) -> tuple[Key, ...]:
    """An arrow by itself, with Shift, with Ctrl or Alt, and how DeepFaceLab's hand would pan."""
    to = f"{across},{down}"
    return (
        _mask(name, key, f"move({to})", "Move", f"The cursor {name}, by the step of key f."),
        _mask(
            f"{name}-fine",
            f"shift+{key}",
            f"move({to},'pixel')",
            "Fine",
            f"The cursor one pixel of the screen {name}.",
        ),
        _mask(
            f"{name}-finest",
            f"ctrl+{key},alt+{key}",
            f"move({to},'quarter')",
            "Finest",
            f"The cursor a quarter of a pixel of the face {name}.",
        ),
    )


LABEL_KEYS: tuple[Key, ...] = (
    _mask(
        "press",
        "enter,space",
        "press",
        "Point",
        "As a click here: draw, close, select, take hold of a point.",
        shown=True,
    ),
    _mask("include", "q", "type(True)", "Include", "The next polygon includes."),
    _mask("exclude", "w", "type(False)", "Exclude", "The next polygon excludes."),
    _mask("undo", "ctrl+z,u,backspace", "undo", "Undo", "Take the last change back.", shown=True),
    _mask("redo", "ctrl+y,U", "redo", "Redo", "Make the change again that was taken back."),
    _mask(
        "delete",
        "delete",
        "delete",
        "Delete",
        "Delete the selected polygon, or the one that is begun.",
        shown=True,
    ),
    _mask(
        "points",
        "p",
        "points",
        "+/- points",
        "Presses put points in and take them out (so do clicks with Ctrl).",
    ),
    _mask("lock", "l", "lock", "Lock", "The middle of the view follows the cursor, or not."),
    _mask("red", "1", "colour('red')", "Red", "Draw in red."),
    _mask("green", "2", "colour('green')", "Green", "Draw in green."),
    _mask("blue", "3", "colour('blue')", "Blue", "Draw in blue."),
    _mask("baked", "4", "view('drawn')", "Drawn mask", "The mask as drawn, or the face again."),
    _mask("applied", "5", "view('applied')", "Applied", "The applied mask, or the face again."),
    _mask(
        "overlay",
        "grave_accent",
        "overlay",
        "Overlay",
        "Darken what is outside of the applied mask, or not.",
    ),
    _mask("previous", "a", "go_by(-1)", "Back", "The face before."),
    _mask("next", "d", "go_by(1)", "On", "The next face.", shown=True),
    _mask("many-back", "A", f"go_by(-{MANY_FACES})", "5 back", f"{MANY_FACES} faces back."),
    _mask("many-on", "D", f"go_by({MANY_FACES})", "5 on", f"{MANY_FACES} faces on."),
    _mask(
        "labelled-back",
        "ctrl+a,left_square_bracket",
        "go_among('labelled',-1)",
        "Labelled back",
        "The face before that has labels.",
    ),
    _mask(
        "labelled-on",
        "ctrl+d,right_square_bracket",
        "go_among('labelled',1)",
        "Labelled",
        "The next face that has labels.",
    ),
    _mask("trash", "x", "trash", "Trash", "Move the face to the trash; the next one is shown."),
    # What DeepFaceLab's window does not have.
    _mask("untrash", "X", "untrash", "Restore", "Bring back the face that went to the trash last."),
    _mask(
        "unlabelled-back",
        "left_curly_bracket",
        "go_among('unlabelled',-1)",
        "Unlabelled back",
        "The face before that has no labels.",
    ),
    _mask(
        "unlabelled-on",
        "right_curly_bracket",
        "go_among('unlabelled',1)",
        "Unlabelled",
        "The next face that has no labels.",
    ),
    _mask(
        "suggested-on",
        "n",
        "go_among('suggested',1)",
        "Suggested",
        "The face that is most worth labelling next (by xseg-order).",
    ),
    _mask("suggested-back", "N", "go_among('suggested',-1)", "Sug. back", "The one before it."),
    _mask("jump", "ctrl+g", "jump", "Jump", "Go to the face of a number."),
    _mask(
        "from-landmarks",
        "j",
        "suggest('landmarks')",
        "Jaw to brows",
        "Suggest a polygon from the landmarks.",
    ),
    _mask(
        "from-hairline",
        "h",
        "suggest('hairline')",
        "Hair line",
        "Suggest a polygon from the landmarks up to the hair line.",
        shown=True,
    ),
    _mask(
        "from-grabcut",
        "g",
        "suggest('grabcut')",
        "GrabCut",
        "Fit what is drawn to the edges of the picture.",
    ),
    *_cursor("left", "left", -1, 0),
    *_cursor("right", "right", 1, 0),
    *_cursor("up", "up", 0, -1),
    *_cursor("down", "down", 0, 1),
    _mask(
        "step", "f", "step", "Step", "How far arrows go: 8 pixels, one, a quarter of the face's."
    ),
    _mask("point-next", "tab", "step_point(1)", "Next point", "The cursor to the next point."),
    _mask("point-back", "shift+tab", "step_point(-1)", "Point back", "To the point before."),
    _mask("polygon-next", "o", "select(1)", "Polygon", "Select the next polygon."),
    _mask("polygon-back", "O", "select(-1)", "Polygon back", "Select the polygon before."),
    _mask("hold", "m", "hold", "Move", "Take hold of the nearest point, or let go of it."),
    _mask("insert", "i", "insert", "Insert", "Insert a point in the nearest edge, and hold it."),
    _mask("remove", "k", "remove", "Remove", "Remove the nearest point of the selected polygon."),
    _mask("close", "c", "close", "Close", "Close the polygon that is begun."),
    _mask("turn", "e", "turn", "Turn", "The selected polygon excludes, or includes again."),
    _mask("hide", "t", "hide", "Hide", "Hide what is drawn, or show it."),
    _mask("zoom-in", "plus,equals_sign", "zoom_by(1)", "Closer", "Zoom in, up to 20 times."),
    _mask("zoom-out", "minus", "zoom_by(-1)", "Farther", "Zoom out."),
    _mask("zoom", "z", "zoom", "Zoom", "8 times at the cursor, or the whole face.", shown=True),
    _mask("fit", "0", "fit", "Fit", "The whole face."),
    _mask("centre", "v", "centre", "Centre", "The cursor to the middle of the view."),
    _mask("pan-up", "pageup", "pan(0,-1)", "Up", "What is above the part that is seen."),
    _mask("pan-down", "pagedown", "pan(0,1)", "Down", "What is below it."),
    _mask("pan-left", "home", "pan(-1,0)", "Left", "What is left of it."),
    _mask("pan-right", "end", "pan(1,0)", "Right", "What is right of it."),
    _mask("strip", "f8", "strip", "Strip", "Show the neighbouring faces, or hide them."),
    _mask("log", "ctrl+l", "log", "Log", "Show the whole log."),
    _mask("resume", "f5", "resume", "Resume", "Start the session again, where it was."),
    _mask("help", "question_mark", "app.help", "Keys", "Show all keys.", shown=True),
    _mask(
        "back",
        "escape",
        "back",
        "Leave",
        "Let go, deselect; then leave the screen: the session goes on or ends.",
        shown=True,
    ),
)
