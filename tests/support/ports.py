"""Ports of the loopback."""

from __future__ import annotations

import socket

import pytest


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at now; skips the test where there is no loopback."""
    try:
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    except OSError as error:
        pytest.skip(f"no ports on the loopback: {error}")
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
