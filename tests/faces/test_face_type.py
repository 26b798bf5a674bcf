from __future__ import annotations

import pytest

from engine.faces.face_type import FaceType
from engine.protocol.errors import InputError


def test_every_type_is_found_by_the_name_in_face_files() -> None:
    for face_type in FaceType:
        assert FaceType.from_dfl(face_type.dfl_name) is face_type


def test_types_offered_in_options_are_found_by_their_short_name() -> None:
    shorts = {"h": "HALF", "mf": "MID_FULL", "f": "FULL", "wf": "WHOLE_FACE", "head": "HEAD"}
    assert {short: FaceType.from_short(short).name for short in shorts} == shorts


@pytest.mark.parametrize("text", ["", "moon_face", "WHOLE_FACE", "w" * 5000])
def test_an_unknown_name_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(InputError) as refusal:
        FaceType.from_dfl(text)
    assert "whole_face" in refusal.value.remedy
    assert len(refusal.value.message) < 100
    with pytest.raises(InputError):
        FaceType.from_short(text)


def test_larger_types_contain_smaller_ones() -> None:
    assert FaceType.HEAD > FaceType.WHOLE_FACE > FaceType.FULL > FaceType.MID_FULL > FaceType.HALF
    assert FaceType.WHOLE_FACE.contains(FaceType.FULL)
    assert not FaceType.FULL.contains(FaceType.WHOLE_FACE)


def test_pack_numbers_are_those_of_deepfacelab_2() -> None:
    assert [t.pak_number for t in FaceType] == [0, 1, 2, 3, 4, 10, 20, 100]
