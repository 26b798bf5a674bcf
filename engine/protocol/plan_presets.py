"""Training plans that the guides teach, as starting points.

Their numbers of iterations suit faces of about 200 pixels trained from scratch in small batches;
smaller models, larger batches and pretrained ones need fewer. `scaled` stretches or shortens one.
"""

from __future__ import annotations

from collections.abc import Iterable, Set

import msgspec

from engine.protocol.errors import UsageError
from engine.protocol.options import Option
from engine.protocol.training_plan import Flat, Phase, Plan, Reset, scaled

_STARTING_POINT = "The numbers of iterations are starting points: look at the previews."

# From here on: what the guides' steps are called by the options that they switch.
_WARP = Phase(
    name="warp",
    changes={
        "random_warp": True,
        "eyes_mouth_prio": False,
        "uniform_yaw": False,
        "lr_dropout": "n",
        "gan_power": 0,
    },
    at_least=50_000,
    at_most=200_000,
    flat=Flat(window=20_000, percent=2),
)
_FACE_TO_GAN = (
    Phase(name="eyes and mouth", changes={"eyes_mouth_prio": True}, at_most=50_000),
    Phase(
        name="uniform yaw",
        changes={"eyes_mouth_prio": False, "uniform_yaw": True},
        at_most=50_000,
    ),
    Phase(
        name="lr dropout",
        changes={"uniform_yaw": False, "lr_dropout": "y"},
        at_least=20_000,
        at_most=100_000,
        flat=Flat(window=20_000, percent=1),
    ),
    Phase(
        name="no warp",
        changes={"random_warp": False, "lr_dropout": "n"},
        at_least=20_000,
        at_most=80_000,
        flat=Flat(window=20_000, percent=1),
    ),
    Phase(
        name="no warp, lr dropout",
        changes={"lr_dropout": "y"},
        at_least=20_000,
        at_most=50_000,
        flat=Flat(window=20_000, percent=1),
    ),
    Phase(name="GAN", changes={"gan_power": 0.1}),
)

_STANDARD = Plan(
    title="Standard",
    note="From a new model to the finest detail: learn the faces warped, then eyes and mouth, rare"
    " angles, a finer learning rate, no more warping, and last a GAN, which goes on until the run"
    f" is stopped. {_STARTING_POINT}",
    phases=(_WARP, *_FACE_TO_GAN),
)

# DeepFaceLive's models for any face: dst is a set of many people; inter_AB is thrown away again and
# again, so that it keeps nothing of one person's.
_RTM = Plan(
    title="RTM",
    note="For a model that swaps any face, as DeepFaceLive wants it: dst is a faceset of many"
    " people, the architecture liae, best begun from a pretrained model. inter_AB is made anew"
    f" every 500 000 iterations of the first phase. {_STARTING_POINT}",
    phases=(
        Phase(
            name="warp, inter_AB anew",
            changes={
                "random_warp": True,
                "uniform_yaw": True,
                "random_src_flip": True,
                "random_dst_flip": True,
                "lr_dropout": "n",
                "gan_power": 0,
            },
            at_most=2_000_000,
            reset=Reset(nets=("inter_AB",), every=500_000),
        ),
        Phase(
            name="no warp",
            changes={"random_warp": False, "uniform_yaw": False},
            at_most=500_000,
        ),
        Phase(name="lr dropout", changes={"lr_dropout": "y"}, at_most=500_000),
        Phase(
            name="GAN",
            changes={"gan_power": 0.1, "gan_dims": 32},
            at_most=800_000,
        ),
    ),
    stop=True,
)

_PRETRAIN = Plan(
    title="Pretrain, then standard",
    note="Learns faces as such from the pretraining faces, then both people by the standard plan:"
    f" a model that is pretrained once serves many pairs. {_STARTING_POINT}",
    phases=(
        Phase(
            name="pretrain",
            changes={"pretrain": True},
            at_least=200_000,
            at_most=1_000_000,
            flat=Flat(window=50_000, percent=1),
        ),
        Phase(
            name=_WARP.name,
            changes={**_WARP.changes, "pretrain": False},
            at_least=20_000,
            at_most=150_000,
            flat=_WARP.flat,
        ),
        *_FACE_TO_GAN,
    ),
)

_QUICK = msgspec.structs.replace(
    scaled(_STANDARD, 0.1),
    title="Quick",
    note="The standard plan in a tenth of its iterations: for small models, good facesets and"
    f" pretrained models. {_STARTING_POINT}",
)

PRESETS: dict[str, Plan] = {
    preset: msgspec.structs.replace(plan, origin=preset)
    for preset, plan in {
        "standard": _STANDARD,
        "quick": _QUICK,
        "rtm": _RTM,
        "pretrain": _PRETRAIN,
    }.items()
}


# Options that a preset can do without: a model that lacks one always does what it switches on.
_DISPENSABLE = frozenset({"eyes_mouth_prio"})
# Presets that make nets anew, by an option that models with such nets have.
_ONLY_WITH = {"rtm": "archi"}


def presets_for(options: Iterable[Option]) -> dict[str, Plan]:
    """The presets for models with these options, by id: they change none but these."""
    known = {option.name for option in options}
    fitted = {
        preset: _fitted(plan, known)
        for preset, plan in PRESETS.items()
        if _ONLY_WITH.get(preset) in {None, *known}
    }
    return {
        preset: plan
        for preset, plan in fitted.items()
        if all(known.issuperset(phase.changes) for phase in plan.phases)
    }


def preset_for(preset: str, options: Iterable[Option]) -> Plan:
    """The preset of that id for models with these options. Raises `UsageError` if it is not for
    them."""
    offered = presets_for(options)
    if preset not in offered:
        raise UsageError(
            f"the training plan {preset} is not for models of this class",
            f"choose one of these: {', '.join(offered) or 'none'}",
            code="plan",
        )
    return offered[preset]


def _fitted(plan: Plan, known: Set[str]) -> Plan:
    """Without what can be done without, and phases that were nothing else."""
    without = _DISPENSABLE - known
    phases = []
    for phase in plan.phases:
        changes = {name: value for name, value in phase.changes.items() if name not in without}
        if changes or not phase.changes:
            phases.append(msgspec.structs.replace(phase, changes=changes))
    return msgspec.structs.replace(plan, phases=tuple(phases))
