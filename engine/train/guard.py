"""The collapse guard: tells from the steps of late whether a model is being ruined.

It only judges; the loop does what follows. A step that is not finite, or whose losses are far
beyond those of late, is not applied to the weights (`StepResult.applied`) and forgotten; several in
a row mean that the weights themselves are ruined, and so do losses that stand still, losses that
have crept up, and masks that show nothing or everything.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from engine.train.trainable import StepResult

# The median of so many steps is compared with: enough that single hard batches do not move it, few
# enough that it follows a model that learns.
WINDOW = 100
# The highest ratio of a step's losses to that median in healthy training was 1.5 with single faces
# of 46 people (Quick96, 378 steps) and 1.3 with four of two people (728 steps); late, when losses
# are small, single hard faces stand out more. Those of a ruined face are 10 to 40 times as large as
# those of a learned one.
EXPLODES_AT = 6.0
# After a change of options losses may be of another size (eyes and mouth first adds about 5 times
# what is there), so that until the window is full again only what is beyond this is refused.
EXPLODES_AT_AFTER_CHANGE = 50.0
# The median itself may rise by so much above its lowest; in those trainings it did by 1.02.
CREEPS_AT = 3.0
# One bad batch is chance; a poisoned face in a set of dozens seldom comes so often in a row.
BAD_IN_A_ROW = 5
# Random batches of a moving model never give the same 32-bit losses twice in a row.
ALIKE_IN_A_ROW = 50
# Mean of a mask that shows nothing, or all; those of real faces lie between 0.1 and 0.9, and a new
# model comes nearer for some dozens of steps at most.
EMPTY_MASK, FULL_MASK = 0.002, 0.998
SATURATED_IN_A_ROW = 200
# So long neither counts for much, but the model is not saved over a good one.
DOUBTFUL_IN_A_ROW = 20

TargetMasks = Callable[[], Mapping[str, float]]


@dataclass(frozen=True)
class Collapse:
    """Why a model must go back. sound_until: the last iteration up to which its saves are good, as
    far as the losses tell; None if any may be."""

    reason: str
    sound_until: int | None = None


class Guard:
    """Watches one model's steps. usual_loss: what the losses' sum was before, if known."""

    def __init__(self, usual_loss: float | None = None) -> None:
        self.bad_in_a_row = 0
        self._usual = usual_loss
        self._saturated: dict[str, int] = {}
        self._begin_window()

    def begin_anew(self) -> None:
        """Options were changed or nets reset: losses may be of another size from now on. What was
        bad stays so."""
        if self._sums:
            self._usual = median(self._sums)
        self._begin_window()

    def give_in(self) -> None:
        """Losses of any size are right from now on: nobody wants to go back from them."""
        self._begin_window()
        self._usual = None

    def went_back(self) -> None:
        """The weights are those of a save again."""
        self.begin_anew()
        self.bad_in_a_row = 0
        self._saturated.clear()

    def _begin_window(self) -> None:
        self._sums: deque[float] = deque(maxlen=WINDOW)
        self._lowest = math.inf
        self._low_until: int | None = None  # the iteration where the median was last near it
        self._last: tuple[float, ...] = ()
        self._alike = 0

    @property
    def loss_limit(self) -> float:
        """Steps whose losses sum to more must not be applied."""
        if len(self._sums) == WINDOW:
            return EXPLODES_AT * median(self._sums)
        return math.inf if self._usual is None else EXPLODES_AT_AFTER_CHANGE * self._usual

    @property
    def is_undecided(self) -> bool:
        """The last step was bad; the next few tell whether by chance."""
        return self.bad_in_a_row > 0

    @property
    def is_sound(self) -> bool:
        """The model may be saved over the saves that there are."""
        stands = max(self._alike, *self._saturated.values(), 0)
        return not self.bad_in_a_row and stands < DOUBTFUL_IN_A_ROW

    def judge(
        self, iteration: int, result: StepResult, target_masks: TargetMasks
    ) -> Collapse | None:
        """Take note of a step made at `iteration`; what has collapsed by it, if anything.

        target_masks: gives the means of the masks that `result.health` should come near, by the
        same names; asked for only where those of the model say nothing.
        """
        if not result.applied:
            return self._bad(result)
        self.bad_in_a_row = 0
        return (
            self._stands_still(result.losses)
            or self._creeps(iteration, sum(result.losses))
            or self._saturates(result.health, target_masks)
        )

    def _bad(self, result: StepResult) -> Collapse | None:
        self.bad_in_a_row += 1
        if self.bad_in_a_row < BAD_IN_A_ROW:
            return None
        return Collapse(f"{self.bad_in_a_row} steps in a row {why_bad(result, self.loss_limit)}")

    def _stands_still(self, losses: tuple[float, ...]) -> Collapse | None:
        self._alike = self._alike + 1 if losses == self._last else 0
        self._last = losses
        if self._alike < ALIKE_IN_A_ROW:
            return None
        return Collapse(f"the losses have not changed at all for {self._alike} steps")

    def _creeps(self, iteration: int, loss: float) -> Collapse | None:
        self._sums.append(loss)
        if len(self._sums) < WINDOW:
            return None
        middle = median(self._sums)
        self._lowest = min(self._lowest, middle)
        if middle <= math.sqrt(CREEPS_AT) * self._lowest:
            self._low_until = iteration
        if middle <= CREEPS_AT * self._lowest:
            return None
        return Collapse(
            f"the losses have risen from {self._lowest:.3f} to {middle:.3f}", self._low_until
        )

    def _saturates(self, health: Mapping[str, float], target_masks: TargetMasks) -> Collapse | None:
        extreme = {name for name, mean in health.items() if _says_nothing(mean)}
        if extreme:
            targets = target_masks()
            extreme = {name for name in extreme if not _says_nothing(targets.get(name, 0.0))}
        self._saturated = {name: self._saturated.get(name, 0) + 1 for name in extreme}
        for name, steps in self._saturated.items():
            if steps >= SATURATED_IN_A_ROW:
                what = "nothing" if health[name] <= EMPTY_MASK else "everything"
                return Collapse(f"{name} has shown {what} for {steps} steps")
        return None


def why_bad(result: StepResult, limit: float) -> str:
    """What was wrong with a step that was not applied, in words."""
    losses = result.losses
    if all(math.isfinite(loss) for loss in losses) and sum(losses) > limit:
        return f"had losses of {sum(losses):.3f}, beyond {limit:.3f}"
    return "had losses or gradients that are no numbers"


def _says_nothing(mask_mean: float) -> bool:
    return not EMPTY_MASK < mask_mean < FULL_MASK
