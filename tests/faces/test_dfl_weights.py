"""Weight files that users bring from DeepFaceLab."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from engine.faces.dfl_weights import find_weights, read_dfl_weights, weights_folder
from engine.protocol.errors import InputError

TENSORS = {
    "conv1/weight:0": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "conv1/bias:0": np.float32([1, 2, 3, 4]),
}


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_tensors_of_any_precision_are_read_as_float32(tmp_path: Path, dtype: type) -> None:
    path = tmp_path / "Net.npy"
    stored = {name: tensor.astype(dtype) for name, tensor in TENSORS.items()}
    path.write_bytes(pickle.dumps(stored, protocol=4))
    read = read_dfl_weights(path)
    assert list(read) == list(TENSORS)
    for name, tensor in TENSORS.items():
        assert read[name].dtype == np.float32
        np.testing.assert_array_equal(read[name], tensor)


def test_a_file_that_would_run_something_is_refused(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path}/ran",)

    path = tmp_path / "Net.npy"
    path.write_bytes(pickle.dumps({"conv1/weight:0": Hostile()}))
    with pytest.raises(InputError) as caught:
        read_dfl_weights(path)
    assert caught.value.code == "unsafe-data"
    assert str(path) in caught.value.message
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", pickle.dumps([1]), pickle.dumps({"a": 1})])
def test_anything_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "Net.npy"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"Net\.npy holds no net weights"):
        read_dfl_weights(path)


def test_weights_are_looked_for_at_home_then_in_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    models = tmp_path / "model"
    with pytest.raises(InputError) as caught:
        find_weights("Net.npy", "", [models])
    assert str(weights_folder()) in caught.value.remedy
    assert str(models) in caught.value.message

    models.mkdir()
    (models / "Net.npy").touch()
    assert find_weights("Net.npy", "", [models]) == models / "Net.npy"
    weights_folder().mkdir(parents=True)
    (weights_folder() / "Net.npy").touch()
    assert find_weights("Net.npy", "", [models]) == weights_folder() / "Net.npy"


def test_a_given_place_may_be_the_file_or_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "Net.npy"
    path.touch()
    assert find_weights("Net.npy", str(path)) == path
    assert find_weights("Net.npy", str(tmp_path)) == path
    with pytest.raises(InputError, match="elsewhere") as caught:
        find_weights("Net.npy", str(tmp_path / "elsewhere"))
    assert "give the path of Net.npy" in caught.value.remedy
