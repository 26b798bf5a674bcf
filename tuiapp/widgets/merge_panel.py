"""The settings of the shown frame: each value, its keys, its range; grey what has no use now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual.content import Content
from textual.widgets import Static

from engine.protocol.options import Choice, Integer, Number, Option
from tuiapp.bridge.merge_desk import ROWS, is_used
from tuiapp.bridge.wording import fact_text
from tuiapp.keymap import KEYS_BY_ID, keys_text

# Which keys change each setting, by the first part of their ids.
_KEYS_OF = {
    "mode": ("mode-0", "mode-6"),
    "masked_hist_match": ("masked",),
    "hist_match_threshold": ("threshold-more", "threshold-less"),
    "mask_mode": ("mask",),
    "erode_mask_modifier": ("erode-more", "erode-less"),
    "blur_mask_modifier": ("blur-more", "blur-less"),
    "motion_blur_power": ("motion-more", "motion-less"),
    "output_face_scale": ("scale-more", "scale-less"),
    "color_transfer_mode": ("transfer",),
    "sharpen_mode": ("sharpening",),
    "blursharpen_amount": ("sharpen-more", "sharpen-less"),
    "super_resolution_power": ("super-more", "super-less"),
    "image_denoise_power": ("denoise-more", "denoise-less"),
    "bicubic_degrade_power": ("degrade-more", "degrade-less"),
    "color_degrade_power": ("colours-more", "colours-less"),
    "morph_factor": ("morph-more", "morph-less"),
}
_KEY_CELLS = 4
_LABEL_CELLS = 13
_RANGE_CELLS = 10
# From this width on there is room for ranges beside the values.
_WIDE = 44
_SHORT_LABELS = {
    "masked_hist_match": "Within mask",
    "hist_match_threshold": "Hist. limit",
    "color_transfer_mode": "Colours",
    "super_resolution_power": "Super res.",
    "blursharpen_amount": "Sharpen/blur",
    "image_denoise_power": "Denoise",
    "bicubic_degrade_power": "Degrade",
    "color_degrade_power": "Deg. colours",
}


class MergePanel(Static):
    """A line for each setting, and words about the one that was changed last."""

    def __init__(self, moved: Mapping[str, str]) -> None:
        """moved: keys that the user's settings give to ids."""
        super().__init__("", markup=False)
        self._keys = {field: setting_keys(field, moved) for field in ROWS}
        self._text = Content("")

    def show(self, rows: Sequence[Option], look: Mapping[str, Any] | None, changed: str) -> bool:
        """Whether other words than before are shown. rows: the settings. changed: the setting that
        a key was pressed for last, or ""."""
        width = self.content_size.width
        lines = [self._line(option, look, changed, width) for option in rows]
        if changed:
            lines.append(setting_words(ROWS[changed], look))
        text = Content("\n").join(lines)
        if text.is_same(self._text):  # not ==, which compares no colours
            return False
        self._text = text
        self.update(text, layout=False)
        return True

    def _line(
        self, option: Option, look: Mapping[str, Any] | None, changed: str, width: int
    ) -> Content:
        label = _SHORT_LABELS.get(option.name, option.label).ljust(_LABEL_CELLS)
        keys = self._keys[option.name].ljust(_KEY_CELLS)
        value = fact_text(look[option.name]) if look else ""
        room = width - _KEY_CELLS - _LABEL_CELLS - 1
        limits = ""
        if width >= _WIDE and isinstance(option.kind, Integer | Number):
            limits = f"{option.kind.minimum:g}..{option.kind.maximum:g}".rjust(_RANGE_CELLS)
        if len(value) > room - len(limits):  # on a line of its own
            label, value, limits = label.rstrip(), f"\n  {shortened(value, width - 2)}", ""
        else:
            value = value.ljust(room - len(limits))
        if look is not None and not is_used(option.name, look):
            return Content.styled(f"{keys} {label}{value}{limits}", "dim")
        style = "bold $accent" if option.name == changed else "bold"
        return Content.assemble((f"{keys} ", "$accent"), label, (value, style), (limits, "dim"))


def setting_keys(field: str, moved: Mapping[str, str]) -> str:
    """The keys of a setting: `ws` for more and less, `` `..6`` for the modes."""
    ids = [f"merge-{name}" for name in _KEYS_OF[field]]
    signs = [keys_text(moved.get(id, KEYS_BY_ID[id].keys).split(",")[0]) for id in ids]
    return ("-" if field == "mode" else "").join(signs)


def setting_words(option: Option, look: Mapping[str, Any] | None) -> Content:
    """What the setting is for, its range, and what its value means."""
    unit = f" {option.unit}" if option.unit else ""
    words = f"{option.kind.range_text()}{unit}. {option.help}"
    if isinstance(option.kind, Choice):
        words = dict(option.kind.choices).get(str(look[option.name]), "") if look else option.help
    unused = " (no use in this mode)" if look and not is_used(option.name, look) else ""
    return Content.assemble((f"{option.label}{unused}: ", "$primary"), words)


def shortened(text: str, width: int) -> str:
    """At most `width` cells, the end given up."""
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"
