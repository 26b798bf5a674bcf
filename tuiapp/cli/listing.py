"""`stages`, `runs`, `log`: what there is."""

from __future__ import annotations

import json
import sys
import time

from engine import catalog
from engine.protocol.errors import EXIT_DONE
from engine.protocol.options import Choice, Option
from engine.protocol.spec import StageSpec, as_json
from engine.runtime import client
from tuiapp.bridge.wording import condition_text, life_text, plain_text, setting_text
from tuiapp.cli.arguments import no_more, read_switches


def stages(words: list[str]) -> int:
    """`facewright stages [STAGE] [--json]`."""
    switches = read_switches(words, ("json",))
    no_more(switches.rest[1:])
    if switches.rest:
        return describe_stage(catalog.stage(switches.rest[0]), as_json=switches.json)
    if switches.json:
        _print_json([_stage_json(spec) for spec in catalog.STAGES])
        return EXIT_DONE
    width = max(len(spec.id) for spec in catalog.STAGES)
    for spec in catalog.STAGES:
        sys.stdout.write(f"{spec.id:{width}}  {spec.summary}\n")
    return EXIT_DONE


def describe_stage(spec: StageSpec, *, as_json: bool) -> int:
    """One stage with all its options, and those of each model class if it trains, or of those that
    have a morph factor."""
    if as_json:
        _print_json(_stage_json(spec))
        return EXIT_DONE
    lines = [f"{spec.id}: {spec.summary}", *([spec.help] if spec.help else [])]
    if spec.replaces:
        lines.append(f"Only with --yes, and by way of the trash, it replaces {spec.replaces}.")
    lines.append("")
    lines += _option_lines(spec.options)
    if spec.trains_model:
        for model in catalog.models_of(spec):
            lines += ["", f"with --model-class {model.id} ({model.summary})"]
            lines += _option_lines(model.options)
    if spec.morph_options:
        morphing = [model.id for model in catalog.models_of(spec) if model.has_morph_factor]
        lines += ["", f"with --model-class {' or '.join(morphing)}"]
        lines += _option_lines(spec.morph_options)
    sys.stdout.write("\n".join(lines) + "\n")
    return EXIT_DONE


def runs(words: list[str]) -> int:
    """`facewright runs -w DIR [--json]`."""
    switches = read_switches(words, ("json",))
    no_more(switches.rest)
    infos = client.list_runs(switches.workspace)
    if switches.json:
        _print_json([_run_json(info) for info in infos])
        return EXIT_DONE
    for info in infos:
        started = time.strftime("%Y-%m-%d %H:%M", time.localtime(info.started_at))
        progress = _progress_text(info)
        sys.stdout.write(f"{info.id}  {info.state:9}  {started}  {progress}\n")
    return EXIT_DONE


def log(words: list[str]) -> int:
    """`facewright log [RUN] -w DIR`: the engine's log, what libraries printed."""
    from tuiapp.cli.run import choose_run

    switches = read_switches(words, ())
    chosen = choose_run(switches, live_first=False)
    if chosen.log_path.is_file():
        sys.stdout.write(chosen.log_path.read_text(errors="replace"))
    return EXIT_DONE


def _option_lines(options: tuple[Option, ...]) -> list[str]:
    lines = []
    for option in options:
        default = "" if option.default in ("", None) else f" [{setting_text(option.default)}]"
        unit = f" {option.unit}" if option.unit else ""
        lines.append(f"  {option.flag}  {option.kind.range_text()}{unit}{default}")
        lines.append(f"      {option.help}{_told_besides(option)}")
        if isinstance(option.kind, Choice):
            lines += [f"      {value} - {words}" for value, words in option.kind.choices if words]
    return lines


def _told_besides(option: Option) -> str:
    """When it counts, when it may be set, and that its default varies, each as a sentence."""
    varies = "The default follows from other options." if option.derive else ""
    told = (life_text(option), condition_text(option), varies)
    return "".join(f" {sentence}" for sentence in told if sentence)


def _stage_json(spec: StageSpec) -> dict[str, object]:
    described: dict[str, object] = {
        "id": spec.id,
        "title": spec.title,
        "group": spec.group,
        "summary": spec.summary,
        "help": spec.help,
        "replaces": spec.replaces,
        "options": [as_json(option) for option in spec.options],
    }
    if spec.trains_model:
        described["model_classes"] = {
            model.id: [as_json(option) for option in model.options]
            for model in catalog.models_of(spec)
        }
    if spec.morph_options:
        described["morph_options"] = [as_json(option) for option in spec.morph_options]
    return described


def _run_json(info: client.RunInfo) -> dict[str, object]:
    return {
        "id": info.id,
        "stage": info.stage,
        "state": str(info.state),
        "started_at": info.started_at,
        "ended_at": info.ended_at,
        "done": info.progress.done if info.progress else None,
        "total": info.progress.total if info.progress else None,
        "message": info.message,
        "folder": str(info.folder.path),
    }


def _progress_text(info: client.RunInfo) -> str:
    if info.message:
        return plain_text(info.message)
    if info.progress is None:
        return ""
    total = f"/{info.progress.total}" if info.progress.total else ""
    return f"{info.progress.done}{total} {info.progress.unit}"


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
