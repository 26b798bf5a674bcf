"""What `facewright stages` tells of a stage."""

from __future__ import annotations

import json

import pytest

from engine import catalog
from tuiapp.cli.listing import describe_stage


def test_what_a_stage_replaces_and_that_it_takes_a_yes_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = catalog.stage("faceset-pack")
    describe_stage(spec, as_json=False)
    told = f"Only with --yes, and by way of the trash, it replaces {spec.replaces}."
    assert told in capsys.readouterr().out
    describe_stage(spec, as_json=True)
    described = json.loads(capsys.readouterr().out)
    assert (described["help"], described["replaces"]) == (spec.help, spec.replaces)
