"""Reading a command's words: its own switches, and a stage's options made from its spec."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from engine import catalog
from engine.protocol.errors import UsageError
from engine.protocol.options import FilePath, Flag, Option, unknown_option
from engine.protocol.spec import StageSpec
from engine.protocol.workspace import Workspace


@dataclass
class Switches:
    """The words that every command shares. `rest` keeps the others in order."""

    workspace: Workspace
    json: bool = False
    detach: bool = False
    yes: bool = False
    help: bool = False
    rest: list[str] = field(default_factory=list)


_BOOLEAN = {"--json": "json", "--detach": "detach", "--yes": "yes", "-h": "help", "--help": "help"}


def read_switches(words: list[str], allowed: tuple[str, ...]) -> Switches:
    """Split off `-w DIR` and the `allowed` ones of --json, --detach, --yes."""
    switches = Switches(Workspace(Path.cwd()))
    pending = list(words)
    while pending:
        word = pending.pop(0)
        name, equals, value = word.partition("=")
        if name in ("-w", "--workspace"):
            if not equals and not pending:
                raise UsageError(f"{word} needs a folder", "for example: -w my-project")
            path = Path(value if equals else pending.pop(0)).expanduser()
            switches.workspace = Workspace(path.absolute())
        elif word in _BOOLEAN and _BOOLEAN[word] in (*allowed, "help"):
            setattr(switches, _BOOLEAN[word], True)
        else:
            switches.rest.append(word)
    return switches


def no_more(words: list[str]) -> None:
    """Raise `UsageError` if words are left."""
    if words:
        raise UsageError(f"unexpected {words[0]!r}", "`facewright --help` shows the usage")


def option_words(words: list[str], name: str) -> tuple[str | None, list[str]]:
    """The value of a command's own option `--name`, None without it; and the other words. Raises
    `UsageError` where the value is missing."""
    rest = list(words)
    value: str | None = None
    for at, word in reversed(list(enumerate(words))):
        if word.partition("=")[0] != f"--{name}":
            continue
        given = [word.partition("=")[2]] if "=" in word else rest[at + 1 : at + 2]
        if not given or given[0].startswith("--"):
            raise UsageError(f"--{name} needs a value", f"for example: --{name} VALUE")
        value = value or given[0]
        del rest[at : at + (1 if "=" in word else 2)]
    return value, rest


def read_options(
    spec: StageSpec, words: list[str], model_class: str | None = None
) -> dict[str, object]:
    """A stage's options from `--name value`, `--name=value`, `--flag`, `--no-flag`; as text, except
    flags. Raises `UsageError` for unknown names, missing values and words that are no option.

    model_class: the class if the words name none; None: the stage's default."""
    raw = _split(words)
    named = next((v for n, v in raw if n == "model_class" and v is not None), model_class)
    by_name = {option.name: option for option in catalog.options_of(spec, named)}
    values: dict[str, object] = {}
    for name, value in raw:
        option, positive = _find(by_name, name, spec)
        if isinstance(option.kind, Flag):
            values[option.name] = _flag_value(option, positive, value)
        elif value is None:
            raise UsageError(f"{option.flag} needs a value", f"{option.kind.range_text()}")
        else:
            values[option.name] = _absolute(option, value)
    return values


def _split(words: list[str]) -> list[tuple[str, str | None]]:
    pairs: list[tuple[str, str | None]] = []
    pending = list(words)
    while pending:
        word = pending.pop(0)
        if not word.startswith("--"):
            raise UsageError(f"unexpected {word!r}", "options look like --name value")
        name, equals, value = word[2:].partition("=")
        given: str | None = value if equals else None
        if not equals and pending and not pending[0].startswith("--"):
            given = pending.pop(0)
        pairs.append((name.replace("-", "_"), given))
    return pairs


def _find(by_name: dict[str, Option], name: str, spec: StageSpec) -> tuple[Option, bool]:
    if name in by_name:
        return by_name[name], True
    positive = name.removeprefix("no_")
    if positive in by_name and isinstance(by_name[positive].kind, Flag):
        return by_name[positive], False
    if others := catalog.classes_with_option(spec, name):
        flag = "--" + name.replace("_", "-")
        raise UsageError(
            f"{flag} is not an option of this model class",
            f"leave it out, or add --model-class {' or '.join(others)}",
            code="unknown-option",
        )
    raise unknown_option(name, tuple(by_name))


def _flag_value(option: Option, positive: bool, value: str | None) -> bool:
    if value is None:
        return positive
    said = bool(option.parse(value))
    return said if positive else not said


def _absolute(option: Option, value: str) -> str:
    if isinstance(option.kind, FilePath) and value:
        return str(Path(value).expanduser().absolute())
    return value
