"""Starting a run: check everything that can be checked cheaply, then start a detached engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from engine import catalog
from engine.protocol.errors import FacewrightError, InputError, UsageError
from engine.protocol.files import disk_error
from engine.protocol.model_files import saved_options
from engine.protocol.needs import check_needs
from engine.protocol.options import Life, complete_values
from engine.protocol.spec import StageSpec
from engine.protocol.workspace import Workspace
from engine.runtime.run_folder import (
    STOP_SIGNALS,
    Job,
    RunFolder,
    create_run,
    discard_run,
    engine_process,
)


def start_run(
    workspace: Workspace, stage_id: str, values: Mapping[str, object], *, confirmed: bool = False
) -> RunFolder:
    """Start `stage_id` with `values` (others default) in an engine process of its own session.

    Raises `UsageError` or `InputError` before anything is written. The engine outlives the caller;
    it may still refuse the job itself (see `Failed.refused`).
    """
    spec = catalog.stage(stage_id)
    complete = complete_options(workspace, spec, values)
    check_needs(("writable", *spec.needs), workspace, complete)
    root = str(workspace.root.resolve())
    run = create_run(workspace, Job(spec.id, root, complete, confirmed))
    try:
        start_engine(run)
    except FacewrightError:
        discard_run(workspace, run)
        raise
    return run


def complete_options(
    workspace: Workspace, spec: StageSpec, values: Mapping[str, object]
) -> dict[str, Any]:
    """The values of all options: those given; for a model that exists, those it was last trained
    with; else the defaults. Raises `UsageError` for bad values, and for another value of an option
    that was fixed when the model was made."""
    model_class = values.get("model_class")
    options = catalog.options_of(spec, model_class if isinstance(model_class, str) else None)
    complete = complete_values(options, values)
    if not spec.trains_model:
        return complete
    model_spec = catalog.model(complete["model_class"])
    folder = workspace.model(complete["model"], model_spec.id)
    saved = saved_options(folder)
    for option in options:
        if not option.kept or option.name not in saved:
            continue
        value = saved[option.name]
        if option.name not in values:
            complete[option.name] = option.parse(value)
        elif option.life is Life.CREATION and complete[option.name] != value:
            raise UsageError(
                f"{option.flag} {complete[option.name]}: model {complete['model']} was made with"
                f" {value}, and this cannot be changed",
                "leave the option out, or train a model of another name",
                code="fixed-option",
            )
    if model_spec.check:
        model_spec.check(complete)
    return complete


def start_engine(run: RunFolder) -> None:
    """Start the engine of an existing run folder, detached from terminal, session and pipes.

    Raises `InputError` when the disk has no room for it; no engine runs then."""
    try:
        log = os.open(run.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise disk_error(error, run.log_path) from error
    blocked_before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        # -P: never import from the current folder, which may hold anything.
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "engine", str(run.path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            close_fds=True,
            cwd=run.path,
            env=_engine_environment(),
        )
    except OSError as error:
        raise InputError(f"cannot start {sys.executable}: {error}", "check the install") from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked_before)
        os.close(log)
    try:
        run.write_process(engine_process(process.pid))
    except InputError:
        process.kill()  # nobody would know of it
        process.wait()
        raise


def _engine_environment() -> dict[str, str]:
    environment = dict(os.environ)
    environment["PYTHONUNBUFFERED"] = "1"
    return environment
