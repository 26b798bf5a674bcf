"""DeepFaceLab's model files: read and written bit for bit, and nothing in them trusted."""

from __future__ import annotations

import io
import pickle
import tracemalloc
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.models.dfl_files.classes import SAEHD
from engine.models.dfl_files.reading import (
    find_model,
    models_in,
    read_data,
    read_net,
    read_optimizer,
)
from engine.models.dfl_files.writing import dfl_data, summary_text, write_tensors
from engine.protocol.errors import InputError
from tests.support.shared import shared_path

WANTED = {
    "conv1/weight:0": np.zeros((2, 3, 4), np.float32),
    "conv1/bias:0": np.zeros(4, np.float32),
}
OPTIMIZER = {"iters:0": np.zeros((), np.int64), "acc_net/conv1/bias_0:0": np.zeros(4, np.float32)}


class RunsCode:
    """Unpickled by the standard library, this makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.marker), "w")


def golden_saves() -> list[Path]:
    """Every file of tensors that DeepFaceLab wrote for us."""
    folder = shared_path("golden", "nets")
    return sorted([*folder.glob("saehd/**/new_*.npy"), *folder.glob("amp/new_*.npy")])


@dataclass
class Called:
    """What a pickle would have made by calling `what`."""

    what: str
    arguments: tuple[Any, ...]
    state: list[Any] = field(default_factory=list)

    def __setstate__(self, state: Any) -> None:
        self.state.append(state)


@dataclass(frozen=True)
class Name:
    """Something that a pickle refers to by its name."""

    what: str

    def __call__(self, *arguments: Any) -> Called:
        return Called(self.what, arguments)


class Structure(pickle.Unpickler):
    """Shows what a pickle names and calls instead of doing it."""

    def find_class(self, module: str, name: str) -> Any:
        return Name(f"{module}.{name}")


def structure(pickled: bytes) -> Any:
    return str(Structure(io.BytesIO(pickled)).load())


def test_a_file_of_tensors_read_and_written_is_the_originals_pickle_in_all_but_framing(
    tmp_path: Path,
) -> None:
    for original in golden_saves():
        expected = pickle.loads(original.read_bytes())
        is_optimizer = original.stem.endswith("_opt")
        wanted = {name: np.zeros_like(np.asarray(value)) for name, value in expected.items()}
        if is_optimizer:
            tensors, count = read_optimizer(original, wanted)
            assert count == len(expected)
        else:
            tensors = read_net(original, wanted)
        write_tensors(tmp_path / "written.npy", tensors)
        written = (tmp_path / "written.npy").read_bytes()
        assert structure(written) == structure(original.read_bytes()), original
        assert written[:2] == original.read_bytes()[:2] == b"\x80\x04"
        found = pickle.loads(written)
        assert list(found) == list(expected)
        for name, value in expected.items():
            assert type(found[name]) is type(value)
            assert (found[name].dtype, found[name].shape) == (value.dtype, value.shape)
            assert found[name].flags.c_contiguous
            assert found[name].tobytes() == value.tobytes(), (original, name)


def test_data_and_summary_are_written_as_they_were_read() -> None:
    folder = shared_path("golden", "nets", "saehd", "steps", "rmsprop")
    model = find_model(folder, "new", SAEHD)
    original = model.data_path.read_bytes()
    data = read_data(model.data_path)
    assert data.iteration == 11
    assert data.options["archi"] == "df-ud"
    assert len(data.losses) == 10
    written = dfl_data(data.iteration, data.options, data.losses)
    assert structure(written) == structure(original)
    summary = (folder / "new_SAEHD_summary.txt").read_text()
    box = summary_text("new_SAEHD", data.iteration, data.options)
    ours, theirs = box.splitlines(), summary.splitlines()
    assert ours[:-1] == theirs[: len(ours) - 1]
    assert ours[-1] == theirs[-1]


def test_options_of_numpy_numbers_are_plain_and_what_is_no_single_value_is_left_out(
    tmp_path: Path,
) -> None:
    options = {
        "resolution": np.int64(224),
        "random_hsv_power": np.float64(0.05),
        "gan_power": np.float32(0.5),
        "masked_training": np.bool_(True),
        "lr_dropout": "n",
        "samples": [1, 2],
        "ct_mode": float("nan"),
    }
    path = tmp_path / "new_SAEHD_data.dat"
    sample = [[np.zeros((4, 8, 8, 3), np.float32)] * 4] * 2
    content = {"iter": 3, "options": options, "sample_for_preview": sample}
    path.write_bytes(pickle.dumps(content, protocol=4))
    data = read_data(path)
    read = data.options
    assert data.odd_options == ("samples", "ct_mode")
    assert read == {
        "resolution": 224,
        "random_hsv_power": 0.05,
        "gan_power": 0.5,
        "masked_training": True,
        "lr_dropout": "n",
    }
    assert [type(value) for value in read.values()] == [int, float, float, bool, str]


def test_a_model_that_made_no_iteration_keeps_its_options(tmp_path: Path) -> None:
    path = tmp_path / "new_SAEHD_data.dat"
    content = {"iter": 0, "options": {"archi": "liae"}, "loss_history": [[1.0, 2.0]]}
    path.write_bytes(pickle.dumps(content, protocol=4))
    data = read_data(path)
    assert (data.iteration, data.options, data.losses) == (0, {"archi": "liae"}, [])


@pytest.mark.parametrize(
    "content",
    [
        {"options": {}},
        {"iter": 1},
        {"iter": -1, "options": {}},
        {"iter": 10**15, "options": {}},
        {"iter": "9", "options": {}},
        {"iter": 1, "options": [], "loss_history": []},
        {"iter": 1, "options": {}, "loss_history": [["x"]]},
        {"iter": 1, "options": {}, "loss_history": [1.0]},
        {"iter": 1, "options": {}, "loss_history": [[0.0] * 99]},
        [],
    ],
)
def test_data_that_is_none_is_refused_by_name(tmp_path: Path, content: object) -> None:
    path = tmp_path / "new_SAEHD_data.dat"
    path.write_bytes(pickle.dumps(content, protocol=4))
    with pytest.raises(InputError, match=r"new_SAEHD_data\.dat"):
        read_data(path)


def test_nothing_in_any_of_the_files_is_run(tmp_path: Path) -> None:
    path, marker = tmp_path / "new_SAEHD_inter.npy", tmp_path / "ran"
    path.write_bytes(pickle.dumps({"conv1/bias:0": RunsCode(marker)}, protocol=4))
    for read in (read_data, lambda file: read_net(file, WANTED)):
        with pytest.raises(InputError) as caught:
            read(path)
        assert caught.value.code == "unsafe-data"
        assert str(path) in caught.value.message
    assert not marker.exists()


def test_an_array_of_objects_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.npy"
    path.write_bytes(pickle.dumps({"conv1/bias:0": np.array([None, 1], object)}, protocol=4))
    with pytest.raises(InputError) as caught:
        read_net(path, WANTED)
    assert caught.value.code == "unsafe-data"


def test_a_file_cut_short_is_refused_wherever_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "net.npy"
    write_tensors(path, WANTED)
    whole = path.read_bytes()
    for end in [*range(0, len(whole), 7), len(whole) - 1]:
        path.write_bytes(whole[:end])
        with pytest.raises(InputError, match=r"net\.npy"):
            read_net(path, WANTED)


def test_a_claim_of_two_gigabytes_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "net.npy"
    write_tensors(path, {"conv1/bias:0": np.zeros(300, np.float32)})
    whole = path.read_bytes()
    claim = whole.replace(b"B" + (1200).to_bytes(4, "little"), b"B" + (2**31).to_bytes(4, "little"))
    assert claim != whole
    path.write_bytes(claim)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="2147483648 bytes"):
            read_net(path, WANTED)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_file_larger_than_any_net_is_not_even_opened(tmp_path: Path) -> None:
    path = tmp_path / "net.npy"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # takes no room on the disk
    with pytest.raises(InputError, match="more than any"):
        read_net(path, WANTED)


@pytest.mark.parametrize(
    ("tensors", "says"),
    [
        ({"conv1/weight:0": WANTED["conv1/weight:0"]}, "has no tensor conv1/bias:0"),
        ({**WANTED, "conv1/bias:0": np.zeros(5, np.float32)}, r"conv1/bias:0 has shape \(5,\)"),
        ({**WANTED, "conv1/bias:0": np.float32([0, 1, np.nan, 0])}, "conv1/bias:0 .*collapsed"),
    ],
)
def test_tensors_that_do_not_fit_are_refused_by_file_and_name(
    tmp_path: Path, tensors: dict[str, Any], says: str
) -> None:
    path = tmp_path / "new_SAEHD_inter.npy"
    write_tensors(path, tensors)
    with pytest.raises(InputError, match=f"new_SAEHD_inter.npy.*{says}"):
        read_net(path, WANTED)


def test_half_precision_is_widened_and_fortran_order_undone(tmp_path: Path) -> None:
    path = tmp_path / "net.npy"
    weight = np.arange(24, dtype=np.float16).reshape(2, 3, 4)
    stored = {"conv1/weight:0": np.asfortranarray(weight), "conv1/bias:0": np.zeros(4)}
    path.write_bytes(pickle.dumps(stored, protocol=4))
    read = read_net(path, WANTED)
    assert {tensor.dtype for tensor in read.values()} == {np.dtype(np.float32)}
    assert read["conv1/weight:0"].flags.c_contiguous
    np.testing.assert_array_equal(read["conv1/weight:0"], weight)


def test_the_state_of_another_optimizer_begins_at_zero_but_its_step_count_stays(
    tmp_path: Path,
) -> None:
    path = tmp_path / "new_SAEHD_src_dst_opt.npy"
    other = {"iters:0": np.array(7, np.int64), "ms_net/conv1/bias_0:0": np.ones(4, np.float32)}
    write_tensors(path, other)
    state, count = read_optimizer(path, OPTIMIZER)
    assert count == 1
    assert state["iters:0"] == 7
    assert not state["acc_net/conv1/bias_0:0"].any()


def test_models_of_a_folder_are_listed_when_the_name_is_none_of_them(tmp_path: Path) -> None:
    for name in ("a b_SAEHD_data.dat", "my_model_SAEHD_data.dat", "q_Quick96_data.dat", "x.txt"):
        (tmp_path / name).touch()
    assert [(model.name, model.dfl_class.name) for model in models_in(tmp_path)] == [
        ("a b", "SAEHD"),
        ("my_model", "SAEHD"),
        ("q", "Quick96"),
    ]
    for name, says in (("c", "no DeepFaceLab model c"), ("", "several models of class SAEHD")):
        with pytest.raises(InputError, match=says) as caught:
            find_model(tmp_path, name, SAEHD)
        assert "a b (SAEHD), my_model (SAEHD), q (Quick96)" in caught.value.remedy
    with pytest.raises(InputError, match="cannot read"):
        find_model(tmp_path / "none", "c", SAEHD)
