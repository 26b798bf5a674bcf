"""Models of DeepFaceLab in and out: bit for bit, all or nothing."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from engine import catalog
from engine.models.dfl_files.writing import dfl_data, write_tensors
from engine.models.saehd.model import Saehd
from engine.protocol.errors import ConfirmationNeeded, InputError, UsageError
from engine.protocol.history import LossPoint, read_history, read_marks
from engine.protocol.workspace import Workspace
from engine.stages.model_export.run import export_model
from engine.stages.model_import.run import import_model
from engine.train.generations import Generations
from engine.train.history import HistoryWriter
from tests.nets.golden import recipe_tensor
from tests.support.context import context_for
from tests.support.disks import small_disk
from tests.support.shared import shared_path
from tests.support.tree import tree

pytestmark = pytest.mark.slow  # starts nets


def golden_model(folder: Path) -> Path:
    """A complete save of DeepFaceLab's, SAEHD df-ud, after ten steps."""
    shutil.copytree(shared_path("golden", "nets", "saehd", "steps", "rmsprop"), folder)
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o644)
    return folder


def change_options(folder: Path, **options: Any) -> None:
    """Of a DeepFaceLab model called new."""
    path = folder / "new_SAEHD_data.dat"
    data = pickle.loads(path.read_bytes())
    path.write_bytes(dfl_data(data["iter"], {**data["options"], **options}, data["loss_history"]))


def imported(root: Path, **options: Any) -> Any:
    context = context_for(root, "model-import", **{"model_class": "saehd", **options})
    import_model(context)
    return context


def exported(root: Path, **options: Any) -> Any:
    context = context_for(root, "model-export", **{"model_class": "saehd", **options})
    export_model(context)
    return context


def assert_same_tensors(found: Path, expected: Path) -> None:
    ours, theirs = (pickle.loads(path.read_bytes()) for path in (found, expected))
    assert list(ours) == list(theirs), found
    for name, tensor in theirs.items():
        assert (ours[name].dtype, ours[name].shape) == (tensor.dtype, tensor.shape)
        assert ours[name].tobytes() == tensor.tobytes(), (found, name)


def assert_same_model(found: Path, expected: Path) -> None:
    assert sorted(path.name for path in found.iterdir()) == sorted(
        path.name for path in expected.iterdir()
    )
    for path in expected.glob("*.npy"):
        assert_same_tensors(found / path.name, path)
    [data] = expected.glob("*_data.dat")
    ours, theirs = (pickle.loads((folder / data.name).read_bytes()) for folder in (found, expected))
    assert ours == theirs
    assert list(ours) == list(theirs)
    assert list(ours["options"]) == list(theirs["options"])


def test_a_model_imported_and_exported_is_the_same_bit_for_bit(tmp_path: Path) -> None:
    source = golden_model(tmp_path / "dfl")
    change_options(source, target_iter=500_000, autobackup_hour=3, from_a_fork=7)
    before = tree(source)
    imported(tmp_path, **{"from": str(source)})
    exported(tmp_path, to=str(tmp_path / "out"))
    assert_same_model(tmp_path / "out", source)
    assert tree(source) == before


def test_an_imported_model_has_iteration_losses_and_a_mark(tmp_path: Path) -> None:
    source = golden_model(tmp_path / "dfl")
    context = imported(tmp_path, model="old one", **{"from": str(source)})
    folder = tmp_path / "model" / "old one_saehd"
    assert context.saves == [11]
    found = Generations(folder).newest(lambda text, remedy: pytest.fail(text))
    assert found.manifest.iteration == 11
    assert found.manifest.options["archi"] == "df-ud"
    points = read_history(folder / "history.sqlite")
    assert [point.iteration for point in points] == list(range(2, 12))
    data = pickle.loads((source / "new_SAEHD_data.dat").read_bytes())
    assert [list(point.losses) for point in points] == data["loss_history"]
    [mark] = read_marks(folder / "history.sqlite")
    assert (mark.iteration, mark.kind) == (11, "import")
    assert "new" in mark.text


def test_the_state_of_adabelief_comes_along(tmp_path: Path) -> None:
    source = golden_model(tmp_path / "dfl")
    change_options(source, adabelief=True)
    shutil.copytree(
        shared_path("golden", "nets", "saehd", "steps", "adabelief"), source, dirs_exist_ok=True
    )
    imported(tmp_path, **{"from": str(source)})
    exported(tmp_path, to=str(tmp_path / "out"))
    assert_same_model(tmp_path / "out", source)


