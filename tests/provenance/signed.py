"""Certificates of a test studio, and clips signed by it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from engine.provenance.identity import Identity, identity_of
from engine.provenance.manifest import Made
from engine.provenance.plate import Plate, open_plate
from engine.provenance.settings import SigningSettings
from engine.provenance.signing import Seal

PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8
PLAIN = serialization.NoEncryption()
DOCUMENTS = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
_COVERED = {
    "referenced_assertions": [
        {"url": "self#jumbf=c2pa.assertions/c2pa.hash.bmff.v3", "hash": [0] * 32}
    ],
    "sig_type": "cawg.identity_claims_aggregation",
}
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


class Studio:
    """A root of its own, and certificates under it."""

    def __init__(self, name: str = "Test Studio") -> None:
        self.name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(f"{name} Root", self._key, timedelta(days=30), authority=True)
        self.root = builder.sign(self._key, hashes.SHA256())

    @property
    def root_pem(self) -> str:
        return self.root.public_bytes(PEM).decode()

    def certificate(
        self,
        key: Key,
        *,
        purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.EMAIL_PROTECTION,
        valid: timedelta = timedelta(days=10),
    ) -> x509.Certificate:
        builder = self._builder("Signer", key, valid, authority=False)
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        return builder.add_extension(above, critical=False).sign(self._key, hashes.SHA256())

    def write(self, folder: Path, key: Key | None = None, **how) -> SigningSettings:
        """Chain and key as files. Returns the settings that name them."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        chain, key_path = folder / "chain.pem", folder / "key.pem"
        chain.write_bytes(self.certificate(key, **how).public_bytes(PEM) + self.root_pem.encode())
        key_path.write_bytes(key.private_bytes(PEM, PKCS8, PLAIN))
        key_path.chmod(0o600)
        return SigningSettings(certificate=str(chain), key=str(key_path))

    def identity(self, folder: Path) -> Identity:
        return identity_of(self.write(folder))

    def _builder(
        self, common: str, key: Key, valid: timedelta, *, authority: bool
    ) -> x509.CertificateBuilder:
        names = [(NameOID.ORGANIZATION_NAME, self.name), (NameOID.COMMON_NAME, common)]
        subject = x509.Name([x509.NameAttribute(kind, text) for kind, text in names])
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if authority else self.root.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=20))
            .not_valid_after(now + valid)
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
            .add_extension(_usage(authority), critical=True)
        )


def seal_of(identity: Identity, plate: Path | Plate | None = None) -> Seal:
    """A seal over made-up hashes."""
    made = Made(model_sha256="a" * 64, settings_sha256="b" * 64)
    opened = open_plate(plate) if isinstance(plate, Path) else plate
    return Seal(identity, made, opened)


def web_identity(host: str) -> dict:
    """An assertion that says who made a file, by one whose key lies at that host (CAWG, identity
    claims aggregation)."""
    credential = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential", "IdentityClaimsAggregationCredential"],
        "issuer": f"did:web:{host}",
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"verifiedIdentities": [], "c2paAsset": _COVERED},
    }
    payload = json.dumps(credential).encode()
    # COSE_Sign1, algorithm EdDSA, content type application/vc; the signature is none.
    head = bytes.fromhex("d284") + b"\x53\xa2\x01\x27\x03\x6eapplication/vc\xa0"
    sign1 = head + b"\x59" + len(payload).to_bytes(2, "big") + payload + b"\x58\x40" + bytes(64)
    signed = {"signer_payload": _COVERED, "signature": list(sign1), "pad1": []}
    return {"label": "cawg.identity", "data": signed}


def flip_byte(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
