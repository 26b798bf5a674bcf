import numpy as np

from tests.graphics.card_app import card
from tuiapp.graphics.palette import PaletteCache, build_palette


def photo_like(seed: int, shift: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0, 200, 128)[:, None] + np.linspace(0, 40, 128)[None, :]
    tint = np.stack([ramp, 255 - ramp, np.full_like(ramp, 90 + shift)], -1)
    return (tint + rng.integers(0, 12, tint.shape)).clip(0, 255).astype(np.uint8)


def test_few_colours_and_the_background_are_kept_exactly() -> None:
    palette = build_palette(card(60, 60), 256, (18, 18, 18))
    assert tuple(palette.colours_rgb_u8[0]) == (18, 18, 18)
    assert np.array_equal(palette.colours_rgb_u8[palette.indices(card(60, 60))], card(60, 60))


def test_a_colour_is_kept_though_another_is_nearer_to_the_middle_of_its_cell() -> None:
    picture = np.array([[(96, 96, 96), (104, 99, 99)]], np.uint8)
    palette = build_palette(picture, 256, (0, 0, 0))
    assert np.array_equal(palette.colours_rgb_u8[palette.indices(picture)], picture)


def test_a_photograph_is_off_by_less_than_six_levels_on_average() -> None:
    picture = photo_like(1)
    assert build_palette(picture, 256, (0, 0, 0)).mean_error(picture) < 6


def test_the_background_around_a_dark_photograph_is_exactly_the_screens() -> None:
    picture, background = photo_like(1) // 5, (20, 23, 28)
    picture[-40:] = (17, 22, 25)
    picture[: len(picture) // 3] = background
    palette = build_palette(picture, 64, background)
    shown = palette.colours_rgb_u8[palette.indices(picture)]
    assert (shown[: len(picture) // 3] == background).all()


def test_no_more_colours_are_used_than_allowed() -> None:
    assert len(build_palette(photo_like(1), 16, (0, 0, 0)).colours_rgb_u8) <= 16


def test_similar_frames_share_a_palette_and_a_new_scene_gets_its_own() -> None:
    cache = PaletteCache(clock=lambda: 0.0)
    first = cache.palette_for(photo_like(1), 64, (0, 0, 0))
    assert cache.palette_for(photo_like(2), 64, (0, 0, 0)) is first
    assert cache.palette_for(photo_like(1, shift=120), 64, (0, 0, 0)) is not first


def test_another_number_of_colours_or_background_makes_a_new_palette() -> None:
    cache = PaletteCache(clock=lambda: 0.0)
    first = cache.palette_for(photo_like(1), 64, (0, 0, 0))
    second = cache.palette_for(photo_like(1), 32, (0, 0, 0))
    third = cache.palette_for(photo_like(1), 32, (9, 9, 9))
    assert len({id(first), id(second), id(third)}) == 3
