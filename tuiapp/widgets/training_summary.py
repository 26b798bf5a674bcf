"""A training in four lines: model and state; progress; the step; the machine."""

from __future__ import annotations

from dataclasses import replace

from textual.content import Content
from textual.widgets import Static

from tuiapp.bridge.machine_load import GpuLoad, MachineLoad
from tuiapp.bridge.run_view import RunView
from tuiapp.bridge.wording import bytes_text, count_text, duration_text, losses_text, plain_text
from tuiapp.widgets.run_summary import progress_line, title_line

_SEPARATOR = "  "


class TrainingSummary(Static):
    """Four lines however wide: what does not fit at the end of a line is left out whole."""

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._lines: list[Content] = []

    def show(self, view: RunView, now: float, load: MachineLoad, others: int) -> None:
        """others: how many more trainings go on."""
        width = self.content_size.width
        title = title_line(view, now)
        if others:
            more = f"  + {count_text(others, 'more training')} (n)"
            title = Content.assemble(title, (more, "$accent"))
        lines = [
            title,
            progress_line(replace(view, note=""), width),
            fitted(step_words(view, now), width),
            fitted([*state_words(view), *load_words(load)], width),
        ]
        if lines != self._lines:
            self._lines = lines
            self.update(Content("\n").join(lines), layout=False)


def fitted(words: list[str], width: int) -> Content:
    """As many of the words as have room, the first ones."""
    text = ""
    for word in words:
        longer = f"{text}{_SEPARATOR}{word}" if text else word
        if text and len(longer) > width:
            break
        text = longer
    return Content(text)


def step_words(view: RunView, now: float) -> list[str]:
    """Iteration, losses, step time, last save with its age while the run goes on."""
    if view.iteration is None:
        return ["no iteration yet"]
    words = [f"iteration {count_text(view.iteration)}", losses_text(view.loss_names, view.losses)]
    if view.step_ms is not None:
        words.append(f"{view.step_ms:.0f} ms/step")
    if view.last_save_iteration is not None:
        age = ""
        if view.last_saved_at and view.state.live:
            age = f", {duration_text(now - view.last_saved_at)} ago"
        words.append(f"saved at {view.last_save_iteration}{age}")
    return words


def state_words(view: RunView) -> list[str]:
    """The plan's phase and what else the engine notes, batch, precision, samples."""
    words = [plain_text(view.note)] if view.note else []
    if "batch_size" in view.options:
        words.append(f"batch {view.options['batch_size']}")
    if "precision" in view.options:
        words.append(str(view.options["precision"]))
    known = {**view.figures, **view.facts}
    wanted, made = (known.get(f"samples_{name}_per_s") for name in ("wanted", "deliverable"))
    if wanted and made:
        words.append(f"samples {wanted:.0f}/s of {made:.0f}/s")
    return words


def load_words(load: MachineLoad) -> list[str]:
    """GPUs if there are any, else the CPU; the engine's memory."""
    words = [gpu_text(gpu) for gpu in load.gpus]
    if load.cpu is not None and not load.gpus:
        words.append(f"CPU {load.cpu:.0%}")
    if load.memory_bytes is not None:
        words.append(f"engine {bytes_text(load.memory_bytes)}")
    return words


def gpu_text(gpu: GpuLoad) -> str:
    """`GPU 0 87% 10.2 GB of 25.4 GB 71 °C`."""
    memory = f"{bytes_text(gpu.used_bytes)} of {bytes_text(gpu.total_bytes)}"
    warmth = f" {gpu.temperature_c} °C" if gpu.temperature_c is not None else ""
    return f"GPU {gpu.index} {gpu.busy:.0%} {memory}{warmth}"
