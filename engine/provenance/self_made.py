"""The self-made certificate: a root of its own and one signer, as C2PA's certificate profile wants.

It says that a program of this user signed, and nothing about who that is; others trust it only
where they are given its root. The root's key is thrown away: nothing else can be signed under it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from engine.protocol.files import disk_error, sync
from engine.protocol.user_folders import data_folder
from engine.protocol.workspace import make_folder

CERTIFICATE_NAME = "certificate.pem"
KEY_NAME = "key.pem"
# Without a time stamp authority a signature counts only as long as its certificate.
_VALID = timedelta(days=20 * 365)
_BACKDATED = timedelta(days=1)  # machines' clocks differ
_ORGANISATION = "Facewright, self-made certificate"


def self_made_folder() -> Path:
    """Where certificate and key of this user lie."""
    return data_folder() / "signing"


def make_certificate(folder: Path) -> None:
    """Make a new certificate and key in `folder`, which is not there, for the user alone to read.
    Another process may do the same at the same time: one of them wins.

    Raises `InputError` when the disk is full or the folder not writable."""
    make_folder(folder.parent)
    beside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        beside.mkdir(mode=0o700)
        chain, key = _chain_and_key()
        _write(beside / KEY_NAME, key, 0o600)
        _write(beside / CERTIFICATE_NAME, chain, 0o644)
        sync(beside)
        _take_place(beside, folder)
        sync(folder.parent)
    except OSError as error:
        raise disk_error(error, folder) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def set_aside(folder: Path) -> None:
    """Give the folder of a certificate that has run out another name. Raises `InputError` where the
    folder cannot be written."""
    try:
        folder.rename(folder.with_name(f"{folder.name}-until-{time.strftime('%Y%m%d-%H%M%S')}"))
    except OSError as error:
        raise disk_error(error, folder) from error


def _take_place(beside: Path, folder: Path) -> None:
    try:
        beside.rename(folder)
    except OSError:
        if not (folder / KEY_NAME).is_file():  # else another process was first
            raise


def _write(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _chain_and_key() -> tuple[bytes, bytes]:
    """PEM: signer and root; the signer's key."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    mark = secrets.token_hex(4)
    root_name, name = _name(f"Root {mark}"), _name(f"Signer {mark}")
    root = (
        _builder(root_name, root_name, root_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    # C2PA's certificate profile: emailProtection is the purpose that every validator knows.
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    signer = (
        _builder(name, root_name, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(purpose, critical=False)
        .add_extension(above, critical=False)
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    key_pem = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return signer.public_bytes(pem) + root.public_bytes(pem), key_pem


def _builder(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