@pytest.mark.parametrize("archi", ["liae", "liae-ud", "liae-udt", "df-udt"])
def test_every_wiring_comes_and_goes_without_an_optimizers_state(
    tmp_path: Path, archi: str
) -> None:
    golden = shared_path("golden", "nets", "saehd")
    source = tmp_path / "dfl"
    shutil.copytree(golden / archi, source)
    source.chmod(0o755)
    for path in source.iterdir():
        path.chmod(0o644)
        if path.suffix != ".npy":
            path.unlink()
    if not (source / "new_SAEHD_encoder.npy").exists():
        same = "df-udt" if "t" in archi else "df"  # equal files are stored once
        shutil.copy(golden / same / "new_SAEHD_encoder.npy", source)
    complete = pickle.loads((golden / "steps" / "rmsprop" / "new_SAEHD_data.dat").read_bytes())
    options = {**complete["options"], "archi": archi}
    (source / "new_SAEHD_data.dat").write_bytes(dfl_data(1, options, [[1.0, 2.0]]))
    context = imported(tmp_path, **{"from": str(source)})
    assert any("optimizer starts anew" in warning for warning in context.warnings)
    exported(tmp_path, to=str(tmp_path / "out"))
    for path in source.glob("*.npy"):
        assert_same_tensors(tmp_path / "out" / path.name, path)


def test_discriminators_come_along_whether_in_use_or_not(tmp_path: Path) -> None:
    source = golden_model(tmp_path / "dfl")
    for name in ("GAN", "code_discriminator"):
        shutil.copy(
            shared_path("golden", "nets", "saehd", "df-ud", f"new_SAEHD_{name}.npy"), source
        )
    judge = pickle.loads((source / "new_SAEHD_GAN.npy").read_bytes())
    named = {f"acc_D_src/{name.removesuffix(':0')}_0:0": value for name, value in judge.items()}
    state = {"iters:0": np.array(10), **named}
    write_tensors(source / "new_SAEHD_GAN_opt.npy", state)
    for model, gan_power, pretrain in (("rests", 0.0, False), ("on", 0.5, False), ("p", 0.5, True)):
        change_options(source, gan_power=gan_power, pretrain=pretrain)
        imported(tmp_path, model=model, **{"from": str(source), "dfl_name": "new"})
        out = tmp_path / f"out-{model}"
        exported(tmp_path, model=model, dfl_name="new", to=str(out))
        for path in source.glob("*.npy"):
            assert_same_tensors(out / path.name, path)


def test_quick96_comes_and_goes(tmp_path: Path) -> None:
    source = tmp_path / "dfl"
    source.mkdir()
    recipe = shared_path("golden", "nets", "quick96", "recipe_check.json")
    shapes = {name: facts["shape"] for name, facts in json.loads(recipe.read_text()).items()}
    nets: dict[str, dict[str, Any]] = {}
    optimizer: dict[str, Any] = {"iters:0": np.array(4)}
    for name, shape in shapes.items():
        net, _, tensor = name.partition("/")
        values = recipe_tensor(name, tuple(shape))
        nets.setdefault(net, {})[tensor] = values
        optimizer[f"acc_{name.removesuffix(':0')}_0:0"] = values**2
    for net, tensors in {**nets, "src_dst_opt": optimizer}.items():
        write_tensors(source / f"q_Quick96_{net}.npy", tensors)
    data = dfl_data(4, {"batch_size": 4}, [[3.0, 2.0]] * 4)
    (source / "q_Quick96_data.dat").write_bytes(data)
    imported(tmp_path, model="q", model_class="quick96", **{"from": str(source)})
    exported(tmp_path, model="q", model_class="quick96", to=str(tmp_path / "out"))
    for path in source.glob("*.npy"):
        assert_same_tensors(tmp_path / "out" / path.name, path)


def refused(root: Path, code: str, says: str, **options: Any) -> InputError:
    """Import is refused and changes nothing."""
    before = tree(root / "model") if (root / "model").exists() else None
    with pytest.raises(InputError, match=says) as caught:
        imported(root, **options)
    assert caught.value.code == code
    assert caught.value.remedy
    assert (tree(root / "model") if (root / "model").exists() else None) == before
    return caught.value


def test_a_net_without_its_file_is_refused_or_by_choice_starts_anew(tmp_path: Path) -> None:
    source = golden_model(tmp_path / "dfl")
    (source / "new_SAEHD_inter.npy").unlink()
    refused(tmp_path, "missing-net", "new_SAEHD_inter.npy", **{"from": str(source)})
    context = imported(tmp_path, fresh_nets=True, **{"from": str(source)})
    assert any("inter starts anew" in warning for warning in context.warnings)
    found = Generations(tmp_path / "model" / "new_saehd").newest(lambda *_: None)
    assert found.state["inter"]["dense1/weight:0"].any()
    moments = found.state["src_dst_opt"]
    assert not moments["acc_inter/dense1/weight_0:0"].any()
    assert moments["acc_encoder/down1/downs_0/conv1/weight_0:0"].any()
    assert moments["iters:0"] == 10


