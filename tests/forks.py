"""Commands of the gateway as forks of one process that has imported it: a third of a second less for each.

Each is a process of its own, with its own environment, folder, output and exit code; only what Python does before
`app.cli.main.run` has been done before. As a script: `python -P tests/forks.py DESCRIPTOR` waits at a socket.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import IO, Any

_NUMBER = 4  # bytes of a process id or an exit code, as they are sent


class Forks:
    """The client of one waiting process: runs one command at a time to its end."""

    def __init__(self, env: dict[str, str]) -> None:
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair()
        with theirs:
            words = [sys.executable, "-P", __file__, str(theirs.fileno())]
            self._process = subprocess.Popen(
                words, env=env, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )

    def run(self, words: tuple[str, ...], cwd: Path, env: dict[str, str], timeout: float) -> tuple[int, str, str]:
        """Return exit code, standard output and standard error; raises `subprocess.TimeoutExpired` after seconds."""
        with (
            self._lock,
            tempfile.TemporaryFile() as asked,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            asked.write(json.dumps([words, str(cwd), env]).encode())
            asked.seek(0)
            socket.send_fds(self._socket, [b"."], [asked.fileno(), out.fileno(), err.fileno()])
            code = self._wait(words, timeout)
            return code, _read(out), _read(err)

    def _wait(self, words: tuple[str, ...], timeout: float) -> int:
        pid = _receive(self._socket)
        self._socket.settimeout(timeout)
        try:
            return _receive(self._socket)
        except TimeoutError as error:
            os.kill(pid, signal.SIGKILL)
            self._socket.settimeout(None)
            _receive(self._socket)
            raise subprocess.TimeoutExpired(words, timeout) from error
        finally:
            self._socket.settimeout(None)

    def close(self) -> None:
        """End the waiting process."""
        self._socket.close()
        self._process.wait(20)


@cache
def forks() -> Forks:
    """Return this process's client, started at the first call and ended with the process."""
    made = Forks({name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"NO_COLOR": "1"})
    atexit.register(made.close)
    return made


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def _receive(channel: socket.socket) -> int:
    number = channel.recv(_NUMBER, socket.MSG_WAITALL)
    assert len(number) == _NUMBER, "the process that forks has ended"
    return int.from_bytes(number, signed=True)


def _send(channel: socket.socket, number: int) -> None:
    channel.sendall(number.to_bytes(_NUMBER, signed=True))


def _fork_for_each(channel: socket.socket) -> bool:
    """Fork for each command that is asked for; true in a fork, which is that command, false once nobody asks."""
    while True:
        asked, descriptors, _, _ = socket.recv_fds(channel, 1, 3)
        if not asked:
            return False
        if (pid := os.fork()) == 0:
            channel.close()
            _become(*descriptors)
            return True
        for descriptor in descriptors:
            os.close(descriptor)
        _send(channel, pid)
        _send(channel, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _become(asked: int, out: int, err: int) -> None:
    with os.fdopen(asked) as file:
        words, cwd, env = json.load(file)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.closerange(3, max(out, err) + 1)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["gateway", *words]


def _main() -> None:
    from app.cli.main import run

    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        forked: Any = _fork_for_each(channel)
    if forked:
        run()


if __name__ == "__main__":
    _main()
