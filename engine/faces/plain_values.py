"""What may be in the value of a face file's pickle, and how large and deep it may be."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.faces.pickle_rules import unsafe

PlainValue = Any  # None, bool, int, float, str, bytes, list, tuple, dict with str keys, numpy array

DEEPEST = 64  # lists in dicts in lists; face files need five
CONTAINERS = frozenset({list, dict, tuple})
PLAIN = CONTAINERS | {int, float, bool, str, bytes, type(None), np.ndarray}


def check_expansion(root: PlainValue, bytes_allowed: int) -> None:
    """Refuse values that contain themselves, are too deep, or grow too large when written out.

    Only needed where containers were shared through the memo or nested from the inside. Each object
    is measured once, however often it is used.
    """
    measured: dict[int, tuple[int, int]] = {}  # id -> bytes written out, depth
    path = [(root, iter(_children(root)))]
    open_ids = {id(root)}
    while path:
        value, remaining = path[-1]
        for child in remaining:
            if type(child) not in CONTAINERS or id(child) in measured:
                continue
            if id(child) in open_ids:
                raise unsafe("a value that contains itself")
            open_ids.add(id(child))
            path.append((child, iter(_children(child))))
            break
        else:
            path.pop()
            open_ids.discard(id(value))
            parts = [_measure(child, measured) for child in _children(value)]
            size = 1 + sum(part[0] for part in parts)
            depth = 1 + max((part[1] for part in parts), default=0)
            if size > bytes_allowed or depth > DEEPEST:
                raise unsafe("a value that expands without bound or is nested too deep")
            measured[id(value)] = size, depth


def holds_containers(value: Any) -> bool:
    if type(value) is tuple:
        return not CONTAINERS.isdisjoint(map(type, value))
    return type(value) in CONTAINERS


def _children(value: Any) -> list[Any] | tuple[Any, ...]:
    if type(value) is dict:
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list | tuple) else ()


def _measure(value: Any, measured: dict[int, tuple[int, int]]) -> tuple[int, int]:
    if type(value) in CONTAINERS:
        return measured[id(value)]
    if isinstance(value, np.ndarray):
        return value.nbytes, 0
    return (len(value) if isinstance(value, str | bytes) else 1), 0