def test_weights_of_another_shape_are_refused_by_file_and_tensor(tmp_path: Path) -> None:
    source = golden_model(tmp_path / "dfl")
    change_options(source, ae_dims=8)
    says = r"new_SAEHD_inter\.npy: dense1/weight:0 has shape"
    refused(tmp_path, "bad-weights", says, **{"from": str(source)})


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"archi": "dfhd"}, "lost-architecture"),
        ({"archi": "df-x"}, "option-value"),
        ({"ae_dims": 10**9}, "option-value"),
        ({"ae_dims": -4}, "option-value"),
        ({"resolution": 100}, "option-value"),
        ({"resolution": 10}, "option-value"),
        ({"face_type": 3}, "option-value"),
    ],
)
def test_settings_that_make_no_model_are_refused(
    tmp_path: Path, options: dict[str, Any], code: str
) -> None:
    source = golden_model(tmp_path / "dfl")
    change_options(source, **options)
    refused(tmp_path, code, next(iter(options)), **{"from": str(source)})


def test_settings_of_training_beyond_our_ranges_become_the_nearest_with_a_warning(
    tmp_path: Path,
) -> None:
    source = golden_model(tmp_path / "dfl")
    change_options(
        source, archi="df-du", batch_size=9999, random_hsv_power=0.7, ct_mode="x", lr_dropout=True
    )
    context = imported(tmp_path, **{"from": str(source)})
    found = Generations(tmp_path / "model" / "new_saehd").newest(lambda *_: None)
    options = found.manifest.options
    assert (options["batch_size"], options["random_hsv_power"], options["ct_mode"]) == (
        256,
        0.3,
        "none",
    )
    assert (options["archi"], options["lr_dropout"]) == ("df-du", "y")
    for name in ("batch_size 9999", "random_hsv_power 0.7", "ct_mode x"):
        assert any(name in warning for warning in context.warnings)


def test_an_existing_model_is_replaced_only_if_confirmed_and_goes_to_the_trash(
    tmp_path: Path,
) -> None:
    source = golden_model(tmp_path / "dfl")
    options = {"model_class": "saehd", "from": str(source)}
    imported(tmp_path, **options)
    before = tree(tmp_path / "model")
    with pytest.raises(ConfirmationNeeded):
        imported(tmp_path, **options)
    (source / "new_SAEHD_encoder.npy").write_bytes(b"damaged")
    context = context_for(tmp_path, "model-import", confirmed=True, **options)
    with pytest.raises(InputError):
        import_model(context)
    assert tree(tmp_path / "model") == before
    golden = shared_path("golden", "nets", "saehd", "steps", "rmsprop")
    shutil.copyfile(golden / "new_SAEHD_encoder.npy", source / "new_SAEHD_encoder.npy")
    import_model(context)
    [trash] = Workspace(tmp_path).trash.iterdir()
    assert tree(trash / "model") == before


def test_an_export_replaces_dfls_files_only_if_confirmed_stale_ones_included(
    tmp_path: Path,
) -> None:
    models = golden_model(tmp_path / "model")
    (models / "new_SAEHD_GAN.npy").write_bytes(b"of an earlier training")
    (models / "other_SAEHD_data.dat").write_bytes(b"")
    imported(tmp_path, dfl_name="new")
    with pytest.raises(ConfirmationNeeded, match="8 files"):
        exported(tmp_path)
    context = context_for(tmp_path, "model-export", confirmed=True, model_class="saehd")
    export_model(context)
    assert not (models / "new_SAEHD_GAN.npy").exists()
    assert (models / "other_SAEHD_data.dat").exists()
    [trash] = Workspace(tmp_path).trash.iterdir()
    assert (trash / "model" / "new_SAEHD_GAN.npy").read_bytes() == b"of an earlier training"
    assert not [path for path in models.iterdir() if path.name.startswith(".")]


def test_an_export_outside_the_workspace_never_replaces_anything(tmp_path: Path) -> None:
    workspace, out = tmp_path / "work", golden_model(tmp_path / "out")
    imported(workspace, **{"from": str(out)})
    before = tree(out)
    context = context_for(
        workspace, "model-export", confirmed=True, model_class="saehd", to=str(out)
    )
    with pytest.raises(InputError, match="are in"):
        export_model(context)
    assert tree(out) == before


def test_a_disk_that_fills_leaves_the_model_and_dfls_files_as_they_were(tmp_path: Path) -> None:
    source = golden_model(tmp_path / "dfl")
    with small_disk(tmp_path / "disk", "1500k") as root:
        imported(root, **{"from": str(source)})
        shutil.copy(source / "new_SAEHD_data.dat", root / "model")
        before = tree(root / "model")
        stages = (("model-import", import_model), ("model-export", export_model))
        (root / "filler").write_bytes(b"x" * 500_000)
        for stage_id, run in stages:
            options = {"model_class": "saehd"}
            if run is import_model:
                options["from"] = str(source)
            with pytest.raises(InputError, match="disk"):
                run(context_for(root, stage_id, confirmed=True, **options))
            assert tree(root / "model") == before


