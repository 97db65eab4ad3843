"""How the keeper runs the mongod process: command line, environment, port, and what ends it."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import SystemRandom

from storage.mongod_files import Folder, Lock
from storage.mongod_reasons import OTHER_STORE, MongodError, not_runnable
from storage.mongod_replica import HOST, NAME

# Below the range that Linux and macOS draw the ports of outgoing connections from.
_PORTS = range(20_000, 32_768)
_TRIES = 100
_LEAST_CACHE, _MOST_CACHE = 0.25, 1.0  # GiB
_TERM_BOUND, _KILL_BOUND = 10.0, 5.0  # seconds
_PORT_BOUND = 2.0  # seconds
_PR_SET_PDEATHSIG = 1


class Mongod:
    """The mongod process of one folder: started, perhaps again, and ended."""

    def __init__(self, binary: Path, folder: Folder) -> None:
        self._binary = binary
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    def start(self, port: int) -> None:
        """Start it as a child of this thread, where none lives.

        Raises:
            MongodError: The kernel refuses to run it.
        """
        self._started = time.monotonic()
        with self._folder.append_to_log() as log:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - the words are ours
                    command(self._binary, self._folder, port),
                    stdin=subprocess.DEVNULL,
                    stdout=log,  # what the loader says before mongod opens its log
                    stderr=log,
                    cwd=self._folder.path,
                    env=environment(),
                    preexec_fn=tie_to_parent(),  # noqa: PLW1509 - no other thread runs in the keeper then
                )
            except OSError as error:
                raise not_runnable(self._binary, error) from error

    @property
    def pid(self) -> int:
        """The process id of the last start."""
        return self._process.pid if self._process else 0

    @property
    def exit_code(self) -> int:
        """How the last start ended, as of `subprocess`: negative for a signal; 0 while it lives."""
        return (self._process and self._process.returncode) or 0

    def age(self) -> float:
        """Seconds since the last start."""
        return time.monotonic() - self._started

    def lives(self, seconds: float) -> bool:
        """Whether it still lives after so long; False as soon as it does not."""
        if self._process is None:
            return False
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def end(self, bound: float = _TERM_BOUND) -> None:
        """End it cleanly, or by force after `bound` seconds (no acknowledged write is lost by that)."""
        if self._process and self.lives(0):
            self._process.terminate()
            if self.lives(bound):
                self._process.kill()
                self._process.wait()


def command(binary: Path, folder: Folder, port: int) -> list[str]:
    """The command line of mongod."""
    parameters = {
        "diagnosticDataCollectionEnabled": "false",
        "enableLocalhostAuthBypass": "false",
        "scramSHA256IterationCount": "5000",  # the least; stretching a key of 256 random bits gains nothing
    }
    options = {
        "--dbpath": folder.database,
        "--port": port,
        "--bind_ip": HOST,
        "--replSet": NAME,
        "--keyFile": folder.key,
        "--logpath": folder.log,
        "--wiredTigerCacheSizeGB": cache_size(),
        "--oplogSize": 512,  # MB, in place of a twentieth of the disk
        "--syncdelay": 5,  # seconds between checkpoints: what a start after kill -9 has to replay at most
        "--slowOpSampleRate": 0,  # a slow operation's log line would hold customers' data
    }
    words = [str(word) for option in options.items() for word in option]
    switches = ["--auth", "--noscripting", "--nounixsocket", "--quiet", "--logappend"]
    return [
        str(binary),
        *words,
        *switches,
        *(word for item in parameters.items() for word in ("--setParameter", "=".join(item))),
    ]


def cache_size() -> float:
    """A sixteenth of the machine's memory in GiB, within bounds."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return round(min(max(memory / 16, _LEAST_CACHE), _MOST_CACHE), 2)


def environment() -> dict[str, str]:
    """The keeper's own without the gateway's settings, which mongod has no business with."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    # mongod refuses to start under a locale that is not installed.
    return own | {"LC_ALL": "C"}


def free_port(preferred: int | None) -> int:
    """`preferred` where it is or becomes free, else another port of 127.0.0.1 that is.

    Raises:
        MongodError: None was found.
    """
    # A mongod that just ended lets go of its files a moment before it lets go of its port.
    if preferred is not None and preferred in _PORTS and _within(_PORT_BOUND, lambda: _is_free(preferred)):
        return preferred
    for port in SystemRandom().sample(_PORTS, _TRIES):
        if _is_free(port):
            return port
    raise MongodError(f"No port of {HOST} is free for the embedded MongoDB: end some program, {OTHER_STORE}.")


def tie_to_parent() -> Callable[[], None]:
    """What a child calls before exec so that SIGTERM reaches it when this process is killed (Linux only).

    It is tied to the thread that forks: fork from the main one.
    """
    if sys.platform != "linux":
        return lambda: None
    library, parent = ctypes.CDLL(None), os.getpid()

    def tie() -> None:
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return tie


def end_leftover(folder: Folder) -> None:
    """End a mongod that outlived its keeper; returns when it let go of the database files.

    Raises:
        MongodError: Another program holds the files.
    """
    for number, bound in ((signal.SIGTERM, _TERM_BOUND), (signal.SIGKILL, _KILL_BOUND)):
        for process in _leftovers(folder):
            with suppress(ProcessLookupError):
                os.kill(process, number)
        if _within(bound, lambda: not _is_held(folder.database)):
            return
    raise MongodError(f"Another mongod uses {folder.database}: end it, or set GATEWAY_DATA_DIR to another folder.")


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As mongod does, so that connections which linger in TIME_WAIT do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _is_held(database: Path) -> bool:
    try:
        lock = Lock(database / "mongod.lock", flags=0)
    except FileNotFoundError:
        return False
    try:
        return not lock.try_exclusive()
    finally:
        lock.release()


def _leftovers(folder: Folder) -> set[int]:
    """Processes that the folder's files name and that do run its mongod.

    Such a number may be another program's by now, or from another container, so the command line must agree.
    """
    named = {last.mongod_pid} if (last := folder.last()) else set()
    with suppress(OSError, ValueError):
        named.add(int((folder.database / "mongod.lock").read_text()))
    option = f" --dbpath {folder.database} "
    return {process for process in named if option in _command_line(process).replace("\0", " ")}


def _command_line(process: int) -> str:
    if sys.platform == "linux":
        with suppress(OSError):
            return Path(f"/proc/{process}/cmdline").read_text(errors="replace")
        return ""
    else:  # noqa: RET505 - mypy takes what follows the branch of this platform for unreachable
        listing = ["/bin/ps", "-o", "args=", "-p", str(process)]
        return subprocess.run(listing, capture_output=True, text=True, check=False, timeout=5).stdout  # noqa: S603 - our own words
