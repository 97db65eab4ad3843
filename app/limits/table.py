"""Counting without Redis: one table in memory that all workers of a machine share.

Its size is fixed, so strangers can make it full and never larger. A limit stands in one of the few slots that
its hash may have. Where all of them are taken, the one goes that counts for nothing any more, else the one with
the fewest units: a flood of addresses pushes out addresses that were seen once, and a caller who has spent much
stays. What was pushed out begins again with a full budget, so at worst some limits hold late. The hash has a
secret salt: nobody can choose whom to push out, and no id or address stands in the table.

Each change is made under an exclusive lock of the file (flock), which lasts for microseconds and ends with its
process, however that ends. A worker that was killed in the middle may leave one wrong slot: what it holds is
checked when it is read, and ends at most two windows later.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from io import FileIO
from math import floor
from pathlib import Path
from struct import Struct
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import Final

from app.limits.bounded import Bounded
from app.limits.storage import State

SLOTS: Final = 65_536
WAYS: Final = 8
"""In how many neighbouring slots a limit may stand."""
_SLOT: Final = Struct("=16sdIII4x")  # hash; begin of the window; its seconds; units of the previous one; its units
_SALT: Final = 64
_TRIES: Final = 2000
"""How often the lock is tried, about 3 ms: longer than any change, and shorter than a stall that users notice."""


class SharedTable:
    """The table. `path` is a file from `table_file`, shared by all who open it; None keeps it in this process.

    `clock` gives seconds that only go forward and are the same in every process of the machine.
    """

    def __init__(
        self, path: Path | None = None, *, slots: int = SLOTS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._file = None if path is None else path.open("r+b", buffering=0)
        if self._file is None:
            self._map = mmap.mmap(-1, _SALT + slots * _SLOT.size)
            self._map[:_SALT] = secrets.token_bytes(_SALT)
        else:
            self._map = mmap.mmap(self._file.fileno(), 0)
        self._salt = self._map[:_SALT]
        self._marks = Bounded[str, bytes]()
        self._buckets = (len(self._map) - _SALT) // (_SLOT.size * WAYS)

    def close(self) -> None:
        """Let go of the memory and of the file."""
        self._map.close()
        if self._file is not None:
            self._file.close()

    async def spend(self, key: str, limit: int, expiry: int, amount: int) -> tuple[bool, State]:
        """Spend under the lock."""
        mark = self._marks.get(key) or self._mark(key)
        locked = self._file is not None and _lock(self._file)
        try:
            now = self._clock()
            place, begin, previous, current = self._find(mark, expiry, now)
            faded = floor(previous * (begin + expiry - now) / expiry) if previous else 0
            if faded + current + amount > limit:
                return False, _state(begin, previous, current, expiry, now)
            if place < 0:
                place = self._free_place(mark, now)
            _SLOT.pack_into(self._map, place, mark, begin, expiry, previous, current + amount)
            return True, _state(begin, previous, current + amount, expiry, now)
        finally:
            if locked and self._file is not None:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    async def get_sliding_window(self, key: str, expiry: int) -> State:
        """Return units and seconds to live of the previous and of the present window, zeros where there is none."""
        mark = self._marks.get(key) or self._mark(key)
        locked = self._file is not None and _lock(self._file)
        try:
            now = self._clock()
            return _state(*self._find(mark, expiry, now)[1:], expiry, now)
        finally:
            if locked and self._file is not None:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _mark(self, key: str) -> bytes:
        text = key.encode("utf-8", "surrogatepass")
        mark = self._marks[key] = blake2b(text, digest_size=16, key=self._salt).digest()
        return mark

    def _bucket(self, mark: bytes) -> int:
        return _SALT + int.from_bytes(mark[:4], "little") % self._buckets * WAYS * _SLOT.size

    def _find(self, mark: bytes, expiry: int, now: float) -> tuple[int, float, int, int]:
        """Return where a limit stands, -1 for nowhere, the begin of its window, and units before that and in it."""
        bucket = self._bucket(mark)
        place = self._map.find(mark, bucket, bucket + WAYS * _SLOT.size)
        if place < 0:
            return place, now, 0, 0
        _, begin, seconds, previous, current = _SLOT.unpack_from(self._map, place)
        age = now - begin
        if seconds != expiry or not -1 < age < 2 * expiry:  # over, or written by half
            return place, now, 0, 0
        return (place, begin, previous, current) if age < expiry else (place, begin + expiry, current, 0)

    def _free_place(self, mark: bytes, now: float) -> int:
        """Return the slot to take: one that counts for nothing, else the one with the fewest units, the oldest."""
        bucket = self._bucket(mark)
        held = self._map[bucket : bucket + WAYS * _SLOT.size]
        worth = [
            (now < begin + 2 * seconds, previous + current, begin)
            for _, begin, seconds, previous, current in _SLOT.iter_unpack(held)
        ]
        return bucket + worth.index(min(worth)) * _SLOT.size


def _lock(file: FileIO) -> bool:
    """Lock out the other workers; where one does not let go (it was stopped), go on: never block the loop."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            os.sched_yield()
    return False


def _state(begin: float, previous: int, current: int, expiry: int, now: float) -> State:
    if not previous and not current:
        return 0, 0.0, 0, 0.0
    left = begin + expiry - now
    return previous, left if previous else 0.0, current, left + expiry


@contextmanager
def table_file(slots: int = SLOTS) -> Iterator[Path]:
    """Give the path of a new empty table for other processes of this user (mode 0600); it ends with the block.

    On Linux the file has no name of its own, so nothing is left behind even where this process is killed.
    """
    unnamed = sys.platform == "linux"
    with TemporaryFile() if unnamed else NamedTemporaryFile(prefix="customer-gateway-") as file:
        # Zeros are written, not skipped: a disk that is full says so here, and not as SIGBUS in a worker.
        file.write(secrets.token_bytes(_SALT) + bytes(slots * _SLOT.size))
        file.flush()
        yield Path(f"/proc/{os.getpid()}/fd/{file.fileno()}" if unnamed else file.name)
