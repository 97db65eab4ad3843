"""The collection of customers and its tombstones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, cast

from storage import driver
from storage.documents import Customer, CustomerId, Instant, Tombstone, moment
from storage.driver import Client, Document, Session
from storage.emails import email_key
from storage.errors import PageTooLarge, reading, writing
from storage.filters import filter_query, page_query
from storage.gather import Counted
from storage.indexes import TOMBSTONE_SECONDS
from storage.inserts import GatheredInserts
from storage.ledger import Ledger
from storage.orders import projection, sort_terms
from storage.plans import QueryPlan, plan_of
from storage.query import Filter, Question
from storage.reads import GatheredReads, SharedReads
from storage.terms import keys_of
from storage.transactions import attempt

_SHOWN = {"_id": 0, "keys": 0}


def stored(customer: Customer, changed: Sequence[str] | None = None) -> Document:
    """Return the document that is written: the customer, the keys it is found by, and the names of what changed.

    The names are for the change feed; None where they are not known, which it tells as all.
    """
    keys = keys_of(customer)
    if changed is not None:
        keys["changed"] = list(changed)
    return {**customer, "keys": keys}


def kept(tombstone: Tombstone) -> Document:
    """Return the document that is written of a tombstone, with the moment from which it is kept no longer."""
    return {**tombstone, "expires": moment(tombstone["deletedAt"]) + timedelta(seconds=TOMBSTONE_SECONDS)}


class CustomerAccess(Protocol):
    """What operations ask of the store about single customers; `Customers` promises what each does."""

    async def get(self, customer_id: CustomerId) -> Customer | None:
        """Return one customer, or None."""

    async def get_tombstone(self, customer_id: CustomerId) -> Tombstone | None:
        """Return what stayed of a customer that was deleted, or None."""

    async def find_by_email(self, email: str) -> Customer | None:
        """Return the customer with an e-mail address, or None."""

    async def create(self, customer: Customer) -> None:
        """Store a new customer."""

    async def replace(self, customer: Customer, *, version: int, changed: Sequence[str] | None = None) -> bool:
        """Put a customer in the place of its `version`."""

    async def delete(self, customer_id: CustomerId, *, version: int, deleted_at: Instant) -> Tombstone | None:
        """Erase a customer and leave its tombstone."""


@dataclass(frozen=True, slots=True)
class Customers:
    """Reads and writes of customers; every write is one atomic operation of the store.

    Every method raises `Unavailable` where the store does not answer; writes also `Duplicate` (the
    e-mail is taken) and `DocumentTooLarge`.
    """

    client: Client
    database: str
    gather: bool = True
    """Whether what waits at the same moment is asked for together."""
    _customers: driver.Collection = field(init=False, repr=False, compare=False)
    _reads: GatheredReads[Customer] = field(init=False, repr=False, compare=False)
    _lists: SharedReads[Question, list[Customer]] = field(init=False, repr=False, compare=False)
    _inserts: GatheredInserts = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_customers", self.client[self.database]["customers"])
        object.__setattr__(self, "_reads", GatheredReads(self._read_many, self.gather))
        object.__setattr__(self, "_lists", SharedReads(self._find, self.gather))
        object.__setattr__(self, "_inserts", GatheredInserts(lambda: self._customers, self.gather))

    @property
    def collection(self) -> driver.Collection:
        """The collection itself, for what is written together with something else."""
        return self._customers

    def gathered(self) -> dict[str, tuple[int, int]]:
        """Return how many commands have gone out for what waited together, and for how many, by kind."""
        queues: dict[str, Counted] = {"reads": self._reads.queue, "lists": self._lists, "inserts": self._inserts.queue}
        return {name: (queue.batches, queue.items) for name, queue in queues.items()}

    async def close(self) -> None:
        """Return when what was gathered and sent has ended; to be called before the client is closed."""
        await self._reads.queue.close()
        await self._lists.close()
        await self._inserts.queue.close()

    async def _read_many(self, ids: list[str]) -> dict[str, Customer]:
        """Read several customers by id; one alone as the driver does it best."""
        with reading():
            if len(ids) == 1:
                one = await self._customers.find_one({"id": {"$eq": ids[0]}}, _SHOWN)
                found = [] if one is None else [one]
            else:
                found = await self._customers.find({"id": {"$in": ids}}, _SHOWN, batch_size=len(ids) + 1).to_list(None)
        return {customer["id"]: cast("Customer", customer) for customer in found}

    @property
    def _tombstones(self) -> driver.Collection:
        return self.client[self.database]["tombstones"]

    async def get(self, customer_id: CustomerId) -> Customer | None:
        """Return one customer, or None; those that are asked for at the same moment are read together.

        Always as a whole: a read of a few fields by itself costs more than three times as much as a gathered one.
        """
        return await self._reads.get(customer_id)

    async def find_by_email(self, email: str) -> Customer | None:
        """Return the customer with an e-mail address, however it is written, or None."""
        with reading():
            found = await self._customers.find_one({"keys.email": {"$eq": email_key(email)}}, _SHOWN)
        return cast("Customer | None", found)

    async def get_tombstone(self, customer_id: CustomerId) -> Tombstone | None:
        """Return what stayed of a customer deleted within the last 30 days, or None."""
        with reading():
            found = await self._tombstones.find_one({"id": {"$eq": customer_id}}, {"_id": 0, "expires": 0})
        return cast("Tombstone | None", found)

    async def find(self, question: Question) -> list[Customer]:
        """Return the customers of one page, in the question's order; equal questions are read together.

        Raises:
            PageTooLarge: they have more than 16 MiB together.
        """
        return await self._lists.get(question)

    async def _find(self, question: Question) -> list[Customer]:
        with reading():
            cursor = self._customers.find(
                page_query(question),
                projection(question.fields, question.order, version=question.version),
                sort=sort_terms(question),
                skip=question.skip,
                limit=question.limit,
                batch_size=question.limit + 1,
            )
            found = cast("list[Customer] | None", await driver.one_batch(cursor))
        if found is None:
            raise PageTooLarge
        return found[::-1] if question.backward else found

    async def count(self, where: Filter) -> int:
        """Return exactly how many customers there are."""
        query = filter_query(where)
        # Without a filter the store would read every document; the least index says as much.
        least: dict[str, Any] = {} if query else {"hint": "_id_"}
        with reading():
            return await self._customers.count_documents(query, **least)

    async def count_all(self) -> int:
        """Return how many customers the collection says it has: at once, and exact but after an unclean end."""
        with reading():
            return await self._customers.estimated_document_count()

    async def explain(self, question: Question) -> QueryPlan:
        """Run a page as `find` would and return how the store answered it."""
        command = {
            "find": "customers",
            "filter": page_query(question),
            "projection": projection(question.fields, question.order, version=question.version),
            "sort": dict(sort_terms(question)),
            "skip": question.skip,
            "limit": question.limit,
        }
        with reading():
            said = await self.client[self.database].command({"explain": command, "verbosity": "executionStats"})
        return plan_of(command, said)

    async def create(self, customer: Customer) -> None:
        """Store a new customer; those that are created at the same moment are stored by one command."""
        await self._inserts.insert(stored(customer))

    async def create_many(self, customers: Sequence[Customer]) -> None:
        """Store several new customers, all checked before; for demo data."""
        with writing():
            await self._customers.insert_many([stored(customer) for customer in customers], ordered=False)

    async def replace(self, customer: Customer, *, version: int, changed: Sequence[str] | None = None) -> bool:
        """Put `customer` in the place of its `version`; False when it has another version or is gone.

        `changed` names its parts that differ from before, for the change feed; None where that is not known.
        """
        with writing():
            result = await self._customers.replace_one(
                {"id": {"$eq": customer["id"]}, "version": {"$eq": version}}, stored(customer, changed)
            )
        return result.matched_count == 1

    async def delete(self, customer_id: CustomerId, *, version: int, deleted_at: Instant) -> Tombstone | None:
        """Erase a customer and its snapshots in the ledger; leave a tombstone.

        None when it has another version or is gone.

        Raises:
            WriteConflict: another write came between; nothing was done.
        """
        tombstone: Tombstone = {"id": customer_id, "version": version + 1, "deletedAt": deleted_at}

        async def erase(session: Session) -> bool:
            found = {"id": {"$eq": customer_id}, "version": {"$eq": version}}
            if (await self._customers.delete_one(found, session=session)).deleted_count == 0:
                return False
            await self._tombstones.insert_one(kept(tombstone), session=session)
            await Ledger(self.client, self.database).erase([customer_id], session)
            return True

        async with driver.session(self.client) as session:
            return tombstone if await attempt(session, erase) else None
