"""Clients that send each change with an idempotency key, at one door after the other, until it is done."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from tests import factories
from tests.faults.ledger import Ledger, Write
from tests.faults.wire import CUSTOMERS, PATIENCE, Answer, Connection, for_graphql

_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
"""Seconds after the first answer that was none, and after many; by chance up to as much."""
RACE: Final = 200.0
"""Seconds in which each key of a race is done, however many wait at the same gateways."""
_AGAIN: Final = 0.2
"""The share of requests that are sent once more although they were answered."""
_LIFE: Final = 8
_CREATE: Final = """mutation($input: CreateCustomerInput!, $key: String) {
  done: createCustomer(input: $input, idempotencyKey: $key) { id version } }"""
_ADD: Final = """mutation($id: ID!, $input: PhoneNumberInput!, $key: String) {
  done: addPhoneNumber(customerId: $id, input: $input, idempotencyKey: $key) { id version } }"""


class Request(NamedTuple):
    """One change as both doors take it: its path and body at REST, its document and variables at GraphQL."""

    path: str
    body: dict[str, Any]
    document: str
    variables: dict[str, Any]

    async def send(self, connection: Connection, key: str, *, graphql: bool) -> Answer:
        """Send it at one of the doors."""
        if not graphql:
            return await connection.ask("POST", self.path, self.body, None, **{"Idempotency-Key": key})
        variables = {**self.variables, "key": key}
        return await connection.ask("POST", "/graphql", {"query": self.document, "variables": variables})


def new_customer(mark: str) -> Request:
    """Return the creation of a customer who bears a mark."""
    body = factories.customer(lastName=mark, email=f"{mark}@example.org")
    return Request(CUSTOMERS, body, _CREATE, {"input": for_graphql(body)})


def new_number(customer: str, mark: str) -> Request:
    """Return the addition of a phone number that is a mark, which a repetition would add twice."""
    number = factories.phone_number(number=mark[1:])
    asked = {"id": customer, "input": {**number, "type": number["type"].upper()}}
    return Request(f"{CUSTOMERS}/{customer}/phone-numbers", number, _ADD, asked)


class Effect(NamedTuple):
    """What an answer says was done; `customer` is not told by REST where a part was added."""

    customer: str
    version: int
    replayed: bool


def effect(answer: Answer) -> Effect | None:
    """Return what an answer says was done; None where it says no such thing."""
    if answer.problem or not 200 <= answer.status < 300:
        return None
    if "data" in answer.body:
        done = answer.body["data"]["done"]
        return Effect(done["id"], done["version"], bool(answer.body.get("extensions", {}).get("idempotentReplayed")))
    version = int(answer.headers["etag"].partition("-")[0].strip('"v'))
    customer = answer.headers["location"].split("/")[4]
    return Effect(customer, version, "idempotent-replayed" in answer.headers)


@dataclass
class KeyedClient:
    """One client with one customer at a time; each key is the mark of its change."""

    connections: Sequence[Connection]
    ledger: Ledger
    chance: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    """Keys, tries, answers that say that they are replays, and those that say something else than the first one."""
    patience: float = PATIENCE
    """Seconds after which a key is given up."""
    _customer: str = ""
    _writes: int = 0

    async def step(self) -> None:
        """Make one change."""
        if not self._customer or self._writes > _LIFE:
            self._customer, self._writes = "", 0
            write = self.ledger.begin("create")
            done = await self.settle(new_customer(write.mark), write)
        else:
            write = self.ledger.begin("add", self._customer)
            done = await self.settle(new_number(self._customer, write.mark), write)
        self._customer = done.customer if done is not None else ""
        self._writes += 1

    async def settle(self, request: Request, write: Write) -> Effect | None:
        """Send a request until it is answered by what was done; None where that does not happen in time."""
        began, first, tries, story = time.monotonic(), self.chance.randrange(2), 0, [self.ledger.fault]
        self.counts["keys"] += 1
        while time.monotonic() - began < self.patience:
            answer = await self._try(request, write, first + tries)
            tries += 1
            story.append(f"{answer.problem.get('status', answer.status)} after {time.monotonic() - began:.1f} s")
            if (done := effect(answer)) is not None:
                write.told, write.fault = "acknowledged", self.ledger.fault
                self.ledger.longest = max(self.ledger.longest, (time.monotonic() - began, ", ".join(story)))
                if self.chance.random() < _AGAIN:
                    self._compare(done, await self._try(request, write, first + tries), write)
                return done
            await asyncio.sleep(self.chance.uniform(_PAUSE / 2, min(_PAUSE * 2**tries, _LONGEST_PAUSE)))
        return None

    async def _try(self, request: Request, write: Write, number: int) -> Answer:
        connection, began = self.connections[number // 2 % len(self.connections)], time.monotonic()
        answer = await request.send(connection, write.mark, graphql=number % 2 == 1)
        write.status = answer.status
        self.ledger.waited(began)
        self.counts["tries"] += 1
        done, status = effect(answer), answer.problem.get("status", answer.status)
        self.counts["replays"] += done is not None and done.replayed
        self.ledger.internal_errors[self.ledger.fault] += status == 500
        if done is None and status not in {0, 409, 503}:
            self.ledger.improper.append(f"{self.ledger.fault}: a key was answered {answer.status} {answer.body}")
        return answer

    def _compare(self, done: Effect, answer: Answer, write: Write) -> None:
        """See that the same request again says the same."""
        again = effect(answer)
        if again is None:
            return
        if (again.customer, again.version, again.replayed) != (done.customer, done.version, True):
            self.counts["other"] += 1
            self.ledger.improper.append(f"{self.ledger.fault}: {write.mark} was {done}, then {again}")


async def race(
    connect: Sequence[tuple[str, str]], ledger: Ledger, keys: int, parallel: int, often: int
) -> tuple[Counter[str], dict[str, set[str]]]:
    """Send each of so many keys so often, so many requests at a time, each until it is done.

    `connect` gives addresses and API keys. Returns counts, and the customers that were told for each key.
    """
    writes = [ledger.begin("create") for _ in range(keys)]
    work = [write for _ in range(often) for write in writes]
    requests = {write.mark: new_customer(write.mark) for write in writes}
    told: dict[str, set[str]] = {write.mark: set() for write in writes}
    counts: Counter[str] = Counter()

    async def client(number: int) -> None:
        connections = [Connection(*connect[(number + more) % len(connect)]) for more in range(len(connect))]
        one = KeyedClient(connections, ledger, random.Random(number), counts, RACE)
        while work:
            write = work.pop()
            done = await one.settle(requests[write.mark], write)
            told[write.mark].add("" if done is None else done.customer)
        for connection in connections:
            connection.close()

    async with asyncio.TaskGroup() as group:
        for number in range(parallel):
            group.create_task(client(number))
    return counts, told
