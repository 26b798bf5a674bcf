"""Every sorting method gives the order that DeepFaceLab gave for the same faces."""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from engine.faces.sorting.ranking import Ranking, SortSettings
from engine.faces.sorting.scores import MeasuredFaces, Values, measure_face, measures_for
from engine.protocol.workspace import list_images
from engine.stages.faceset_sort.methods import METHODS, method_named
from tests.support.shared import shared_path


@cache
def expected() -> dict[str, Any]:
    methods: dict[str, Any] = json.loads(shared_path("golden", "sort", "expected.json").read_text())
    return methods["methods"]


@cache
def column(name: str) -> Values:
    paths = list_images(shared_path("golden", "sort", "faceset"))
    return np.stack([measure_face(path, [name])[name] for path in paths])


def measured(method_name: str) -> MeasuredFaces:
    paths = tuple(list_images(shared_path("golden", "sort", "faceset")))
    names = measures_for(method_named(method_name).measures, len(paths))
    return MeasuredFaces(paths, {name: column(name) for name in names})


def rank(method_name: str, settings: SortSettings) -> tuple[MeasuredFaces, Ranking]:
    faces = measured(method_name)
    module, function = method_named(method_name).code.split(":")
    ranking: Ranking = getattr(import_module(module), function)(faces, settings, lambda done: None)
    return faces, ranking


def names(faces: MeasuredFaces, rows: Any) -> list[str]:
    return [faces.names[row] for row in rows]


CASES = {
    **{method.name: (method.name, SortSettings()) for method in METHODS[:12]},
    "absdiff_similar": ("absdiff", SortSettings(similar=True)),
    "absdiff_dissimilar": ("absdiff", SortSettings(similar=False)),
    **{
        f"{name}_{target}": (name, SortSettings(target=target))
        for name in ("final", "final-fast")
        for target in (2000, 256, 128)
    },
}


@pytest.mark.parametrize("case", CASES)
def test_a_method_gives_the_order_and_trash_of_DeepFaceLab(case: str) -> None:
    faces, ranking = rank(*CASES[case])
    assert names(faces, ranking.order) == expected()[case]["order"]
    assert set(names(faces, ranking.trash)) == set(expected()[case]["trash"])


VALUES = {
    "blur": "sharpness",
    "motion-blur": "motion_sharpness",
    "face-source-rect-size": "rect_area_px",
    "brightness": "brightness",
    "hue": "hue",
    "black": "black_values",
}


@pytest.mark.parametrize("method", VALUES)
def test_a_measure_has_the_value_of_DeepFaceLab(method: str) -> None:
    _, ranking = rank(method, SortSettings())
    values = column(VALUES[method])[list(ranking.order), 0]
    np.testing.assert_allclose(values, expected()[method]["values"], rtol=1e-5)


def test_a_pose_is_that_of_DeepFaceLab() -> None:
    for method, at in (("face-pitch", 0), ("face-yaw", 1)):
        _, ranking = rank(method, SortSettings())
        angles_rad = column("pitch_yaw_rad")[list(ranking.order), at]
        np.testing.assert_allclose(angles_rad, expected()[method]["values"], atol=1e-4)
