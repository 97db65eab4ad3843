"""The embedded mongod's files in the data folder: locks, the record of the one that runs, key and log.

Only names that begin with `mongod` are ours; whatever else lies in the folder is never touched.
"""

import base64
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import shutil
import weakref
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Self

from storage.mongod_reasons import not_writable

LOG_LIMIT = 10 * 1024 * 1024  # bytes
_KEY_BYTES = 48


class Lock:
    """An flock on a file of its own, which the kernel frees however the process ends.

    Children do not inherit it: Python's file descriptors close on exec.
    """

    def __init__(self, path: Path, flags: int = os.O_CREAT) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | flags, 0o600)
        # A lock that nobody holds a reference to any more is freed, too.
        self._close = weakref.finalize(self, os.close, self._descriptor)

    def try_shared(self) -> bool:
        """Whether it is now held together with others that share it; never waits."""
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Whether it is now held alone; never waits."""
        return self._try(fcntl.LOCK_EX)

    def release(self) -> None:
        """Give it back; may be called twice."""
        if self._close.alive:
            # Not only closed: a forked child may hold a copy of the descriptor.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            self._close()

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@dataclass(frozen=True)
class Record:
    """What `mongod.json` says of the mongod that runs."""

    url: str
    port: int
    mongod_pid: int
    keeper_pid: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The record in `text`, or None where the text is none (half-written before a power loss)."""
        try:
            found = json.loads(text)
            return cls(str(found["url"]), int(found["port"]), int(found["mongod_pid"]), int(found["keeper_pid"]))
        except (ValueError, KeyError, TypeError):
            return None


class Folder:
    """One data folder, by the absolute path that the user gave (links are not resolved)."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.database = self.path / "mongodb"
        self.log = self.path / "mongod.log"  # mongod's own, the loader's messages, the keeper's errors
        self.key = self.path / "mongod.key"
        self._record = self.path / "mongod.json"

    def create(self) -> None:
        """Make the folder, open to its owner alone, unless it is there.

        Raises:
            MongodError: It cannot be made or written to.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(mode=0o700, exist_ok=True)
            self.users().release()
        except OSError as error:
            raise not_writable(self.path, error) from error

    def users(self) -> Lock:
        """The lock that each process which uses the mongod shares; a keeper that ends holds it alone."""
        return Lock(self.path / "mongod.users")

    def keeper(self) -> Lock:
        """The lock that the one keeper of the folder holds for its life."""
        return Lock(self.path / "mongod.keeper")

    def last(self) -> Record | None:
        """The record of the last mongod, which may run or not; None where there was none."""
        try:
            return Record.parse(self._record.read_text())
        except (OSError, UnicodeDecodeError):
            return None

    def running(self) -> Record | None:
        """The record of the mongod that is ready now, or None.

        A record is true for as long as its writer holds the lock on that very file, so that one which a
        crash or a power loss left behind is never believed.
        """
        # Twice, because the keeper may replace the file between opening and locking.
        return self._running_once() or self._running_once()

    def publish(self, record: Record) -> Lock:
        """Write `record`, complete or not at all, and lock it; releasing the lock withdraws it."""
        new = self.path / "mongod.json.new"
        new.unlink(missing_ok=True)
        lock = Lock(new)
        lock.try_exclusive()
        new.write_text(json.dumps(asdict(record)))
        new.replace(self._record)
        return lock

    def secret(self) -> str:
        """The key of the replica set, made where there is none: whoever has it is the mongod's master."""
        found = self.key.read_text() if self.key.exists() else ""
        if len(found) != len(base64.b64encode(bytes(_KEY_BYTES))):
            found = base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
            self.key.unlink(missing_ok=True)
            self.key.touch(mode=0o600)
            self.key.write_text(found)
        return found

    def password(self) -> str:
        """The gateway's own password, 256 bits: drawn from the key, so that the two can never disagree."""
        return hmac.new(self.secret().encode(), b"gateway", hashlib.sha256).hexdigest()

    def append_to_log(self) -> BinaryIO:
        """The log, opened for a child to write to."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        return os.fdopen(os.open(self.log, flags, 0o600), "ab")

    def read_log(self, offset: int) -> str:
        """The log from `offset` (bytes) on, or the last `-offset` bytes; nothing where there is no log."""
        try:
            with self.log.open("rb") as log:
                size = os.fstat(log.fileno()).st_size
                log.seek(offset if offset >= 0 else max(size + offset, 0))
                return log.read().decode(errors="replace")
        except FileNotFoundError:
            return ""

    def log_size(self) -> int:
        """Bytes of the log."""
        return self.log.stat().st_size if self.log.exists() else 0

    def trim_log(self) -> None:
        """Move a log that outgrew `LOG_LIMIT` to `mongod.log.1`, in the place of an older one."""
        if self.log_size() > LOG_LIMIT:
            with suppress(OSError):  # a full disk; then the older part is lost
                shutil.copyfile(self.log, self.path / "mongod.log.1")
            # Emptied, not renamed: mongod appends to the file that it holds open.
            os.truncate(self.log, 0)

    def _running_once(self) -> Record | None:
        try:
            descriptor = os.open(self._record, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return None
        with os.fdopen(descriptor, encoding="utf-8", errors="replace") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return Record.parse(file.read())
        return None
