"""Nets of a model made anew, compared with what they were, and brought back."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine import catalog
from engine.models.classes import model_code, model_spec
from engine.models.dfl1.recipes import RECIPES
from engine.protocol.errors import ConfirmationNeeded, InputError, UsageError
from engine.protocol.history import HISTORY_NAME, read_marks
from engine.protocol.model_files import LAST_OPTIONS, LastOptions, find_save, saved_options
from engine.protocol.model_resets import RESETS
from engine.protocol.options import complete_values
from engine.train.generations import Generation, Generations, Manifest, read_generation
from tests.models.amp.golden_amp import TINY as TINY_AMP
from tests.models.dfl1.narrow import make_narrow
from tests.models.tiny_saehd import options, tiny_saehd
from tests.stages.test_model_manager import run_stage
from tests.support.tree import tree

pytestmark = pytest.mark.slow  # makes nets

MADE = {"batch_size": 2, "gan_power": 0.1, "random_warp": False}


@pytest.fixture(scope="module")
def trained() -> dict[str, Generation]:
    """A save of iteration 2 of each wiring, with a GAN, whose optimizers know something."""
    found = {}
    for archi in ("df-ud", "liae-ud"):
        state = {
            file: {
                name: array + array.dtype.type(file.endswith("_opt")) for name, array in t.items()
            }
            for file, t in tiny_saehd(archi, **MADE).state().items()
        }
        manifest = Manifest(
            model_class="saehd",
            iteration=2,
            seed=7,
            drawn=4,
            options=options(archi, **MADE) | {"save_minutes": 2.0},
            smoothed_loss=1.5,
            carried={"plan": {"phase": "GAN", "number": 3, "begun": 1, "ended": False}},
        )
        found[archi] = Generation(Path(), manifest, state)
    return found


def model_of(root: Path, saved: Generation) -> Path:
    """The model `new` with that save. Returns its folder."""
    folder = root / "model" / "new_saehd"
    Generations(folder).write(saved.manifest, saved.state)
    return folder


def reset(root: Path, what: str, *, confirmed: bool = True):
    return run_stage(root, "model-reset", confirmed=confirmed, model_class="saehd", what=what)


def changed_files(folder: Path, saved: Generation) -> set[str]:
    """In which files of the newest save any tensor is another."""
    newest = Generations(folder).newest(print)
    assert newest is not None
    assert newest.state.keys() == saved.state.keys()
    return {
        file
        for file, tensors in saved.state.items()
        if any(not np.array_equal(newest.state[file][name], tensors[name]) for name in tensors)
    }


@pytest.mark.parametrize(
    ("archi", "what", "nets"),
    [
        ("liae-ud", "inter_AB", {"inter_AB"}),
        ("liae-ud", "new-dst", {"inter_B"}),
        ("liae-ud", "new-faces", {"inter_AB", "inter_B"}),
        ("df-ud", "new-dst", {"decoder_dst"}),
        ("df-ud", "new-faces", {"inter"}),
        ("df-ud", "decoders", {"decoder_src", "decoder_dst"}),
        ("df-ud", "gan", {"GAN"}),
    ],
)
def test_only_the_chosen_nets_and_what_their_optimizer_knew_are_anew(
    tmp_path, trained, archi, what, nets
):
    folder = model_of(tmp_path, trained[archi])
    context = reset(tmp_path, what)
    optimizer = "GAN_opt" if nets == {"GAN"} else "src_dst_opt"
    assert changed_files(folder, trained[archi]) == {*nets, optimizer}
    assert set(context.facts["nets"].split(", ")) == nets
    newest = Generations(folder).newest(print)
    assert newest is not None
    assert newest.manifest.iteration == 2
    assert newest.manifest.smoothed_loss is None
    slots = dict(newest.state[optimizer])
    for net in nets:
        of_net = [name for name in slots if f"_{net}/" in name]
        assert of_net
        assert not any(slots.pop(name).any() for name in of_net)
    assert all(array.all() for array in slots.values()), "what it knew of other nets stays"


@pytest.mark.parametrize(
    ("model_class", "what", "nets"),
    [
        ("amp", "new-faces", {"inter_src", "inter_dst"}),
        ("liaef128", "new-faces", {"inter_AB", "inter_B"}),
    ],
)
def test_other_classes_lose_what_is_chosen_and_keep_their_options(
    tmp_path, monkeypatch, model_class, what, nets
):
    if model_class in RECIPES:
        make_narrow(model_class, monkeypatch)
    spec = model_spec(model_class)
    values = complete_values(spec.options, {}) | (TINY_AMP if model_class == "amp" else {})
    state = model_code(spec)(values, seed=7, dtype="float32").state()
    known = {name: tensor + 1 for name, tensor in state["src_dst_opt"].items()}
    manifest = Manifest(
        model_class=model_class, iteration=2, seed=7, drawn=4, options=values, carried={}
    )
    saved = Generation(Path(), manifest, {**state, "src_dst_opt": known})
    folder = tmp_path / "model" / f"new_{model_class}"
    Generations(folder).write(saved.manifest, saved.state)
    run_stage(tmp_path, "model-reset", confirmed=True, model_class=model_class, what=what)
    assert changed_files(folder, saved) == {*nets, "src_dst_opt"}
    newest = Generations(folder).newest(print)
    assert newest is not None
    slots = newest.state["src_dst_opt"]
    of_nets = {name for name in slots for net in nets if f"_{net}/" in name}
    assert of_nets
    assert {name for name in slots if not slots[name].any()} == of_nets
    assert newest.manifest.options.keys() == values.keys()


def test_a_reset_is_undone_by_restoring_what_it_kept(tmp_path, trained):
    folder = model_of(tmp_path, trained["liae-ud"])
    before = tree(folder / "generations")
    context = reset(tmp_path, "new-faces")
    (undo,) = [note for note in context.notes if note.startswith("to undo it")]
    kept = context.facts["kept_as"]
    assert f"model-restore -w {tmp_path} --model new" in undo
    assert undo.endswith(f"--save {kept} --yes")
    assert find_save(folder, kept).iteration == 2
    run_stage(tmp_path, "model-restore", confirmed=True, model_class="saehd", save=kept)
    assert tree(folder / "generations") == before
    assert [mark.kind for mark in read_marks(folder / HISTORY_NAME)] == ["reset", "restore"]


def test_reuse_begins_again_with_bent_faces_and_without_gan(tmp_path, trained):
    folder = model_of(tmp_path, trained["liae-ud"])
    last = LastOptions(of_run={"keep": 5}, changed_at=2, changed={"gan_power": 0.5})
    (folder / LAST_OPTIONS).write_bytes(msgspec.json.encode(last))
    context = reset(tmp_path, "new-dst")
    found = saved_options(folder)
    assert (found["random_warp"], found["gan_power"], found["keep"]) == (True, 0.0, 5)
    assert any("from now on" in note for note in context.notes)
    newest = Generations(folder).newest(print)
    assert newest is not None
    assert newest.manifest.carried == {}, "its plan begins with the first phase"


def test_the_rtm_reset_bends_faces_and_leaves_the_plan_where_it_is(tmp_path, trained):
    folder = model_of(tmp_path, trained["liae-ud"])
    reset(tmp_path, "inter_AB")
    newest = Generations(folder).newest(print)
    assert newest is not None
    assert newest.manifest.carried == trained["liae-ud"].manifest.carried
    assert newest.manifest.options["random_warp"] is True
    assert newest.manifest.options["gan_power"] == 0.1


def test_everything_anew_starts_at_iteration_0_with_other_weights(tmp_path, trained):
    folder = model_of(tmp_path, trained["df-ud"])
    reset(tmp_path, "all")
    assert Generations(folder).iterations() == [0]
    fresh = read_generation(folder / "generations" / "00000000")
    assert fresh.manifest.seed != 7
    old = trained["df-ud"].state["encoder"]
    kernels = [name for name in old if old[name].ndim > 1]
    assert all(not np.array_equal(fresh.state["encoder"][name], old[name]) for name in kernels)
    assert not any(array.any() for array in fresh.state["src_dst_opt"].values())


def test_nets_that_the_model_does_not_have_are_refused_with_those_it_has(tmp_path, trained):
    folder = model_of(tmp_path, trained["df-ud"])
    before = tree(folder)
    with pytest.raises(UsageError, match="inter") as refused:
        reset(tmp_path, "inter_AB")
    assert "new-dst, new-faces, inter, encoder, decoders, gan, all" in refused.value.remedy
    with pytest.raises(ConfirmationNeeded, match="decoder_dst of new_saehd"):
        reset(tmp_path, "new-dst", confirmed=False)
    assert tree(folder) == before


def test_a_reset_broken_off_at_any_step_leaves_the_way_back(tmp_path, trained, monkeypatch):
    import engine.stages.model_reset.run as stage

    class Killed(BaseException):
        pass

    def killed(*arguments, **options):
        raise Killed

    for number, step in enumerate(("_write", "put_in_place", "forget_changed", "mark_history")):
        root = tmp_path / str(number)
        folder = model_of(root, trained["liae-ud"])
        with monkeypatch.context() as patched:
            patched.setattr(stage, step, killed)
            with pytest.raises(Killed):
                reset(root, "new-dst")
        (kept,) = (folder / "snapshots").iterdir()
        assert read_generation(kept).manifest.options == trained["liae-ud"].manifest.options
        run_stage(root, "model-restore", confirmed=True, model_class="saehd", save=kept.name)
        assert changed_files(folder, trained["liae-ud"]) == set()


def test_every_row_of_resets_is_a_choice_of_the_stage():
    (row,) = [option for option in catalog.stage("model-reset").options if option.name == "what"]
    assert row.kind.values == tuple(reset.id for reset in RESETS)


def test_two_models_are_compared_as_text_and_as_json(tmp_path, trained):
    model_of(tmp_path, trained["df-ud"])
    run_stage(tmp_path, "model-duplicate", model_class="saehd", to="other")
    other = tmp_path / "model" / "other_saehd"
    reset_options = {"model": "other", "model_class": "saehd", "what": "new-dst"}
    run_stage(tmp_path, "model-reset", confirmed=True, **reset_options)
    assert (other / "generations" / "00000002").is_dir()
    both = {"model_class": "saehd", "other": "other"}
    context = run_stage(tmp_path, "model-compare", **both)
    assert context.notes == [
        "                      new (saehd)  other (saehd)",
        "iteration             2            2",
        "Bend faces at random  off          on",
        "GAN power             0.1          0.0",
    ]
    found = json.loads(Path(context.facts["json"]).read_text())
    assert found["models"][1] == {"name": "other", "class": "saehd", "iteration": 2}
    assert {"name": "gan_power", "label": "GAN power", "values": [0.1, 0.0]} in found["options"]
    assert context.facts["compared"] == len(found["options"])
    assert context.facts["different"] == 2
    everything = run_stage(tmp_path, "model-compare", **both, all=True)
    assert len(everything.notes) == 2 + len(found["options"])
    assert any(note.startswith("Save every") for note in everything.notes), "labels, not names"
    with pytest.raises(InputError, match="no model 'gone'") as refused:
        run_stage(tmp_path, "model-compare", model_class="saehd", other="gone")
    with pytest.raises(InputError, match="no other model was named"):
        run_stage(tmp_path, "model-compare", model_class="saehd")
    assert "new (saehd), other (saehd)" in refused.value.remedy
