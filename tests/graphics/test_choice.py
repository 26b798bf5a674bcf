import pytest

from engine.protocol.errors import UsageError
from tuiapp.graphics.choice import SETTINGS, Surroundings, choose, colours_of, setting_of
from tuiapp.graphics.probe import parse_tmux_facts
from tuiapp.graphics.replies import Replies, is_complete, parse_replies
from tuiapp.graphics.terminal import Colours, Protocol, TerminalGraphics

# What xterm sent when it was asked, with and without sixel.
XTERM_379 = (
    b"\x1bP>|XTerm(379)\x1b\\\x1b[?2026;0$y\x1b[?1;0;1024S\x1b[?2;0;720;456S"
    b"\x1b[?63;1;2;4;6;9;15;16;22;28c"
)
XTERM_WITHOUT_SIXEL = (
    b"\x1bP>|XTerm(379)\x1b\\\x1b[?2026;0$y\x1b[?1;3S\x1b[?2;3S"
    b"\x1b[?64;1;2;6;9;15;16;17;18;21;22;28c"
)
# Put together from what these terminals are known to answer.
KONSOLE = b"\x1bP>|Konsole 25.04.3\x1b\\\x1b_Gi=31;OK\x1b\\\x1b[?62;1;4c"
KITTY_041 = b"\x1bP>|kitty(0.41.1)\x1b\\\x1b_Gi=31;OK\x1b\\\x1b[?2026;2$y\x1b[6;18;9t\x1b[?62;52c"
KITTY_026 = b"\x1bP>|kitty(0.26.5)\x1b\\\x1b_Gi=31;OK\x1b\\\x1b[?2026;2$y\x1b[?62;c"
FOOT = b"\x1bP>|foot(1.21.0)\x1b\\\x1b[?2026;2$y\x1b[6;17;8t\x1b[?1;0;1024S\x1b[?62;4;22;28;29c"
GHOSTTY = b"\x1bP>|ghostty 1.1.0\x1b\\\x1b_Gi=31;OK\x1b\\\x1b[?2026;2$y\x1b[?62;22c"
DUMB = b"\x1b[?1;2c"


def chosen(
    data: bytes,
    *,
    setting: str = "auto",
    environment: dict[str, str] | None = None,
    tmux: str = "",
    tmux_has_sixel: bool = True,
) -> TerminalGraphics:
    return choose(
        Surroundings(
            setting=setting,
            environment=environment or {"TERM": "xterm-256color"},
            replies=parse_replies(data),
            tmux=parse_tmux_facts(tmux) if tmux else None,
            tmux_has_sixel=tmux_has_sixel,
        )
    )


@pytest.mark.parametrize(
    ("data", "protocol"),
    [
        (XTERM_379, Protocol.SIXEL),
        (XTERM_WITHOUT_SIXEL, Protocol.QUADRANT),
        (KONSOLE, Protocol.ITERM2),
        (KITTY_041, Protocol.KITTY),
        (KITTY_026, Protocol.QUADRANT),
        (FOOT, Protocol.SIXEL),
        (GHOSTTY, Protocol.KITTY),
        (DUMB, Protocol.QUADRANT),
        (b"", Protocol.QUADRANT),
    ],
)
def test_each_terminal_gets_the_best_protocol_it_really_has(
    data: bytes, protocol: Protocol
) -> None:
    graphics = chosen(data)
    assert graphics.protocol is protocol
    assert graphics.why


def test_sizes_and_limits_are_those_that_the_terminal_told() -> None:
    graphics = chosen(XTERM_379)
    assert graphics.colour_registers == 1024
    assert graphics.max_picture_px == (720, 456)
    assert not graphics.synchronized_output
    assert chosen(KITTY_041).synchronized_output
    assert (chosen(FOOT).cell_width_px, chosen(FOOT).cell_height_px) == (8, 17)


def test_a_terminal_known_only_by_the_environment_gets_its_pictures() -> None:
    graphics = chosen(DUMB, environment={"TERM_PROGRAM": "vscode"})
    assert graphics.protocol is Protocol.ITERM2


def test_inside_tmux_its_own_claim_of_sixel_is_not_believed() -> None:
    # tmux built with sixel says so in any terminal; the features name what the outer one has.
    graphics = chosen(XTERM_WITHOUT_SIXEL, tmux="3.5a|256,RGB,title|1|1")
    assert graphics.protocol is Protocol.QUADRANT
    assert graphics.inside_tmux


