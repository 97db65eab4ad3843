"""`gateway import` at work: lines in, one batch at the store while the next one is read and checked."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, TypeVar

from app.cli.progress import Tell
from app.cli.session import ERR
from app.transfer import state
from app.transfer.formats import Read
from app.transfer.lines import LONGEST, Line, lines
from app.transfer.state import ImportState
from resolvers.imports import Importer, Result
from resolvers.problems import BODY_TOO_LARGE, Problem
from storage.errors import Unavailable

T = TypeVar("T")
_BATCH_LINES: Final = 1000
_BATCH_BYTES: Final = 4_000_000
_PATIENCE: Final = 60.0
"""Seconds for which a store that does not answer is asked again."""
_TOLD: Final = 5
"""How many refused lines are told on standard error; the report has all."""
REFUSED: Final = "refused"


class Batch(NamedTuple):
    """Lines that are checked: those to store, those refused, and where the next batch begins."""

    ready: list[Any]
    refused: list[Result]
    line: int
    offset: int


@dataclass(slots=True)
class Report:
    """The file of refused lines: a row with line, field and reason for each fault. None: nowhere."""

    path: Path | None
    size: int = 0
    told: int = 0

    def begin(self) -> None:
        """Cut off what was written after the state was kept."""
        if self.path is not None and self.path.exists():
            os.truncate(self.path, self.size)
            if self.size == 0:
                self.path.unlink()

    def add(self, refused: Mapping[int, Problem]) -> None:
        """Write refused lines by their numbers, so that they stay whatever happens."""
        rows = [(line, *told) for line, problem in sorted(refused.items()) for told in _told(problem)]
        for line, name, reason in rows[: max(_TOLD - self.told, 0)]:
            ERR.print(f"line {line}: {f'{name} ' if name else ''}{reason}", markup=False, highlight=False)
        self.told += len(rows)
        if self.path is None or not rows:
            return
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(_csv([*([] if self.size else [("line", "field", "reason")]), *rows]))
            file.flush()
            os.fsync(file.fileno())
            self.size = file.tell()


def _told(problem: Problem) -> list[tuple[str, str]]:
    """Return field and reason of each fault of a line."""
    if problem.faults:
        return [(fault.field, fault.message) for fault in problem.faults]
    names = problem.extra.get("fields")
    return [(str(names[0]) if isinstance(names, list) and names else "", problem.detail)]


def _csv(rows: Sequence[tuple[object, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


@dataclass(slots=True)
class ImportJob:
    """One import: where its lines come from, what they become, and where it keeps how far it is (None: nowhere)."""

    file: BinaryIO
    read: Read
    importer: Importer
    state: ImportState
    kept: Path | None
    report: Report
    total: int | None
    tell: Tell
    _batches: Iterator[Batch] = field(init=False)

    async def run(self) -> None:
        """Import all lines that are left. Raises `Unavailable` where the store stays away."""
        self.report.begin()
        self._keep()  # before the first line: its seed makes the ids by which a later run knows what this one stored
        self._batches = self._checked()
        following = self._next()
        try:
            while (batch := await following) is not None:
                following = self._next()
                self._record(batch, await patient(lambda: self.importer.store(batch.ready)))
        finally:
            await asyncio.wait({following})
        if self.kept is not None:
            self.kept.unlink(missing_ok=True)

    def _next(self) -> asyncio.Future[Batch | None]:
        return asyncio.ensure_future(asyncio.to_thread(next, self._batches, None))

    def _checked(self) -> Iterator[Batch]:
        batch, size = Batch([], [], 0, 0), 0
        for line in lines(self.file, self.state.line, self.state.offset):
            self._check(line, batch)
            size += len(line.raw or b"")
            batch = batch._replace(line=line.number, offset=line.end)
            if len(batch.ready) + len(batch.refused) >= _BATCH_LINES or size > _BATCH_BYTES:
                yield batch
                batch, size = Batch([], [], 0, 0), 0
        if batch.line:
            yield batch

    def _check(self, line: Line, batch: Batch) -> None:
        try:
            if line.raw is None:
                raise Problem(BODY_TOO_LARGE, f"The line may have at most {LONGEST} bytes.")
            if line.raw.strip():
                batch.ready.append(self.importer.prepare(line.number, self.read(line.raw)))
        except Problem as problem:
            batch.refused.append(Result(line.number, problem))

    def _record(self, batch: Batch, stored: list[Result]) -> None:
        results = [*batch.refused, *stored]
        self.report.add({line: outcome for line, outcome in results if isinstance(outcome, Problem)})
        for result in results:
            outcome = REFUSED if isinstance(result.outcome, Problem) else result.outcome
            self.state.counts[outcome] = self.state.counts.get(outcome, 0) + 1
        self.state.line, self.state.offset, self.state.report = batch.line, batch.offset, self.report.size
        self._keep()
        self.tell(f"{self.state.line} lines", self.state.offset / self.total if self.total else None)

    def _keep(self) -> None:
        if self.kept is not None:
            state.write(self.state, self.kept)


async def patient(work: Callable[[], Awaitable[T]]) -> T:
    """Do what is safe to do again, until the store answers or has been away for `_PATIENCE` seconds."""
    end, pause = time.monotonic() + _PATIENCE, 0.2
    while True:
        try:
            return await work()
        except Unavailable:
            if time.monotonic() > end:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, 5.0)
