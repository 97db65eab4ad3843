"""An import at work: lines in, one batch at the store while the next one is read and checked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, NamedTuple, Protocol

from app.transfer.formats import Read
from app.transfer.lines import LONGEST, Line, lines
from app.transfer.state import ImportState
from resolvers.imports import Importer, Result
from resolvers.problem import Problem
from resolvers.problems import BODY_TOO_LARGE

_BATCH_LINES: Final = 1000
_BATCH_BYTES: Final = 4_000_000
REFUSED: Final = "refused"
"""The name under which refused lines are counted, beside the outcomes of the others."""


class Batch(NamedTuple):
    """Lines that are checked: those to store, those refused, and where the next batch begins."""

    ready: list[Any]
    refused: list[Result]
    line: int
    offset: int


class Journal(Protocol):
    """Where an import keeps how far it is, and tells of the lines that it refused."""

    async def begin(self, state: ImportState) -> None:
        """Take note before the first line: the seed makes the ids by which a later run knows what this one stored."""

    async def record(self, state: ImportState, refused: Mapping[int, Problem]) -> None:
        """Keep what was done, and the refused lines of the last batch by their numbers."""


@dataclass(slots=True)
class ImportJob:
    """One import: where its lines come from, what they become, and where it keeps how far it is."""

    file: BinaryIO
    read: Read
    importer: Importer
    state: ImportState
    journal: Journal
    _batches: Iterator[Batch] = field(init=False)

    async def run(self) -> None:
        """Import all lines that are left. Raises what the importer, the file and the journal raise."""
        await self.journal.begin(self.state)
        self._batches = self._checked()
        following = self._next()
        try:
            while (batch := await following) is not None:
                following = self._next()
                await self._record(batch, await self.importer.store(batch.ready))
        finally:
            await asyncio.wait({following})

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

    async def _record(self, batch: Batch, stored: list[Result]) -> None:
        results = [*batch.refused, *stored]
        for result in results:
            outcome = REFUSED if isinstance(result.outcome, Problem) else result.outcome
            self.state.counts[outcome] = self.state.counts.get(outcome, 0) + 1
        self.state.line, self.state.offset = batch.line, batch.offset
        refused = {line: outcome for line, outcome in results if isinstance(outcome, Problem)}
        await self.journal.record(self.state, dict(sorted(refused.items())))


def faults_of(problem: Problem) -> list[tuple[str, str]]:
    """Return field and reason of each fault of a line."""
    if problem.faults:
        return [(fault.field, fault.message) for fault in problem.faults]
    names = problem.extra.get("fields")
    return [(str(names[0]) if isinstance(names, list) and names else "", problem.detail)]
