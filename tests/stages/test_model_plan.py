"""Training plans: shown, written from presets, and which one a run follows."""

from __future__ import annotations

import msgspec
import pytest

from engine.models.classes import MODEL_CLASSES, model_spec
from engine.protocol.errors import ConfirmationNeeded, InputError, UsageError
from engine.protocol.needs import check_needs
from engine.protocol.plan_presets import PRESETS, presets_for
from engine.protocol.training_plan import Phase, Plan, check_plan, plan_path, read_plan, write_plan
from engine.protocol.workspace import Workspace
from engine.stages.model_plan.run import run
from engine.stages.train.plan import settle_plan
from tests.support.context import context_for

SAEHD = model_spec("saehd")
AMP = model_spec("amp")
OWN = Plan(title="own", phases=(Phase(name="only", changes={"clipgrad": True}),))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "model" / "new_saehd"


def plan_context(root, *, confirmed=False, **given):
    return context_for(root, "model-plan", model_class="saehd", confirmed=confirmed, **given)


def settled(root, **given):
    context = context_for(root, "train", model_class="saehd", **given)
    return settle_plan(context, SAEHD, root / "model" / "new_saehd"), context


@pytest.mark.parametrize("spec", MODEL_CLASSES, ids=lambda spec: spec.id)
def test_every_preset_that_is_offered_for_a_model_class_can_be_followed(spec):
    for preset, plan in presets_for(spec.options).items():
        # What a phase may not name is asked for before the plan: where the faces are.
        values = {"pretrain_faces": "faces"} if preset == "pretrain" else {}
        check_plan(plan, spec, values)


def test_saehd_is_offered_every_preset():
    assert set(presets_for(SAEHD.options)) == set(PRESETS)


def test_amp_is_offered_the_standard_phases_but_the_one_that_it_is_always_in(tmp_path):
    names = [phase.name for phase in presets_for(AMP.options)["standard"].phases]
    assert names == [p.name for p in PRESETS["standard"].phases if p.name != "eyes and mouth"]
    with pytest.raises(UsageError, match="rtm is not for models of this class"):
        run(context_for(tmp_path, "model-plan", model_class="amp", preset="rtm"))


def test_a_preset_is_written_scaled_and_its_phases_are_told(tmp_path, folder):
    context = plan_context(tmp_path, preset="standard", scale=0.5)
    run(context)
    written = read_plan(plan_path(folder))
    assert written.phases[0].at_most == PRESETS["standard"].phases[0].at_most // 2
    assert context.facts["phases"] == len(written.phases)
    assert any("eyes_mouth_prio on" in note for note in context.notes)


def test_a_plan_is_replaced_only_with_a_confirmation_and_goes_to_the_trash(tmp_path, folder):
    run(plan_context(tmp_path, preset="standard"))
    with pytest.raises(ConfirmationNeeded, match=r"plan\.json"):
        run(plan_context(tmp_path, preset="quick"))
    assert read_plan(plan_path(folder)).origin == "standard"
    run(plan_context(tmp_path, preset="quick", confirmed=True))
    assert read_plan(plan_path(folder)).origin == "quick"
    assert list((tmp_path / ".facewright" / "trash").rglob("plan.json"))


def test_showing_tells_what_is_wrong_with_a_plan_and_where(tmp_path, folder):
    with pytest.raises(InputError, match="cannot read the plan"):
        run(plan_context(tmp_path))
    folder.mkdir(parents=True)
    wrong = Phase(name="late", changes={"resolution": 256})
    write_plan(plan_path(folder), msgspec.structs.replace(OWN, phases=(wrong,)))
    with pytest.raises(UsageError, match="phase 'late'"):
        run(plan_context(tmp_path))


def test_a_run_follows_the_models_own_plan_if_it_has_one_and_none_if_told_so(tmp_path, folder):
    folder.mkdir(parents=True)
    assert settled(tmp_path)[0], "one that is written later is followed, too"
    write_plan(plan_path(folder), OWN)
    assert settled(tmp_path)[0]
    assert not settled(tmp_path, plan="none")[0]
    assert read_plan(plan_path(folder)) == OWN


def test_a_preset_becomes_the_models_own_plan_and_is_not_put_over_its_edited_self(tmp_path, folder):
    settled(tmp_path, plan="standard")
    assert read_plan(plan_path(folder)) == PRESETS["standard"]
    edited = msgspec.structs.replace(PRESETS["standard"], title="edited")
    write_plan(plan_path(folder), edited)
    _, context = settled(tmp_path, plan="standard")
    assert read_plan(plan_path(folder)) == edited
    assert any("made from the preset standard" in note for note in context.notes)


def test_another_preset_takes_the_place_of_a_plan_which_goes_to_the_trash(tmp_path, folder):
    folder.mkdir(parents=True)
    write_plan(plan_path(folder), OWN)
    _, context = settled(tmp_path, plan="rtm")
    assert read_plan(plan_path(folder)).origin == "rtm"
    (kept,) = (tmp_path / ".facewright" / "trash").rglob("plan.json")
    assert read_plan(kept) == OWN
    assert any("was replaced" in warning for warning in context.warnings)


def test_a_plan_from_a_file_becomes_the_models_own(tmp_path, folder):
    write_plan(tmp_path / "shared.json", OWN)
    settled(tmp_path, plan="file", plan_file=str(tmp_path / "shared.json"))
    assert read_plan(plan_path(folder)) == OWN
    with pytest.raises(UsageError, match="needs a file"):
        settled(tmp_path, plan="file")


def test_a_plan_that_the_model_cannot_follow_is_refused_before_anything_is_written(
    tmp_path, folder
):
    with pytest.raises(UsageError, match="pretrain"):
        settled(tmp_path, plan="pretrain")
    context = context_for(tmp_path, "train", model_class="quick96", plan="standard")
    with pytest.raises(UsageError, match="standard is not for models of this class"):
        settle_plan(context, model_spec("quick96"), folder)
    assert not folder.exists()


def test_pretraining_needs_its_own_faces_and_not_those_of_the_workspace(tmp_path):
    faces = tmp_path / "many"
    needs, workspace = ("both-facesets",), Workspace(tmp_path)
    with pytest.raises(InputError, match="no faces for pretraining"):
        check_needs(needs, workspace, {"pretrain": True, "pretrain_faces": str(faces)})
    faces.mkdir()
    check_needs(needs, workspace, {"pretrain": True, "pretrain_faces": str(faces)})
    with pytest.raises(InputError, match="data_src"):
        check_needs(needs, workspace, {"pretrain": False, "pretrain_faces": str(faces)})
