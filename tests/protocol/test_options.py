"""Option kinds: what they accept, and how they refuse."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import catalog
from engine.protocol.errors import UsageError
from engine.protocol.options import (
    Choice,
    FilePath,
    Flag,
    Integer,
    Kind,
    Number,
    Option,
    Text,
    TimeCode,
    ValueRefused,
    complete_values,
)

KINDS: tuple[Kind, ...] = (
    Integer(64, 640, 16),
    Number(0.0, 0.3),
    Choice((("a", ""), ("b", ""))),
    Flag(),
    Text(r"[a-z]{1,5}", "one to five letters"),
    FilePath(),
    TimeCode(),
)


@given(
    st.sampled_from(KINDS),
    st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans()),
)
def test_every_kind_either_accepts_what_it_can_read_back_or_refuses(
    kind: Kind, raw: object
) -> None:
    try:
        value = kind.parse(raw)
    except ValueRefused as refused:
        assert str(refused)
    else:
        assert kind.parse(value) == value


def test_a_value_out_of_range_is_refused_with_option_value_and_range() -> None:
    option = Option("resolution", "Resolution", Integer(64, 640, 16), 128, "")
    for raw in ("63", "656", "100", "x"):
        with pytest.raises(UsageError, match=rf"--resolution {raw}: .*64 to 640"):
            option.parse(raw)
    assert option.parse("96") == 96


def test_an_unknown_option_is_refused_with_the_nearest() -> None:
    option = Option("batch_size", "", Integer(1, 8), 4, "")
    with pytest.raises(UsageError) as caught:
        complete_values((option,), {"batch_sise": 4})
    assert "--batch-size" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90.0), ("01:30", 90.0), ("00:01:30.250", 90.25), ("1.5", 1.5)]
)
def test_timecodes_are_seconds(text: str, seconds: float) -> None:
    assert TimeCode().parse(text) == seconds


def test_every_default_in_the_catalog_fits_its_kind() -> None:
    for spec in catalog.STAGES:
        for option in catalog.options_of(spec):
            assert option.parse(option.default) == option.default, (spec.id, option.name)
            assert option.label and option.help, (spec.id, option.name)


def test_every_condition_names_an_option_of_its_stage() -> None:
    for spec in catalog.STAGES:
        options = {option.name: option for option in catalog.options_of(spec)}
        for option in options.values():
            if option.applies is not None:
                for value in option.applies.values:
                    other = options[option.applies.option]
                    assert other.parse(value) == value, (spec.id, option.name)


def test_every_code_that_a_spec_names_exists() -> None:
    from engine.runtime.host.host import resolve

    for spec in catalog.STAGES:
        assert callable(resolve(spec.code)), spec.id


def test_the_catalog_and_the_client_load_nothing_heavy() -> None:
    heavy = "numpy cv2 tensorflow keras dlib av scipy imageio PIL textual"
    code = (
        "import sys, engine.catalog, engine.runtime.client;"
        f"print([m for m in {heavy.split()} if m in sys.modules])"
    )
    printed = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == "[]"
