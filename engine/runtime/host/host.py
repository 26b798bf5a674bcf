"""Executing one run: the border where errors become events and exit statuses."""

from __future__ import annotations

import importlib
import logging
import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from engine import catalog
from engine.protocol.errors import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_STOPPED,
    FacewrightError,
    Stopped,
)
from engine.protocol.events import Event, Failed, Finished, Started, Stopping
from engine.protocol.files import disk_error
from engine.protocol.memory_advice import run_remedy
from engine.protocol.stage import StageContext
from engine.protocol.workspace import Workspace
from engine.runtime.host.context import Emitter, RunContext
from engine.runtime.host.control import ControlServer
from engine.runtime.host.locks import resources_held
from engine.runtime.journal import JournalWriter
from engine.runtime.run_folder import STOP_SIGNALS, Job, RunFolder, engine_process

_log = logging.getLogger("facewright")


def execute(run_dir: Path) -> int:
    """Run the job of `run_dir` to its end; returns the exit status."""
    run = RunFolder(run_dir)
    stop = threading.Event()
    _take_signals(stop)
    job = run.job()
    journal = JournalWriter(run.journal_path)
    try:
        run.write_process(engine_process(os.getpid()))  # its starter may have been killed
        control = ControlServer(run, stop)
    except (FacewrightError, OSError) as error:
        return _never_began(error, run, job, journal)
    emitter = Emitter(journal, control)
    emitter.emit(_started(run, job))
    threading.Thread(target=_tell_stopping, args=(stop, emitter), daemon=True).start()
    try:
        context = RunContext(run, job, emitter, control, stop)
        last = _outcome(run, job, context)
        context.tell_progress()
        emitter.emit(last)
    finally:
        control.close()
        journal.close()
    return last.exit_status


def _never_began(
    error: FacewrightError | OSError, run: RunFolder, job: Job, journal: JournalWriter
) -> int:
    """Tell in the journal why there can be no control socket (a full disk, mostly)."""
    told = error if isinstance(error, FacewrightError) else disk_error(error, run.path)
    for number, event in enumerate((_started(run, job), _failed(told, has_begun=False)), start=1):
        event.seq, event.t = number, time.time()
        journal.append(event)
    journal.close()
    return told.exit_status


def _outcome(run: RunFolder, job: Job, context: RunContext) -> Finished | Failed:
    """Do the work and say how it ended."""
    try:
        _work(run, job, context)
    except Stopped:
        return Finished(exit_status=EXIT_STOPPED)
    except FacewrightError as error:
        return _failed(error, has_begun=context.has_begun)
    except OSError as error:
        _log.error("%s", traceback.format_exc())
        where = Path(str(error.filename)) if error.filename else Path(job.workspace)
        return _failed(disk_error(error, where), has_begun=context.has_begun)
    except MemoryError:
        _log.error("%s", traceback.format_exc())
        return Failed(
            exit_status=EXIT_FAILED,
            message="out of memory",
            remedy=run_remedy(job.options),
            code="memory",
        )
    except Exception as error:  # noqa: BLE001 - the one border: a defect ends as an event, with its trace in the log
        _log.error("%s", traceback.format_exc())
        return Failed(
            exit_status=EXIT_FAILED,
            message=f"{type(error).__name__}: {str(error)[:500]}",
            remedy=f"this is a defect; the log has the details: {run.log_path}",
            code="defect",
        )
    return Finished(exit_status=EXIT_DONE)


def _work(run: RunFolder, job: Job, context: RunContext) -> None:
    spec = catalog.stage(job.stage)
    with resources_held(Workspace(Path(job.workspace)), spec, job.options, run.id):
        context.check_stop()
        stage = resolve(spec.code)
        stage(context)


def resolve(code: str) -> Callable[[StageContext], None]:
    """The function that a spec names as "module:function"."""
    module_name, _, function_name = code.partition(":")
    function: Callable[[StageContext], None] = getattr(
        importlib.import_module(module_name), function_name
    )
    return function


def _failed(error: FacewrightError, *, has_begun: bool) -> Failed:
    _log.error("%s", error.message)
    # Refused: the job was found impossible before the stage had done any work.
    refused = not has_begun and error.exit_status < EXIT_FAILED
    return Failed(
        exit_status=error.exit_status,
        message=error.message,
        remedy=error.remedy,
        code=error.code,
        refused=refused,
    )


def _started(run: RunFolder, job: Job) -> Event:
    process = engine_process(os.getpid())
    return Started(
        run=run.id,
        stage=job.stage,
        options=job.options,
        pid=process.pid,
        pid_started=process.pid_started,
    )


def _take_signals(stop: threading.Event) -> None:
    """SIGINT and SIGTERM mean save and stop, those too that came while Python started (see
    `start_engine`); a terminal or viewer that goes away means nothing."""
    asked: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in STOP_SIGNALS:
        # Not stop.set(): its lock would be taken twice by a signal that interrupts another's.
        signal.signal(number, lambda number, _: asked.put(number))
    for number in (signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_stop_when_asked, args=(asked, stop), daemon=True).start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _stop_when_asked(asked: queue.SimpleQueue[int], stop: threading.Event) -> None:
    asked.get()
    stop.set()


def _tell_stopping(stop: threading.Event, emitter: Emitter) -> None:
    stop.wait()
    emitter.emit(Stopping(), live=True)


def quiet_libraries() -> None:
    """Settings that libraries read when imported: no chatter, GPU memory only as needed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
