"""Which certificate signs: a studio's by settings or environment, else one that is made."""

from __future__ import annotations

import ssl
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID

from engine.protocol.errors import InputError
from engine.protocol.user_folders import config_folder
from engine.provenance.identity import identity_of, known_identity
from engine.provenance.self_made import self_made_folder
from engine.provenance.settings import PASSWORD, SigningSettings, signing_settings
from tests.provenance.signed import DOCUMENTS, PEM, PKCS8, Studio, seal_of

KEYS = {
    "es256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "es384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "es512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ps256": lambda: rsa.generate_private_key(65537, 2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


@pytest.fixture(autouse=True)
def own_user(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture(scope="module")
def studio():
    return Studio("A Studio")


def settings_file(text: str) -> None:
    path = config_folder() / "settings.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_without_settings_a_certificate_is_made_for_its_user_alone_and_used_again():
    assert known_identity(SigningSettings()) is None
    first = identity_of(SigningSettings())
    folder = self_made_folder()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "key.pem").stat().st_mode & 0o777 == 0o600
    assert (first.self_made, first.warnings) == (True, ())
    assert identity_of(SigningSettings()).chain_pem == first.chain_pem
    assert [path.name for path in folder.parent.iterdir()] == ["signing"]


def test_a_self_made_certificate_names_nobody_and_says_what_it_is():
    import getpass
    import socket

    identity_of(SigningSettings())
    chain = x509.load_pem_x509_certificates((self_made_folder() / "certificate.pem").read_bytes())
    for certificate in chain:
        name = certificate.subject.rfc4514_string()
        assert "self-made" in name
        assert getpass.getuser() not in name.split()
        assert socket.gethostname() not in name
    signer = chain[0].extensions
    assert signer.get_extension_for_class(x509.KeyUsage).value.digital_signature
    assert not signer.get_extension_for_class(x509.BasicConstraints).value.ca
    purposes = signer.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.EMAIL_PROTECTION]


@pytest.mark.slow
def test_processes_that_make_it_at_the_same_time_end_up_with_the_same_one():
    code = (
        "from engine.provenance.identity import identity_of\n"
        "from engine.provenance.settings import SigningSettings\n"
        "print(hash(identity_of(SigningSettings()).chain_pem) and"
        " identity_of(SigningSettings()).chain_pem)"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert len({run.communicate()[0] for run in runs}) == 1
    assert all(run.returncode == 0 for run in runs)
    assert [path.name for path in self_made_folder().parent.iterdir()] == ["signing"]


def test_a_key_that_others_can_read_is_warned_of():
    identity_of(SigningSettings())
    (self_made_folder() / "key.pem").chmod(0o644)
    [warning] = identity_of(SigningSettings()).warnings
    assert "key.pem (mode 644): chmod 600" in warning


def test_a_lost_key_is_told_and_nothing_is_made_over_what_is_left():
    identity_of(SigningSettings())
    (self_made_folder() / "key.pem").unlink()
    before = (self_made_folder() / "certificate.pem").read_bytes()
    with pytest.raises(InputError, match=r"key\.pem") as refused:
        identity_of(SigningSettings())
    assert "another is made" in refused.value.remedy
    assert (self_made_folder() / "certificate.pem").read_bytes() == before


def test_a_self_made_certificate_that_has_run_out_is_replaced_and_kept_beside(studio, tmp_path):
    folder = self_made_folder()
    folder.mkdir(parents=True)
    over = studio.write(tmp_path, valid=timedelta(days=-1))
    Path(over.certificate).rename(folder / "certificate.pem")
    Path(over.key).rename(folder / "key.pem")
    assert identity_of(SigningSettings()).self_made
    [kept] = folder.parent.glob("signing-until-*")
    assert sorted(path.name for path in kept.iterdir()) == ["certificate.pem", "key.pem"]


@pytest.mark.parametrize("algorithm", KEYS)
def test_every_kind_of_key_that_c2pa_knows_signs(studio, tmp_path, algorithm):
    identity = identity_of(studio.write(tmp_path, KEYS[algorithm](), purpose=DOCUMENTS))
    assert (identity.algorithm, identity.name) == (algorithm, "A Studio")
    seal_of(identity).rehearse()


def test_a_certificate_for_another_purpose_is_refused_before_it_signs(studio, tmp_path):
    settings = studio.write(tmp_path, purpose=ExtendedKeyUsageOID.SERVER_AUTH)
    with pytest.raises(InputError, match="could not be signed") as refused:
        seal_of(identity_of(settings)).rehearse()
    assert "document signing" in refused.value.remedy


def test_a_time_stamp_authority_that_does_not_answer_is_told_before_it_signs(studio, tmp_path):
    settings = replace(studio.write(tmp_path), timestamp_authority="http://127.0.0.1:9")
    with pytest.raises(InputError, match="could not be signed") as refused:
        seal_of(identity_of(settings)).rehearse()
    assert "see that http://127.0.0.1:9 answers" in refused.value.remedy


def test_a_key_too_weak_for_c2pa_is_refused(studio, tmp_path):
    with pytest.raises(InputError, match="RSA of 1024 bits"):
        identity_of(studio.write(tmp_path, rsa.generate_private_key(65537, 1024)))


def test_a_certificate_that_has_run_out_is_refused_with_its_dates(studio, tmp_path):
    with pytest.raises(InputError, match=r"is valid from .* not now"):
        identity_of(studio.write(tmp_path, valid=timedelta(days=-1)))


def test_a_pkcs12_file_with_its_password_from_the_environment_signs(studio, tmp_path, monkeypatch):
    key = KEYS["es256"]()
    encrypted = BestAvailableEncryption(b"secret")
    own = studio.certificate(key)
    data = pkcs12.serialize_key_and_certificates(b"x", key, own, [studio.root], encrypted)
    (tmp_path / "signer.p12").write_bytes(data)
    settings_file(f'[signing]\npkcs12 = "{tmp_path / "signer.p12"}"\n')
    with pytest.raises(InputError, match="cannot be read") as refused:
        identity_of(signing_settings())
    assert PASSWORD in refused.value.remedy
    monkeypatch.setenv(PASSWORD, "secret")
    identity = identity_of(signing_settings())
    assert (identity.name, identity.chain_pem.count("BEGIN")) == ("A Studio", 2)
    seal_of(identity).rehearse()


def test_certificate_and_key_may_stand_in_the_environment_itself(studio, tmp_path, monkeypatch):
    named = studio.write(tmp_path)
    key = Path(named.key)
    encrypted = _encrypted(key)
    monkeypatch.setenv("FACEWRIGHT_SIGNING_CERTIFICATE", Path(named.certificate).read_text())
    monkeypatch.setenv("FACEWRIGHT_SIGNING_KEY", encrypted)
    with pytest.raises(InputError, match="the key cannot be read"):
        identity_of(signing_settings())
    monkeypatch.setenv(PASSWORD, "secret")
    assert identity_of(signing_settings()).name == "A Studio"


def test_a_key_in_the_environment_is_never_told_whatever_stands_before_it(
    studio, tmp_path, monkeypatch
):
    named = studio.write(tmp_path)
    key = f"Bag Attributes\n    localKeyID: 01 02\n{Path(named.key).read_text()}"
    monkeypatch.setenv("FACEWRIGHT_SIGNING_CERTIFICATE", Path(named.certificate).read_text())
    monkeypatch.setenv("FACEWRIGHT_SIGNING_KEY", key)
    settings = signing_settings()
    assert identity_of(settings).name == "A Studio"
    assert "PRIVATE" not in repr(settings)


def test_a_chain_in_any_order_signs_with_the_certificate_of_the_key(studio, tmp_path):
    named = studio.write(tmp_path)
    path = Path(named.certificate)
    parts = x509.load_pem_x509_certificates(path.read_bytes())
    path.write_bytes(b"".join(one.public_bytes(PEM) for one in reversed(parts)))
    seal_of(identity_of(named)).rehearse()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[signing]\ncertificate = 3\n", "signing.certificate must be a text"),
        ('[signing]\ncertificat = "x"\n', "unknown setting signing.certificat"),
        ('[signing]\ncertificate = "x"\n', "but no key"),
        ('[signing]\nkey = "x"\n', "but no certificate"),
        ('[signing]\npkcs12 = "x"\nkey = "y"\n', "both a PKCS#12 file and"),
        ('[signing]\npkcs12 = "/nowhere"\n', "cannot read the certificate or key /nowhere"),
        ('[signing]\ntimestamp-authority = "ftp://x"\n', "is no address"),
        ("signing = 3\n", "must be a table"),
        ("[signing\n", "is not known"),
    ],
)
def test_settings_that_cannot_be_used_are_told_and_no_other_certificate_signs(text, told):
    settings_file(text)
    with pytest.raises(InputError) as refused:
        identity_of(signing_settings())
    assert told in refused.value.message
    assert refused.value.remedy
    assert not self_made_folder().exists()


