"""A gateway over a crowd of customers whose every value is known."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx2

from storage.documents import Customer, instant, new_id
from storage.store import StoreOptions, open_store
from tests import factories
from tests.harness import Gateway, running

LIST = "/api/v1/customers"
SEARCH = "/api/v1/customers:search"
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
LAST_NAMES = ("Müller", "muller", "Reiger", "Ng", "Żak")


def member(number: int) -> Customer:
    """Return one customer of a crowd: created second by second, changed in the opposite order."""
    document = factories.customer(
        firstName=f"Name{number:03}",
        middleName=None if number % 3 else f"Mid{number % 2}",
        lastName=LAST_NAMES[number % 5],
        addresses=[
            {"id": new_id(), **factories.address(city="Berlin" if number % 2 else "Köln", country="DE")},
            {"id": new_id(), **factories.address(type="work", city="Paris", country="FR")},
        ],
        phoneNumbers=[{"id": new_id(), **factories.phone_number(number=f"555-01{number:02}", countryCode="+49")}],
        notificationPreferences=factories.preferences(sms=number % 2 == 0),
    )
    times = {
        "createdAt": instant(BEGIN + timedelta(seconds=number)),
        "updatedAt": instant(BEGIN + timedelta(seconds=1000 - number)),
    }
    return cast("Customer", {"id": new_id(), "version": 1, **document, **times})


@dataclass
class Crowd:
    """A running gateway and its customers, oldest first."""

    gateway: Gateway
    customers: list[Customer]

    def get(self, **parameters: Any) -> httpx2.Response:
        """Ask for a list."""
        return self.gateway.http.get(LIST, params=parameters)

    def search(self, **body: Any) -> httpx2.Response:
        """Ask for a list with a body; a selection of fields past the client that expects whole customers."""
        if "fields" in body:
            return httpx2.post(self.gateway.url + SEARCH, json=body, headers={"X-API-Key": self.gateway.key})
        return self.gateway.http.post(SEARCH, json=body)

    def names(self, **parameters: Any) -> list[str]:
        """Return the first names of a list."""
        return names(self.get(**parameters))

    def problem(self, **parameters: Any) -> tuple[int, str, str]:
        """Return status, slug and detail of the problem that a list gives."""
        return problem(self.get(**parameters))


def names(response: httpx2.Response) -> list[str]:
    """Return the first names of a list that was answered."""
    assert response.status_code == 200, response.text
    return [customer["firstName"] for customer in response.json()["content"]]


def problem(response: httpx2.Response) -> tuple[int, str, str]:
    """Return status, slug and detail of a problem."""
    body = response.json()
    assert response.headers["content-type"].startswith("application/problem+json"), body
    return response.status_code, body["type"].rpartition("/")[2], body["detail"]


def links(response: httpx2.Response) -> dict[str, str]:
    """Return the URIs of the Link header by relation."""
    found: dict[str, str] = {}
    for part in response.headers.get("link", "").split(", "):
        if part:
            uri, _, relation = part.partition("; rel=")
            found[relation.strip('"')] = uri[1:-1]
    return found


async def _fill(mongod_url: str, database: str, customers: Sequence[Customer]) -> None:
    async with open_store(StoreOptions(mongod_url, database)) as store:
        await store.ensure_indexes()
        await store.customers.create_many(customers)


@contextmanager
def crowded(mongod_url: str, customers: list[Customer], **settings: Any) -> Iterator[Crowd]:
    """Run a gateway over these customers in a database of their own."""
    database = f"test_{new_id()[:13]}"
    asyncio.run(_fill(mongod_url, database, customers))
    with running(mongod_url, database, **settings) as gateway:
        yield Crowd(gateway, customers)
