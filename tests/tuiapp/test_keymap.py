from __future__ import annotations

from collections import Counter

from tuiapp.keymap import CONTEXTS, KEYS, bindings, keys_text


def test_every_key_has_an_id_of_its_own_and_a_known_context() -> None:
    assert max(Counter(key.id for key in KEYS).values()) == 1
    assert {key.context for key in KEYS} == set(CONTEXTS)


def test_no_context_uses_a_key_twice_or_hides_one_that_works_everywhere() -> None:
    everywhere = [name for key in KEYS if key.context == "app" for name in key.keys.split(",")]
    for context in CONTEXTS:
        own = [name for key in KEYS if key.context == context for name in key.keys.split(",")]
        assert max(Counter(own).values()) == 1, context
        if context not in ("app", "help"):  # f1 closes the help that f1 opened
            assert not set(own) & set(everywhere), context


def test_only_keys_that_tmux_passes_on_are_used() -> None:
    for key in KEYS:
        for name in key.keys.split(","):
            assert "ctrl+shift" not in name
            assert name not in (
                "ctrl+enter",
                "ctrl+b",
                "ctrl+i",
                "ctrl+m",
                "ctrl+left_square_bracket",
            )


def test_every_key_says_in_a_sentence_what_it_does() -> None:
    for key in KEYS:
        assert key.help.endswith("."), key.id
        assert len(key.help) <= 70, key.id


def test_bindings_carry_their_id_so_that_settings_can_move_them() -> None:
    assert [b.id for b in bindings("dialog")] == ["dialog-yes", "dialog-no"]


def test_keys_are_written_as_on_a_keyboard() -> None:
    assert keys_text("f5,ctrl+r") == "f5 or ^r"
    assert keys_text("question_mark") == "?"
