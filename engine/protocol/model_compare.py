"""Two models' options side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.protocol.options import Option


@dataclass(frozen=True)
class Compared:
    """One option of two models; None where a model does not have it, or nobody knows its value."""

    name: str
    label: str
    first: Any
    second: Any

    @property
    def differs(self) -> bool:
        return bool(self.first != self.second)


def compare_options(
    first: Mapping[str, Any], second: Mapping[str, Any], rows: Iterable[Option]
) -> list[Compared]:
    """Every option that either model has a value of, in the order of `rows`; what no row tells of
    (a later version's) comes last, by name."""
    labels = {row.name: row.label for row in rows}
    others = sorted({*first, *second} - set(labels))
    names = [name for name in (*labels, *others) if name in first or name in second]
    return [
        Compared(name, labels.get(name, name), first.get(name), second.get(name)) for name in names
    ]
