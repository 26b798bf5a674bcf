"""The pages of `.docs` that are made from the catalog: all stages, model classes and goals, with
every option. Each page is a pure function of the rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine import catalog
from engine.protocol.goals import GOALS, Goal
from engine.protocol.options import Choice, Option
from engine.protocol.spec import ModelSpec, StageSpec
from tuiapp.bridge.goal_words import set_words
from tuiapp.bridge.wording import condition_text, life_text, setting_text

REPOSITORY = Path(__file__).parents[2]
COMMAND = "make docs"


def pages() -> dict[Path, str]:
    """Every page as it should be, by where it lies."""
    folder = REPOSITORY / ".docs"
    return {
        folder / "stages.md": stages_page(),
        folder / "options.md": options_page(),
        folder / "goals.md": goals_page(),
    }


def stages_page() -> str:
    """All stages by group, each with its own options."""
    parts = [_head("Stages", "`facewright run STAGE -w DIR --option value ...` runs one.")]
    parts.append("")
    for group in dict.fromkeys(spec.group for spec in catalog.STAGES):
        specs = [spec for spec in catalog.STAGES if spec.group == group]
        links = ", ".join(f"[{spec.id}](#{spec.id})" for spec in specs)
        parts.append(f"- {group}: {links}")
    parts += [_stage(spec) for spec in catalog.STAGES]
    return _page(parts)


def options_page() -> str:
    """All model classes with their options."""
    intro = (
        "Options of the stages that train, besides [their own](stages.md#train):"
        " `--model-class` chooses the class."
    )
    classes = ", ".join(f"[{model.id}](#{model.id})" for model in catalog.MODELS)
    return _page([_head("Model classes", intro), f"\n- {classes}", *map(_model, catalog.MODELS)])


def goals_page() -> str:
    """All goals: what holds on every device, with the reasons, and the sizes by memory."""
    intro = (
        "`facewright run STAGE --goal GOAL` sets these where no option says otherwise; `facewright"
        " goals` tells them for the device there is. The memory is reckoned from the options"
        " (weights, gradients, optimizer, what a step keeps), not measured on such devices, and"
        " stays below two thirds of theirs: `train-preflight` tries what fits."
    )
    return _page([_head("Goals", intro), *map(_goal, GOALS)])


def _head(title: str, intro: str) -> str:
    made = f"Made from the option rows by `{COMMAND}`; a change here is lost."
    return f"# {title}\n\n<!-- {made} -->\n\n{intro}"


def _page(parts: Iterable[str]) -> str:
    return "\n".join(parts).rstrip() + "\n"


def _stage(spec: StageSpec) -> str:
    lines = [f"\n## {spec.id}", "", f"**{spec.title}.** {_text(spec.summary)}"]
    if spec.help:
        lines += ["", _text(spec.help)]
    if spec.replaces:
        lines += [
            "",
            f"Only with `--yes`, and by way of the trash, it replaces {_text(spec.replaces)}.",
        ]
    if spec.rehearses:
        lines += ["", f"It tries out what [{spec.rehearses}](#{spec.rehearses}) would need."]
    if spec.options:
        lines += ["", *_table(spec.options)]
    if spec.trains_model:
        links = ", ".join(f"[{m.id}](options.md#{m.id})" for m in catalog.models_of(spec))
        lines += ["", f"Its model classes add options of their own: {links}."]
    if spec.morph_options:
        lines += ["", "With a model class that has a morph factor:", ""]
        lines += _table(spec.morph_options)
    return "\n".join(lines)


def _model(spec: ModelSpec) -> str:
    facts = [
        f"Losses: {', '.join(spec.loss_names)}." if spec.loss_names else "",
        f"In DeepFaceLab: {spec.dfl_class}." if spec.dfl_class else "",
        "" if spec.swaps else "It swaps no faces.",
        _morphing(spec),
    ]
    told = " ".join(fact for fact in facts if fact)
    head = [f"\n## {spec.id}", "", f"**{spec.title}.** {_text(spec.summary)}", "", told, ""]
    return "\n".join([*head, *(_table(spec.options) if spec.options else ["No options."])])


def _morphing(spec: ModelSpec) -> str:
    if not spec.has_morph_factor:
        return ""
    return "A file may have a morph factor." if spec.is_file else "Has a morph factor."


def _table(options: Iterable[Option]) -> list[str]:
    head = ["| option | values | default | may be set | what it does |", "|---|---|---|---|---|"]
    return [*head, *map(_row, options)]


def _row(option: Option) -> str:
    helped = " ".join(text for text in (option.help, condition_text(option)) if text)
    cells = (
        f"`{option.flag}`<br>{_cell(option.label)}",
        _values(option),
        _default(option),
        _life(option),
        _cell(helped),
    )
    return f"| {' | '.join(cells)} |"


def _values(option: Option) -> str:
    if isinstance(option.kind, Choice):
        choices = option.kind.choices
        return "<br>".join(f"`{value}` {_cell(words)}".rstrip() for value, words in choices)
    unit = f", {option.unit}" if option.unit else ""
    return _cell(f"{option.kind.range_text()}{unit}")


def _default(option: Option) -> str:
    if option.derive is not None:
        return f"by other options (`{setting_text(option.default)}`)"
    return f"`{setting_text(option.default)}`" if option.default not in ("", None) else "none"


def _life(option: Option) -> str:
    kept = "" if option.kept else ", for one run"
    return (life_text(option).rstrip(".").lower() or "at any start") + kept


def _text(text: str) -> str:
    """Words as they are: nothing in them is Markdown."""
    return " ".join(text.split()).replace("*", "\\*").replace("<", "&lt;")


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|")


def _goal(goal: Goal) -> str:
    lines = [f"\n## {goal.id}", "", f"**{goal.title}.** {goal.summary}", ""]
    lines += [f"{number}. {step}" for number, step in enumerate(goal.steps, start=1)]
    lines += ["", "| stage | sets | why |", "|---|---|---|"]
    for stage_id, settings in goal.settings.items():
        for row in settings:
            words = set_words(goal, stage_id, {row.option: row.value})
            lines.append(f"| {stage_id} | `{words}` | {_cell(row.why)} |")
    for name, why in goal.reasons.items():
        if any(name in size.values for size in goal.sizes):
            lines.append(f"| train | `--{name.replace('_', '-')}` by device | {_cell(why)} |")
    lines += ["", "| device | sets | takes about, GiB |", "|---|---|---|"]
    for size in goal.sizes:
        device = f"GPU, {size.from_gib:g} GiB or more" if size.from_gib else "CPU"
        words = set_words(goal, "train", size.values)
        lines.append(f"| {device} | `{words}` | {size.takes_gib:.1f} |")
    return "\n".join(lines)
