"""What a viewer of a merge session knows and wants: events and wishes in, commands out.

A wish is shown at once, before the session has answered; answers then have the last word. What is
wished while a frame's look is not known yet (it was just gone to) waits for it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from msgspec.structs import replace

from engine import catalog
from engine.protocol import merge_commands as commands
from engine.protocol.dfm_files import has_morph_factor
from engine.protocol.errors import FacewrightError
from engine.protocol.events import AnyEvent, KeyMark, MergeRefused, MergeShown, MergeState
from engine.protocol.look_options import LOOK_FIELDS, LOOK_OPTIONS
from engine.protocol.merge_commands import MergeCommand, MergeEdit, MergeView
from engine.protocol.options import Choice, Integer, Number, Option
from engine.protocol.workspace import Workspace

ROWS = {option.name: option for option in LOOK_FIELDS}
# DeepFaceLab's keys for these do nothing in modes that do not match histograms.
_ONLY_WHERE_USED = frozenset({"hist_match_threshold", "masked_hist_match"})
GoesOn = Literal["hold", "linear", "smooth"]
GOES_ON: tuple[GoesOn, ...] = ("hold", "linear", "smooth")
CopyTo = Literal["previous", "next", "before", "after"]
ShotAction = Literal["start", "fill", "cut", "join"]
NameAction = Literal["save", "apply", "delete"]
# What is wished while a frame is awaited; more is a key that was forgotten under a book.
_WISHES_KEPT = 200


# What must be known before a wish can be carried out: at which frame one is, or its look as well.
_Need = Literal["nothing", "frame", "look"]


@dataclass(frozen=True)
class _Wish:
    act: Callable[[], None]
    needs: _Need


class MergeDesk:
    """state, shown: what the session told last; None before. frame: the one that is wished for, or
    shown. look: of the face that the view names, with what was wished; None while not known.
    refusals: what was refused since they were taken. sight: how frames are looked at. carried: the
    key that was picked up to be put down at another frame. has_morph_factor: of the model."""

    def __init__(self) -> None:
        self.state: MergeState | None = None
        self.shown: MergeShown | None = None
        self.frame = 0
        self.look: dict[str, Any] | None = None
        self.sight = MergeView()
        self.changed_field = ""
        self.refusals: list[MergeRefused] = []
        self._outbox: list[MergeCommand] = []
        self.carried: KeyMark | None = None
        self.has_morph_factor = False
        # The key (frame, face) that goes at once: one that was set here and carries nothing since,
        # or one whose taking away was asked for already.
        self._key_that_may_go: tuple[int, str] | None = None
        self._seq = 0
        self._unanswered: dict[str, tuple[int, Any]] = {}
        # Pictures that show less than this command are those of a place that was left.
        self._awaited_seq = 0
        self._is_at_frame = True
        self._waiting: list[_Wish] = []

    @property
    def rows(self) -> tuple[Option, ...]:
        """The settings that the model has a use for; others are not changed."""
        return LOOK_FIELDS if self.has_morph_factor else LOOK_OPTIONS

    @property
    def tracks(self) -> tuple[str, ...]:
        """The faces of the shown frame that can have looks of their own."""
        faces = self.shown.faces if self.shown else ()
        return tuple(face.track for face in faces if face.track)

    @property
    def key_here(self) -> KeyMark | None:
        """The key of the frame, for the faces that the view names."""
        keys = self.state.keys if self.state else ()
        place = (self.frame, self.sight.track)
        return next((key for key in keys if (key.frame, key.track) == place), None)

    def take_outbox(self) -> list[MergeCommand]:
        """What is to be sent now, in this order."""
        taken, self._outbox = self._outbox, []
        return taken

    # Events

    def greeting(self) -> list[MergeCommand]:
        """What is sent first at a connection; whatever was under way is not any more."""
        self._outbox.clear()
        self._waiting.clear()
        self._unanswered.clear()
        self._awaited_seq = 0
        return [self.sight]

    def heard(self, event: AnyEvent) -> None:
        """Take in what the session tells."""
        if isinstance(event, MergeState):
            self.state = event
        elif isinstance(event, MergeShown):
            self._take_shown(event)
        elif isinstance(event, MergeRefused):
            self._take_refusal(event)

    def _take_shown(self, shown: MergeShown) -> None:
        self.shown = shown
        if shown.answered < self._awaited_seq:
            return  # one on the way to where the user is already
        self._unanswered = {
            name: edit for name, edit in self._unanswered.items() if edit[0] > shown.answered
        }
        self._arrive()

    def _arrive(self) -> None:
        """The shown frame is the one that the user is at: its look is known."""
        if self.shown is None:
            return
        self.frame, self._is_at_frame = self.shown.frame, True
        wished = {name: value for name, (_, value) in self._unanswered.items()}
        self.look = {**self.shown.look, **wished}
        while self._waiting and self._knows(self._waiting[0].needs):
            self._waiting.pop(0).act()

    def _take_refusal(self, refusal: MergeRefused) -> None:
        self.refusals.append(refusal)
        if not refusal.command_seq:
            return
        self._awaited_seq = 0
        self._unanswered.clear()
        self._arrive()

    # Wishes: looks

    def step(self, field: str, steps: int) -> None:
        """A number more or less, at most to the end of its range."""
        kind = ROWS[field].kind
        assert isinstance(kind, Integer | Number)

        def act(value: Any) -> int | float:
            # Decimal steps add up to 0.3 and not to 0.30000000000000004.
            stepped: int | float = round(value + steps * kind.step, 6)
            return min(kind.maximum, max(kind.minimum, stepped))

        self._change(field, act)

    def cycle(self, field: str) -> None:
        """The next choice; after the last one the first."""
        kind = ROWS[field].kind
        assert isinstance(kind, Choice)
        values = kind.values
        self._change(field, lambda value: values[(values.index(value) + 1) % len(values)])

    def turn(self, field: str) -> None:
        self._change(field, lambda value: not value)

    def set(self, field: str, value: object) -> None:
        self._change(field, lambda _: value)

    def _change(self, field: str, new_value: Callable[[Any], Any]) -> None:
        if ROWS[field] in self.rows:
            self._when_known(lambda: self._change_now(field, new_value))

    def _change_now(self, field: str, new_value: Callable[[Any], Any]) -> None:
        look = self._known_look()
        self.changed_field = field
        value = new_value(look[field])
        if field in _ONLY_WHERE_USED and not is_used(field, look):
            return
        self._edit({field: value})

    def take_preset(self, changes: Mapping[str, Any]) -> None:
        """Set several fields, as one edit."""
        self._when_known(lambda: self._edit(changes))

    def _edit(self, changes: Mapping[str, Any]) -> None:
        look = self._known_look()
        changed = {field: value for field, value in changes.items() if value != look[field]}
        if not changed:
            return
        self.look = {**look, **changed}
        self._put(MergeEdit(self.frame, changed, self.sight.track))
        self._unanswered.update({field: (self._seq, value) for field, value in changed.items()})

    def _known_look(self) -> dict[str, Any]:
        assert self.look is not None
        return self.look

    # Wishes: frames

    def go(self, frame: int) -> None:
        """To that frame, or to the first or last one if there is none."""
        self._when_known(lambda: self._go_now(frame), "frame")

    def go_by(self, frames: int) -> None:
        self._when_known(lambda: self._go_now(self.frame + frames), "frame")

    def go_end(self, direction: int) -> None:
        """To the first frame (-1) or the last one."""
        self.go(0 if direction < 0 else self._last_frame)

    def go_among(self, frames: list[int], direction: int) -> None:
        """To the nearest of `frames` (ascending) before (-1) or after (1) this one."""
        self._when_known(lambda: self._go_among_now(frames, direction), "frame")

    def _go_among_now(self, frames: list[int], direction: int) -> None:
        if direction > 0:
            later = frames[bisect_right(frames, self.frame) :]
            wanted = later[:1]
        else:
            wanted = frames[: bisect_left(frames, self.frame)][-1:]
        for frame in wanted:
            self._go_now(frame)

    def _go_now(self, frame: int) -> None:
        frame = min(self._last_frame, max(0, frame))
        if frame != self.frame:
            self._put_and_await(commands.MergeGo(frame), frame)
        elif self.state is not None and self.state.processing:
            self._put(commands.MergeGo(frame))

    def copy(self, to: CopyTo) -> None:
        """Give the look to other frames, and go there: DeepFaceLab's M and / (with Shift: all)."""
        self._when_known(lambda: self._copy_now(to))

    def _copy_now(self, to: CopyTo) -> None:
        goes_to = {
            "previous": self.frame - 1,
            "next": self.frame + 1,
            "before": 0,
            "after": self._last_frame,
        }[to]
        if 0 <= goes_to <= self._last_frame and goes_to != self.frame:
            look = self.look
            self._put_and_await(commands.MergeCopy(self.frame, to), goes_to)
            self.look = look  # it goes along

    @property
    def _last_frame(self) -> int:
        return self.state.frames - 1 if self.state else 0

    # Wishes: all else

    def look_with(self, sight: MergeView) -> None:
        """See frames so."""
        if sight != self.sight:
            is_of_other_face = sight.track != self.sight.track
            self.sight = sight
            if is_of_other_face:
                self._put_and_await(sight, self.frame if self._is_at_frame else None)
            else:
                self._put(sight)

    def process(self) -> None:
        self._when_known(lambda: self._put(commands.MergeProcess(True)), "nothing")

    def undo(self) -> None:
        """The session knows at which frame; what is wished next is for that one."""
        self._when_known(lambda: self._put_and_await(commands.MergeUndo()), "nothing")

    def redo(self) -> None:
        """As `undo`."""
        self._when_known(lambda: self._put_and_await(commands.MergeRedo()), "nothing")

    def turn_key(self) -> None:
        """A key here, or none; one that may carry changes goes when it is asked for twice."""
        self._when_known(self._turn_key_now, "frame")

    def _turn_key_now(self) -> None:
        place = self.frame, self.sight.track
        if self.key_here is None:
            self._put(commands.MergeKey(self.frame, "add", track=self.sight.track))
            self._key_that_may_go = place
        elif self._key_that_may_go == place:
            remove = commands.MergeKey(self.frame, "remove", track=self.sight.track)
            self._put_and_await(remove, self.frame)
        else:
            self._key_that_may_go = place
            what = f"the key of frame {self.frame + 1} holds the look that was set here"
            remedy = "press again to take both away; undo would bring them back"
            self.refusals.append(MergeRefused(0, what, remedy))

    def carry_key(self) -> None:
        """Pick up the key of this frame; or put down here the one that was picked up."""
        self._when_known(self._carry_key_now, "frame")

    def _carry_key_now(self) -> None:
        key, self.carried = self.carried, None
        if key is None:
            self.carried = self.key_here
            if self.carried is None:
                reason = f"frame {self.frame + 1} has no key to pick up"
                self.refusals.append(MergeRefused(0, reason, "go to one, or set one"))
        elif key.frame != self.frame:
            move = commands.MergeKey(key.frame, "move", to=self.frame, track=key.track)
            self._put_and_await(move, self.frame)

    def turn_goes_on(self) -> None:
        """The next way of going on to the following key; a new key's is linear."""
        self._when_known(self._turn_goes_on_now, "frame")

    def _turn_goes_on_now(self) -> None:
        ways: tuple[str, ...] = GOES_ON
        place = ways.index(self.key_here.goes_on) if self.key_here else 0
        after = GOES_ON[(place + 1) % len(GOES_ON)]
        self._put(commands.MergeKey(self.frame, "add", after, track=self.sight.track))

    def shot(self, action: ShotAction) -> None:
        """See `MergeShot`."""
        self._when_known(
            lambda: self._put_and_await(commands.MergeShot(self.frame, action), self.frame), "frame"
        )

    def named(self, action: NameAction, name: str) -> None:
        """See `MergeNamed`."""
        self._when_known(lambda: self._named_now(action, name), "frame")

    def _named_now(self, action: NameAction, name: str) -> None:
        command = commands.MergeNamed(self.frame, action, name, self.sight.track)
        if action == "apply":
            self._put_and_await(command, self.frame)
        else:
            self._put(command)

    # Sending

    def _when_known(self, wish: Callable[[], None], needs: _Need = "look") -> None:
        """Do it now, or when what it needs is known; nothing while there is no session."""
        if self.state is None:
            return
        if not self._waiting and self._knows(needs):
            wish()
        elif len(self._waiting) < _WISHES_KEPT:
            self._waiting.append(_Wish(wish, needs))

    def _knows(self, needs: _Need) -> bool:
        if needs == "look":
            return self.look is not None
        return needs == "nothing" or self._is_at_frame

    def _put_and_await(self, command: MergeCommand, frame: int | None = None) -> None:
        """To be sent; the look is not known before it is answered. frame: where one is then; None:
        the session will tell."""
        self._put(command)
        self._awaited_seq = self._seq
        self._unanswered.clear()
        self.look = None
        self._is_at_frame = frame is not None
        self.frame = self.frame if frame is None else frame

    def _put(self, command: MergeCommand) -> None:
        """To be sent; it takes the place of the one before where that need never be carried out."""
        self._key_that_may_go = None
        self._seq += 1
        command = replace(command, seq=self._seq)
        before = self._outbox[-1] if self._outbox else None
        if before is not None and _replaces(command, before):
            self._outbox[-1] = command
        else:
            self._outbox.append(command)


def morphs(workspace: Workspace, options: Mapping[str, Any]) -> bool:
    """Whether the model that a run's options name has a morph factor. One that is not there has
    none: the session itself says so."""
    name, model_class = str(options.get("model")), str(options.get("model_class"))
    try:
        return has_morph_factor(workspace, name, catalog.model(model_class))
    except FacewrightError:
        return False


def is_used(field: str, look: Mapping[str, Any]) -> bool:
    """Whether the look's mode has a use for that field."""
    applies = ROWS[field].applies
    return applies is None or applies.holds(look)


def _replaces(command: MergeCommand, before: MergeCommand) -> bool:
    """Another place to be or to see; or the same settings of the same look again, which are undone
    together with those before."""
    if isinstance(command, MergeEdit) and isinstance(before, MergeEdit):
        places = [(edit.frame, edit.track, edit.changes.keys()) for edit in (command, before)]
        return places[0] == places[1]
    return isinstance(command, commands.MergeGo | MergeView) and type(before) is type(command)
