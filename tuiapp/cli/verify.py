"""`facewright verify FILE`: what a file says of how it was made, and whether that holds."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from engine.protocol.errors import EXIT_DONE, UsageError
from engine.provenance.identity import Trust, trust_of
from engine.provenance.manifest import SOURCE_TYPE
from engine.provenance.reading import Action, Ingredient, Reading, Standing, examine
from engine.provenance.settings import signing_settings
from tuiapp.bridge.wording import plain_text
from tuiapp.cli.arguments import read_switches

_USAGE = "facewright verify FILE [--trust PEM] [--json]"
EXIT_STATUS = {
    Standing.TRUSTED: EXIT_DONE,
    Standing.UNTRUSTED: 5,
    Standing.INVALID: 6,
    Standing.UNMARKED: 7,
}
_VERDICTS = {
    Standing.TRUSTED: "The manifest holds: nothing was changed since it was signed, and the signer"
    " is trusted here.",
    Standing.UNTRUSTED: "The manifest holds: nothing was changed since it was signed. Nothing is"
    " known of the signer (--trust PEM names certificates to trust).",
    Standing.INVALID: "The manifest does NOT hold.",
    Standing.UNMARKED: "There is no manifest: nothing is said of how this was made.",
}
_ACTIONS = {
    "c2pa.opened": "opened a file to work on",
    "c2pa.edited": "altered it",
    "c2pa.created": "made it",
}


def verify(words: list[str]) -> int:
    """Explain a file's manifest, or that of a folder of pictures; the exit status says how it
    stands (`EXIT_STATUS`)."""
    switches = read_switches(words, ("json",))
    path, trusted = _arguments(switches.rest)
    trust = trust_of(signing_settings(), trusted)
    reading = examine(path, trust.pem)
    if switches.json:
        told = {"file": str(path), **asdict(reading), "says_altered": reading.says_altered}
        sys.stdout.write(json.dumps(told | {"trust_problem": trust.problem}, indent=2) + "\n")
    else:
        lines = _lines(path, reading) + _trust_lines(reading, trust)
        sys.stdout.write("".join(f"{plain_text(line)}\n" for line in lines))
    return EXIT_STATUS[reading.standing]


def _arguments(words: list[str]) -> tuple[Path, list[Path]]:
    """The file, and files of trusted certificates."""
    files: list[Path] = []
    trusted: list[Path] = []
    pending = list(words)
    while pending:
        name, equals, value = pending.pop(0).partition("=")
        if name == "--trust":
            if not equals and not pending:
                raise UsageError("--trust needs a file of certificates", _USAGE)
            trusted.append(Path(value if equals else pending.pop(0)).expanduser())
        elif name.startswith("-"):
            raise UsageError(f"unknown option {name}", _USAGE)
        else:
            files.append(Path(f"{name}{equals}{value}").expanduser())
    if len(files) != 1:
        raise UsageError("verify needs one file or folder of pictures", _USAGE)
    return files[0], trusted


def _lines(path: Path, reading: Reading) -> list[str]:
    lines = [f"{path.name}: {_VERDICTS[reading.standing]}"]
    lines += [f"  problem: {problem}" for problem in reading.problems]
    if not reading.where:
        return lines
    when = f" at {reading.signed_at}" if reading.signed_at else ""
    who = reading.signer or "somebody without a name"
    lines += [f"  signed by {who}{when}, with {reading.program}; {reading.where}"]
    for action in reading.actions:
        lines += _action_lines(action)
    for ingredient in reading.ingredients:
        lines += _ingredient_lines(ingredient)
    return lines


def _trust_lines(reading: Reading, trust: Trust) -> list[str]:
    if reading.standing is not Standing.UNTRUSTED or not trust.problem:
        return []
    return [f"  not trusted either: whom results are signed by here. {trust.problem}"]


def _action_lines(action: Action) -> list[str]:
    by = f"{action.program} " if action.program else ""
    altered = " with the output of a trained model" if action.source_type == SOURCE_TYPE else ""
    lines = [f"  {by}{_ACTIONS.get(action.kind, action.kind)}{altered}"]
    return lines + [f"    {name}: {value}" for name, value in action.parameters.items()]


def _ingredient_lines(ingredient: Ingredient) -> list[str]:
    signed = f"signed by {ingredient.signer}" if ingredient.signer else "signed"
    marked = f"with a manifest of its own, {signed}" if ingredient.marked else "without a manifest"
    lines = [f"  made from: {ingredient.title} ({marked})"]
    return lines + [f"    problem when it was taken in: {one}" for one in ingredient.problems]
