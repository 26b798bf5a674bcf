from __future__ import annotations

import pytest

from engine import catalog
from engine.protocol.spec import ModelSpec, StageSpec


@pytest.mark.parametrize("spec", [*catalog.STAGES, *catalog.MODELS], ids=lambda spec: spec.id)
def test_titles_and_summaries_stand_in_lists_without_a_full_stop(
    spec: StageSpec | ModelSpec,
) -> None:
    for text in (spec.title, spec.summary):
        assert text and not text.endswith(".") and text[0].isupper(), text
