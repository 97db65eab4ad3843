"""Imports: many customers from a file, each line with an outcome of its own.

Lines come in batches: `prepare` checks one line and makes what is written of it, `store` writes the lines of
a batch by one command. Both may be done again with the same lines, after a kill say: what an earlier run has
stored is known by its ids, which are made from the import's own seed and the number of the line.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, Literal, NamedTuple, Protocol, cast

from resolvers.audit import Told
from resolvers.context import Clock, utc_now
from resolvers.operation import email_taken
from resolvers.parts import ADDRESS, PHONE_NUMBER, Part, with_ids
from resolvers.problem import JsonValue, Problem
from resolvers.problems import CONFLICT
from resolvers.rehearsals import Rehearsal
from resolvers.validation import check, nearest
from storage.bulk import Bulk, Prepared, prepare
from storage.documents import Customer, CustomerId, Instant, differences, instant
from storage.driver import Session
from storage.emails import email_key
from storage.errors import Duplicate, StoreError, Unavailable
from storage.model import CustomerInput
from storage.store import Store

OnConflict = Literal["fail", "skip", "update"]
ON_CONFLICT: Final[tuple[OnConflict, ...]] = ("fail", "skip", "update")
Outcome = Literal["created", "updated", "unchanged", "skipped", "erased"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("created", "updated", "unchanged", "skipped", "erased")
KINDS: Final = (ADDRESS, PHONE_NUMBER)


class Result(NamedTuple):
    """What became of a line: an outcome, or the problem for which it was refused."""

    line: int
    outcome: Outcome | Problem


class Ready(NamedTuple):
    """A line that is valid, and the customer that it makes."""

    line: int
    new: Prepared

    @property
    def customer(self) -> Customer:
        """The new customer."""
        return self.new.customer


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for all lines of an import; `dry_run` stores nothing, `strict` refuses unknown properties."""

    seed: bytes
    on_conflict: OnConflict = "fail"
    strict: bool = False
    dry_run: bool = False
    us_address_rules: bool = False
    clock: Clock = utc_now


Keep = Callable[[Sequence[Result], Session | None], Awaitable[None]]
"""Keeps what became of a batch: as part of a transaction where a session is given; more than once where that is."""


class Importer(Protocol):
    """One form of import."""

    def prepare(self, line: int, value: JsonValue) -> Any:
        """Return what `store` takes of a line; raises the problem for which it is refused."""

    async def store(self, ready: Sequence[Any], keep: Keep) -> None:
        """Store a batch, and have kept what became of each line.

        Raises `Unavailable`, after which it may be done again, and what `keep` raises.
        """


