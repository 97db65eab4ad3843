"""Importing by an operation: the command's own importer, over a file in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from app.jobs.held import CALL_SECONDS, Failed, Held, Working
from app.jobs.payload import payload_at
from app.transfer.columns import BadHeader
from app.transfer.formats import Read, reader_of
from app.transfer.importing import REFUSED, ImportJob
from app.transfer.lines import lines
from app.transfer.state import ImportState
from resolvers.held_imports import HeldImport
from resolvers.imports import CustomerImport, Importer, Keep, Rules
from resolvers.jobs import job_error
from resolvers.problem import JsonValue, Problem
from resolvers.problems import INTERNAL_ERROR
from storage.chunks import CHUNK
from storage.deadlines import wire_deadline
from storage.driver import Session
from storage.jobs import MOST_ERRORS, Job, JobError

_MOST_FAULTS: Final = 20
"""How many faults of a line the operation shows; the report has all."""
_PARTS: Final = 4
"""A batch of 1,000 lines takes about half a second on a busy machine, a tenth of a lease."""
_LOST: Final = "What was sent is not there any more. Send it again."


async def import_customers(held: Working) -> None:
    """Import the lines that are left.

    Raises:
        Failed: what was sent is gone, or names no columns.
        Cancelled, LeaseLost, Unavailable: as `Held` says.
    """
    job, task = held.job, held.job["task"]
    chunks = held.store.chunks
    with wire_deadline(CALL_SECONDS):
        await chunks.hold(job["id"], "payload")
    state = _state(held)
    with payload_at(chunks, job["id"]) as beginning:
        read, header = await asyncio.to_thread(_reader, beginning, task["format"])
    if header and not state.offset:
        state.line, state.offset = 1, header
    clock, us_rules = held.services.clock, held.services.us_address_rules
    rules = Rules(task["seed"], task["onConflict"], task["strict"], job["dryRun"], us_rules, clock)
    importer = _BoundedImporter(HeldImport(CustomerImport(held.store, rules, held.note), held.session))
    with payload_at(chunks, job["id"], state.offset) as file:
        work = ImportJob(file, read, importer, state, _StoredJournal(held, 1 if header else 0), _parts(job))
        await work.run()
    if work.state.offset != task["size"]:
        raise Failed(Problem(INTERNAL_ERROR, _LOST))


def _parts(job: Job) -> int:
    """Return into how many a batch is parted: into more each time that a worker has begun and got no further.

    What takes longer than a lease would be taken over in the middle for ever, as nobody can renew that meanwhile.
    """
    return int(_PARTS ** (job["attempts"] - 1))


def _state(held: Held) -> ImportState:
    job, position = held.job, held.job["position"]
    seed = bytes(job["task"]["seed"]).hex()
    return ImportState({}, seed, position.get("line", 0), position.get("offset", 0), counts=dict(job["counts"]))


def _reader(beginning: Any, form: Any) -> tuple[Read, int]:
    """Return what reads the lines, and how many bytes the line of column names takes."""
    if form == "ndjson":
        return reader_of(form, b""), 0
    header = next(lines(beginning), None)
    if header is None or header.raw is None:
        raise Failed(Problem(INTERNAL_ERROR, _LOST))
    try:
        return reader_of(form, header.raw), header.end
    except BadHeader as error:  # which the request has looked at; only a newer gateway may know other columns
        raise Failed(Problem(INTERNAL_ERROR, f"The first line is wrong: {error}.")) from error


@dataclass(frozen=True, slots=True)
class _BoundedImporter:
    """An importer that gives the store so long for each batch."""

    inner: Importer

    def prepare(self, line: int, value: JsonValue) -> Any:
        return self.inner.prepare(line, value)

    async def store(self, ready: Sequence[Any], keep: Keep) -> None:
        with wire_deadline(CALL_SECONDS):
            await self.inner.store(ready, keep)


@dataclass(frozen=True, slots=True)
class _StoredJournal:
    """The journal of an import in the store: the operation itself, and its report of refused lines.

    `before` is how many lines stand before the first customer.
    """

    held: Held
    before: int

    async def begin(self, state: ImportState) -> None:
        """Take back what was reported after the place that was kept."""
        with wire_deadline(CALL_SECONDS):
            await self.held.store.chunks.drop(self.held.job["id"], "refused", state.line + 1)

    async def record(self, state: ImportState, refused: Mapping[int, Problem], session: Session | None, /) -> None:
        """Keep place, counts and errors where the operation is still held, then the report of the refused lines.

        First what is asked for the lease: who has lost it writes nothing else.
        """
        errors = [job_error(problem, line) for line, problem in refused.items()]
        await self.held.record_within(
            session,
            [_brief(error) for error in errors[:MOST_ERRORS]],
            done=state.line - self.before,
            failed=state.counts.get(REFUSED, 0),
            counts=dict(state.counts),
            position={"line": state.line, "offset": state.offset},
        )
        chunks, job_id = self.held.store.chunks, self.held.job["id"]
        for piece in _pieces(errors):
            await chunks.put_within(session, job_id, "refused", piece[0]["line"] or 0, _lines(piece))


def _brief(error: JobError) -> JobError:
    return {**error, "faults": error["faults"][:_MOST_FAULTS]}


def _lines(errors: Sequence[JobError]) -> bytes:
    return b"".join(orjson.dumps(error, option=orjson.OPT_APPEND_NEWLINE) for error in errors)


def _pieces(errors: Sequence[JobError]) -> Iterator[list[JobError]]:
    """Give the errors in pieces of about a chunk."""
    piece: list[JobError] = []
    size = 0
    for error in errors:
        piece.append(error)
        size += len(_lines([error]))
        if size > CHUNK:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece
