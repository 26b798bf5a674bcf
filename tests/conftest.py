"""The whole suite: its order, its memory, and how much of the killing is done."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from inspect import iscoroutinefunction
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# Of the kills that each stage of facesets, each session and training must outlive; all of them take
# half an hour.
USUAL_SHARE_OF_KILLS = 0.2
# Of the clips whose faces were counted by eye, one frame in so many is searched; all take minutes.
USUAL_FRAMES_APART = 4


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-kills", action="store_true", help="kill 200 times where 40 are usual")
    parser.addoption("--all-frames", action="store_true", help="search every frame for faces")


@pytest.fixture
def share_of_kills(request: pytest.FixtureRequest) -> float:
    return 1.0 if request.config.getoption("--all-kills") else USUAL_SHARE_OF_KILLS


@pytest.fixture
def frames_apart(request: pytest.FixtureRequest) -> int:
    return 1 if request.config.getoption("--all-frames") else USUAL_FRAMES_APART


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes begins first, so that no process is left alone with it at the end. What
    loads TensorFlow or opens the app is slow, if not alone, then in the sum."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    for item in items:
        if _loads_nets(item) or _opens_the_app(item):
            item.add_marker("slow")


def _loads_nets(item: pytest.Item) -> bool:
    return not {"nets", "models"}.isdisjoint(item.path.relative_to(TESTS).parts)


def _opens_the_app(item: pytest.Item) -> bool:
    is_pilot = iscoroutinefunction(getattr(item, "function", None))
    return is_pilot and item.path.parent == TESTS / "tuiapp" and item.path.name != "test_home.py"


@pytest.fixture(autouse=True, scope="session")
def no_files_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings and certificates are the tests' own, in processes that they start too."""
    home = tmp_path_factory.mktemp("user")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        patch.setenv("XDG_DATA_HOME", str(home / "data"))
        for name in [name for name in os.environ if name.startswith("FACEWRIGHT_SIGNING_")]:
            patch.delenv(name)
        yield


@pytest.fixture
def without_tracing() -> Iterator[None]:
    """Compiling the steps of a tiny model takes 3 s of a processor, making one as it comes 0.1."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(autouse=True, scope="module")
def memory_of_nets_given_back() -> Iterator[None]:
    """Models and their graphs are cycles that hold each other, and what they leave free lies among
    what lives: 110 to 180 MB of each tiny model. (60 MB more stay for good: XLA never forgets a
    program that it compiled, such as each optimizer's.)"""
    yield
    if "tensorflow" in sys.modules:
        gc.collect()
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of the GNU C library
        if trim is not None:
            trim(0)
