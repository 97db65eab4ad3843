"""The end of the socket at which a gateway listens: whoever has connected is accepted, and nobody is reset."""

from __future__ import annotations

import socket

import pytest

from app.cli.listener import close_queue


def test_who_has_connected_is_accepted_and_who_comes_later_waits_and_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        address = listener.getsockname()
        before = [socket.create_connection(address, timeout=5) for _ in range(5)]
        close_queue([listener])
        with pytest.raises(TimeoutError):
            socket.create_connection(address, timeout=0.2)
        for client in before:
            client.sendall(b"?")
            taken, _ = listener.accept()
            with taken, client:
                assert taken.recv(1) == b"?"
                taken.sendall(b"!")
                assert client.recv(1) == b"!"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=20)


def test_a_socket_that_is_closed_already_is_passed_over() -> None:
    closed = socket.create_server(("127.0.0.1", 0))
    closed.close()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        close_queue([closed, listener])
        with pytest.raises(TimeoutError):
            socket.create_connection(listener.getsockname(), timeout=0.2)
