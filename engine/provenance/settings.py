"""What results are signed with: the table `[signing]` of the user's settings, or the environment.

[signing]
certificate = "/studio/chain.pem"   # the signer's certificate first, then those above it
key = "/studio/key.pem"
pkcs12 = "/studio/signer.p12"       # instead of the two
timestamp-authority = "https://..." # asked at each signing; without one, nothing is asked
trust = "/studio/roots.pem"         # whose signatures `facewright verify` trusts besides

`FACEWRIGHT_SIGNING_CERTIFICATE`, `_KEY`, `_PKCS12`, `_TIMESTAMP_AUTHORITY` and `_TRUST` take their
place one by one; certificate and key may be the PEM text itself there. A password is taken from
`FACEWRIGHT_SIGNING_PASSWORD` only, so that it stands in no file of ours.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.protocol.errors import InputError
from engine.protocol.user_folders import config_folder

LARGEST_BYTES = 1 << 18
PASSWORD = "FACEWRIGHT_SIGNING_PASSWORD"
_PREFIX = "FACEWRIGHT_SIGNING_"
_NAMES = ("certificate", "key", "pkcs12", "timestamp-authority", "trust")
_PEM = "-----BEGIN "


@dataclass(frozen=True)
class SigningSettings:
    """certificate, key: a file's path, or PEM text. All empty: a self-made certificate."""

    certificate: str = ""
    key: str = field(default="", repr=False)
    pkcs12: str = ""
    timestamp_authority: str = ""
    trust: str = ""

    @property
    def names_certificate(self) -> bool:
        return bool(self.certificate or self.key or self.pkcs12)


def signing_settings(environment: Mapping[str, str] = os.environ) -> SigningSettings:
    """The settings that hold. Raises `InputError` where the settings file cannot be read or what it
    says does not go together: nothing is signed by another certificate than was meant."""
    path = config_folder() / "settings.toml"
    values = _of_file(path)
    for name in _NAMES:
        given = environment.get(_PREFIX + name.replace("-", "_").upper())
        if given:
            values[name] = given
    settings = SigningSettings(**{name.replace("-", "_"): text for name, text in values.items()})
    _require_whole(settings)
    return settings


def is_pem(text: str) -> bool:
    """Whether a setting is the PEM text itself, and no path."""
    return _PEM in text  # OpenSSL writes what it knows of a key before it


def _of_file(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_BYTES + 1)
        table = tomllib.loads(text.decode()).get("signing", {})
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"{path}: {error}: whether results are signed by a certificate of yours is not known",
            "correct the file",
            code="bad-settings",
        ) from error
    if len(text) > LARGEST_BYTES or not isinstance(table, dict):
        raise _refused(path, "[signing] must be a table")
    for name, value in table.items():
        if name not in _NAMES:
            raise _refused(path, f"unknown setting signing.{name}; known: {', '.join(_NAMES)}")
        if not isinstance(value, str) or is_pem(value):
            raise _refused(path, f"signing.{name} must be a text: a path, or an address")
    return dict(table)


def _require_whole(settings: SigningSettings) -> None:
    where = f"[signing] of {config_folder() / 'settings.toml'}, or {_PREFIX}*"
    if settings.pkcs12 and (settings.certificate or settings.key):
        raise InputError(
            "both a PKCS#12 file and a certificate or key are set to sign with",
            f"leave one of them out: {where}",
            code="bad-settings",
        )
    if bool(settings.certificate) != bool(settings.key):
        there, missing = ("certificate", "key") if settings.certificate else ("key", "certificate")
        raise InputError(
            f"a {there} is set to sign with, but no {missing}",
            f"set both: {where}",
            code="bad-settings",
        )
    authority = settings.timestamp_authority
    if authority and not authority.startswith(("http://", "https://")):
        raise InputError(
            f"timestamp-authority {authority!r} is no address",
            f"give one that begins with https:// : {where}",
            code="bad-settings",
        )


def _refused(path: Path, what: str) -> InputError:
    return InputError(f"{path}: {what}", "correct the file", code="bad-settings")
