"""Predictions on disk: nothing is predicted twice while there is room, and a full disk stops
nothing."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.models.predictor import Prediction
from engine.protocol.merge_commands import MergeCopy, MergeEdit, MergeGo, MergeProcess
from engine.stages.merge_session.kept_predictions import KeptPredictions
from engine.stages.merge_session.record_file import RecordFile
from tests.merge.fakes import FakePredictor, round_predictor
from tests.merge.workspace import merge_workspace
from tests.stages.merge_session.serving import serving
from tests.support.disks import small_disk

RECORD_BYTES = 1 << 16


@dataclass
class CountingPredictor(FakePredictor):
    """Answers with the crop and its grey levels; remembers how many crops it was asked for."""

    asked: list[int] = field(default_factory=list)

    def predict(self, crops_bgr: np.ndarray, morph_factors: np.ndarray | None = None) -> Prediction:
        self.asked.append(len(crops_bgr))
        return Prediction(crops_bgr * 0.5, crops_bgr[..., 0], crops_bgr[..., 1])


def counting_predictor() -> CountingPredictor:
    plain = round_predictor()
    return CountingPredictor(plain.face_bgr, plain.mask_src, plain.mask_dst)


def crops(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((count, 32, 32, 3), np.float32)


def record(number: int) -> bytes:
    return bytes([number]) * RECORD_BYTES


def test_only_what_was_not_predicted_yet_is_asked_for_and_all_come_in_order(
    tmp_path: Path,
) -> None:
    predictor, faces = counting_predictor(), crops(5)
    with closing(KeptPredictions(predictor, tmp_path, 10**6)) as kept:
        kept.predict(faces[[3, 1]])
        predicted = kept.predict(faces)
        kept.predict(faces)
    assert predictor.asked == [2, 3]
    np.testing.assert_array_equal(predicted.face_bgr, faces * np.float32(0.5))
    np.testing.assert_array_equal(predicted.mask_src, faces[..., 0])
    np.testing.assert_array_equal(predicted.mask_dst, faces[..., 1])


def test_another_models_predictions_are_its_own(tmp_path: Path) -> None:
    predictor, faces = counting_predictor(), crops(1)
    with closing(KeptPredictions(predictor, tmp_path, 10**6)) as kept:
        kept.predict(faces)
        predictor.fingerprint = "second"
        kept.predict(faces)
    assert predictor.asked == [1, 1]


def test_the_file_has_no_name_and_stays_within_its_bound(tmp_path: Path) -> None:
    with closing(RecordFile(tmp_path, RECORD_BYTES, 3 * RECORD_BYTES + 1)) as records:
        for number in range(6):
            records.put(bytes([number]), record(number))
            assert records.get(b"\0") == record(0)  # used last, so it stays
        assert records.bytes_on_disk == 3 * RECORD_BYTES
        kept = [number for number in range(6) if records.get(bytes([number])) is not None]
        assert kept == [0, 4, 5]
        assert list(tmp_path.iterdir()) == []


def test_without_room_nothing_is_kept_and_no_file_is_made(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    for records in (RecordFile(tmp_path, RECORD_BYTES, 0), RecordFile(gone, RECORD_BYTES, 10**9)):
        records.put(b"one", record(1))
        assert (records.get(b"one"), records.bytes_on_disk) == (None, 0)


def test_no_more_of_the_disk_is_taken_than_is_left_free(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", "2m") as disk,
        closing(RecordFile(disk, RECORD_BYTES, 10**9)) as records,
    ):
        for number in range(100):
            records.put(bytes([number]), record(number))
        assert 0.4 * 2**21 < records.bytes_on_disk <= 2**20
        assert records.get(bytes([99])) == record(99)


def test_on_a_disk_that_others_fill_what_is_kept_gives_room_to_what_comes(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", "2m") as disk,
        closing(RecordFile(disk, RECORD_BYTES, 10**9)) as records,
    ):
        for number in range(4):
            records.put(bytes([number]), record(number))
        fill(disk)
        for number in range(4, 9):
            records.put(bytes([number]), record(number))
        assert records.bytes_on_disk == 4 * RECORD_BYTES
        assert [records.get(bytes([number])) for number in range(5, 9)] == list(
            map(record, range(5, 9))
        )


def fill(disk: Path) -> None:
    with (disk / "others").open("wb", buffering=0) as others:
        try:
            while others.write(bytes(4096)):
                pass
        except OSError:
            return


def test_neither_a_frame_that_memory_forgot_nor_its_rendering_asks_the_model_again(
    tmp_path: Path,
) -> None:
    assert faces_predicted(tmp_path) == 4


def test_with_no_disk_to_use_they_ask_again(tmp_path: Path) -> None:
    assert faces_predicted(tmp_path, spill_mb=0) > 4


def faces_predicted(root: Path, **options: int) -> int:
    """How many faces a model is asked for when each of four frames is seen, one is forgotten and
    seen again, and all are rendered in the end."""
    predictor = counting_predictor()
    workspace = merge_workspace(root, frames=4)
    with serving(workspace, predictor, ahead=0, **options) as viewer:
        for seq, frame in enumerate((1, 2, 3), start=1):
            viewer.shown_after(MergeGo(frame=frame, seq=seq))
        os.utime(workspace.dst.frames / "00002.png", (1, 1))  # memory takes it for another one
        viewer.shown_after(MergeGo(frame=1, seq=4))
        edit = MergeEdit(frame=0, changes={"erode_mask_modifier": 9}, seq=5)
        viewer.shown_after(edit, MergeCopy(frame=0, to="after", seq=6))
        viewer.shown_after(MergeGo(frame=0, seq=7))
        since = viewer.send(MergeProcess(on=True, seq=8))
        viewer.state(lambda state: sum(state.done[1::2]) == 4, since)
    return sum(predictor.asked)
