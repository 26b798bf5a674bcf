"""Trains and kills, in a process of its own: `python -m tests.train.kills ROOT KILLS SEED`.

Forks a child that trains the light model in the workspace ROOT, kills it after a random time, looks
at what it left, and goes on with the next. Ends with a line of JSON; whatever does not hold is an
exception. On a disk of its own (ROOT on a small one) it fills it up at random, too.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
import time
from pathlib import Path

from engine.models.quick96.spec import QUICK96
from engine.protocol.commands import Backup, Save
from engine.protocol.errors import InputError
from engine.protocol.history import HISTORY_NAME, read_history
from engine.protocol.model_files import list_saves
from engine.protocol.training_plan import Phase, Plan, plan_path, write_plan
from engine.protocol.workspace import make_folder
from engine.train.backups import Backups
from engine.train.generations import Generations, Manifest, check_generation
from engine.train.phases import Phases
from engine.train.preview_history import PreviewHistory
from tests.support.context import context_for
from tests.train.light_model import LIGHT_PX, light_loop, whole_iteration

# How many saves the longest lives should see; how long that takes is measured first.
SAVES_OF_A_LIFE = 5
# Options change every so many iterations: many a kill comes between a change and its first save.
PHASE_ITERATIONS = 30
PLAN = Plan(
    title="to and fro",
    phases=tuple(
        Phase(
            name=f"phase {number}",
            changes={"random_src_flip": number % 2 == 1},
            at_most=PHASE_ITERATIONS,
        )
        for number in range(50)
    ),
)
FLOATS = 20_000
SAVE_EVERY = 3


def train(root: Path, announced: int) -> None:
    """Train until killed; each good save's iteration goes down the pipe `announced`."""
    context = context_for(root, "train", keep=2, write_preview_history=True, history_pictures=100)
    context.saved = lambda iteration, path: os.write(announced, b"%d\n" % iteration)
    folder = make_folder(model_folder(root))
    write_plan(plan_path(folder), PLAN)
    saved = Generations(folder).newest(_refuse)
    carried = saved.manifest.carried[Phases.carried_as] if saved else {}
    phases = Phases(folder, QUICK96, carried)
    companions = [phases, Backups(), PreviewHistory(folder, LIGHT_PX)]
    with light_loop(context, folder, companions=companions, floats=FLOATS) as loop:
        step = loop.model.train_step

        def saving_step(batches, loss_limit=float("inf")):
            if loop.model.iteration % SAVE_EVERY == 0:
                context.queue.append(Save())
            if loop.model.iteration % 50 == 0:
                context.queue.append(Backup())
            return step(batches, loss_limit)

        loop.model.train_step = saving_step
        os.write(announced, b"0\n")  # it is about to begin
        loop.run()


def model_folder(root: Path) -> Path:
    return root / "model" / "new_light"


def begin(root: Path) -> tuple[int, int]:
    """A child that trains: its number, and where it announces."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            train(root, writing)
        except InputError:  # the disk is full
            os._exit(3)
        raise AssertionError("it trains until it is killed")
    os.close(writing)
    return child, reading


def kill(child: int, reading: int) -> bytes:
    """Returns what it had announced and nobody has read. It may have ended by itself: only a full
    disk allows that."""
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    lines = b""
    while data := os.read(reading, 4096):
        lines += data
    os.close(reading)
    if os.WIFEXITED(status):
        assert os.WEXITSTATUS(status) == 3, "it ended by an error of its own"
    return lines


def longest_life_s(root: Path) -> float:
    """From the beginning of training to its n-th save, on this machine as busy as it is."""
    child, reading = begin(root)
    lines, begun = os.read(reading, 4096), time.monotonic()
    while lines.count(b"\n") <= SAVES_OF_A_LIFE and (data := os.read(reading, 4096)):
        lines += data
    lasted = time.monotonic() - begun
    kill(child, reading)
    return lasted


def kill_one(root: Path, life_s: float, *, while_training: bool) -> tuple[int, bool]:
    """The last save that was announced before the kill (0: none), and whether training had
    begun."""
    child, reading = begin(root)
    lines = b""
    if while_training:  # the time counts from when it begins
        lines += os.read(reading, 4096)
    ends_at = time.monotonic() + life_s
    while (left_s := ends_at - time.monotonic()) > 0:
        if not select.select([reading], [], [], left_s)[0]:
            break
        data = os.read(reading, 4096)
        if not data:
            break  # it ended by itself
        lines += data
    lines += kill(child, reading)
    iterations = [int(line) for line in lines.split()]
    return max(iterations, default=0), bool(iterations)


def check(root: Path, promised: int) -> int:
    """What must hold after any kill. Returns the iteration that training can go on from."""
    folder = model_folder(root)
    newest = Generations(folder).newest(_refuse)
    iteration = whole_iteration(newest) if newest else 0
    assert iteration == (newest.manifest.iteration if newest else 0)
    assert iteration >= promised, f"save {promised} was announced, {iteration} is there"
    if newest:
        check_phase(newest.manifest)
    for save in list_saves(folder):
        assert check_generation(save.path).iteration == save.iteration
    recorded = [point.iteration for point in read_history(folder / HISTORY_NAME)]
    assert recorded == list(range(1, len(recorded) + 1)), "the history has gaps"
    assert len(recorded) >= iteration
    return iteration


def check_phase(manifest: Manifest) -> None:
    """A save's options are those of the phase that its iteration is in, and it knows that. One
    that is made before options change is still of the phase before."""
    number = manifest.carried[Phases.carried_as]["number"]
    since = manifest.iteration - number * PHASE_ITERATIONS
    assert manifest.carried[Phases.carried_as]["begun"] == number * PHASE_ITERATIONS
    assert 0 <= since <= PHASE_ITERATIONS or number == len(PLAN.phases) - 1
    assert manifest.options["random_src_flip"] is (number % 2 == 1)


def _refuse(text: str, remedy: str) -> None:
    raise AssertionError(text)


def fill(root: Path, rng: random.Random) -> None:
    """Leave a random number of bytes on the disk, or plenty."""
    filler = root / "filler"
    filler.unlink(missing_ok=True)
    status = os.statvfs(root)
    free = status.f_bavail * status.f_frsize
    if rng.random() < 0.7:
        filler.write_bytes(bytes(max(0, free - rng.randrange(400_000))))


def main(root: Path, kills: int, seed: int) -> None:
    rng = random.Random(seed)
    has_own_disk = os.path.ismount(root)
    promised = begun = went_on = 0
    longest_s = longest_life_s(root)
    for _ in range(kills):
        if has_own_disk:
            fill(root, rng)
        life_s = rng.uniform(0, longest_s)
        announced, has_begun = kill_one(root, life_s, while_training=rng.random() < 0.85)
        promised = max(promised, announced)
        begun += has_begun
        reached = check(root, promised)
        went_on += reached > promised or announced > 0
        promised = reached
    facts = {"kills": kills, "while_training": begun, "with_saves": went_on, "iteration": promised}
    sys.stdout.write(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
