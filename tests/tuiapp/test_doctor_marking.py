"""What the doctor says of marking: whether it is on, and who signs."""

from __future__ import annotations

import pytest

from engine.protocol.user_folders import config_folder
from engine.protocol.workspace import Workspace
from engine.provenance.identity import identity_of
from engine.provenance.marking import switch_marking
from engine.provenance.self_made import self_made_folder
from engine.provenance.settings import SigningSettings
from tuiapp.doctor import Finding, Verdict, examine


@pytest.fixture(autouse=True)
def own_user(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))


def findings(root) -> list[Finding]:
    found = examine(root, probe_engine=False)
    return [finding for finding in found if finding.topic == "marking"]


def test_the_doctor_tells_that_results_are_marked_and_by_which_certificate(tmp_path):
    state, certificate = findings(tmp_path)
    assert state.text == "marking of results is on"
    assert certificate.text.endswith("a self-made certificate, made at the first render")
    assert not self_made_folder().exists()
    identity_of(SigningSettings())
    assert findings(tmp_path)[1].text.endswith("which other programs do not know as trusted")


def test_the_doctor_advises_where_marking_is_off_or_the_settings_cannot_be_used(tmp_path):
    switch_marking(Workspace(tmp_path), on=False, reason="a test")
    state, _ = findings(tmp_path)
    assert state.verdict is Verdict.ADVICE
    assert state.text.endswith("a test")
    assert state.remedy == "facewright run marking --state on"
    path = config_folder() / "settings.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('[signing]\nkey = "x"\n')
    assert findings(tmp_path)[1].verdict is Verdict.PROBLEM
