"""Two workers on one store, both doors at once: what one of them acknowledged, the other never forgets."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx2
import pytest

from resolvers.problems import PRECONDITION_FAILED
from tests import factories
from tests.commands import Started, serving, until
from tests.harness import make_key

CUSTOMERS = "/api/v1/customers"
READ = "query($id: ID!) { customer(id: $id) { id lastName version } }"
LIST = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Customer { id lastName version } } }"
UPDATE = """mutation($id: ID!, $patch: UpdateCustomerInput!, $version: Int!) {
  updateCustomer(id: $id, patch: $patch, ifVersion: $version) { id lastName version }
}"""
WRITERS, READERS, WRITES, CONNECTION = 3, 5, 30, 8
"""How many threads, how many writes each tries, and how many requests go over one connection."""


@pytest.fixture
def two(tmp_path: Path, mongod_url: str, database: str) -> Iterator[Started]:
    settings: dict[str, Any] = {"mongodb_url": mongod_url, "mongodb_database": database, "rate_limit": "off"}
    with serving(tmp_path, "--workers", "2", **settings) as server:
        until(lambda: server.err.count(b"Application startup complete") == 2, 20, "the start of both workers")
        yield server


@dataclass
class Told:
    """The newest count of each customer that any request has ended with; its last name holds the count."""

    newest: dict[str, int]
    faults: list[str] = field(default_factory=list)
    writes: int = 0
    reads: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def before(self) -> dict[str, int]:
        """Return what was known before a request begins."""
        with self.lock:
            return dict(self.newest)

    def saw(self, before: dict[str, int], found: list[dict[str, Any]], how: str) -> None:
        """Note what a request ended with."""
        with self.lock:
            for one in found:
                count = int(one["lastName"].removeprefix("N"))
                if count < before[one["id"]]:
                    self.faults.append(f"{how} saw {count} after {before[one['id']]}")
                if "version" in one and one["version"] != count + 1:
                    self.faults.append(f"{how}: version {one['version']} says {count}")
                self.newest[one["id"]] = max(self.newest[one["id"]], count)
                self.reads += 1


class Actor:
    """One thread with a client that takes a new connection now and then, so that it meets both workers."""

    def __init__(self, server: Started, key: str, told: Told, seed: int) -> None:
        self.server, self.key, self.told = server, key, told
        self.chance = random.Random(seed)
        self.left = 0
        self.client = server.client(key)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def http(self) -> httpx2.Client:
        """Return the client."""
        if self.left == 0:
            self.client.close()
            self.client = self.server.client(self.key)
            self.left = CONNECTION
        self.left -= 1
        return self.client

    def any_id(self) -> str:
        """Return the id of some customer."""
        return self.chance.choice(list(self.told.newest))

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """Return the whole answer."""
        answer: dict[str, Any] = self.http().post("/graphql", json={"query": query, "variables": variables}).json()
        return answer

    def read(self) -> None:
        """Read in one of five ways."""
        before = self.told.before()
        wanted = self.any_id()
        ids = list(before)
        match self.chance.randrange(5):
            case 0 | 1:
                self.told.saw(before, [self.http().get(f"{CUSTOMERS}/{wanted}").json()], "REST")
            case 2:
                self.told.saw(before, [self.graphql(READ, id=wanted)["data"]["customer"]], "GraphQL")
            case 3:
                answer = self.http().get(CUSTOMERS, params={"sort": "firstName", "size": 100})
                self.told.saw(before, answer.json()["content"], "REST list")
            case _:
                self.told.saw(before, self.graphql(LIST, ids=ids)["data"]["nodes"], "GraphQL list")

    def write(self) -> None:
        """Count one customer on, through either door; a rival may be faster."""
        before = self.told.before()
        answer = self.http().get(f"{CUSTOMERS}/{self.any_id()}")
        current = answer.json()
        self.told.saw(before, [current], "REST before a write")
        count = int(current["lastName"].removeprefix("N")) + 1
        known = self.told.before()
        over_rest = self.chance.random() < 0.5
        changed = self.put(current, answer.headers["ETag"], count) if over_rest else self.update(current["id"], count)
        if changed is not None:
            self.told.saw(known, [changed], "write")
            with self.told.lock:
                self.told.writes += 1

    def put(self, current: dict[str, Any], etag: str, count: int) -> dict[str, Any] | None:
        """Replace over REST."""
        body = {**current, "lastName": f"N{count}"}
        answer = self.http().put(f"{CUSTOMERS}/{current['id']}", json=body, headers={"If-Match": etag})
        assert answer.status_code in {200, 412}, answer.text
        return answer.json() if answer.status_code == 200 else None

    def update(self, customer_id: str, count: int) -> dict[str, Any] | None:
        """Update over GraphQL, where the version is one more than the count."""
        answer = self.graphql(UPDATE, id=customer_id, patch={"lastName": f"N{count}"}, version=count)
        if "errors" in answer:
            assert answer["errors"][0]["extensions"]["code"] == PRECONDITION_FAILED.code, answer
            return None
        changed: dict[str, Any] = answer["data"]["updateCustomer"]
        return changed


@pytest.mark.slow
def test_c028_no_read_of_either_worker_is_older_than_what_was_told_before(
    two: Started, mongod_url: str, database: str
) -> None:
    key = make_key(mongod_url, database)
    with two.client(key) as client:
        made = [client.post(CUSTOMERS, json=factories.customer(lastName="N0")).json() for _ in range(3)]
    told = Told({one["id"]: 0 for one in made})

    def act(seed: int, work: Callable[[Actor], None]) -> None:
        with Actor(two, key, told, seed) as actor:
            work(actor)

    def write(actor: Actor) -> None:
        for _ in range(WRITES):
            actor.write()

    def read(actor: Actor) -> None:
        while not ended.is_set():
            actor.read()

    ended = threading.Event()
    with ThreadPoolExecutor(WRITERS + READERS) as pool:
        readers = [pool.submit(act, seed, read) for seed in range(READERS)]
        writers = [pool.submit(act, 100 + seed, write) for seed in range(WRITERS)]
        try:
            for writer in writers:
                writer.result(60)
        finally:
            ended.set()
        for reader in readers:
            reader.result(20)
    print(f"{told.writes} writes acknowledged, {told.reads} versions seen")
    assert told.faults == []
    assert sum(told.newest.values()) == told.writes > 0
