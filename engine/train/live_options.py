"""Options that change in the middle of training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.protocol.errors import UsageError
from engine.protocol.options import Option
from engine.protocol.stage import StageContext
from engine.train.feed import Feed
from engine.train.trainable import Trainable


class LiveOptions:
    """All options of a run and its model as they are now (`values`), and the way to change them.

    rows: those that may change, by name.
    """

    def __init__(
        self, context: StageContext, model: Trainable, feed: Feed, rows: Mapping[str, Option]
    ) -> None:
        self.values: dict[str, Any] = {**context.options, **model.options}
        self.wants_trace = False  # before the next step, since the model's options were changed
        self._context = context
        self._model = model
        self._feed = feed
        self._rows = rows

    def differing(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The checked values of those options that would differ. Raises `UsageError`."""
        parsed = {}
        for name, value in changes.items():
            row = self._rows.get(name)
            if row is None:
                known = ", ".join(self._rows)
                raise UsageError(f"{name} cannot be changed while training", f"these can: {known}")
            parsed[name] = row.parse(value)
        return {name: value for name, value in parsed.items() if value != self.values.get(name)}

    def changeable(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the values whose options may change."""
        return {name: value for name, value in values.items() if name in self._rows}

    def are_of_model(self, changed: Mapping[str, Any]) -> bool:
        """Whether the model's own are among them."""
        return any(name in self._model.options for name in changed)

    def trace(self) -> None:
        """See `Trainable.trace`; once for all changes since the last step."""
        self.wants_trace = False
        self._model.trace()

    def take(self, changed: Mapping[str, Any]) -> bool:
        """Go on with these values, and tell viewers. Returns whether the model's are among them.

        Raises `UsageError` for values that do not go together, `InputError` for faces that cannot
        be read; nothing is changed then. `StageError` where the device has too little memory for
        it: the model must not be trained on then.
        """
        of_model = {name: value for name, value in changed.items() if name in self._model.options}
        if of_model:
            self._change_model(of_model)
        self.values.update(changed)
        for name, value in changed.items():
            self._context.option_changed(name, value)
        return bool(of_model)

    def _change_model(self, changes: Mapping[str, Any]) -> None:
        before = self._model.iteration
        self._feed.check({**self._model.options, **changes})
        self._model.change_options(changes)
        self.wants_trace = True
        has_restarted = self._model.iteration < before
        self._feed.follow(self._model.options, self._model.sampling(), anew=has_restarted)
