"""Saves: whole or absent, checked when read, pruned with care.

Traps of the training spec: T3 (a file that could not be read silently made a fresh net), T6 (saves
were replaced file by file), T14 (a save of iteration 0 lost its options).
"""

from __future__ import annotations

import json
import math
import os
import shutil
import tracemalloc
from contextlib import ExitStack

import numpy as np
import pytest

from engine.protocol.errors import InputError
from engine.protocol.model_files import list_saves
from engine.train.generations import Generations, Manifest, check_generation, read_generation
from engine.train.saver import Saver
from tests.support.disks import read_only, small_disk


def state(value=1.0):
    return {
        "encoder": {"down1/downs_0/conv1/weight:0": np.full((3, 4), value, np.float32)},
        "src_dst_opt": {"iters:0": np.array(7, np.int64)},
    }


def manifest(iteration, options=None, **fields):
    return Manifest(
        model_class="tiny",
        iteration=iteration,
        seed=5,
        drawn=40,
        options=options or {"a": 1},
        **fields,
    )


def no_warning(text, remedy):
    raise AssertionError(text)


def test_what_was_saved_is_read_back_with_its_counts(tmp_path):
    generations = Generations(tmp_path)
    path = generations.write(manifest(12), state(2.5))
    assert path == tmp_path / "generations" / "00000012"
    found = generations.newest(no_warning)
    assert (found.manifest.iteration, found.manifest.drawn, found.manifest.seed) == (12, 40, 5)
    weight = found.state["encoder"]["down1/downs_0/conv1/weight:0"]
    np.testing.assert_array_equal(weight, np.full((3, 4), 2.5, np.float32))
    assert found.state["src_dst_opt"]["iters:0"] == 7


def test_the_newest_are_kept_and_the_best_of_those_made_with_the_same_options(tmp_path):
    generations = Generations(tmp_path)
    generations.write(manifest(1, {"a": 2}, smoothed_loss=0.1), state())
    for iteration, loss in ((5, 0.5), (9, 0.3), (12, 0.4), (1200, 0.6), (99999, None)):
        generations.write(manifest(iteration, smoothed_loss=loss), state())
    generations.prune(2)
    assert generations.iterations() == [9, 1200, 99999]
    assert [save.iteration for save in list_saves(tmp_path) if save.is_best] == [9]
    assert not list(generations.folder.glob(".*"))


def test_losses_that_are_numbers_only_in_name_are_no_best(tmp_path):
    generations = Generations(tmp_path)
    generations.write(manifest(1, smoothed_loss=math.nan), state())
    generations.write(manifest(2, smoothed_loss=3.0), state())
    generations.write(manifest(3, smoothed_loss=math.inf), state())
    assert [save.iteration for save in list_saves(tmp_path) if save.is_best] == [2]


@pytest.mark.parametrize("damage", ["flip", "cut", "manifest", "missing"])
def test_a_damaged_save_is_passed_over_with_a_warning_and_left_where_it_is(tmp_path, damage):
    generations = Generations(tmp_path)
    generations.write(manifest(1), state(1))
    newest = generations.write(manifest(2), state(2))
    victim = newest / ("manifest.json" if damage == "manifest" else "encoder.safetensors")
    data = bytearray(victim.read_bytes())
    if damage == "flip":
        data[-1] ^= 1
        victim.write_bytes(data)
    elif damage == "missing":
        victim.unlink()
    else:
        victim.write_bytes(data[:-5])
    warnings = []
    found = generations.newest(lambda text, remedy: warnings.append(text))
    assert found.manifest.iteration == 1
    assert len(warnings) == 1
    assert "iteration 2" in warnings[0]
    assert newest.exists()


