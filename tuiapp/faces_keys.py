"""The keys of the browser of faces, and of the report on them with its map."""

from __future__ import annotations

from tuiapp.key_row import Key, help_key


def _faces(id: str, keys: str, action: str, label: str, help: str, *, shown: bool = False) -> Key:
    """The browser of faces has more keys than a footer: most are only in the help."""
    return Key(f"faceset-{id}", "faceset", keys, action, label, help, shown)


def _report(id: str, keys: str, action: str, label: str, help: str, *, shown: bool = True) -> Key:
    return Key(f"report-{id}", "report", keys, action, label, help, shown)


def _map(id: str, keys: str, action: str, label: str, help: str, *, shown: bool = False) -> Key:
    return Key(f"map-{id}", "map", keys, action, label, help, shown)


FACES_KEYS: tuple[Key, ...] = (
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
        "Move the marked faces (or this one) to the trash, after asking.",
        shown=True,
    ),
    _faces("restore", "u", "restore", "Undo", "Bring back what went to the trash last."),
    _faces(
        "filter",
        "slash",
        "filter",
        "Filter",
        "Show only some: yaw>20 sharp<50 or a part of a name.",
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
    help_key("faceset"),
    _faces(
        "back",
        "escape",
        "back",
        "Back",
        "Leave range and zoom, show all again; then leave the screen.",
        shown=True,
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
)
