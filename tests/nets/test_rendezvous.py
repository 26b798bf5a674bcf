"""Machines meet before they train together."""

from __future__ import annotations

import socket
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from threading import Event

import pytest

from engine.nets.rendezvous import meet
from engine.protocol.errors import InputError, Stopped
from tests.support.ports import free_ports


@pytest.fixture
def addresses():
    return [f"127.0.0.1:{port}" for port in free_ports(3)]


@pytest.fixture
def elsewhere():
    """Begins a meeting in another thread; none outlives the test."""
    over = Event()

    def check() -> None:
        if over.is_set():
            raise Stopped

    with ThreadPoolExecutor(4) as pool:
        yield lambda addresses, number: pool.submit(meet, addresses, number, check)
        over.set()


def never():
    pass


def stop_after(checks):
    """A check that asks for the end after so many calls."""
    calls = count()

    def check() -> None:
        if next(calls) >= checks:
            raise Stopped

    return check


def ended(*meetings: Future[None]) -> list[BaseException | None]:
    return [meeting.exception(timeout=60) for meeting in meetings]


def test_nobody_goes_before_all_are_there(addresses, elsewhere):
    first, second = (elsewhere(addresses, number) for number in (2, 0))
    with pytest.raises(TimeoutError):
        second.result(timeout=2)
    assert not first.done()
    assert ended(first, second, elsewhere(addresses, 1)) == [None] * 3


@pytest.mark.parametrize("worker", [0, 1])
def test_whoever_waits_can_be_stopped(worker, addresses):
    with pytest.raises(Stopped):
        meet(addresses, worker, stop_after(3))


def test_one_that_left_is_waited_for_again(addresses, elsewhere):
    leader = elsewhere(addresses, 0)
    with pytest.raises(Stopped):
        meet(addresses, 1, stop_after(4))
    others = [elsewhere(addresses, number) for number in (2, 1)]
    assert ended(leader, *others) == [None] * 3


def test_another_list_is_refused_and_the_right_one_still_meets(addresses, elsewhere):
    leader = elsewhere(addresses[:2], 0)
    with pytest.raises(InputError, match="does not expect this one"):
        meet(addresses, 1, never)
    assert ended(leader, elsewhere(addresses[:2], 1)) == [None, None]


def test_a_stranger_who_says_anything_else_changes_nothing(addresses, elsewhere):
    host, port = addresses[0].split(":")
    follower = elsewhere(addresses[:2], 1)
    leader = elsewhere(addresses[:2], 0)
    while not leader.done():
        try:
            with socket.create_connection((host, int(port)), timeout=1) as stranger:
                stranger.sendall(b"GET / HTTP/1.1\r\nHost: somebody.example\r\n\r\n")
        except OSError:
            break
    assert ended(leader, follower) == [None, None]


def test_a_port_in_use_and_an_unknown_host_are_told(addresses):
    with (
        socket.create_server(("", int(addresses[0].split(":")[1]))),
        pytest.raises(InputError, match="cannot wait for the others at"),
    ):
        meet(addresses, 0, never)
    with pytest.raises(InputError, match="no machine is known by the name of"):
        meet(["there-is-no-such-host.invalid:1234", *addresses], 1, never)
