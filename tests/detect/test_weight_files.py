from __future__ import annotations

import io
import os
from pathlib import Path

import joblib
import lz4.frame
import numpy as np
import pytest

from engine.detect.weight_files import packaged_file, read_lz4_joblib_arrays
from engine.protocol.errors import InputError


@pytest.mark.parametrize("net", ["pnet", "rnet", "onet"])
def test_the_weights_are_what_joblib_itself_reads(net: str) -> None:
    path = packaged_file("mtcnn", f"mtcnn/assets/weights/{net}.lz4")
    ours, theirs = read_lz4_joblib_arrays(path), joblib.load(path)
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_pickle_that_would_run_a_command_runs_nothing(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    buffer = io.BytesIO()
    joblib.dump([Evil(), np.zeros(3, np.float32)], buffer)
    (tmp_path / "evil.lz4").write_bytes(lz4.frame.compress(buffer.getvalue()))
    read_lz4_joblib_arrays(tmp_path / "evil.lz4")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("cut", [0, 1, 300, 20_000])
def test_a_file_cut_off_is_refused_by_name(tmp_path: Path, cut: int) -> None:
    whole = packaged_file("mtcnn", "mtcnn/assets/weights/pnet.lz4").read_bytes()
    path = tmp_path / "short.lz4"
    path.write_bytes(lz4.frame.compress(lz4.frame.decompress(whole)[:cut]))
    with pytest.raises(InputError, match=r"short\.lz4"):
        read_lz4_joblib_arrays(path)


def test_a_file_that_is_no_lz4_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "other.lz4"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match=r"other\.lz4"):
        read_lz4_joblib_arrays(path)


def test_arrays_of_doubles_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "doubles.lz4"
    joblib.dump([np.zeros(3, np.float64)], path, compress=("lz4", 3))
    with pytest.raises(InputError, match="float32"):
        read_lz4_joblib_arrays(path)


def test_a_missing_package_is_named_with_what_to_do() -> None:
    with pytest.raises(InputError, match="no-such-package") as refused:
        packaged_file("no-such-package", "weights")
    assert "pip install" in refused.value.remedy
