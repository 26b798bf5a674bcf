"""Which devices and machines train, and what a machine does that only follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.models.classes import model_code
from engine.nets.device import Device, prepare_device
from engine.protocol.errors import StageError, Stopped, UsageError
from engine.protocol.history import LossPoint
from engine.protocol.spec import ModelSpec
from engine.protocol.stage import StageContext
from engine.stages.train.faces import ModelFaces
from engine.train.batches import Share
from engine.train.companions import Companion, Training
from engine.train.feed import Feed, Opener
from engine.train.together import Begin, Follower, Leader, Line
from engine.train.trainable import StepResult

if TYPE_CHECKING:
    from engine.nets.distribution import Distribution


@dataclass(frozen=True)
class Machines:
    """All that train together, host:port each, and which of them this is; none is this alone."""

    addresses: tuple[str, ...]
    number: int

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Machines:
        """Those that a run's options name. Raises `UsageError` for a number beyond the list."""
        addresses = tuple(filter(None, options["workers"].split(",")))
        number = options["worker_index"] if addresses else 0
        if addresses and number >= len(addresses):
            raise UsageError(
                f"--worker-index {number}: --workers names {len(addresses)} machines",
                f"take 0 to {len(addresses) - 1}",
                code="option-value",
            )
        return cls(addresses, number)

    @property
    def are_several(self) -> bool:
        return bool(self.addresses)

    @property
    def follows(self) -> bool:
        return self.number > 0

    @property
    def share(self) -> Share:
        return Share(self.number, max(1, len(self.addresses)))


def open_devices(context: StageContext, machines: Machines) -> tuple[Device, Distribution]:
    """All devices that the run's options name, here and elsewhere; waits for the other machines.
    Raises `InputError` for devices or ports that cannot be used."""
    device = prepare_device(context.options["device"], context.warn, several=True)
    from engine.nets.distribution import on_all_devices, with_other_machines  # loads TensorFlow

    if not machines.are_several:
        return device, on_all_devices()
    context.note(f"waiting for {len(machines.addresses) - 1} other machines")
    distribution = with_other_machines(machines.addresses, machines.number, context.check_stop)
    context.note(f"all {distribution.workers} machines are there, {distribution.devices} devices")
    return device, distribution


class EndsWithFollowers(Companion):
    """Ends training, saved, when the user of another machine has stopped it there."""

    def __init__(self, leader: Leader) -> None:
        self._leader = leader

    def stepped(self, training: Training, point: LossPoint) -> None:
        """See `Companion.stepped`."""
        if self._leader.followers_leave:
            training.finish("another machine was asked to stop")


def follow(context: StageContext, spec: ModelSpec, machines: Machines, faces: ModelFaces) -> None:
    """Train as the leader says, until it ends. Raises `Stopped` if the end was asked for here,
    `InputError` for unusable faces, `StageError` if the leader is gone."""
    device, distribution = open_devices(context, machines)
    line = Line(distribution.sum)
    begin = line.receive(leaves=context.stop_requested)
    if not isinstance(begin, Begin) or begin.model_class != spec.id:
        raise StageError(
            f"the leader does not train a model of class {spec.id}, but sent {begin}",
            "start all machines with the same --model-class",
        )
    model = model_code(spec)(
        begin.options, seed=begin.seed, dtype=begin.dtype, distribution=distribution
    )
    model.trace()
    wanted = model.sampling().kind.face_type

    def sources(options: Mapping[str, Any]) -> Opener:
        return faces.sources(options, wanted, seed=begin.seed, device=device)

    made = 0

    def tell(result: StepResult) -> None:
        nonlocal made
        made += result.applied
        context.progress(model.iteration, None, unit="iterations", skipped=model.iteration - made)

    with Feed(sources, begin.options, model.sampling(), begin.drawn) as feed:
        Follower(model, feed, line, leaves=lambda: context.stop_requested, stepped=tell).run()
    context.result(iteration=model.iteration, iterations_made=made)
    if context.stop_requested:
        raise Stopped
