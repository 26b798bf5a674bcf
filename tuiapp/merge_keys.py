"""The keys of the merge screen: DeepFaceLab's (pipeline specification 9.3), and what it lacks.

DeepFaceLab takes capitals for Shift, whether Shift or Caps Lock made them: so do these.
"""

from __future__ import annotations

from tuiapp.key_row import Key

SHIFT_STEPS = 5  # a key with Shift counts as many of those without


def _merge(id: str, keys: str, action: str, label: str, help: str, *, shown: bool = False) -> Key:
    return Key(f"merge-{id}", "merge", keys, action, label, help, shown)


def _steps(id: str, field: str, keys: tuple[str, str, str, str], what: str) -> tuple[Key, ...]:
    """The four keys of a number: one step more and less, and as many as Shift makes."""
    rows = (
        ("more", 1, f"{what}: one more."),
        ("less", -1, f"{what}: one less."),
        ("many-more", SHIFT_STEPS, f"{what}: {SHIFT_STEPS} more."),
        ("many-less", -SHIFT_STEPS, f"{what}: {SHIFT_STEPS} less."),
    )
    return tuple(
        _merge(f"{id}-{name}", key, f"step('{field}',{steps})", what, words)
        for key, (name, steps, words) in zip(keys, rows, strict=True)
    )


def _mode(number: int, key: str, mode: str, words: str) -> Key:
    return _merge(f"mode-{number}", key, f"set('mode','{mode}')", "Mode", f"Mode {mode}: {words}.")


