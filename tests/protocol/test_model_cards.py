"""What the list of models knows, from names and manifests alone."""

from __future__ import annotations

from pathlib import Path

from engine.protocol.model_cards import bytes_of, model_cards, read_card
from engine.protocol.workspace import Workspace
from tests.models.dfm.made_dfm import made_dfm
from tests.tuiapp.models_made import made_model, models_workspace


def test_a_card_tells_of_the_newest_save_and_how_many_there_are(tmp_path: Path) -> None:
    workspace = models_workspace(tmp_path)
    (workspace.models / "ready.dfm").write_bytes(b"never read")
    hero, villain, *others = model_cards(workspace)
    assert (hero.name, hero.model_class, hero.iteration) == ("hero", "saehd", 200)
    assert (hero.options["archi"], villain.options["archi"]) == ("liae-ud", "df-ud")
    assert hero.saves == {"generation": 2, "snapshot": 1}
    assert {(card.name, card.origin) for card in others} == {("old", "dfl"), ("ready", "dfm")}
    assert not any(card.is_own for card in others)


def test_a_file_to_merge_with_shows_its_shape_or_why_it_cannot_be_merged_with(
    tmp_path: Path,
) -> None:
    workspace = Workspace(tmp_path)
    notes = {"facewright.face_type": "wf", "facewright.iteration": "77"}
    whole = made_dfm(workspace.models / "good.dfm", notes=notes).read_bytes()
    (workspace.models / "cut.dfm").write_bytes(whole[: len(whole) // 2])
    cards = {card.name: card for card in model_cards(workspace)}
    assert (cards["good"].iteration, cards["good"].problem) == (77, "")
    assert cards["good"].options == {"resolution": 32, "face_type": "wf"}
    assert cards["cut"].problem.startswith("cannot be merged with: it is no ONNX file, or a damag")


def test_the_newest_picture_is_the_preview_or_the_last_of_the_history(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    folder = made_model(workspace, "new")
    history = folder / "preview_history" / "saehd"
    history.mkdir(parents=True)
    for name in ("00000090.jpg", "00000100.jpg", "notes.txt", "other.jpg"):
        (history / name).touch()
    card = read_card(workspace, "new", "saehd")
    assert card is not None
    assert card.preview == history / "00000100.jpg"
    (folder / "preview.jpg").touch()
    (card,) = model_cards(workspace)
    assert card.preview == folder / "preview.jpg"
    assert read_card(workspace, "gone", "saehd") is None


def test_files_that_share_their_room_count_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_bytes(bytes(1000))
    (tmp_path / "two").hardlink_to(tmp_path / "a" / "one")
    (tmp_path / "three").write_bytes(bytes(10))
    assert bytes_of(tmp_path) == 1010


def test_a_model_that_was_never_saved_is_listed_without_figures(tmp_path: Path) -> None:
    (tmp_path / "model" / "new_saehd" / "generations").mkdir(parents=True)
    (card,) = model_cards(Workspace(tmp_path))
    assert (card.iteration, card.saved_at, dict(card.options)) == (None, None, {})