def test_a_model_that_made_no_iteration_comes_with_its_options(tmp_path: Path) -> None:
    source = golden_model(tmp_path / "dfl")
    data = pickle.loads((source / "new_SAEHD_data.dat").read_bytes())
    options = {**data["options"], "batch_size": 7}
    (source / "new_SAEHD_data.dat").write_bytes(dfl_data(0, options, data["loss_history"]))
    imported(tmp_path, **{"from": str(source)})
    found = Generations(tmp_path / "model" / "new_saehd").newest(lambda *_: None)
    assert (found.manifest.iteration, found.manifest.options["batch_size"]) == (0, 7)
    assert read_history(tmp_path / "model" / "new_saehd" / "history.sqlite") == []


def test_a_model_in_pretraining_is_taken_with_a_warning_that_its_faces_are_missing(
    tmp_path: Path,
) -> None:
    source = golden_model(tmp_path / "dfl")
    change_options(source, pretrain=True)
    context = imported(tmp_path, **{"from": str(source)})
    assert any("--pretrain needs faces" in warning for warning in context.warnings)


def test_training_goes_on_from_exactly_what_was_imported(tmp_path: Path) -> None:
    source = golden_model(tmp_path / "dfl")
    imported(tmp_path, **{"from": str(source)})
    found = Generations(tmp_path / "model" / "new_saehd").newest(lambda *_: None)
    model = Saehd(found.manifest.options, seed=1, dtype="float32", saved=found)
    assert model.iteration == 11
    state = model.state()
    assert state.keys() == found.state.keys()
    for file, tensors in found.state.items():
        for name, tensor in tensors.items():
            assert state[file][name].tobytes() == tensor.tobytes(), (file, name)


def test_a_model_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    golden_model(tmp_path / "model")
    error = refused(tmp_path, "no-model", "no DeepFaceLab model mine", dfl_name="mine")
    assert "new (SAEHD)" in error.remedy
    (tmp_path / "empty").mkdir()
    empty = {"dfl_name": "mine", "from": str(tmp_path / "empty")}
    error = refused(tmp_path, "no-model", "no DeepFaceLab model mine", **empty)
    assert error.remedy == "name the folder that holds mine_SAEHD_data.dat"
    with pytest.raises(InputError, match="no model mine"):
        exported(tmp_path, model="mine")


@pytest.mark.parametrize("stage_id", ["model-import", "model-export"])
def test_classes_that_deepfacelab_lacks_are_no_choice(stage_id: str) -> None:
    offered = {spec.id for spec in catalog.models_of(catalog.stage(stage_id))}
    assert offered == {spec.id for spec in catalog.MODELS if spec.dfl_class}


def test_any_save_can_be_exported_with_the_losses_until_then(tmp_path: Path) -> None:
    source = golden_model(tmp_path / "dfl")
    imported(tmp_path, **{"from": str(source)})
    generations = Generations(tmp_path / "model" / "new_saehd")
    found = generations.newest(lambda *_: None)
    later = {**found.state, "inter": {k: v + 1 for k, v in found.state["inter"].items()}}
    generations.write(msgspec.structs.replace(found.manifest, iteration=30), later)
    with HistoryWriter(generations.model_folder, 30, ("src", "dst")) as history:
        history.add(LossPoint(12, 1.0, 1.0, (9.0, 9.0)))
        history.commit()
    exported(tmp_path, to=str(tmp_path / "out"), save="11")
    assert_same_model(tmp_path / "out", source)
    with pytest.raises(InputError, match="no save is named"):
        exported(tmp_path, to=str(tmp_path / "none"), save="12")


def test_a_name_with_an_underscore_is_refused_for_dfl_and_taken_from_it(tmp_path: Path) -> None:
    source = golden_model(tmp_path / "dfl")
    for path in source.iterdir():
        path.rename(source / path.name.replace("new_", "my_own_"))
    imported(tmp_path, model="mine", **{"from": str(source)})
    with pytest.raises(UsageError, match="where DeepFaceLab takes a name to end"):
        exported(tmp_path, model="mine", dfl_name="my_own")
    exported(tmp_path, model="mine", to=str(tmp_path / "out"))
    assert (tmp_path / "out" / "mine_SAEHD_data.dat").is_file()


def test_what_a_killed_import_left_is_gone_after_the_next(tmp_path: Path) -> None:
    source = golden_model(tmp_path / "dfl")
    left = tmp_path / "model" / ".old_saehd.0a1b.part"
    (left / "generations" / "00000005").mkdir(parents=True)
    imported(tmp_path, **{"from": str(source)})
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["new_saehd"]
