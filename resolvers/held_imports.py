"""Imports by an operation: each batch is stored together with how far that is, by the worker that holds the operation.

Who is overtaken in the middle of a batch, because it was frozen say, stores nothing of it, and so undoes nothing that
has been done since. And what a batch has stored is never stored again, whatever has become of it since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from resolvers.audit import Outcome as Heard
from resolvers.imports import CustomerImport, Keep, Outcome, Ready, Result
from resolvers.problem import JsonValue, Problem
from storage.bulk import Bulk, Prepared, Replacement
from storage.documents import Customer, differences
from storage.driver import Session
from storage.emails import email_key
from storage.errors import Duplicate, Unavailable, WriteConflict
from storage.transactions import attempt


@dataclass(slots=True)
class _Batch:
    """What becomes of the lines of a batch, and what is written for that."""

    results: list[Result] = field(default_factory=list)
    new: list[Prepared] = field(default_factory=list)
    replacements: list[Replacement] = field(default_factory=list)
    known: list[Customer] = field(default_factory=list)
    """Those that an earlier try has stored."""

    def create(self, one: Ready) -> None:
        """Let a line be a new customer."""
        self.results.append(Result(one.line, "created"))
        self.new.append(one.new)


@dataclass(frozen=True, slots=True)
class HeldImport:
    """An import whose batches are transactions of a session."""

    inner: CustomerImport
    session: Session

    def prepare(self, line: int, value: JsonValue) -> Ready:
        """Return a new customer; raises validation-error with every fault."""
        return self.inner.prepare(line, value)

    async def store(self, ready: Sequence[Ready], keep: Keep) -> None:
        """Store a batch and what `keep` writes of it, both or nothing.

        Raises:
            Unavailable: `unknown` where both may be stored.
            StoreError: what `keep` raises; nothing was stored.
        """
        dry = self.inner.rules.dry_run
        batch = _Batch(await self.inner.results(ready)) if dry else _all_new(ready)
        while not await self._attempt(batch, keep):
            batch = batch if dry else await self._decided(ready)
        self._tell("done", batch)

    async def _attempt(self, batch: _Batch, keep: Keep) -> bool:
        """Store a batch; False where it was decided on what is not true any more."""

        async def work(session: Session) -> bool:
            await keep(batch.results, session)
            return await self._write(batch, session)

        try:
            return await attempt(self.session, work)
        except (Duplicate, WriteConflict):
            return False
        except Unavailable as error:
            if error.outcome == "unknown":
                self._tell("unknown", batch)
            raise

    async def _write(self, batch: _Batch, session: Session) -> bool:
        return await Bulk.of(self.inner.opened).write(batch.new, batch.replacements, session)

    async def _decided(self, ready: Sequence[Ready]) -> _Batch:
        """Decide each line on what is stored now, and on what the lines before it do."""
        bulk, batch = Bulk.of(self.inner.opened), _Batch()
        ids = [one.customer["id"] for one in ready]
        erased, known = await bulk.find_tombstones(ids), await bulk.find_by_ids(ids)
        found = await bulk.find_by_emails([one.customer["email"] for one in ready])
        for one in ready:
            if one.customer["id"] in erased:
                batch.results.append(Result(one.line, "skipped"))
            elif one.customer["id"] in known:
                batch.results.append(Result(one.line, "created"))
                batch.known.append(one.customer)
            else:
                self._decide(one, found, batch)
        return batch

    def _decide(self, one: Ready, found: dict[str, Customer], batch: _Batch) -> None:
        key = email_key(one.customer["email"])
        old = found.get(key)
        if old is None:
            found[key] = one.customer
            batch.create(one)
            return
        decided = self.inner.decide(old, one.customer)
        outcome: Outcome | Problem = "updated" if isinstance(decided, dict) else decided
        batch.results.append(Result(one.line, outcome))
        if isinstance(decided, dict):
            found[key] = decided
            batch.replacements.append(Replacement(decided, old["version"], differences(old, decided)))

    def _tell(self, outcome: Heard, batch: _Batch) -> None:
        """Put into the audit what was stored, or may have been."""
        for customer in (*batch.known, *(one.customer for one in batch.new)):
            self.inner.told(outcome, customer["id"], customer["version"])
        for one in batch.replacements:
            self.inner.told(outcome, one.after["id"], one.after["version"], one.changed)


def _all_new(ready: Sequence[Ready]) -> _Batch:
    """Return what most batches are: new customers alone, about whom nothing has to be asked."""
    batch = _Batch()
    for one in ready:
        batch.create(one)
    return batch
