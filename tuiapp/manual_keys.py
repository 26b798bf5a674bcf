"""The keys of the manual extraction: DeepFaceLab's (pipeline specification 5.4), those that do what
its mouse does, and what it lacks."""

from __future__ import annotations

from tuiapp.key_row import Key

FOLLOW_FRAMES = 25  # a second of most videos


def _manual(id: str, keys: str, action: str, label: str, help: str, *, shown: bool = False) -> Key:
    return Key(f"manual-{id}", "manual", keys, action, label, help, shown)


def _arrows() -> tuple[Key, ...]:
    """Four keys of each kind of step."""
    rows = (("left", -1, 0), ("right", 1, 0), ("up", 0, -1), ("down", 0, 1))
    coarse = tuple(
        _manual(name, name, f"move({x},{y},'coarse')", "Move", f"Square or points: {name}.")
        for name, x, y in rows
    )
    fine = tuple(
        _manual(
            f"fine-{name}",
            f"shift+{name},{letter}",
            f"move({x},{y},'fine')",
            "Move",
            f"A small step {name}: a pixel of the screen.",
        )
        for (name, x, y), letter in zip(rows, "HLKJ", strict=True)
    )
    return coarse + fine


MANUAL_KEYS: tuple[Key, ...] = (
    _manual("keep", "enter", "keep", "Keep", "Keep the face; on to the next frame.", shown=True),
    _manual("skip", "space", "skip", "No face", "No face here; to the next frame.", shown=True),
    _manual("previous", "comma,less_than_sign", "go_by(-1)", "Back", "A frame back."),
    _manual(
        "next",
        "full_stop,greater_than_sign",
        "go_by(1)",
        "On",
        "A frame on. Whatever leaves a frame keeps its face if it is locked.",
    ),
    *_arrows(),
    _manual("larger", "plus,equals_sign", "size(1)", "Larger", "Square or points larger."),
    _manual("smaller", "minus,underscore", "size(-1)", "Smaller", "Square or points smaller."),
    _manual("clockwise", "r", "roll(5)", "Roll", "Square or points turned clockwise by 5 degrees."),
    _manual("counter", "e", "roll(-5)", "Roll back", "The same counter-clockwise."),
    _manual("fine-clockwise", "R", "roll(1)", "Roll", "Clockwise by one degree."),
    _manual("fine-counter", "E", "roll(-1)", "Roll back", "Counter-clockwise by one degree."),
    _manual(
        "lock",
        "l",
        "lock",
        "Lock",
        "The face stays whatever the square does; or let it go.",
        shown=True,
    ),
    _manual(
        "rectangle",
        "f",
        "rectangle",
        "Free",
        "Free rectangle: the mean face, its right edge at the cursor.",
        shown=True,
    ),
    _manual("accurate", "a", "accurate", "Exact", "Look exactly, or fast."),
    _manual("part", "tab", "part(1)", "Part", "Choose points to move: the next part of the face."),
    _manual("part-back", "shift+tab", "part(-1)", "Part back", "The part before."),
    _manual("point", "p", "point(1)", "Point", "The next single point of the part."),
    _manual("point-back", "P", "point(-1)", "Point back", "The single point before."),
    _manual("undo", "u,ctrl+z", "undo", "Undo", "Take the last move of points back."),
    _manual("copy", "c", "copy", "Copy", "The face of the frame before, here.", shown=True),
    _manual(
        "between",
        "i",
        "fill",
        "Between",
        "Fill the frames between the two kept faces around here, or before.",
    ),
    _manual(
        "follow",
        "t",
        f"follow({FOLLOW_FRAMES})",
        "Follow",
        f"Follow the face through {FOLLOW_FRAMES} frames, keeping it in each.",
        shown=True,
    ),
    _manual("follow-all", "T", "follow(100000)", "Follow all", "The same to the shot's end."),
    _manual("next-open", "n", "go_open(1)", "Next open", "To the next frame that is to be done."),
    _manual("previous-open", "N", "go_open(-1)", "Open before", "To the one before that is."),
    _manual("ten-on", "pagedown", "go_by(10)", "Ten on", "Ten frames on."),
    _manual("ten-back", "pageup", "go_by(-10)", "Ten back", "Ten frames back."),
    _manual("first", "home", "go_end(-1)", "First", "The first frame."),
    _manual("last", "end", "go_end(1)", "Last", "The last frame."),
    _manual("jump", "g", "jump", "Go to", "Go to a frame by its number."),
    _manual("zoom", "z", "zoom(2)", "Closer", "Closer, the cursor stays where it is."),
    _manual("zoom-out", "x", "zoom(-2)", "Farther", "Farther away."),
    _manual("fit", "0", "fit", "Whole", "The whole frame."),
    _manual("hints", "h", "hints", "Hints", "Show or hide the hints."),
    _manual("finish", "q", "finish", "Finish", "Keep a locked face and end the session."),
    _manual("help", "question_mark", "app.help", "Help", "Show all keys and what they do."),
    _manual("back", "escape", "back", "Leave", "Leave the session, or end it.", shown=True),
)