def test_a_model_whose_saves_are_all_damaged_is_refused_rather_than_started_anew(tmp_path):
    generations = Generations(tmp_path)
    for iteration in (1, 2):
        path = generations.write(manifest(iteration), state())
        (path / "encoder.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match="all 2 saves"):
        generations.newest(lambda text, remedy: None)


def test_a_save_of_iteration_0_keeps_its_options(tmp_path):
    Generations(tmp_path).write(manifest(0, {"archi": "liae-ud"}), state())
    found = Generations(tmp_path).newest(no_warning)
    assert found.manifest.options == {"archi": "liae-ud"}


def test_a_new_model_has_no_save(tmp_path):
    assert Generations(tmp_path).newest(no_warning) is None


def test_a_damaged_newer_save_is_put_aside_so_that_its_number_can_be_saved_again(tmp_path):
    generations = Generations(tmp_path)
    generations.write(manifest(1), state(1))
    damaged = generations.write(manifest(2), state(2))
    (damaged / "encoder.safetensors").write_bytes(b"x")
    (moved,) = generations.put_aside_after(1)
    generations.write(manifest(2), state(3))
    assert (moved / "encoder.safetensors").read_bytes() == b"x"
    found = generations.newest(no_warning)
    assert found.state["encoder"]["down1/downs_0/conv1/weight:0"][0, 0] == 3


def test_a_save_that_cannot_be_written_leaves_earlier_ones_and_nothing_half_done(tmp_path):
    generations = Generations(tmp_path)
    generations.write(manifest(1), state(1))
    too_long = {"x" * 300: state()["encoder"]}  # no file system takes the name
    with pytest.raises(InputError):
        generations.write(manifest(2), too_long)
    assert generations.iterations() == [1]
    assert not list(generations.folder.glob(".*"))


def test_what_a_killed_save_left_is_swept(tmp_path):
    generations = Generations(tmp_path)
    generations.write(manifest(1), state())
    left = generations.folder / ".00000002.abcd.part"
    left.mkdir()
    (left / "encoder.safetensors").write_bytes(b"half")
    generations.sweep()
    assert not left.exists()
    assert generations.iterations() == [1]


def test_a_manifest_that_names_a_file_elsewhere_is_refused(tmp_path):
    path = Generations(tmp_path).write(manifest(1), state())
    facts = json.loads((path / "manifest.json").read_text())
    facts["files"]["../../secret.safetensors"] = facts["files"].pop("encoder.safetensors")
    (path / "manifest.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match="secret"):
        read_generation(path)


def test_only_the_files_asked_for_are_read(tmp_path):
    generations = Generations(tmp_path)
    path = generations.write(manifest(1), state())
    (path / "src_dst_opt.safetensors").write_bytes(b"damaged")
    found = generations.newest(no_warning, only=lambda stem: stem == "encoder")
    assert list(found.state) == ["encoder"]


def test_a_disk_that_fills_at_any_place_leaves_the_earlier_save_and_nothing_half_done(tmp_path):
    block = 4096
    with small_disk(tmp_path / "disk", "1m") as disk:
        generations = Generations(disk)
        generations.write(manifest(1), state(1))
        large = {"encoder": {"w": np.ones(3 * block, np.uint8)}, "opt": state()["encoder"]}
        outcomes = set()
        for free_blocks in range(10):
            filler = disk / "filler"
            room = os.statvfs(disk).f_bavail - free_blocks
            filler.write_bytes(bytes(room * block))
            try:
                generations.write(manifest(2), large)
                outcomes.add("saved")
                shutil.rmtree(disk / "generations" / "00000002")
            except InputError as error:
                assert error.code == "disk-full"
                outcomes.add("refused")
                assert generations.iterations() == [1]
            assert not list(generations.folder.glob(".*"))
            assert read_generation(generations.path(1)).manifest.iteration == 1
            filler.unlink()
        assert outcomes == {"saved", "refused"}


def test_old_saves_that_cannot_be_removed_are_told_once_and_saving_goes_on(tmp_path):
    warnings = []
    generations = Generations(tmp_path)
    with Saver(generations, 0, lambda text, remedy: warnings.append(text)) as saver:
        for iteration in range(1, 6):
            saver.begin(manifest(iteration), state(), keep=1)
            assert saver.finished(wait=True) == (iteration, generations.path(iteration))
            if iteration == 1:
                # No file can be removed from a folder that something is mounted on.
                kept = generations.path(1)
                stack = ExitStack()
                stack.enter_context(read_only(kept))
    with stack:
        assert len(warnings) == 1
        assert "00000001" in warnings[0]
        assert generations.iterations() == [1, 5]
    assert read_generation(kept).manifest.iteration == 1


def test_a_large_state_is_written_and_checked_without_a_second_copy_of_it(tmp_path):
    tensors = {"encoder": {f"w{i}": np.ones(1 << 20, np.float32) for i in range(32)}}
    path = Generations(tmp_path).write(manifest(1), tensors)
    tracemalloc.start()
    Generations(tmp_path).write(manifest(2), tensors)
    check_generation(path)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 8 << 20, "the tensors are 128 MiB"


def test_saves_of_the_last_collapses_are_kept_and_damaged_ones_for_ever(tmp_path):
    generations = Generations(tmp_path)
    generations.write(manifest(1), state())
    aside = []
    for why in ("damaged", "collapsed", "collapsed", "collapsed"):
        for iteration in (2, 3):
            generations.write(manifest(iteration), state())
        aside.append(generations.put_aside_after(1, why))
    generations.forget_collapsed()
    assert [[path.exists() for path in paths] for paths in aside] == [
        [True, True],
        [False, False],
        [True, True],
        [True, True],
    ]
    assert generations.iterations() == [1]
