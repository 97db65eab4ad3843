"""Several workers, one page: each writes what it has counted into a folder that they share, and any of them adds up.

A worker writes about once a second, when it is asked itself, and at its end. So what one answer has told is written
down before, and no counter goes back when a worker dies, however it dies; at most its last second is lost. A worker
holds a lock (flock) as long as it lives, which the kernel takes away with it: what it wrote is then put to the sums of
all that have ended, and its file removed. That is done in one step of the file system, and by one worker at a time.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Protocol

from msgspec import Struct, field, msgpack

from app.observe.counts import Counts

_PREFIX: Final = "customer-gateway-metrics-"
_LOCK_SECONDS: Final = 2.0
"""How long the folder's lock is waited for; it is held for milliseconds."""
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - only folders of our own, which others cannot enter
_OWNER: Final = "owner"


class Sum(NamedTuple):
    """What all workers have counted; `processes` are those that live."""

    counts: Counts
    processes: tuple[int, ...]
    ended: int


class Workers(Protocol):
    """The processes that count for one gateway."""

    @property
    def several(self) -> bool:
        """Whether others wait for what this one publishes."""

    def publish(self, counts: Counts) -> None:
        """Let all see what this process has counted. Raises OSError. To be called by one thread."""

    def sum(self) -> Sum:
        """Return what all have published. Takes a moment, two seconds at most.

        Raises:
            OSError: the folder cannot be used; TimeoutError, where another process keeps it to itself.
        """


class Alone:
    """One process, which counts for itself."""

    several = False

    def __init__(self) -> None:
        self._counts = Counts()

    def publish(self, counts: Counts) -> None:
        """Keep what this process has counted."""
        self._counts = counts

    def sum(self) -> Sum:
        """Return what this process has counted."""
        return Sum(self._counts, (os.getpid(),), 0)


class _Written(Struct):
    process: int
    counts: Counts


class _Ended(Struct):
    """The sums of the workers that have ended; `names` are those whose files may still be there."""

    number: int = 0
    counts: Counts = field(default_factory=Counts)
    names: list[str] = field(default_factory=list)


class SharedFolder:
    """A worker's part in a folder that `shared_folder` made."""

    several = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._alive = _locked_file(folder / f"{self._name}.lock")

    def close(self) -> None:
        """Say that this worker ends."""
        self._alive.close()

    def publish(self, counts: Counts) -> None:
        """Write what this worker has counted, in one step."""
        _write(self._folder / f"{self._name}.counts", msgpack.encode(_Written(os.getpid(), counts)))

    def sum(self) -> Sum:
        """Add up what all have written, and keep what those did that have ended since."""
        with _locked(self._folder / "lock"):
            ended = self._ended()
            total = Counts()
            living = []
            for written in self._read(ended):
                total.add(written.counts, gauges=True)
                living.append(written.process)
            total.add(ended.counts, gauges=False)
        return Sum(total, tuple(living), ended.number)

    def _read(self, ended: _Ended) -> list[_Written]:
        """Return what those wrote that live; what the others wrote is put to `ended`."""
        living, dead = [], []
        for lock in sorted(self._folder.glob("*.lock")):
            if lock.stem not in ended.names and (lock.stem == self._name or _is_held(lock)):
                living.append(lock.stem)
            else:
                dead.append(lock.stem)
        if dead:
            self._keep(ended, dead)
        found = map(self._written, living)
        return [written for written in found if written is not None]

    def _keep(self, ended: _Ended, dead: list[str]) -> None:
        for name in dead:
            written = None if name in ended.names else self._written(name)
            if written is not None:
                ended.number += 1
                ended.counts.add(written.counts, gauges=False)
        ended.names = dead
        _write(self._folder / "ended", msgpack.encode(ended))
        for name in dead:
            for kind in ("counts.new", "counts", "lock"):  # the lock is the last: by it the others are found
                (self._folder / f"{name}.{kind}").unlink(missing_ok=True)

    def _written(self, name: str) -> _Written | None:
        """Return what a worker wrote, None where it has not written yet."""
        with suppress(FileNotFoundError):
            return msgpack.decode((self._folder / f"{name}.counts").read_bytes(), type=_Written)
        return None

    def _ended(self) -> _Ended:
        with suppress(FileNotFoundError):
            return msgpack.decode((self._folder / "ended").read_bytes(), type=_Ended)
        return _Ended()


@asynccontextmanager
async def open_workers(folder: Path | None) -> AsyncIterator[Workers]:
    """Give this process's part in a folder, until it ends; None is for a process that serves alone."""
    if folder is None:
        yield Alone()
        return
    with closing(SharedFolder(folder)) as shared:
        yield shared


@contextmanager
def shared_folder(parent: Path | None = None) -> Iterator[Path]:
    """Give a new folder for the workers of a gateway, for this user alone (mode 0700); it ends with the block.

    It lies in memory where there is such a place, as it is written each second. What a gateway that was killed has
    left there is removed.
    """
    parent = parent or (_MEMORY if os.access(_MEMORY, os.W_OK | os.X_OK) else Path(tempfile.gettempdir()))
    _remove_orphans(parent)
    made = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=parent))
    folder = parent / made.name.removeprefix(".")
    with _locked_file(made / _OWNER):
        made.rename(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def _remove_orphans(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # another gateway, which starts too, was faster
            if not folder.is_symlink() and folder.stat().st_uid == os.getuid() and not _is_held(folder / _OWNER):
                shutil.rmtree(folder)


def _write(path: Path, content: bytes) -> None:
    """Write a file so that whoever reads it sees all of the old or all of the new."""
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(content)
    new.replace(path)


def _locked_file(path: Path) -> BinaryIO:
    """Return a new file that is locked from the moment at which it has its name; its lock ends with its process."""
    new = path.with_name(f"{path.name}.new")
    file = new.open("wb")
    fcntl.flock(file, fcntl.LOCK_EX)
    new.rename(path)
    return file


def _is_held(path: Path) -> bool:
    """Tell whether a process lives that has locked a file."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Do something alone. Raises TimeoutError where another process does not let go, as it was stopped."""
    deadline = time.monotonic() + _LOCK_SECONDS
    with path.open("ab") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError from None
                time.sleep(0.005)
        yield