@dataclass(frozen=True, slots=True)
class CustomerImport:
    """Customers as REST shows them. Ids and times are made here; a conflict is an e-mail address that is taken."""

    opened: Store
    rules: Rules
    told: Told = lambda *_: None
    """Called for each customer that is stored; again where lines are done again that an earlier run has stored."""
    _before: Rehearsal = field(default_factory=Rehearsal)

    def prepare(self, line: int, value: JsonValue) -> Ready:
        """Return a new customer; raises validation-error with every fault."""
        rules = self.rules
        fields = check(
            CustomerInput, value, strict=rules.strict, us_address_rules=rules.us_address_rules, locate=nearest(value)
        )
        for kind in KINDS:
            fields[kind.list_name] = with_ids(fields[kind.list_name], [])
        now = instant(rules.clock())
        made = {"id": line_id(rules.seed, line), "version": 1, **fields, "createdAt": now, "updatedAt": now}
        return Ready(line, prepare(cast("Customer", made)))

    async def store(self, ready: Sequence[Ready], keep: Keep) -> None:
        """Store new customers; with those whose e-mail address is taken do what the rules say."""
        await keep(await self.results(ready), None)

    async def results(self, ready: Sequence[Ready]) -> list[Result]:
        """Store a batch and return what became of each line. Raises `Unavailable`; doing it again is safe."""
        bulk = Bulk.of(self.opened)
        if self.rules.dry_run:
            found = await bulk.find_by_emails([one.customer["email"] for one in ready])
            return [Result(one.line, self._would_become(one.customer, found)) for one in ready]
        erased = await bulk.find_tombstones([one.customer["id"] for one in ready])
        new = [one for one in ready if one.customer["id"] not in erased]
        results = [Result(one.line, "skipped") for one in ready if one.customer["id"] in erased]
        taken = await refused(bulk, new, dry_run=False)
        if taken:  # by an earlier run also where the customer has got another e-mail address since
            known = await bulk.find_by_ids([one.customer["id"] for one in new if one.line in taken])
            taken -= {one.line for one in new if one.customer["id"] in known}
        results += [Result(one.line, self._created(one.customer)) for one in new if one.line not in taken]
        again = [one for one in new if one.line in taken]
        found = await bulk.find_by_emails([one.customer["email"] for one in again]) if again else {}
        return results + [Result(one.line, await self._met(one.customer, found)) for one in again]

    def _would_become(self, new: Customer, found: Mapping[str, Customer]) -> Outcome | Problem:
        """Return what a dry run tells of a line: what would become of it after the lines before."""
        old = found.get(email_key(new["email"]))
        if self._before.knows(new):
            decided: Outcome | Problem | Customer = self._taken() or ("unchanged" if self._before.has(new) else new)
        else:
            decided = "created" if old is None else self.decide(old, new)
        if decided == "created" or isinstance(decided, dict):
            self._before.keep(new)
        return "updated" if isinstance(decided, dict) else decided

    async def _met(self, new: Customer, found: dict[str, Customer]) -> Outcome | Problem:
        """Return what becomes of a line whose e-mail address some customer has."""
        key = email_key(new["email"])
        while (old := found.get(key)) is not None:
            decided = self.decide(old, new)
            if not isinstance(decided, dict):
                return self._created(new) if decided == "created" else decided
            if await self._replaced(old, decided):
                found[key] = decided
                return "updated"
            del found[key]  # who has been erased meanwhile, or has another address now, is not found again
            found |= await Bulk.of(self.opened).find_by_emails([new["email"]])
        return Problem(CONFLICT, "Another customer had this email address a moment ago. Import the line again.")

    def decide(self, old: Customer, new: Customer) -> Outcome | Problem | Customer:
        """Return what becomes of a line whose e-mail address a customer has; that customer changed where it is updated.

        It is created where an earlier run of this import, or an earlier try, has made that customer of it.
        """
        if old["id"] == new["id"]:
            return "created"
        return self._taken() or self._updated(old, new) or "unchanged"

    def _taken(self) -> Outcome | Problem | None:
        """Return what becomes of a line whose e-mail address is taken; None where it is to update."""
        if self.rules.on_conflict == "update":
            return None
        return "skipped" if self.rules.on_conflict == "skip" else email_taken()

    def _created(self, new: Customer) -> Outcome:
        self.told("done", new["id"], new["version"])
        return "created"

    async def _replaced(self, old: Customer, new: Customer) -> bool:
        names = differences(old, new)
        try:
            replaced = await self.opened.customers.replace(new, version=old["version"], changed=names)
        except Unavailable as error:
            if error.outcome == "unknown":  # done again, the line finds nothing to change
                self.told("unknown", new["id"], new["version"], names)
            raise
        if replaced:
            self.told("done", new["id"], new["version"], names)
        return replaced

    def _updated(self, old: Customer, new: Customer) -> Customer | None:
        """Return the stored customer with the fields of a line, None where they are the same."""
        fields = {name: new[name] for name in CustomerInput.model_fields}  # type: ignore[literal-required]
        for kind in KINDS:
            sent = [{name: part[name] for name in part if name != "id"} for part in fields[kind.list_name]]
            fields[kind.list_name] = with_ids(sent, cast("list[Part]", old[kind.list_name]))
        if all(old.get(name) == value for name, value in fields.items()):
            return None
        now = Instant(max(instant(self.rules.clock()), old["updatedAt"]))
        return cast("Customer", {**old, **fields, "version": old["version"] + 1, "updatedAt": now})


async def refused(bulk: Bulk, ready: Sequence[Ready], *, dry_run: bool) -> set[int]:
    """Store new customers; return the lines of those whose e-mail address or id is taken. A dry run looks only."""
    if dry_run:
        found = await bulk.find_by_emails([one.customer["email"] for one in ready])
        same = await bulk.find_by_ids([one.customer["id"] for one in ready])
        return {one.line for one in ready if email_key(one.customer["email"]) in found or one.customer["id"] in same}
    errors = await bulk.create_each([one.new for one in ready])
    return {one.line for one, error in zip(ready, errors, strict=True) if _is_duplicate(error)}


def _is_duplicate(error: StoreError | None) -> bool:
    if error is None or isinstance(error, Duplicate):
        return error is not None
    raise error


def line_id(seed: bytes, line: int) -> CustomerId:
    """Return the id of the customer that a line makes: as random as the seed, and the same every time."""
    digest = blake2b(line.to_bytes(8, "big"), key=seed, digest_size=16).digest()
    return CustomerId(str(uuid.UUID(bytes=digest, version=4)))
