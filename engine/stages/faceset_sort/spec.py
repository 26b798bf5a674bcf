"""The stage faceset-sort as data. Words and defaults follow DFL's prompts."""

from __future__ import annotations

from engine.protocol.options import Choice, Flag, Integer, Option, Text, When
from engine.protocol.spec import SIDE, WORKERS, StageSpec
from engine.stages.faceset_sort.methods import METHODS

METHOD = Option(
    "method",
    "Method",
    Choice(tuple((method.name, method.explanation) for method in METHODS)),
    "hist",
    "What to sort by. Methods that measure faces send what they cannot judge to the trash.",
)

TARGET = Option(
    "target",
    "Faces to keep",
    Integer(1, 1_000_000),
    2000,
    "About how many of the best faces stay; the others go to the trash.",
    unit="faces",
    applies=When("method", ("final", "final-fast")),
)

SIMILAR = Option(
    "similar",
    "Similar side by side",
    Flag(),
    True,
    "Put the face that differs least next; no puts the one that differs most.",
    applies=When("method", ("absdiff",)),
)

REFERENCE = Option(
    "reference",
    "Reference face",
    Text(),
    "",
    "The file name of a face of the person who comes first. When not given, it is the person with"
    " most faces.",
    applies=When("method", ("identity",)),
)

DRY_RUN = Option(
    "dry_run",
    "Only show",
    Flag(),
    False,
    "Rename nothing; write the order and the trash with reasons to order.json of the run.",
)

UNDO = Option(
    "undo",
    "Undo the last sort",
    Flag(),
    False,
    "Give the faces back the names and the place they had before the side's last sort.",
)

FACESET_SORT = StageSpec(
    id="faceset-sort",
    title="Sort faces",
    group="Faces",
    summary="Puts the faces in an order by which the bad ones are found, or keeps the best",
    code="engine.stages.faceset_sort.run:run",
    options=(SIDE, METHOD, TARGET, SIMILAR, REFERENCE, DRY_RUN, UNDO, WORKERS),
    needs=("writable", "faces"),
    resources=("faces-{side}", "index-src", "index-dst"),
    help="Renames the faces in data_SIDE/aligned to 00000.jpg, 00001.jpg and so on. What a method"
    " takes out goes to a new folder of its own in data_SIDE/aligned_trash. Both can be undone."
    " A sort that was interrupted is completed by the next one. Faces keep the name of their frame"
    " in their metadata.",
)