MERGE_KEYS: tuple[Key, ...] = (
    _mode(0, "grave_accent", "original", "the frame as it is"),
    _mode(1, "1", "overlay", "the face laid over"),
    _mode(2, "2", "hist-match", "as 1, histogram matched"),
    _mode(3, "3", "seamless", "Poisson blending"),
    _mode(4, "4", "seamless-hist-match", "as 3, histogram matched"),
    _mode(5, "5", "raw-rgb", "the whole square laid over"),
    _mode(6, "6", "raw-predict", "the square alone"),
    *_steps("threshold", "hist_match_threshold", ("q", "a", "Q", "A"), "Histogram threshold"),
    *_steps("erode", "erode_mask_modifier", ("w", "s", "W", "S"), "Erode mask"),
    *_steps("blur", "blur_mask_modifier", ("e", "d", "E", "D"), "Blur mask"),
    *_steps("motion", "motion_blur_power", ("r", "f", "R", "F"), "Motion blur"),
    *_steps("super", "super_resolution_power", ("t", "g", "T", "G"), "Super resolution"),
    *_steps("sharpen", "blursharpen_amount", ("y", "h", "Y", "H"), "Sharpen or blur"),
    *_steps("scale", "output_face_scale", ("u", "j", "U", "J"), "Face scale (more: smaller)"),
    *_steps("denoise", "image_denoise_power", ("i", "k", "I", "K"), "Denoise frame"),
    *_steps("degrade", "bicubic_degrade_power", ("o", "l", "O", "L"), "Degrade frame"),
    *_steps("colours", "color_degrade_power", ("p", "semicolon", "P", "colon"), "Degrade colours"),
    _merge(
        "morph-more",
        "right_parenthesis",
        f"step('morph_factor',{SHIFT_STEPS})",
        "Morph",
        "Morph factor, of models that have one: 0.05 more of src.",
    ),
    _merge(
        "morph-less",
        "left_parenthesis",
        f"step('morph_factor',-{SHIFT_STEPS})",
        "Morph",
        "Morph factor: 0.05 less, towards dst.",
    ),
    _merge(
        "masked", "z,Z", "turn('masked_hist_match')", "Masked", "Match within the mask, or not."
    ),
    _merge("mask", "x,X", "cycle('mask_mode')", "Mask", "The next mask mode."),
    _merge("transfer", "c,C", "cycle('color_transfer_mode')", "Colour", "Next colour transfer."),
    _merge("sharpening", "n,N", "cycle('sharpen_mode')", "Sharpening", "The next sharpen mode."),
    _merge("alpha", "v,V", "alpha", "Alpha", "A checkerboard where the frame is kept, or not."),
    _merge("previous", "comma", "go_by(-1)", "Back", "The frame before."),
    _merge("first", "less_than_sign,home", "go_end(-1)", "First", "The first frame."),
    _merge("next", "full_stop", "go_by(1)", "On", "The next frame.", shown=True),
    _merge(
        "process",
        "greater_than_sign",
        "process",
        "Rest",
        "Render all frames that are not rendered yet; going on stops it.",
        shown=True,
    ),
    _merge("give-previous", "m", "copy('previous')", "Give back", "Frame before, with this look."),
    _merge(
        "give-before", "M", "copy('before')", "Give all back", "All frames before get this look."
    ),
    _merge(
        "give-next", "slash", "copy('next')", "Give on", "Next frame, with this look.", shown=True
    ),
    _merge(
        "give-after",
        "question_mark",
        "copy('after')",
        "Give all on",
        "All frames after get this look.",
    ),
    _merge("smaller", "minus", "scale(-1)", "Smaller", "The picture smaller."),
    _merge("larger", "equals_sign,plus", "scale(1)", "Larger", "The picture larger."),
    _merge("help", "tab", "app.help", "Keys", "Show all keys, and hide them again.", shown=True),
    # What DeepFaceLab's window does not have.
    _merge("undo", "ctrl+z,backspace", "undo", "Undo", "Take the last change back.", shown=True),
    _merge("redo", "ctrl+y", "redo", "Redo", "Make the change again that was taken back."),
    _merge("view", "b", "view(1)", "View", "Result, wipe, side by side, mask, frame.", shown=True),
    _merge("view-back", "B", "view(-1)", "View back", "The view before."),
    _merge("wipe-left", "shift+left", "wipe(-1)", "Wipe left", "Less of the result in the wipe."),
    _merge("wipe-right", "shift+right", "wipe(1)", "Wipe right", "More of the result in the wipe."),
    _merge("fit", "7", "zoom('fit')", "Fit", "The whole frame."),
    _merge("face", "8", "zoom('face')", "Face", "Only around the face."),
    _merge("actual", "9", "zoom('1:1')", "1:1", "A pixel of the frame is one of the picture."),
    _merge("pan-left", "left", "pan(-1,0)", "Left", "What is left of the part that is seen."),
    _merge("pan-right", "right", "pan(1,0)", "Right", "What is right of it."),
    _merge("pan-up", "up", "pan(0,-1)", "Up", "What is above it."),
    _merge("pan-down", "down", "pan(0,1)", "Down", "What is below it."),
    _merge("jump", "ctrl+g", "jump", "Jump", "Go to the frame of a number."),
    _merge("last", "end", "go_end(1)", "Last", "The last frame."),
    _merge("page-back", "pageup", "go_by(-10)", "10 back", "Ten frames back."),
    _merge("page-on", "pagedown", "go_by(10)", "10 on", "Ten frames on."),
    _merge(
        "key", "space", "key", "Key", "Set a key here; twice: take it away with the look it holds."
    ),
    _merge(
        "carry-key",
        "apostrophe",
        "carry_key",
        "Carry key",
        "Pick up the key of this frame; at another frame: put it down there.",
    ),
    _merge("goes-on", "enter", "goes_on", "Goes on", "To the next key: hold, linear, smooth."),
    _merge("key-before", "left_square_bracket", "go_key(-1)", "Key back", "To the key before."),
    _merge("key-after", "right_square_bracket", "go_key(1)", "Key on", "To the next key."),
    _merge("shot-before", "left_curly_bracket", "go_shot(-1)", "Shot back", "To the shot before."),
    _merge("shot-after", "right_curly_bracket", "go_shot(1)", "Shot on", "To the next shot."),
    _merge("track", "backslash", "track", "Whose", "Whose look is set: of all faces, or of one."),
    _merge("looks", "f6", "looks", "Looks", "Looks with names: keep, take, delete."),
    _merge("shots", "f7", "shots", "Shot", "What a shot begins with, where it begins."),
    _merge("strip", "f8", "strip", "Strip", "Show the neighbouring frames, or hide them."),
    _merge("panel", "f9", "panel", "Panel", "Show the settings, or hide them."),
    _merge("log", "ctrl+l", "log", "Log", "Show the whole log."),
    _merge("resume", "f5", "resume", "Resume", "Start the session again, where it was."),
    _merge("back", "escape", "back", "Leave", "Leave; the session goes on or ends.", shown=True),
)