# DER of object identifiers, and what makes others of them, which nobody knows.
ODD = {
    "of an unknown kind of key": ("06072a8648ce3d0201", "06072a8648ce3d0209"),
    "of an unknown curve": ("06082a8648ce3d030107", "06082a8648ce3d030177"),
    "with a point beside its curve": ("034200", "034200040101"),
    "of an unknown version": ("a003020102", "a003020107"),
}


def odd(certificate: x509.Certificate, how: str) -> bytes:
    """Its PEM, changed: as real ones of new or broken kinds are."""
    usual, changed = (bytes.fromhex(text) for text in ODD[how])
    data = bytearray(certificate.public_bytes(serialization.Encoding.DER))
    at = data.index(usual)
    data[at : at + len(changed)] = changed
    return ssl.DER_cert_to_PEM_cert(bytes(data)).encode()


@pytest.mark.parametrize("how", list(ODD)[:3])
def test_a_root_with_a_key_of_a_kind_that_is_not_known_hinders_nobody_to_sign(
    studio, tmp_path, how
):
    named = studio.write(tmp_path)
    own = x509.load_pem_x509_certificates(Path(named.certificate).read_bytes())[0]
    Path(named.certificate).write_bytes(odd(studio.root, how) + own.public_bytes(PEM))
    identity = identity_of(named)
    assert (identity.name, identity.chain_pem.count("BEGIN")) == ("A Studio", 2)


@pytest.mark.parametrize("how", ODD)
def test_a_signers_certificate_of_a_kind_that_is_not_known_is_refused_by_its_file(
    studio, tmp_path, how
):
    named = studio.write(tmp_path)
    own = x509.load_pem_x509_certificates(Path(named.certificate).read_bytes())[0]
    Path(named.certificate).write_bytes(odd(own, how))
    with pytest.raises(InputError) as refused:
        identity_of(named)
    assert named.certificate in refused.value.message and refused.value.remedy
    assert refused.value.code == "bad-certificate"


def _encrypted(key: Path) -> str:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    loaded = load_pem_private_key(key.read_bytes(), None)
    return loaded.private_bytes(PEM, PKCS8, BestAvailableEncryption(b"secret")).decode()
