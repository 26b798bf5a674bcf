"""The keys of the review of debug pictures."""

from __future__ import annotations

from tuiapp.key_row import Key


def _review(id: str, keys: str, action: str, label: str, help: str, *, shown: bool = False) -> Key:
    return Key(f"review-{id}", "review", keys, action, label, help, shown)


REVIEW_KEYS: tuple[Key, ...] = (
    _review("next", "right,l,full_stop", "step(1)", "On", "One frame on."),
    _review("previous", "left,h,comma", "step(-1)", "Back", "One frame back."),
    _review("ten-on", "down,j,pagedown,f", "step(10)", "10 on", "Ten frames on."),
    _review("ten-back", "up,k,pageup,b", "step(-10)", "10 back", "Ten frames back."),
    _review("first", "home,g", "first", "First", "To the first frame."),
    _review("last", "end,G", "last", "Last", "To the last frame."),
    _review("mark", "space", "mark", "Bad", "Mark the frame as bad, or unmark it.", shown=True),
    _review("reason", "n", "reason", "Why", "Mark the frame as bad and say why."),
    _review("keep", "K", "keep", "Keep", "Landmarks stay as they are here, or no longer."),
    _review(
        "delete",
        "x,delete",
        "delete",
        "Delete",
        "Debug picture to the trash, as DFL's users do.",
        shown=True,
    ),
    _review("undo", "u", "undo", "Undo", "Bring the picture back that was deleted last."),
    _review(
        "suspicious",
        "s",
        "seek('suspicious',1)",
        "Suspicious",
        "Next suspicious frame.",
        shown=True,
    ),
    _review("suspicious-back", "S", "seek('suspicious',-1)", "Back", "Suspicious one before."),
    _review("without", "w", "seek('no-face',1)", "No face", "Next one without a face."),
    _review("without-back", "W", "seek('no-face',-1)", "Back", "The one without a face before."),
    _review("marked", "m", "seek('by-hand',1)", "Marked", "Next frame marked by hand."),
    _review("marked-back", "M", "seek('by-hand',-1)", "Back", "Frame marked by hand before."),
    _review(
        "again",
        "e,enter",
        "again",
        "Again",
        "Extract marked or deleted ones again, by detector or by hand.",
        shown=True,
    ),
    _review("check", "c", "check", "Check", "Have suspicious landmarks looked for."),
    _review("pictures", "p", "pictures", "Pictures", "The form that makes debug pictures."),
    _review("larger", "plus,equals_sign", "zoom(1)", "Closer", "See the picture closer."),
    _review("smaller", "minus,underscore", "zoom(-1)", "Farther", "See more of the picture."),
    _review("pan-left", "shift+left", "pan(-1,0)", "Left", "See what is to the left."),
    _review("pan-right", "shift+right", "pan(1,0)", "Right", "See what is to the right."),
    _review("pan-up", "shift+up", "pan(0,-1)", "Up", "See what is above."),
    _review("pan-down", "shift+down", "pan(0,1)", "Down", "See what is below."),
    _review("look", "r", "look", "Look again", "Look at the folders again."),
    _review("other", "o", "other_side", "Other side", "The frames of the other side."),
    _review("help", "question_mark", "app.help", "Help", "Show all keys and what they do."),
    _review("back", "escape", "back", "Leave", "Leave the review.", shown=True),
)
