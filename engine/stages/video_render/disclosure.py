"""The disclosure sheet beside a result: what was altered, where, by what, under which consents.

Made for handing over: people stand in it by the ids of their consent records alone.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

from engine.media.timing import Timing
from engine.protocol.consent import now
from engine.protocol.consent_judgement import WHO, Judgement
from engine.protocol.files import write_atomically
from engine.protocol.hashing import file_sha256, go_on
from engine.protocol.stage import StageContext
from engine.provenance.manifest import SOURCE_TYPE, Made
from engine.provenance.sequence import sums
from engine.stages.merge.ledger import Rendered
from engine.stages.video_render.films import Film
from engine.stages.video_render.placing import part_of
from engine.stages.video_render.spec import NO_LABEL

VERSION = 1
REPLACED, UNTOUCHED, UNKNOWN, CARD = "face replaced", "untouched", "not recorded", "end card"
MEANINGS = {
    REPLACED: "faces were replaced by the model's",
    UNTOUCHED: "the frame of the destination as it was, but for what encoding changes",
    UNKNOWN: "no record says what was done to the merged picture",
    CARD: "made by the renderer: words on black",
}


@dataclass(frozen=True)
class Disclosure:
    """What is known of a result when it has been signed. lines: of the film's pictures in the merge
    ledger; made: by these. marking: by whom, or why not."""

    context: StageContext
    film: Film
    timing: Timing
    lines: Sequence[Rendered | None]
    made: Made
    consents: Sequence[Judgement]
    marking: str

    def write(self, part: Path, stack: ExitStack) -> list[tuple[Path, Path]]:
        """Write both sheets of the result that is whole in `part`. Returns (part, target) of each;
        the parts are removed at the end of `stack` if they are still there. A draft has none.
        Raises `InputError` when the disk is full."""
        if self.context.options["draft"]:
            return []
        facts = self.facts(part)
        texts = {
            ".json": json.dumps(facts, indent=2, ensure_ascii=False) + "\n",
            ".md": markdown(facts),
        }
        written = []
        for suffix, text in texts.items():
            target = sheet_path(self.film.target, suffix)
            beside = stack.enter_context(part_of(target))
            write_atomically(beside, text.encode(), durable=False)
            written.append((beside, target))
        return written

    def facts(self, part: Path) -> dict[str, Any]:
        """The sheet as plain data."""
        options, lines, made = self.context.options, self.lines, self.made
        return {
            "kind": "facewright disclosure",
            "version": VERSION,
            "made_at": now().isoformat(),
            "software": f"Facewright {version('facewright')}",
            "file": self.film.target.name,
            "sha256": content_sha256(part, self.context.check_stop),
            "digital_source_type": SOURCE_TYPE,
            "purpose": options["purpose"],
            "frames": self.timing.frames,
            "ranges": ranges(states(lines) + [CARD] * self.film.card_frames, self.timing),
            "methods": _methods(lines),
            "model_sha256": made.model_sha256,
            "settings_sha256": made.settings_sha256,
            "consents": [_consent(judgement) for judgement in self.consents],
            "label": options["label"] if options["label"] != NO_LABEL else None,
            "marking": self.marking,
        }


def sheet_path(target: Path, suffix: str) -> Path:
    """Where the sheet of a result lies: beside it."""
    return target.with_name(f"{target.name}.disclosure{suffix}")


def states(lines: Sequence[Rendered | None]) -> list[str]:
    """What was done to each frame, by its line in the merge ledger."""
    return [
        UNKNOWN if line is None or line.faces is None else REPLACED if line.faces else UNTOUCHED
        for line in lines
    ]


def ranges(of_frames: Sequence[str], timing: Timing) -> list[dict[str, Any]]:
    """Runs of frames of one state, counted from 1 in the result, with when they begin and end."""
    found, first = [], 0
    for state, run in groupby(of_frames):
        end = first + len(list(run))
        found.append(
            {
                "first": first + 1,
                "last": end,
                "state": state,
                "from_s": _seconds(timing, first),
                "until_s": _seconds(timing, end),
            }
        )
        first = end
    return found


def content_sha256(path: Path, check_stop: Callable[[], None] = go_on) -> str:
    """A file's; of a folder, that of the list which `sha256sum *` prints in it. Raises
    `InputError` if it cannot be read, and what `check_stop` raises."""
    if path.is_file():
        return file_sha256(path, check_stop)
    files = sorted(one for one in path.iterdir() if one.is_file())
    return hashlib.sha256(sums(files, check_stop)).hexdigest()


def _seconds(timing: Timing, index: int) -> float:
    last = timing.frames - 1
    at_s = timing.time_s(min(index, last)) + (timing.last_frame_s if index > last else 0)
    return round(float(at_s), 6)


def _methods(lines: Sequence[Rendered | None]) -> list[dict[str, Any]]:
    """By which models faces were replaced, and in how many frames."""
    counted = Counter(
        (line.model_class, line.iteration, line.model) for line in lines if line and line.faces
    )
    return [
        {
            "what": "faces replaced by the output of a trained autoencoder",
            "model_class": model_class,
            "iteration": iteration,
            "model_sha256": model,
            "frames": frames,
        }
        for (model_class, iteration, model), frames in counted.items()
    ]


def _consent(judgement: Judgement) -> dict[str, Any]:
    return {
        "side": judgement.side,
        "of": f"the person {WHO[judgement.side]}",
        "standing": str(judgement.standing),
        "records": [
            {
                "id": person.record.consent.id,
                "standing": str(person.standing),
                "basis": person.record.consent.basis,
                "scopes": list(person.record.consent.scopes),
            }
            for person in judgement.people
        ],
    }


def markdown(facts: dict[str, Any]) -> str:
    """The sheet for people."""
    rows = "".join(
        f"| {row['first']}-{row['last']} | {row['from_s']:.3f} s - {row['until_s']:.3f} s |"
        f" {row['state']} |\n"
        for row in facts["ranges"]
    )
    meant = dict.fromkeys(row["state"] for row in facts["ranges"])
    parts = [
        f"# Disclosure: {facts['file']}\n",
        f"{_headline(meant)}\n",
        "## What was altered\n",
        f"{facts['frames']} frames, counted from 1.\n",
        f"| frames | time | what was done |\n|---|---|---|\n{rows}",
        "".join(f"- {state}: {MEANINGS[state]}\n" for state in meant),
        "## How\n",
        ("".join(map(_method_line, facts["methods"])) or "- no merge record names a model\n")
        + f"- settings sha256: {facts['settings_sha256'] or 'not recorded'}\n"
        f"- visible label: {facts['label'] or 'none'}\n"
        f"- marking: {facts['marking']}\n"
        f"- digital source type: {facts['digital_source_type']}\n"
        f"- made by {facts['software']}, {facts['made_at']}\n",
        "## Consents\n",
        f"Purpose: {facts['purpose']}. Records are named by their ids; who they are of is known to"
        " whoever made this.\n",
        "".join(_consent_line(side) for side in facts["consents"]),
        "## File\n",
        f"- {facts['file']}\n- sha256: {facts['sha256']}\n",
    ]
    return "\n".join(parts)


def _headline(states: Collection[str]) -> str:
    if REPLACED in states:
        return "Faces in this video were replaced by software (AI-altered, deep fake)."
    if UNKNOWN in states:
        return "Faces in this video may have been replaced by software: no record says so, or not."
    return "No face was replaced in these frames."


def _method_line(method: dict[str, Any]) -> str:
    iteration = method["iteration"]
    trained = f", iteration {iteration}" if iteration is not None else ""
    return (
        f"- {method['what']}: class {method['model_class'] or 'not recorded'}{trained}, sha256"
        f" {method['model_sha256']}, in {method['frames']} frames\n"
    )


def _consent_line(side: dict[str, Any]) -> str:
    records = "; ".join(
        f"{record['id']} ({record['basis']}, for {', '.join(record['scopes'])}):"
        f" {record['standing']}"
        for record in side["records"]
    )
    return f"- {side['side']}, {side['of']}: {records}\n"
