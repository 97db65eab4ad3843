"""An import at work: lines in, one batch at the store while the next one is read and checked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, Final, NamedTuple, Protocol

from app.transfer.formats import Read
from app.transfer.lines import LONGEST, Line, lines
from app.transfer.state import ImportState
from resolvers.imports import Importer, Result
from resolvers.problem import Problem
from resolvers.problems import BODY_TOO_LARGE
from storage.driver import Session

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

    async def record(self, state: ImportState, refused: Mapping[int, Problem], session: Session | None, /) -> None:
        """Keep what was done, and the refused lines of the last batch by their numbers.

        With a session that is a part of its transaction, and may be asked for again.
        """


@dataclass(slots=True)
class ImportJob:
    """One import: where its lines come from, what they become, and where it keeps how far it is."""

    file: BinaryIO
    read: Read
    importer: Importer
    state: ImportState
    journal: Journal
    parts: int = 1
    """Into how many what is stored together otherwise is parted."""
    _batches: Iterator[Batch] = field(init=False)

    async def run(self) -> None:
        """Import all lines that are left. Raises what the importer, the file and the journal raise.

        Where it does not come to its end a thread may still read: who gave the file sees to it that this ends.
        """
        await self.journal.begin(self.state)
        self._batches = self._checked()
        following = self._next()
        try:
            while (batch := await following) is not None:
                following = self._next()
                await self._store(batch)
        finally:  # a thread that waits for more of a stream, or of a store that is away, is not waited for
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    def _next(self) -> asyncio.Future[Batch | None]:
        return asyncio.ensure_future(asyncio.to_thread(next, self._batches, None))

    def _checked(self) -> Iterator[Batch]:
        batch, size, most = Batch([], [], 0, 0), 0, max(_BATCH_LINES // self.parts, 1)
        for line in lines(self.file, self.state.line, self.state.offset):
            self._check(line, batch)
            size += len(line.raw or b"")
            batch = batch._replace(line=line.number, offset=line.end)
            if len(batch.ready) + len(batch.refused) >= most or size > _BATCH_BYTES:
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

    async def _store(self, batch: Batch) -> None:
        before = self.state

        async def keep(stored: Sequence[Result], session: Session | None) -> None:
            results = [*batch.refused, *stored]
            counts = Counter(before.counts)
            counts.update(REFUSED if isinstance(one.outcome, Problem) else one.outcome for one in results)
            self.state = replace(before, line=batch.line, offset=batch.offset, counts=dict(counts))
            refused = {line: outcome for line, outcome in results if isinstance(outcome, Problem)}
            await self.journal.record(self.state, dict(sorted(refused.items())), session)

        await self.importer.store(batch.ready, keep)


def faults_of(problem: Problem) -> list[tuple[str, str]]:
    """Return field and reason of each fault of a line."""
    if problem.faults:
        return [(fault.field, fault.message) for fault in problem.faults]
    names = problem.extra.get("fields")
    return [(str(names[0]) if isinstance(names, list) and names else "", problem.detail)]
