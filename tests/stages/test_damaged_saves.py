from __future__ import annotations

from engine.stages.train.damaged_saves import DAMAGED_KEPT, put_damaged_aside
from engine.train.generations import Generations
from tests.support.context import context_for


def test_of_saves_put_aside_the_newest_stay_and_older_ones_are_in_the_trash(tmp_path):
    context = context_for(tmp_path, "train")
    generations = Generations(tmp_path / "model" / "new_quick96")
    for iteration in range(2, 7):
        generations.path(iteration).mkdir(parents=True)
        (generations.path(iteration) / "encoder.safetensors").write_text(f"{iteration}")
        put_damaged_aside(context, generations, 1)
    stay = [path.name[:8] for path in generations.aside("damaged")]
    assert stay == ["00000004", "00000005", "00000006"]
    assert len(stay) == DAMAGED_KEPT
    trashed = context.workspace.trash.rglob("*.damaged-*/encoder.safetensors")
    assert sorted(path.read_text() for path in trashed) == ["2", "3"]
    assert len(context.warnings) == 5, "each is told"
