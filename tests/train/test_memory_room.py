from __future__ import annotations

from pathlib import Path

import psutil

from engine.train.memory_room import available_bytes

MB = 1_000_000


def made_group(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")


def test_without_limits_it_is_what_the_machine_has_free(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("0::/\n")
    made_group(tmp_path / "groups", memory__max="max", memory__current="5")
    free = psutil.virtual_memory().available
    assert abs(available_bytes(tmp_path / "groups", own) - free) < free / 4
    assert abs(available_bytes(tmp_path / "no", tmp_path / "such") - free) < free / 4


def test_the_narrowest_limit_around_the_process_counts(tmp_path: Path) -> None:
    own, groups = tmp_path / "own", tmp_path / "groups"
    own.write_text("0::/outer/inner\n")
    made_group(groups / "outer/inner", memory__max=f"{90 * MB}", memory__current=f"{10 * MB}")
    stat = f"anon {40 * MB}\ninactive_file {15 * MB}"
    made_group(
        groups / "outer",
        memory__max=f"{60 * MB}",
        memory__current=f"{50 * MB}",
        memory__stat=stat,
    )
    assert available_bytes(groups, own) == 25 * MB


def test_a_container_whose_group_has_a_name_of_the_host_is_limited_by_its_root(
    tmp_path: Path,
) -> None:
    own, groups = tmp_path / "own", tmp_path / "groups"
    own.write_text("5:cpu:/docker/abc\n4:memory:/docker/abc\n")
    made_group(
        groups / "memory",
        memory__limit_in_bytes=f"{70 * MB}",
        memory__usage_in_bytes=f"{30 * MB}",
        memory__stat=f"cache 7\ntotal_inactive_file {5 * MB}",
    )
    assert available_bytes(groups, own) == 45 * MB
