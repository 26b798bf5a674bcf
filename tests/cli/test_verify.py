"""`facewright verify` and the switch of marking: statuses and words, from the shell."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from engine.provenance.identity import identity_of
from engine.provenance.settings import signing_settings
from tests.provenance.signed import Studio, flip_byte, seal_of
from tests.support.clips import make_clip
from tests.support.command import facewright
from tests.support.results import merge_numbers
from tuiapp.cli.verify import verify

pytestmark = pytest.mark.slow  # starts processes


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    studio = Studio()
    studio.folder = tmp_path_factory.mktemp("studio")
    studio.trust = studio.folder / "root.pem"
    studio.trust.write_text(studio.root_pem)
    return studio


@pytest.fixture
def signed(tmp_path, studio):
    plate = make_clip(tmp_path / "data_dst.mp4", frames=2)
    path = make_clip(tmp_path / "result.mp4", frames=4)
    seal_of(studio.identity(studio.folder), plate).into(path)
    return path


def test_a_file_that_holds_and_is_trusted_is_explained_with_status_0(signed, studio):
    done = facewright("verify", signed, "--trust", studio.trust)
    assert (done.status, done.stderr) == (0, "")
    assert "The manifest holds" in done.stdout
    assert "signed by Test Studio, Signer" in done.stdout
    assert "altered it with the output of a trained model" in done.stdout
    assert "made from: plate (without a manifest)" in done.stdout


def test_each_other_standing_has_a_status_of_its_own(signed, tmp_path):
    assert facewright("verify", signed).status == 5
    assert facewright("verify", tmp_path / "data_dst.mp4").status == 7
    flip_byte(signed, signed.read_bytes().index(b"mdat") + 500)
    done = facewright("verify", signed)
    assert done.status == 6
    assert "does NOT hold" in done.stdout
    assert "problem: the file was changed after it was signed" in done.stdout


def test_a_studio_that_signs_by_pkcs12_is_trusted_where_it_signs(tmp_path, monkeypatch, capsys):
    studio, key = Studio(), ec.generate_private_key(ec.SECP256R1())
    secret = serialization.BestAvailableEncryption(b"secret")
    data = pkcs12.serialize_key_and_certificates(
        b"x", key, studio.certificate(key), [studio.root], secret
    )
    file = tmp_path / "signer.p12"
    file.write_bytes(data)
    monkeypatch.setenv("FACEWRIGHT_SIGNING_PKCS12", str(file))
    monkeypatch.setenv("FACEWRIGHT_SIGNING_PASSWORD", "secret")
    path = make_clip(tmp_path / "result.mp4", frames=4)
    seal_of(identity_of(signing_settings())).into(path)
    assert verify([str(path)]) == 0
    monkeypatch.delenv("FACEWRIGHT_SIGNING_PASSWORD")
    assert verify([str(path)]) == 5
    told = capsys.readouterr().out
    assert f"signed by here. {file} cannot be read" in told
    assert "FACEWRIGHT_SIGNING_PASSWORD" in told


def test_json_has_all_that_is_told(signed, studio):
    told = json.loads(facewright("verify", signed, f"--trust={studio.trust}", "--json").stdout)
    assert (told["standing"], told["says_altered"]) == ("trusted", True)
    assert [action["kind"] for action in told["actions"]] == ["c2pa.opened", "c2pa.edited"]
    assert told["ingredients"][0]["relation"] == "parentOf"


def test_what_cannot_be_read_or_is_not_asked_rightly_is_refused_with_a_remedy(signed, tmp_path):
    for status, *words in (
        (3, tmp_path / "nothing.mp4"),
        (3, signed, "--trust", signed),
        (2,),
        (2, signed, signed),
        (2, signed, "--trust"),
        (2, signed, "--nonsense"),
    ):
        done = facewright("verify", *words)
        assert (done.status, done.stdout) == (status, "")
        assert "  -> " in done.stderr


def test_what_is_rendered_here_is_trusted_here_and_marking_goes_off_only_with_a_reason(tmp_path):
    make_clip(tmp_path / "data_dst.mp4", frames=3)
    merge_numbers(tmp_path, range(3))
    done = facewright("run", "video-render", "-w", tmp_path)
    assert done.status == 0, done.stderr
    assert "signed by a self-made certificate" in done.stderr
    assert facewright("verify", tmp_path / "result.mp4").status == 0

    refused = facewright("run", "marking", "-w", tmp_path, "--state", "off")
    assert refused.status == 2
    assert "without a reason" in refused.stderr
    off = facewright("run", "marking", "-w", tmp_path, "--state", "off", "--reason", "a test")
    assert off.status == 0
    log = (tmp_path / ".facewright" / "marking.jsonl").read_text()
    assert '"reason":"a test"' in log
