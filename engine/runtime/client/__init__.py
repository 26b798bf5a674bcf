"""The client side of runs: start, list, follow, steer, talk to, replay. Imports nothing heavy."""

from engine.runtime.client.follow import follow, replay_journal
from engine.runtime.client.launch import start_run
from engine.runtime.client.listing import RunInfo, RunState, list_runs, run_info
from engine.runtime.client.steer import send
from engine.runtime.client.talk import Talk
from engine.runtime.run_folder import STOP_SIGNALS, RunFolder, discard_run, find_run

__all__ = [
    "STOP_SIGNALS",
    "RunFolder",
    "RunInfo",
    "RunState",
    "Talk",
    "discard_run",
    "find_run",
    "follow",
    "list_runs",
    "replay_journal",
    "run_info",
    "send",
    "start_run",
]
