"""Which look a frame has, by the keys around it."""

from __future__ import annotations

from dataclasses import fields

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.protocol.look import Look, look_between
from engine.protocol.look_options import LOOK_FIELDS
from engine.protocol.options import Choice, Flag, Integer, Number
from engine.protocol.timeline import Key, Timeline, look_at, next_visited
from engine.protocol.timeline_edits import set_cuts, visit

CALM = Look(blur_mask_modifier=0, mode="overlay")
STRONG = Look(blur_mask_modifier=100, mode="seamless")


def values_of(kind: object) -> st.SearchStrategy[object]:
    match kind:
        case Integer():
            return st.integers(kind.minimum, kind.maximum)
        case Number():
            return st.floats(kind.minimum, kind.maximum)
        case Choice():
            return st.sampled_from(kind.values)
    assert kind == Flag()
    return st.booleans()


looks = st.builds(Look, **{option.name: values_of(option.kind) for option in LOOK_FIELDS})
kinds = {option.name: option.kind for option in LOOK_FIELDS}


def blurs(timeline: Timeline, frames: range, track: str = "") -> list[int]:
    return [look_at(timeline, frame, track).blur_mask_modifier for frame in frames]


def ramp(goes_on: str, first: int = 2, last: int = 6) -> Timeline:
    return Timeline((Key(first, "", CALM, goes_on), Key(last, "", STRONG)))


def test_without_keys_every_frame_has_the_default_look() -> None:
    assert look_at(Timeline(default=STRONG), 7, "b") == STRONG


def test_a_held_look_lasts_to_the_next_key() -> None:
    assert blurs(ramp("hold"), range(9)) == [0, 0, 0, 0, 0, 0, 100, 100, 100]


def test_a_linear_key_leads_numbers_to_the_next_one_and_switches_all_else_there() -> None:
    assert blurs(ramp("linear"), range(1, 8)) == [0, 0, 25, 50, 75, 100, 100]
    modes = [look_at(ramp("linear"), frame).mode for frame in (5, 6)]
    assert modes == ["overlay", "seamless"]


def test_a_smooth_key_leaves_and_arrives_slowly() -> None:
    assert blurs(ramp("smooth"), range(1, 8)) == [0, 0, 16, 50, 84, 100, 100]


def test_nothing_is_interpolated_across_a_cut() -> None:
    timeline = set_cuts(ramp("linear"), [5])
    assert blurs(timeline, range(1, 8)) == [0, 0, 0, 0, 0, 100, 100]
    assert blurs(set_cuts(ramp("linear"), [6]), range(1, 8)) == [0, 0, 0, 0, 0, 100, 100]


def test_a_faces_own_keys_hold_to_the_end_of_its_shot() -> None:
    keys = (Key(0, "", CALM), Key(3, "a", STRONG))
    timeline = Timeline(keys, cuts=(6,))
    assert blurs(timeline, range(1, 8), "a") == [0, 0, 100, 100, 100, 0, 0]
    assert blurs(timeline, range(1, 8), "b") == [0] * 7


def test_the_key_of_a_missing_frame_holds_from_the_next_frame_that_is_there() -> None:
    lost = Key(3, "", STRONG, missing="00003a")
    assert blurs(Timeline((lost,)), range(2, 5)) == [0, 100, 100]
    own = Key(3, "", Look(blur_mask_modifier=7))
    assert blurs(Timeline((lost, own)), range(2, 5)) == [0, 7, 7]


@settings(deadline=None)
@given(looks, looks, st.sampled_from(["linear", "smooth"]), st.integers(2, 40), st.data())
def test_on_the_way_between_keys_numbers_lie_between_in_their_steps(
    one: Look, other: Look, goes_on: str, length: int, data: st.DataObject
) -> None:
    timeline = Timeline((Key(0, "", one, goes_on), Key(length, "", other)))
    between = look_at(timeline, data.draw(st.integers(1, length - 1)))
    for name in (field.name for field in fields(Look)):
        value, ends = getattr(between, name), sorted((getattr(one, name), getattr(other, name)))
        kind = kinds[name]
        if isinstance(kind, Integer | Number):
            assert ends[0] <= value <= ends[1]
            assert kind.parse(value) == value
        else:
            assert value == getattr(one, name)
    assert (look_at(timeline, 0), look_at(timeline, length)) == (one, other)


def test_numbers_of_small_steps_stay_short() -> None:
    between = look_between(Look(morph_factor=0.0), Look(morph_factor=1.0), 1 / 3)
    assert between.morph_factor == 0.33


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5))))
def test_what_was_visited_is_known_in_few_ranges(visits: list[tuple[int, int]]) -> None:
    timeline, expected = Timeline(), set[int]()
    for first, count in visits:
        timeline = visit(timeline, first, first + count)
        expected |= {*range(first, first + count)}
    assert {f for first, end in timeline.visited for f in range(first, end)} == expected
    gaps = zip(timeline.visited, timeline.visited[1:], strict=False)
    assert all(one[1] < other[0] for one, other in gaps)
    for frame in range(27):
        assert next_visited(timeline, frame) == min(
            (seen for seen in expected if seen >= frame), default=1 << 62
        )