def test_inside_a_tmux_with_sixel_in_a_sixel_terminal_tmux_draws() -> None:
    graphics = chosen(XTERM_379, tmux="3.5a|256,RGB,sixel|1|1")
    assert graphics.protocol is Protocol.SIXEL
    assert graphics.passthrough


def test_a_tmux_without_sixel_is_named_as_what_is_missing() -> None:
    graphics = chosen(XTERM_379, tmux="3.3a|256,RGB|1|1", tmux_has_sixel=False)
    assert graphics.protocol is Protocol.QUADRANT
    assert "tmux 3.3a was built without" in graphics.why


def test_kitty_is_reached_through_tmux_only_where_that_passes_it_on() -> None:
    assert chosen(KITTY_041, tmux="3.5a|256,RGB|1|1").protocol is Protocol.KITTY
    refused = chosen(b"", tmux="3.5a|256,RGB|0|1")
    assert refused.protocol is Protocol.QUADRANT
    assert "allow-passthrough on" in refused.why
    assert not refused.passthrough


@pytest.mark.parametrize("setting", [s for s in SETTINGS if s != "auto"])
def test_a_setting_is_followed_and_named(setting: str) -> None:
    graphics = chosen(DUMB, setting=setting)
    assert graphics.protocol == setting
    assert setting in graphics.why


def test_the_environment_goes_before_the_setting() -> None:
    assert setting_of("sixel", {"FACEWRIGHT_GRAPHICS": "half"}) == "half"
    assert setting_of("sixel", {}) == "sixel"
    assert setting_of("", {}) == "auto"


def test_an_unknown_setting_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="'sixels'") as refusal:
        setting_of("sixels", {})
    assert "quadrant" in refusal.value.remedy


def test_the_linux_console_gets_half_blocks() -> None:
    assert chosen(b"", environment={"TERM": "linux"}).protocol is Protocol.HALF


@pytest.mark.parametrize(
    ("environment", "colours"),
    [
        ({"COLORTERM": "truecolor", "TERM": "xterm"}, Colours.TRUECOLOR),
        ({"TERM": "xterm-256color"}, Colours.PALETTE_256),
        ({"TERM": "xterm"}, Colours.ANSI_16),
        ({"TERM": "xterm", "TEXTUAL_COLOR_SYSTEM": "truecolor"}, Colours.TRUECOLOR),
    ],
)
def test_colours_follow_the_environment(environment: dict[str, str], colours: Colours) -> None:
    assert colours_of(environment) is colours


def test_inside_a_tmux_without_rgb_no_more_than_256_colours_are_used() -> None:
    environment = {"COLORTERM": "truecolor", "TERM": "tmux-256color"}
    assert colours_of(environment, parse_tmux_facts("3.5a|256|1|1")) is Colours.PALETTE_256
    assert colours_of(environment, parse_tmux_facts("3.5a|256,RGB|1|1")) is Colours.TRUECOLOR


@pytest.mark.parametrize("cut", range(0, len(KITTY_041), 7))
def test_damaged_answers_never_break_the_reading(cut: int) -> None:
    parse_replies(KITTY_041[cut:] + b"\xff\x1b[?;;c" + KITTY_041[:cut])


def test_the_probe_knows_the_end_of_the_answers() -> None:
    assert is_complete(XTERM_379)
    assert not is_complete(XTERM_379[:-1])


def test_the_last_answer_about_colour_registers_counts() -> None:
    assert parse_replies(b"\x1b[?1;0;16S\x1b[?1;0;256S").colour_registers == 256


def test_answers_of_no_tmux_are_no_facts() -> None:
    assert parse_tmux_facts("no server running\n") is None
    assert parse_replies(b"") == Replies()


def test_a_mouse_to_the_pixel_is_believed_where_the_terminal_knows_it_and_no_tmux_is_between() -> (
    None
):
    knows = b"\x1b[?1016;2$y" + XTERM_379
    assert chosen(knows).pixel_mouse
    assert not chosen(b"\x1b[?1016;0$y" + XTERM_379).pixel_mouse
    assert not chosen(XTERM_379).pixel_mouse
    assert not chosen(knows, tmux="3.5a|sixel|on|on").pixel_mouse
