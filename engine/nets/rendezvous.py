"""Machines that will train together wait for each other here, before TensorFlow has them meet.

TensorFlow waits for the others inside one call that holds Python's interpreter: no signal is heard,
no other thread runs, and a machine that never comes makes a process that only SIGKILL ends. So all
meet here first, at the first one's address, and TensorFlow is called when everybody is there.
"""

from __future__ import annotations

import hashlib
import select
import socket
import struct
import time
from collections.abc import Callable, Sequence

from engine.protocol.errors import InputError

_POLL_SECONDS = 0.5
_ANSWER_SECONDS = 10.0
# What a follower says: a digest of the list of addresses, and its number in it.
_HELLO = struct.Struct(">32sI")
_GO, _REFUSED = b"g", b"r"


def meet(addresses: Sequence[str], worker: int, check_stop: Callable[[], None]) -> None:
    """Return when all are there.

    addresses: host:port of each, the same list everywhere. worker: which of them this is.
    check_stop: called twice a second, may raise. Raises `InputError` if the first one's port cannot
    be used, its host is unknown, or it was given another list.
    """
    host, port = _host_and_port(addresses[0])
    if worker == 0:
        _gather(port, addresses, check_stop)
    else:
        _report((host, port), _HELLO.pack(_digest(addresses), worker), addresses, check_stop)


def _gather(port: int, addresses: Sequence[str], check_stop: Callable[[], None]) -> None:
    there: dict[int, socket.socket] = {}
    try:
        with _listening(port, addresses[0]) as listener:
            while True:
                check_stop()
                _forget_gone(there)
                if len(there) == len(addresses) - 1:
                    break
                try:
                    connection = listener.accept()[0]
                except TimeoutError:
                    continue
                _forget_gone(there)  # it may be one of them that comes again
                _admit(connection, addresses, there)
            for connection in there.values():
                connection.sendall(_GO)
                # Whoever closes first keeps the port for minutes: the follower shall.
                connection.recv(1)
    except OSError as error:
        raise InputError(
            f"the meeting of all machines at {addresses[0]} failed: {error}", "start all again"
        ) from error
    finally:
        for connection in there.values():
            connection.close()


def _listening(port: int, address: str) -> socket.socket:
    try:
        listener = socket.create_server(("", port))
    except OSError as error:
        raise InputError(
            f"this machine cannot wait for the others at {address}: {error.strerror}",
            "name a port that is free, the same in all lists of workers",
            code="workers",
        ) from error
    listener.settimeout(_POLL_SECONDS)
    return listener


def _admit(
    connection: socket.socket, addresses: Sequence[str], there: dict[int, socket.socket]
) -> None:
    """Add a follower; whoever says anything else is refused."""
    connection.settimeout(_ANSWER_SECONDS)
    try:
        digest, number = _HELLO.unpack(connection.recv(_HELLO.size, socket.MSG_WAITALL))
        if digest == _digest(addresses) and 0 < number < len(addresses) and number not in there:
            there[number] = connection
            return
        connection.sendall(_REFUSED)
    except (OSError, struct.error):
        pass  # a stranger, or one that has gone already
    connection.close()


def _forget_gone(there: dict[int, socket.socket]) -> None:
    """Followers say nothing while they wait; what can be read of one is its end."""
    for number in [each for each, connection in there.items() if _can_be_read(connection)]:
        there.pop(number).close()


def _can_be_read(connection: socket.socket) -> bool:
    return bool(select.select([connection], [], [], 0)[0])


def _report(
    leader: tuple[str, int], hello: bytes, addresses: Sequence[str], check_stop: Callable[[], None]
) -> None:
    while True:
        check_stop()
        try:
            with socket.create_connection(leader, timeout=_POLL_SECONDS) as connection:
                connection.sendall(hello)
                answer = _answer(connection, check_stop)
        except socket.gaierror as error:
            raise InputError(
                f"no machine is known by the name of {addresses[0]}: {error.strerror}",
                "name the first worker by a host name or address that is known here",
                code="workers",
            ) from error
        except OSError:
            answer = b""  # not there yet, or gone again
        if answer == _GO:
            return
        if answer == _REFUSED:
            raise InputError(
                f"the first worker, {addresses[0]}, does not expect this one",
                "give all machines the same --workers list, and each its own --worker-index",
                code="workers",
            )
        time.sleep(_POLL_SECONDS)


def _answer(connection: socket.socket, check_stop: Callable[[], None]) -> bytes:
    """One byte, or none if the leader has gone."""
    while True:
        check_stop()
        if select.select([connection], [], [], _POLL_SECONDS)[0]:
            return connection.recv(1)


def _digest(addresses: Sequence[str]) -> bytes:
    return hashlib.sha256(",".join(addresses).encode()).digest()


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    try:
        return host.strip("[]"), int(port)
    except ValueError as error:
        raise InputError(
            f"--workers: {address!r} is no address", "write host:port", code="workers"
        ) from error
