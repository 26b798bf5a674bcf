"""What a manifest says: that a face was replaced by a trained model's output, and by what.

Nothing in it tells of people or machines: no names of files, folders, users or models; titles are
neutral, and models and settings stand as hashes, which only who has them can compare.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

GENERATOR = "Facewright"
# IPTC's list of digital source types, which C2PA and the EU's code of practice refer to.
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
IPTC_EXTENSION = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
PLATE = "plate"


@dataclass(frozen=True)
class Made:
    """What a result was made of, as sha256 in hex; "" where it is not known."""

    model_sha256: str = ""
    settings_sha256: str = ""


def definition(made: Made, plate_sha256: str = "") -> dict[str, Any]:
    """The manifest as the library's builder takes it. plate_sha256: the plate's, which is added to
    it as `plate_ingredient`; without one the result counts as made from nothing that is known."""
    opened: dict[str, Any] = {"action": "c2pa.opened", "parameters": {"ingredientIds": [PLATE]}}
    edited = _altering("c2pa.edited" if plate_sha256 else "c2pa.created", made, plate_sha256)
    source = {
        "@context": {"Iptc4xmpExt": IPTC_EXTENSION},
        "Iptc4xmpExt:DigitalSourceType": SOURCE_TYPE,
    }
    return {
        "claim_generator_info": [_generator()],
        "title": "result",
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "data": {"actions": [opened, edited] if plate_sha256 else [edited]},
            },
            {"label": "c2pa.metadata", "data": source},
        ],
    }


def plate_ingredient() -> dict[str, Any]:
    """The plate as ingredient: what the result is a changed version of."""
    return {"title": PLATE, "relationship": "parentOf", "label": PLATE}


def _altering(action: str, made: Made, plate_sha256: str) -> dict[str, Any]:
    hashes = {
        "facewright.model_sha256": made.model_sha256,
        "facewright.settings_sha256": made.settings_sha256,
        "facewright.plate_sha256": plate_sha256,
    }
    return {
        "action": action,
        "digitalSourceType": SOURCE_TYPE,
        "softwareAgent": _generator(),
        "parameters": {
            "description": "Faces were replaced by the output of a trained model.",
            **{name: value for name, value in hashes.items() if value},
        },
    }


def _generator() -> dict[str, str]:
    return {"name": GENERATOR, "version": version("facewright")}
