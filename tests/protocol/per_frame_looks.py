"""DeepFaceLab's way to keep looks (pipeline specification 9.4), as plainly as can be: every visited
frame has a copy of its own, all others inherit from the visited frame before them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from engine.protocol.look import Look

TRACKS = ("", "a", "b")
Looks = dict[str, Look]


@dataclass
class PerFrameLooks:
    """Each face's look in each visited frame; faces lose theirs at a cut."""

    cuts: tuple[int, ...]
    own: dict[int, Looks] = field(default_factory=dict)

    def at(self, frame: int) -> Looks:
        before = [visited for visited in self.own if visited <= frame]
        return self.carried(max(before), frame) if before else dict.fromkeys(TRACKS, Look())

    def carried(self, source: int, frame: int) -> Looks:
        looks = self.own[source]
        if self.shot(source) != self.shot(frame):
            return dict.fromkeys(TRACKS, looks[""])
        return dict(looks)

    def shot(self, frame: int) -> int:
        return sum(cut <= frame for cut in self.cuts)

    def visit(self, frame: int) -> None:
        self.own[frame] = self.at(frame)

    def set_look(self, frame: int, changes: Mapping[str, object], track: str) -> None:
        self.visit(frame)
        for one in TRACKS if track == "" else [track]:
            self.own[frame][one] = replace(self.own[frame][one], **changes)

    def copy(self, frame: int, to: str) -> None:
        self.visit(frame)
        targets = {
            "next": {frame + 1},
            "previous": {frame - 1},
            "before": set(range(frame)),
            "after": {f for f in self.own if f > frame},
        }[to]
        for target in targets:
            self.own[target] = self.carried(frame, target)
