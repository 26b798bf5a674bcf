"""One line of JSON per event or command: the journal's, the socket's and `--json`'s format."""

from __future__ import annotations

import json

import msgspec

from engine.protocol.commands import Command, RunCommand
from engine.protocol.errors import StageError
from engine.protocol.events import AnyEvent, Event
from engine.protocol.label_commands import LabelCommand
from engine.protocol.manual_commands import ManualCommand
from engine.protocol.merge_commands import MergeCommand

# A line longer than this is refused unread: events and commands are small.
MAX_LINE_BYTES = 1 << 20

AnyCommand = RunCommand | MergeCommand | LabelCommand | ManualCommand

_NOT_ONE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_encoder = msgspec.json.Encoder()
_event_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_command_decoder: msgspec.json.Decoder[AnyCommand] = msgspec.json.Decoder(AnyCommand)


def encode(message: Event | Command) -> bytes:
    """The message as one line, with its newline. File names that are not UTF-8 get a "?" for each
    byte that cannot be shown."""
    try:
        return _encoder.encode(message) + b"\n"
    except UnicodeEncodeError:
        plain = json.dumps(msgspec.to_builtins(message), ensure_ascii=False)
        return plain.encode(errors="replace") + b"\n"


def decode_event(line: bytes) -> AnyEvent:
    """An event from its line. Raises `StageError` for anything else."""
    try:
        return _event_decoder.decode(line)
    except _NOT_ONE as error:
        raise StageError(f"not an event: {line[:80]!r} ({error})", "is this a journal?") from None


def decode_command(line: bytes) -> AnyCommand:
    """A command from its line. Raises `StageError` for anything else."""
    try:
        return _command_decoder.decode(line)
    except _NOT_ONE as error:
        raise StageError(f"not a command: {line[:80]!r} ({error})") from None
