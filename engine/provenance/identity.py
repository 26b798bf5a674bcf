"""Who signs: a certificate chain and its key, a studio's own or a self-made one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from engine.protocol.errors import InputError
from engine.provenance.self_made import (
    CERTIFICATE_NAME,
    KEY_NAME,
    make_certificate,
    self_made_folder,
    set_aside,
)
from engine.provenance.settings import PASSWORD, SigningSettings, is_pem

LARGEST_BYTES = 1 << 20  # a chain takes some 10 kB
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
_SMALLEST_RSA_BITS = 2048  # C2PA allows no less
# What the library says of certificates and keys that it cannot read, or knows no kind of; of some
# only when it is asked for a part of them.
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion)

_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Identity:
    """chain_pem: the signer's certificate, then those above it. key_pem: PKCS#8, not encrypted; it
    never leaves this process. algorithm: C2PA's name. warnings: what the user should look at."""

    chain_pem: str
    key_pem: str = field(repr=False)
    algorithm: str
    name: str
    self_made: bool
    timestamp_authority: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Whose signature it is, in one line."""
        if self.self_made:
            return "a self-made certificate, which other programs do not know as trusted"
        return f"the certificate of {self.name}"


def identity_of(settings: SigningSettings) -> Identity:
    """The identity that the settings name; without one the self-made certificate of this user,
    which is made if it is not there.

    Raises `InputError` where files are missing or cannot be used, do not belong together, or the
    certificate is not valid today."""
    if not settings.names_certificate:
        _require_self_made(self_made_folder())
    return _existing(settings)


def known_identity(settings: SigningSettings) -> Identity | None:
    """As `identity_of`, but makes nothing: None where a certificate is made at the first render."""
    if not settings.names_certificate and not self_made_folder().exists():
        return None
    return _existing(settings)


def _existing(settings: SigningSettings) -> Identity:
    authority = settings.timestamp_authority
    if settings.pkcs12:
        path = _path(settings.pkcs12)
        return _identity(*_from_pkcs12(path), str(path), authority, _open_rights([path]))
    if settings.certificate:
        chain, key = _bytes_of(settings.certificate), _bytes_of(settings.key)
        paths = [] if is_pem(settings.key) else [_path(settings.key)]
        where = _where(settings.certificate)
        return _identity(_chain(chain, where), _key(key), where, authority, _open_rights(paths))
    return _self_made(authority)


@dataclass(frozen=True)
class Trust:
    """pem: certificates whose signatures are trusted here. problem: why those that results are
    signed by here are not among them, and what to do; "" if they are."""

    pem: str
    problem: str = ""


def trust_of(settings: SigningSettings, given: Sequence[Path] = ()) -> Trust:
    """Who is trusted here: whom the files `given` and the settings' `trust` name, whose certificate
    signs here, and this user's self-made root. Raises `InputError` for files of `trust` that hold
    no certificates."""
    named = [_path(settings.trust)] if settings.trust else []
    pems = [_pem(_chain(_read(path), str(path))) for path in (*given, *named)]
    pems.append(self_made_root_pem())
    try:
        pems.append(_pem(_own_chain(settings)))
    except InputError as error:  # such as a PKCS#12 file whose password is set for renders alone
        return Trust("".join(pems), f"{error.message}: {error.remedy}")
    return Trust("".join(pems))


def _own_chain(settings: SigningSettings) -> list[x509.Certificate]:
    """Of the certificate that the settings name; [] if they name none."""
    if settings.pkcs12:
        return _from_pkcs12(_path(settings.pkcs12))[0]
    if settings.certificate:
        return _chain(_bytes_of(settings.certificate), _where(settings.certificate))
    return []


def self_made_root_pem() -> str:
    """The root of the self-made certificate; "" if there is none yet. Raises `InputError` for one
    that cannot be read."""
    path = self_made_folder() / CERTIFICATE_NAME
    if not path.is_file():
        return ""
    return _pem(_chain(_read(path), str(path))[-1:])


def _self_made(authority: str) -> Identity:
    folder = self_made_folder()
    certificate, key_path = folder / CERTIFICATE_NAME, folder / KEY_NAME
    chain, key = _chain(_read(certificate), str(certificate)), _key(_read(key_path))
    return _identity(chain, key, str(certificate), authority, _open_rights([key_path]), True)


def _require_self_made(folder: Path) -> None:
    if folder.exists():
        path = folder / CERTIFICATE_NAME
        if datetime.now(UTC) < _chain(_read(path), str(path))[0].not_valid_after_utc:
            return
        set_aside(folder)
    make_certificate(folder)


def _identity(
    chain: Sequence[x509.Certificate],
    key: _Key,
    where: str,
    authority: str,
    warnings: tuple[str, ...],
    self_made: bool = False,
) -> Identity:
    ordered = _signer_first(chain, key, where)
    with _readable(where):
        _require_valid_today(ordered[0], where)
        name = _name(ordered[0])
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    return Identity(_pem(ordered), key_pem, _algorithm(key), name, self_made, authority, warnings)


def _signer_first(
    chain: Sequence[x509.Certificate], key: _Key, where: str
) -> list[x509.Certificate]:
    own = [one for one in chain if _is_of(one, key)]
    if not own:
        raise InputError(
            f"the key is not that of any of the {len(chain)} certificates of {where}",
            "set the key that belongs to the certificate",
            code="bad-certificate",
        )
    return [own[0], *(one for one in chain if one is not own[0])]


def _is_of(certificate: x509.Certificate, key: _Key) -> bool:
    try:
        return certificate.public_key() == key.public_key()
    except _UNREADABLE:  # roots have keys of many kinds; that of `key` can be read
        return False


def _require_valid_today(certificate: x509.Certificate, where: str) -> None:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begin <= datetime.now(UTC) < end:
        raise InputError(
            f"the certificate of {where} is valid from {begin:%Y-%m-%d} to {end:%Y-%m-%d}: not now",
            "set one that is valid, or check this machine's date",
            code="bad-certificate",
        )


def _algorithm(key: _Key) -> str:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _SMALLEST_RSA_BITS:
        return "ps256"
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    kind = getattr(getattr(key, "curve", None), "name", f"RSA of {key.key_size} bits")
    raise InputError(
        f"a key of the kind {kind} cannot sign C2PA manifests",
        f"use Ed25519, RSA of {_SMALLEST_RSA_BITS} bits or more, or one of {', '.join(_CURVES)}",
        code="bad-certificate",
    )


def _from_pkcs12(path: Path) -> tuple[list[x509.Certificate], _Key]:
    password = os.environ.get(PASSWORD)
    data = _read(path)
    with _readable(str(path)):
        key, own, more = pkcs12.load_key_and_certificates(
            data, password.encode() if password else None
        )
    if own is None or not isinstance(key, _Key):
        raise InputError(
            f"{path} holds no key with its certificate that can sign",
            "export both into it",
            code="bad-certificate",
        )
    return [own, *more], key


def _chain(data: bytes, where: str) -> list[x509.Certificate]:
    with _readable(where):
        return x509.load_pem_x509_certificates(data)


def _key(data: bytes) -> _Key:
    password = os.environ.get(PASSWORD)
    # A password for a key that has none is no mistake of the key.
    needed = b"ENCRYPTED" in data
    with _readable("the key"):
        key = serialization.load_pem_private_key(
            data, password.encode() if password and needed else None
        )
    if not isinstance(key, _Key):
        raise InputError("the key cannot sign C2PA manifests", "use an EC, RSA or Ed25519 key")
    return key


@contextmanager
def _readable(where: str) -> Iterator[None]:
    """What the library says of a file that it cannot read, as ours."""
    try:
        yield
    except _UNREADABLE as error:
        raise InputError(
            f"{where} cannot be read as a certificate or key: {str(error).partition(chr(10))[0]}",
            f"set a PEM or PKCS#12 file, and its password in {PASSWORD} if it has one",
            code="bad-certificate",
        ) from error


def _bytes_of(setting: str) -> bytes:
    return setting.encode() if is_pem(setting) else _read(_path(setting))


def _where(setting: str) -> str:
    return "the environment" if is_pem(setting) else setting


def _path(setting: str) -> Path:
    return Path(setting).expanduser()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"cannot read the certificate or key {path}: {error.strerror or error}",
            "put it back; or, for a self-made one, move its folder away, and another is made",
            code="no-certificate",
        ) from error
    if len(data) > LARGEST_BYTES:
        raise InputError(f"{path} is no certificate: it is too large", "set another file")
    return data


def _open_rights(paths: Sequence[Path]) -> tuple[str, ...]:
    """Warnings of keys that others can read."""
    return tuple(
        f"others can read the key {path} (mode {path.stat().st_mode & 0o777:o}): chmod 600"
        for path in paths
        if path.stat().st_mode & 0o077
    )


def _name(certificate: x509.Certificate) -> str:
    for kind in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        found = certificate.subject.get_attributes_for_oid(kind)
        if found:
            return str(found[0].value)
    return "an unnamed signer"


def _pem(chain: Sequence[x509.Certificate]) -> str:
    return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in chain)
