"""What a file's manifest says, and whether it holds, in plain words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from engine.protocol.errors import InputError
from engine.protocol.workspace import FINISHED_NAME
from engine.provenance.manifest import SOURCE_TYPE
from engine.provenance.sequence import LIST_NAME, differences
from engine.provenance.store import (
    SIDECAR_SUFFIX,
    Store,
    UnreadableStoreError,
    read_store,
    sidecar_of,
)


class Standing(StrEnum):
    """What can be said of a file. TRUSTED: as its signer left it, who is trusted. UNTRUSTED: as
    its signer left it, of whom nothing is known. INVALID: it was changed since, or its
    manifest is damaged or not rightly signed. UNMARKED: it has no manifest."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    INVALID = "invalid"
    UNMARKED = "unmarked"


@dataclass(frozen=True)
class Action:
    """Something that was done. kind: C2PA's word, such as c2pa.edited. parameters: hashes and
    words of the program that did it."""

    kind: str
    source_type: str = ""
    program: str = ""
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ingredient:
    """What a file was made from. marked: it had a manifest of its own, which is carried on; signer:
    whose. problems: what was wrong with that when it was taken in; whom that machine trusted is not
    among them."""

    title: str
    relation: str
    marked: bool
    signer: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """All that `facewright verify` tells. where: where the manifest lies, in words."""

    standing: Standing
    where: str = ""
    signer: str = ""
    signed_at: str = ""
    program: str = ""
    actions: tuple[Action, ...] = ()
    ingredients: tuple[Ingredient, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def says_altered(self) -> bool:
        """Whether it says that a trained model's output is in it."""
        return any(action.source_type == SOURCE_TYPE for action in self.actions)


_WAITING = (
    "a render was killed before the side-car was in its place: start video-render again, which does"
    " the rest of that first"
)
_UNTRUSTED = "signingCredential.untrusted"
# The library's codes in plain words; others are shown as they are.
_WORDS = {
    _UNTRUSTED: "the signer's certificate is not among those that are trusted here",
    "assertion.bmffHash.mismatch": "the file was changed after it was signed",
    "assertion.dataHash.mismatch": "the file was changed after it was signed",
    "assertion.hashedURI.mismatch": "what the manifest says was changed after it was signed",
    "assertion.missing": "a part of the manifest is missing",
    "claimSignature.mismatch": "the signature is not that of the manifest",
    "signingCredential.expired": "the signer's certificate had run out",
    "signingCredential.invalid": "the signer's certificate is not one that may sign this",
}


def examine(path: Path, anchors_pem: str = "") -> Reading:
    """Read and check a file's manifest, or that of a folder of pictures. anchors_pem: certificates
    whose signatures are trusted besides. Raises `InputError` for what cannot be read."""
    if path.suffix == SIDECAR_SUFFIX:
        raise InputError(
            f"{path} is a side-car: it says something of another file",
            "give the file that it lies beside",
        )
    target = path / LIST_NAME if path.is_dir() else path
    if path.is_dir() and not target.is_file():
        return Reading(Standing.UNMARKED)
    try:
        store = read_store(target, anchors_pem)
    except UnreadableStoreError as error:
        return Reading(Standing.INVALID, problems=(f"the manifest is damaged: {error.message}",))
    if store is None:
        waiting = (path.parent / FINISHED_NAME / sidecar_of(path).name).is_file()
        return Reading(Standing.UNMARKED, problems=(_WAITING,) if waiting else ())
    more = differences(path) if path.is_dir() else []
    return _reading(store, more)


def problems_when_taken_in(failures: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """In words, what is wrong with an ingredient's manifest by (code, explanation); whom a machine
    trusts is not."""
    return tuple(_words(code, text) for code, text in failures if code != _UNTRUSTED)


def _reading(store: Store, more_problems: list[str]) -> Reading:
    manifest = store.active
    signature = manifest.get("signature_info", {})
    problems = [_words(code, text) for code, text in store.failures] + more_problems
    return Reading(
        _standing(store.verdict, more_problems),
        f"in the side-car {store.sidecar.name}" if store.sidecar else "in the file",
        _signer(signature),
        str(signature.get("time", "")),
        _program((manifest.get("claim_generator_info") or [{}])[0]),
        tuple(_actions(manifest)),
        tuple(_ingredient(one, store) for one in manifest.get("ingredients", [])),
        tuple(dict.fromkeys(problems)),
    )


def _standing(verdict: str, more_problems: list[str]) -> Standing:
    if verdict == "Invalid" or more_problems:
        return Standing.INVALID
    return Standing.TRUSTED if verdict == "Trusted" else Standing.UNTRUSTED


def _actions(manifest: dict[str, Any]) -> list[Action]:
    found = [
        one
        for assertion in manifest.get("assertions", [])
        if str(assertion.get("label", "")).startswith("c2pa.actions")
        for one in assertion.get("data", {}).get("actions", [])
    ]
    return [
        Action(
            str(one.get("action", "")),
            str(one.get("digitalSourceType", "")),
            _program(one.get("softwareAgent", {})),
            _texts(one.get("parameters", {})),
        )
        for one in found
    ]


def _texts(parameters: object) -> dict[str, str]:
    # The library tells them in another order each time.
    items = sorted(parameters.items()) if isinstance(parameters, dict) else ()
    return {str(name): value for name, value in items if isinstance(value, str)}


def _ingredient(one: dict[str, Any], store: Store) -> Ingredient:
    label = one.get("active_manifest")
    manifest = store.report["manifests"].get(label, {}) if label else {}
    found = one.get("validation_results", {}).get("activeManifest", {}).get("failure", [])
    failures = [(str(each.get("code", "")), str(each.get("explanation", ""))) for each in found]
    return Ingredient(
        str(one.get("title", "")),
        str(one.get("relationship", "")),
        bool(label),
        _signer(manifest.get("signature_info", {})),
        problems_when_taken_in(failures),
    )


def _program(info: object) -> str:
    if isinstance(info, dict):
        return " ".join(str(info[key]) for key in ("name", "version") if info.get(key))
    return str(info)


def _signer(signature: dict[str, Any]) -> str:
    names = [signature.get(key) for key in ("issuer", "common_name")]
    return ", ".join(str(name) for name in names if name)


def _words(code: str, explanation: str) -> str:
    return _WORDS.get(code, f"{explanation} ({code})")
