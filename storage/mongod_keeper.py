"""The embedded mongod's keeper: `python -m storage.mongod_keeper DATA_DIR MONGOD`.

One small process a data folder. It starts mongod, starts it again when it crashes, and ends it as soon as
no process shares the lock on `mongod.users` any more, whichever way the last one ended. It writes at most
one line to standard output: why mongod does not start.
"""

import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from storage import mongod_replica, mongod_spawn
from storage.mongod_files import Folder, Lock, Record
from storage.mongod_reasons import PORT_TAKEN, MongodError, early_end, not_writable

_TICK = 0.005  # seconds between two looks while mongod starts
_WATCH = 0.1  # seconds between two looks at who uses the mongod
_TRIM = 30.0  # seconds between two looks at the log's size
_STAND_BY = 60.0  # seconds that a second keeper waits for the first to end
_PREPARE_BOUND = 10.0  # seconds from listening to ready
_QUICK = 10.0  # seconds: a mongod that ends sooner than this after its start is not started again at once
_LONGEST_PAUSE = 5.0  # seconds
_PORT_TRIES = 3
_FILES = 64_000  # what mongod wants to be able to open


class MongodEndedError(Exception):
    """The mongod that was being started has ended."""


class UnneededError(Exception):
    """Nobody uses the mongod that was being started any more, or the keeper was told to end."""


class Keeper:
    """Starts, watches and ends the mongod of one folder; holds the folder's lock for keepers meanwhile."""

    def __init__(self, folder: Folder, binary: Path) -> None:
        self._folder = folder
        self._users = folder.users()
        self._told_to_end = False
        self._port = 0
        self._mongod = mongod_spawn.Mongod(binary, folder)
        self._record: Lock | None = None

    def tell_to_end(self, _signal: int, _frame: FrameType | None) -> None:
        """A signal handler: end mongod and the keeper, although processes may still use it."""
        self._told_to_end = True

    def run(self, ready: Callable[[], None]) -> None:
        """Keep a mongod for as long as somebody uses it; call `ready` when it is for the first time.

        Raises:
            MongodError: It does not start.
        """
        try:
            self._begin()
            ready()
            self._watch()
        except UnneededError:
            pass
        except MongodError:
            # Nobody has used it: no need to wait for a clean end before telling why.
            self._mongod.end(0)
            raise
        finally:
            self._withdraw()
            self._mongod.end()

    def _begin(self) -> None:
        mongod_spawn.end_leftover(self._folder)
        self._folder.database.mkdir(mode=0o700, exist_ok=True)
        self._folder.secret()
        last = self._folder.last()
        for attempt in range(_PORT_TRIES):
            self._port = mongod_spawn.free_port(last.port if last and attempt == 0 else None)
            self._folder.trim_log()
            offset = self._folder.log_size()
            try:
                self._mongod.start(self._port)
                self._until(self._prepared())
                break
            except MongodEndedError:
                self._give_up_unless_port_taken(offset, attempt)
        self._publish()

    def _give_up_unless_port_taken(self, offset: int, attempt: int) -> None:
        exit_code = self._mongod.exit_code
        if exit_code == PORT_TAKEN and attempt + 1 < _PORT_TRIES:
            return
        raise early_end(exit_code, self._folder.read_log(offset), self._folder.log)

    def _prepared(self) -> Callable[[], bool]:
        key, password = self._folder.secret(), self._folder.password()
        deadline = 0.0

        def attempt() -> bool:
            nonlocal deadline
            if not mongod_replica.listens(self._port):
                return False
            deadline = deadline or time.monotonic() + _PREPARE_BOUND
            obstacle = mongod_replica.prepare(self._port, key, password)
            if obstacle and time.monotonic() > deadline:
                raise MongodError(self._obstructed(obstacle))
            return obstacle is None

        return attempt

    def _obstructed(self, obstacle: str) -> str:
        last, folder = self._folder.last(), self._folder
        if last and last.port != self._port:
            # mongod asks the stranger at its former port whether it is itself, and waits for the answer.
            return (
                f"Port {last.port}, which the MongoDB of {folder.path} had before, is held by a program that"
                " does not answer: end it and start again, or set GATEWAY_DATA_DIR to another folder."
            )
        return f"The embedded MongoDB does not become ready: {obstacle} (more in {folder.log})."

    def _publish(self) -> None:
        url = mongod_replica.url(self._port, self._folder.password())
        self._record = self._folder.publish(Record(url, self._port, self._mongod.pid, os.getpid()))

    def _watch(self) -> None:
        quick_ends = 0
        looked = time.monotonic()
        while not self._unneeded():
            if self._mongod.lives(_WATCH):
                if time.monotonic() - looked > _TRIM:
                    looked = time.monotonic()
                    self._folder.trim_log()
                continue
            quick_ends = quick_ends + 1 if self._mongod.age() < _QUICK else 0
            self._restart(quick_ends)

    def _restart(self, quick_ends: int) -> None:
        self._withdraw()
        # The first time at once; then ever more slowly, as for a full disk.
        pause = min(0.1 * 2**quick_ends, _LONGEST_PAUSE) if quick_ends > 1 else 0.0
        end = time.monotonic() + pause
        while time.monotonic() < end:
            self._raise_if_unneeded()
            time.sleep(_WATCH)
        try:
            self._mongod.start(self._port)
            self._until(lambda: mongod_replica.listens(self._port) and mongod_replica.is_primary(self._port))
        except (MongodEndedError, MongodError):
            return
        self._publish()

    def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._raise_if_unneeded()
            if not self._mongod.lives(_TICK):
                raise MongodEndedError

    def _unneeded(self) -> bool:
        # Held to the end once it is ours: who comes now waits, and then starts a keeper of its own.
        return self._told_to_end or self._users.try_exclusive()

    def _raise_if_unneeded(self) -> None:
        if self._unneeded():
            raise UnneededError

    def _withdraw(self) -> None:
        if self._record:
            self._record.release()
            self._record = None


def main(data_dir: str, binary: str) -> int:
    """Keep the mongod of `data_dir`; ends at once, and well, where another keeper already does.

    Returns:
        The exit code: 1 after writing to standard output why mongod does not start.
    """
    folder = Folder(Path(data_dir))
    os.umask(0o077)
    try:
        if lock := _only_one(folder):
            _keep(folder, Path(binary))
            lock.release()
    except (MongodError, OSError) as error:
        reason = not_writable(folder.path, error) if isinstance(error, OSError) else error
        sys.stderr.write(f"{reason}\n")
        sys.stdout.write(f"{reason}\n")
        sys.stdout.flush()
        return 1
    return 0


def _only_one(folder: Folder) -> Lock | None:
    lock = folder.keeper()
    deadline = time.monotonic() + _STAND_BY
    while not lock.try_exclusive():
        if folder.running() or time.monotonic() > deadline:
            return None
        time.sleep(_TICK)
    return lock


def _keep(folder: Folder, binary: Path) -> None:
    keeper = Keeper(folder, binary)
    signal.signal(signal.SIGTERM, keeper.tell_to_end)
    signal.signal(signal.SIGINT, keeper.tell_to_end)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if most == resource.RLIM_INFINITY else min(_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    keeper.run(ready=_let_go_of_output)


def _let_go_of_output() -> None:
    # The gateway that reads it may end long before the keeper does.
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
