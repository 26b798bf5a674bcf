from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from engine import catalog
from engine.protocol.options import complete_values
from tuiapp.bridge.wording import (
    bytes_text,
    command_line,
    count_text,
    duration_text,
    losses_text,
    plain_text,
    rate_text,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0, "0s"), (59.4, "59s"), (59.6, "1m00s"), (7500, "2h05m"), (273600, "3d04h")],
)
def test_durations_are_short(seconds: float | None, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (81_200_000, "81.2 MB")]
)
def test_sizes_are_decimal(count: int, text: str) -> None:
    assert bytes_text(count) == text


def test_counts_are_grouped_and_in_the_right_number() -> None:
    assert count_text(1, "face") == "1 face"
    assert count_text(12345, "face") == "12 345 faces"
    assert count_text(1234567) == "1 234 567"


def test_slow_work_is_told_in_seconds_per_unit() -> None:
    assert rate_text(3.25, "iterations") == "3.2 it/s"
    assert rate_text(0.08, "iterations") == "12.5 s/it"
    assert rate_text(None, "frames") == "-"


def test_losses_have_names_and_four_digits() -> None:
    assert losses_text(("src", "dst"), (0.43214, 0.5)) == "src 0.4321  dst 0.5000"


def test_a_file_name_cannot_command_the_terminal() -> None:
    assert "\x1b" not in plain_text("data_src.\x1b[2J\x1b]52;c;aGk=\x07mp4")
    assert plain_text("a\nb\tc\x07") == "a b   c\N{REPLACEMENT CHARACTER}"
    assert plain_text(os.fsdecode(b"odd\xff.jpg")) == "odd\N{REPLACEMENT CHARACTER}.jpg"


def test_the_command_line_gives_only_what_differs_from_the_defaults() -> None:
    spec = catalog.stage("faces-extract")
    values = complete_values(spec.options, {"side": "src", "jpeg_quality": 80, "fresh": True})
    words = shlex.split(command_line(spec.id, spec.options, values, Path("/a b")))
    assert words == [
        "facewright",
        "run",
        "faces-extract",
        "-w",
        "/a b",
        "--side",
        "src",
        "--jpeg-quality",
        "80",
        "--fresh",
    ]


def test_a_flag_that_is_on_by_default_is_turned_off_by_its_no_form() -> None:
    spec = catalog.stage("video-render")
    assert command_line(spec.id, spec.options, {"audio": False}, Path("w")).endswith("--no-audio")


def test_the_command_line_for_a_model_that_exists_gives_only_what_changes() -> None:
    spec = catalog.stage("train")
    options = catalog.options_of(spec, "saehd")
    stored = {"batch_size": 2, "resolution": 64}
    values = {"model": "anna", "model_class": "saehd", "batch_size": 8, "resolution": 64}
    words = shlex.split(command_line(spec.id, options, values, Path("w"), stored))
    assert words[5:] == ["--model", "anna", "--model-class", "saehd", "--batch-size", "8"]
