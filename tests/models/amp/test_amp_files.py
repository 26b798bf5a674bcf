"""AMP models of DeepFaceLab in and out, bit for bit."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.models.dfl_files.writing import dfl_data, summary_text, write_tensors
from engine.models.predictor import load_predictor
from engine.nets.morph_autoencoder import INTERS
from engine.protocol.survey import survey_models
from engine.protocol.workspace import Workspace
from engine.stages.model_export.run import export_model
from engine.stages.model_import.run import import_model
from engine.train.generations import Generations
from tests.nets.golden import golden_arrays
from tests.stages.test_model_import_export import assert_same_model
from tests.support.context import context_for
from tests.support.shared import shared_path

pytestmark = pytest.mark.slow  # starts nets

PREDICTED = ("pred_src_dst", "pred_src_dstm")
GOLDEN_OPTIONS = ("golden", "nets", "amp", "amp.json")


def amp_of_dfl(folder: Path, moved: tuple[str, ...] = ("encoder", "decoder")) -> Path:
    """A save of DeepFaceLab's with its optimizer's state, of the nets that it `moved`."""
    folder.mkdir()
    nets: dict[str, dict[str, Any]] = {}
    for path in shared_path("golden", "nets", "amp").glob("new_AMP_*.npy"):
        shutil.copyfile(path, folder / path.name)
        nets[path.stem.removeprefix("new_AMP_")] = pickle.loads(path.read_bytes())
    for file, roots in {"src_dst_opt": moved, "GAN_opt": ("GAN",)}.items():
        moments = {
            f"{slot}_{root}/{name.removesuffix(':0')}_0:0": tensor**2
            for slot in ("ms", "vs")
            for root in roots
            for name, tensor in nets[root].items()
        }
        write_tensors(folder / f"new_AMP_{file}.npy", {"iters:0": np.array(4), **moments})
    options = json.loads(shared_path(*GOLDEN_OPTIONS).read_text())["options"]
    (folder / "new_AMP_data.dat").write_bytes(dfl_data(4, options, [[3.0, 2.0]] * 4))
    (folder / "new_AMP_summary.txt").write_text(summary_text("new_AMP", 4, options))
    return folder


def imported(root: Path, source: Path) -> Any:
    context = context_for(root, "model-import", **{"model_class": "amp", "from": str(source)})
    import_model(context)
    return context


def exported(root: Path) -> Path:
    to = root / "out"
    export_model(context_for(root, "model-export", model_class="amp", to=str(to)))
    return to


def test_a_model_comes_and_goes_bit_for_bit_and_its_inter_nets_rest_as_they_did(tmp_path):  # T5
    source = amp_of_dfl(tmp_path / "dfl")
    context = imported(tmp_path, source)
    assert not [warning for warning in context.warnings if "optimizer" in warning]
    saved = Generations(tmp_path / "model" / "new_amp").newest(lambda text, _: pytest.fail(text))
    assert saved.manifest.options["train_inters"] is False
    assert_same_model(exported(tmp_path), source)


def test_what_an_optimizer_knows_of_inter_nets_that_learned_comes_along(tmp_path):
    every = ("encoder", *INTERS, "decoder")  # as DeepFaceLab had it until July 2021
    source = amp_of_dfl(tmp_path / "dfl", moved=every)
    imported(tmp_path, source)
    assert_same_model(exported(tmp_path), source)


def test_an_imported_model_is_merged_with_as_the_reference_merges_with_it(tmp_path):
    golden, batch = golden_arrays("amp", "amp.npz"), golden_arrays("batch64.npz")
    imported(tmp_path, amp_of_dfl(tmp_path / "dfl"))
    predictor = load_predictor(Workspace(tmp_path), "new", "amp", "cpu")
    assert (predictor.resolution, predictor.face_type.short, predictor.iteration) == (64, "wf", 4)
    faces = np.repeat(batch["dst_warped"][:1], 3, axis=0)
    found = predictor.predict(faces, np.array([0.0, 0.77, 1.0], np.float32))
    for number, factor in enumerate((0.0, 0.77, 1.0)):
        face, mask = (golden[f"{name}|{factor}_stride2"][0] for name in PREDICTED)
        np.testing.assert_allclose(
            found.face_bgr[number, ::2, ::2].transpose(2, 0, 1), face, 0, 2e-5
        )
        np.testing.assert_allclose(found.mask_src[number, ::2, ::2], mask[0], 0, 2e-5)
    np.testing.assert_allclose(found.mask_dst[0], golden["pred_dst_dstm|0.5"][0, 0], 0, 2e-5)
    pure = predictor.predict(faces[:1])
    np.testing.assert_allclose(pure.face_bgr[0], found.face_bgr[2], atol=1e-6)
    with pytest.raises(ValueError, match="morph factors"):
        predictor.predict(faces, np.array([0.5, 1.5, 1.0], np.float32))


def test_a_folder_of_dfls_is_offered_for_import(tmp_path):
    amp_of_dfl(tmp_path / "model")
    [model] = survey_models(Workspace(tmp_path))
    assert (model.name, model.model_class, model.origin) == ("new", "AMP", "dfl")
