"""Turning marking off and on, and what is kept of it."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest

from engine import catalog
from engine.protocol.errors import InputError, UsageError
from engine.protocol.workspace import Workspace
from engine.provenance.marking import LARGEST_BYTES, marking_path, marking_state
from tests.support.context import context_for


def switch(root: Path, **options):
    module, _, function = catalog.stage("marking").code.partition(":")
    context = context_for(root, "marking", **options)
    getattr(import_module(module), function)(context)
    return context


def test_marking_is_on_where_nobody_said_anything(tmp_path):
    state = marking_state(Workspace(tmp_path))
    assert (state.on, state.words) == (True, "on")


@pytest.mark.parametrize("reason", ["", "   ", "\t"])
def test_turning_it_off_without_a_reason_is_refused_and_nothing_is_written(tmp_path, reason):
    with pytest.raises(UsageError, match="reason") as refused:
        switch(tmp_path, state="off", reason=reason)
    assert "--reason" in refused.value.remedy
    assert refused.value.exit_status == 2
    assert not marking_path(Workspace(tmp_path)).exists()
    assert marking_state(Workspace(tmp_path)).on


def test_every_switch_stays_in_the_log_with_its_time_and_reason(tmp_path):
    switch(tmp_path, state="off", reason="the broadcaster signs")
    off = marking_state(Workspace(tmp_path))
    assert not off.on
    assert off.words == f"OFF since {off.since:%Y-%m-%d}: the broadcaster signs"
    switch(tmp_path, state="on")
    lines = marking_path(Workspace(tmp_path)).read_text().split("\n")
    log = [json.loads(line) for line in lines if line]
    assert [(line["on"], line["reason"]) for line in log] == [
        (False, "the broadcaster signs"),
        (True, ""),
    ]
    assert all(line["at"].endswith("Z") for line in log)
    assert marking_state(Workspace(tmp_path)).on


def test_a_line_that_a_power_cut_left_half_written_changes_nothing(tmp_path):
    switch(tmp_path, state="off", reason="a test")
    path = marking_path(Workspace(tmp_path))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    assert marking_state(Workspace(tmp_path)).reason == "a test"
    switch(tmp_path, state="on")
    assert marking_state(Workspace(tmp_path)).on


@pytest.mark.parametrize(
    "text",
    [
        b"not json",
        b'{"at":"2026-01-01T00:00:00Z","on":false}',  # without a reason
        b'{"at":"2026-01-01T00:00:00","on":false,"reason":"no zone"}',
        b"\xff\xfe",
        b"x" * (LARGEST_BYTES + 1),
    ],
)
def test_a_log_that_cannot_be_read_means_on_and_is_never_written_to(tmp_path, text):
    path = marking_path(Workspace(tmp_path))
    path.parent.mkdir()
    path.write_bytes(text)
    state = marking_state(Workspace(tmp_path))
    assert state.on
    assert str(path) in state.words
    with pytest.raises(InputError, match=r"marking\.jsonl"):
        switch(tmp_path, state="off", reason="a test")
    assert path.read_bytes() == text
