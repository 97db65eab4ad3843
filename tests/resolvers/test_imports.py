"""Lines of a file that meet customers who are changed or erased at the very moment, with each driver."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from resolvers import rehearsals
from resolvers.imports import CustomerImport, Importer, Result, Rules
from resolvers.problem import Problem
from resolvers.restores import Restore
from storage.documents import Customer
from storage.driver import Document, Session
from storage.store import Store
from tests import factories

SEED = bytes(range(16))
Elsewhere = Document | None
"""What somebody else changes of all customers; None to take them away."""


@dataclass
class Meanwhile:
    """A clock: when it is asked, which is between an importer's look at a customer and its write, others write."""

    customers: Collection[Document]
    change: Elsewhere
    asked: bool = field(default=False, init=False)

    def __call__(self) -> datetime:
        """Return the moment; the first time that customers are there, they are changed in it."""
        if not self.asked and self.customers.count_documents({}):
            self.asked = True
            if self.change is None:
                self.customers.delete_many({})
            else:
                self.customers.update_many({}, {"$set": self.change})
        return datetime(2100, 1, 1, tzinfo=UTC)


async def stored(importer: Importer, *ready: Any) -> list[Result]:
    """Store a batch, and return what became of its lines."""
    results: list[Result] = []

    async def keep(found: Sequence[Result], _session: Session | None) -> None:
        results.extend(found)

    async with asyncio.timeout(20):
        await importer.store(ready, keep)
    return results


async def there(store: Store, **changes: Any) -> tuple[Customer, dict[str, Any]]:
    """Store a customer and return it, with a body of other content that has its e-mail address."""
    body = factories.customer()
    customer = CustomerImport(store, Rules(SEED)).prepare(99, body).customer
    await store.customers.create(customer)
    return customer, {**body, **changes}


def told(results: list[Result]) -> str:
    (result,) = results
    return result.outcome.detail if isinstance(result.outcome, Problem) else result.outcome


CHANGES: dict[str, Elsewhere] = {"erased": None, "of another address": {"keys.email": "other@example.com"}}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_a_line_ends_though_the_customer_that_it_updates_goes_away_meanwhile(
    store: Store, mongod_url: str, database: str, change: Elsewhere
) -> None:
    _, body = await there(store, lastName="Later")
    with MongoClient[Document](mongod_url) as others:
        clock = Meanwhile(others[database]["customers"], {"version": 9, **change} if change else None)
        ready = CustomerImport(store, Rules(SEED)).prepare(1, body)
        results = await stored(CustomerImport(store, Rules(SEED, "update", clock=clock)), ready)
    assert clock.asked
    assert told(results) == "Another customer had this email address a moment ago. Import the line again."


async def test_a_restored_line_ends_though_the_customer_that_it_outdates_is_erased_meanwhile(
    store: Store, mongod_url: str, database: str
) -> None:
    customer, body = await there(store, lastName="Later")
    line = {**customer, **body, "addresses": customer["addresses"], "phoneNumbers": customer["phoneNumbers"]}
    with MongoClient[Document](mongod_url) as others:
        clock = Meanwhile(others[database]["customers"], None)
        restore = Restore(store, Rules(SEED, "update", clock=clock))
        ready = restore.prepare(1, line)
        results = await stored(restore, ready)
    assert clock.asked
    assert told(results) == "The customer has been erased."


def test_what_is_known_of_lines_is_bounded_and_is_that_of_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsals, "LEAST", 3)
    prepared = CustomerImport(cast("Store", None), Rules(b"seed"))
    all_of_them = [
        prepared.prepare(line, body).customer for line, body in enumerate([factories.customer() for _ in range(10)])
    ]
    known = rehearsals.Rehearsal()
    for number, customer in enumerate(all_of_them):
        known.keep(customer)
        assert all(known.knows(one) and known.has(one) for one in all_of_them[max(number - 2, 0) : number + 1])
    assert sum(map(known.knows, all_of_them)) <= 6
