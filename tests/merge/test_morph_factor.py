"""The morph factor: from a look to the model, for models that have one only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from engine import catalog
from engine.merge.face_nets import FaceNets
from engine.models.predictor import Prediction
from engine.protocol.errors import UsageError
from engine.protocol.look import Look
from engine.protocol.merge_commands import MergeEdit
from engine.protocol.options import complete_values
from engine.protocol.workspace import Workspace
from engine.stages.merge.plan import collect_jobs
from engine.stages.merge.run import merge_frames
from tests.merge.composing import fake_nets
from tests.merge.fakes import FakePredictor, round_predictor
from tests.merge.workspace import merge_workspace
from tests.stages.merge_session.serving import serving
from tests.support.context import context_for


@dataclass
class MorphingPredictor(FakePredictor):
    """Its faces are as bright as they are morphed; remembers the factors that it was given."""

    factors: list[float | None] = field(default_factory=list)

    def predict(self, crops_bgr: np.ndarray, morph_factors: np.ndarray | None = None) -> Prediction:
        given = [None] * len(crops_bgr) if morph_factors is None else morph_factors.tolist()
        self.factors += [factor if factor is None else round(factor, 6) for factor in given]
        plain = super().predict(crops_bgr)
        light = np.ones(len(crops_bgr), np.float32) if morph_factors is None else morph_factors
        return replace(plain, face_bgr=plain.face_bgr * light[:, None, None, None])


def morphing_nets() -> tuple[FaceNets, MorphingPredictor]:
    plain = round_predictor()
    predictor = MorphingPredictor(plain.face_bgr, plain.mask_src, plain.mask_dst)
    return replace(fake_nets(predictor), has_morph_factor=True), predictor


def merged(workspace: Workspace, nets: FaceNets) -> None:
    context = context_for(workspace.root, "merge")
    merge_frames(context, collect_jobs(context), nets)


def test_the_flag_is_there_for_models_that_have_a_morph_factor_only() -> None:
    merge = catalog.stage("merge")
    values = complete_values(catalog.options_of(merge, "amp"), {"morph_factor": "0.4"})
    assert Look.from_options(values).morph_factor == 0.4
    with pytest.raises(UsageError):
        complete_values(catalog.options_of(merge, "saehd"), {"morph_factor": "0.4"})


def test_a_plain_model_is_given_no_factor(tmp_path: Path) -> None:
    nets, predictor = morphing_nets()
    merged(merge_workspace(tmp_path, frames=1), replace(nets, has_morph_factor=False))
    assert predictor.factors == [None]


def test_each_frame_is_predicted_once_by_the_factor_that_its_look_has(tmp_path: Path) -> None:
    nets, predictor = morphing_nets()
    workspace = merge_workspace(tmp_path, frames=3)
    context = context_for(workspace.root, "merge", model_class="amp", morph_factor=0.25)
    merge_frames(context, collect_jobs(context), nets)
    assert predictor.factors == [0.25] * 3


def test_in_a_session_another_factor_shows_another_face_and_is_asked_for_once(
    tmp_path: Path,
) -> None:
    nets, predictor = morphing_nets()
    with serving(merge_workspace(tmp_path, frames=2), nets=nets, ahead=0) as viewer:

        def picture(seq: int, **changes: object) -> np.ndarray:
            viewer.shown_after(MergeEdit(frame=0, changes=changes, seq=seq))
            return viewer.picture(where=lambda shown: not shown.proxy and shown.answered == seq)

        plain = picture(1, color_transfer_mode="none")
        morphed = picture(2, morph_factor=0.5)
        assert np.abs(plain.astype(int) - morphed).max() > 20
        picture(3, erode_mask_modifier=3)
        picture(4, morph_factor=1.0)
        np.testing.assert_array_equal(picture(5, erode_mask_modifier=0), plain)
    assert predictor.factors == [1.0, 0.5]


def test_frames_of_a_session_are_merges_own(tmp_path: Path) -> None:
    nets, _ = morphing_nets()
    workspace = merge_workspace(tmp_path, frames=2)
    with serving(workspace, nets=nets) as viewer:
        viewer.shown_after(MergeEdit(frame=0, changes={"morph_factor": 0.3}, seq=1))
        viewer.until((workspace.dst.merged / "00001.png").is_file)
    context = context_for(workspace.root, "merge")
    merge_frames(context, collect_jobs(context), nets)
    assert context.facts["kept"] >= 1
