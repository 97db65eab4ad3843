"""The audit's lines: one for each change, in the log or in a file of its own; at most 2 kB, names and ids only."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import structlog

from app.observe.logs import AccessLog, encoded, entry_of
from resolvers.audit import Entry, Outcome

_UNWRITTEN: Final = "The audit cannot be written to its file; its lines follow here"
_MODE: Final = 0o600


class Unwritten(Exception):
    """The audit's file cannot be written; the text says why."""


class Torn(OSError):
    """A part of the lines is in the file, and the last of these has no end."""


def audit_line(entry: Entry) -> dict[str, Any]:
    """Return an entry as its line has it; what is not known, or is not there, is left out."""
    said = entry_of("info", f"{entry.operation} {entry.outcome}", "", entry.request_id, entry.caller)
    known = {
        "callerKind": entry.kind,
        "door": entry.door,
        "operation": entry.operation,
        "outcome": entry.outcome,
        "customerId": entry.customer,
        "version": entry.version,
        "changed": entry.changed,
        "problem": entry.problem,
    }
    return {**said, "event": "audit", **{name: value for name, value in known.items() if value}}


def append(path: Path, lines: bytes) -> None:
    """Append whole lines to a file, which is made for this user alone. Raises OSError; Torn, where a disk is full.

    It is opened anew each time, so that it may be moved away, and written at once, so that the lines of several
    processes stay whole.
    """
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
    try:
        if 0 < os.write(file, lines) < len(lines):
            raise Torn(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(file)


class AuditLog:
    """Where a serving process puts its entries: among the lines of the log, or together at the end of the loop's turn.

    What cannot be written to the file goes to the log: it is nowhere lost in silence.
    """

    def __init__(self, log: AccessLog, path: Path | None) -> None:
        self._log, self._path = log, path
        self._lines: list[dict[str, Any]] = []
        self._failing = self._torn = False

    def __call__(self, entry: Entry) -> None:
        """Write an entry."""
        line = audit_line(entry)
        if self._path is None:
            self._log.write(line)
            return
        self._lines.append(line)
        if len(self._lines) == 1:
            asyncio.get_running_loop().call_soon(self._flush, self._path)

    def _flush(self, path: Path) -> None:
        lines, self._lines = self._lines, []
        try:
            append(path, b"\n" * self._torn + b"".join(map(encoded, lines)))
            self._failing = self._torn = False
        except OSError as error:
            self._torn |= isinstance(error, Torn)
            if not self._failing:
                structlog.get_logger().error(_UNWRITTEN, error=type(error).__qualname__)
            self._failing = True
            for line in lines:
                self._log.write(line)


@contextmanager
def audited(path: Path | None, operation: str) -> Iterator[dict[str, object]]:
    """Put what a command does inside into the audit's file, with the facts that the block adds; without a file nowhere.

    The caller is the user of the operating system, by number. The outcome is unknown where the block raises.

    Raises:
        Unwritten: the file cannot be written; before anything is done where that is known then.
    """
    if path is None:
        yield {}
        return
    _write(path, b"")
    facts: dict[str, object] = {}
    outcome: Outcome = "unknown"
    try:
        yield facts
        outcome = "done"
    finally:
        line = audit_line(Entry(f"uid:{os.getuid()}", "command", "command", operation, outcome))
        _write(path, encoded({**line, **facts}))


def _write(path: Path, line: bytes) -> None:
    try:
        append(path, line)
    except OSError as error:
        raise Unwritten((error.strerror or "unknown").lower()) from error
