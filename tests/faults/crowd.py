"""Writers and readers at both doors, who note what they are told and believe nothing else."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final

from tests import factories
from tests.faults.keyed import KeyedClient
from tests.faults.ledger import Ledger, Write
from tests.faults.listener import Listener
from tests.faults.thread import in_thread
from tests.faults.wire import CUSTOMERS, PATIENCE, Answer, Connection, for_graphql

_PAUSE: Final = 0.1
"""Seconds that a client waits after a failure, instead of what `Retry-After` asks for: so recovery is seen sooner."""
_PULSE: Final = 0.1
_LIFE: Final = 12
_CREATE: Final = "mutation($input: CreateCustomerInput!) { createCustomer(input: $input) { id } }"
_ADD: Final = """mutation($id: ID!, $input: PhoneNumberInput!) {
  addPhoneNumber(customerId: $id, input: $input) { id }
}"""


@dataclass
class Known:
    """What a writer knows of its customer: all its marks for certain, and those that may have been written."""

    id: str
    etag: str
    certain: set[str]
    writes: int = 1


@dataclass
class Crowd:
    """Clients of one or more gateways. `leaving` is the share of requests whose client goes away early."""

    urls: Sequence[str]
    key: str
    ledger: Ledger
    size: int
    think: float = 0.0
    """Seconds that a client waits between two requests."""
    leaving: float = 0.0
    keyed: int = 0
    """How many clients there are besides who use idempotency keys, and send all again until it is done."""
    listener: Listener | None = None
    """Who reads the change feed meanwhile."""
    keys: Counter[str] = field(default_factory=Counter)
    """What clients with keys have counted."""
    paused: bool = False
    customers: dict[str, Known] = field(default_factory=dict)
    """Every customer whose creation was acknowledged and that nobody has asked to delete."""
    deleted: set[str] = field(default_factory=set)
    """Every customer whose deletion was acknowledged."""
    _ended: bool = False
    _idle: int = 0

    def working(self) -> AbstractContextManager[None]:
        """Let all work in a thread of their own until the end of the block."""
        return in_thread(self._run, "crowd", end=self._end, seconds=PATIENCE + 20)

    def _end(self) -> None:
        self._ended = True

    def rest(self) -> None:
        """Return when nobody waits for an answer, and let nobody begin anything."""
        self.paused = True
        deadline = time.monotonic() + PATIENCE + 5
        while self._idle < self.size + self.keyed + 1:
            assert time.monotonic() < deadline, "a client still waits"
            time.sleep(0.02)

    def resume(self) -> None:
        """Let all begin again."""
        self.paused = False

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            listening = None if self.listener is None else group.create_task(self.listener.run())
            if self.listener is not None:
                await self.listener.begun.wait()
            async with asyncio.TaskGroup() as workers:
                workers.create_task(self._pulse(workers))
                for number in range(self.size):
                    workers.create_task(self._client(number))
                for number in range(self.keyed):
                    workers.create_task(self._keyed(number))
            if listening is not None:
                listening.cancel()

    async def _client(self, number: int) -> None:
        connection = Connection(self.urls[number % len(self.urls)], self.key)
        client = Client(self, connection, random.Random(number))
        while not self._ended:
            await self._while_paused()
            await client.step()
            await asyncio.sleep(self.think)
        connection.close()

    async def _keyed(self, number: int) -> None:
        urls = [self.urls[(number + more) % len(self.urls)] for more in range(len(self.urls))]
        connections = [Connection(url, self.key) for url in urls]
        client = KeyedClient(connections, self.ledger, random.Random(-number), self.keys)
        while not self._ended:
            await self._while_paused()
            await client.step()
            await asyncio.sleep(self.think)
        for connection in connections:
            connection.close()

    async def _while_paused(self) -> None:
        if self.paused:
            self._idle += 1
            while self._waits():  # noqa: ASYNC110 - told from another thread
                await asyncio.sleep(0.02)
            self._idle -= 1

    def _waits(self) -> bool:
        return self.paused and not self._ended

    async def _pulse(self, group: asyncio.TaskGroup) -> None:
        """Begin a create every moment, whether or not those before it are answered: who sees recovery first."""
        out: set[asyncio.Task[None]] = set()
        spare: list[Connection] = []

        async def beat() -> None:
            connection = spare.pop() if spare else Connection(random.choice(self.urls), self.key)
            await Client(self, connection, random.Random(), pulse=True).create()
            spare.append(connection)

        while not self._ended:
            if self.paused and not out:
                await self._while_paused()
            elif not self.paused and len(out) < 100:
                task = group.create_task(beat())
                out.add(task)
                task.add_done_callback(out.discard)
            await asyncio.sleep(_PULSE)
        if out:
            await asyncio.wait(out)
        for connection in spare:
            connection.close()


@dataclass
class Client:
    """One client with one customer at a time."""

    crowd: Crowd
    connection: Connection
    chance: random.Random
    pulse: bool = False
    known: Known | None = None

    async def step(self) -> None:
        """Do one thing: mostly write, now and then read."""
        if self.known is None:
            await self.create()
            return
        draw = self.chance.random()
        if draw < 0.15:
            await self.read()
        elif self.known.writes > _LIFE:
            if draw < 0.6:
                await self.delete()
            else:
                self.known = None  # stays, to be found at the end
        elif draw < 0.5:
            await self.update()
        else:
            await self.add()

    async def create(self) -> None:
        """Create a customer, at either door."""
        write = self.crowd.ledger.begin("create")
        body = factories.customer(lastName=write.mark, email=f"{write.mark}@example.org")
        if self.chance.random() < 0.3:
            variables = {"input": for_graphql(body)}
            answer = await self._ask(write, "POST", "/graphql", {"query": _CREATE, "variables": variables})
        else:
            answer = await self._ask(write, "POST", CUSTOMERS, body)
        if write.told != "acknowledged":
            return
        made = answer.body["data"]["createCustomer"] if "data" in answer.body else answer.body
        self.known = Known(made["id"], answer.headers.get("etag", ""), {write.mark})
        if self.crowd.listener is not None:
            self.crowd.listener.acknowledged[made["id"], 1] = (time.monotonic(), write.fault)
        self.crowd.customers[made["id"]] = self.known

    async def update(self) -> None:
        """Change the last name, where the customer still is as it is known."""
        assert self.known is not None
        if not self.known.etag:
            await self.read()
            return
        write = self.crowd.ledger.begin("update")
        path, body = f"{CUSTOMERS}/{self.known.id}", {"lastName": write.mark}
        answer = await self._ask(write, "PATCH", path, body, **{"If-Match": self.known.etag})
        names = {mark for mark in self.known.certain if self.crowd.ledger.writes[mark].kind != "add"}
        if write.told == "acknowledged":
            self.known.certain = self.known.certain - names | {write.mark}
        elif write.told == "unknown":
            self.known.certain -= names  # one of several now, and nobody knows which
        self._after(write, answer)

    async def add(self) -> None:
        """Add a phone number, which a repetition would add twice, at either door."""
        assert self.known is not None
        write = self.crowd.ledger.begin("add")
        number = factories.phone_number(number=write.mark[1:])
        if self.chance.random() < 0.3:
            variables = {"id": self.known.id, "input": {**number, "type": number["type"].upper()}}
            answer = await self._ask(write, "POST", "/graphql", {"query": _ADD, "variables": variables})
        else:
            answer = await self._ask(write, "POST", f"{CUSTOMERS}/{self.known.id}/phone-numbers", number)
        if write.told == "acknowledged":
            self.known.certain.add(write.mark)
        self._after(write, answer)

    async def delete(self) -> None:
        """Delete the customer."""
        assert self.known is not None
        write = self.crowd.ledger.begin("delete", self.known.id)
        self.crowd.customers.pop(self.known.id, None)
        await self._ask(write, "DELETE", f"{CUSTOMERS}/{self.known.id}")
        if write.told == "acknowledged":
            self.crowd.deleted.add(self.known.id)
            self.known = None
        else:
            await self.read()  # tells whether it is still there, and may be deleted again

    async def read(self) -> None:
        """Read the customer, which must bear all that is known for certain."""
        assert self.known is not None
        ledger, began = self.crowd.ledger, time.monotonic()
        answer = await self.connection.ask("GET", f"{CUSTOMERS}/{self.known.id}")
        ledger.waited(began)
        if answer.status == 200:
            ledger.reads[ledger.fault] += 1
            self._compare(answer)
        elif answer.status == 410 and self.known.id not in self.crowd.customers:
            self.known = None
        else:
            ledger.reads_failed[ledger.fault] += 1
            ledger.failed_at.append((began, time.monotonic()))
            self._check_failure("read", answer)
            await asyncio.sleep(_PAUSE)

    def _compare(self, answer: Answer) -> None:
        assert self.known is not None
        self.known.etag = answer.headers["etag"]
        numbers = {f"T{phone['number']}" for phone in answer.body["phoneNumbers"]}
        missing = self.known.certain - numbers - {answer.body["lastName"]}
        if missing:
            self.crowd.ledger.improper.append(f"{self.crowd.ledger.fault}: a read without {sorted(missing)}")

    async def _ask(self, write: Write, method: str, path: str, body: Any = None, **more: str) -> Answer:
        ledger, began = self.crowd.ledger, time.monotonic()
        leaves = self.chance.random() < self.crowd.leaving and not self.pulse
        leave = self.chance.random() * 0.02 if leaves else None
        answer = await self.connection.ask(method, path, body, leave, **more)
        ended = time.monotonic()
        write.status, write.seconds, write.fault = answer.status, ended - began, ledger.fault
        problem = answer.problem
        if 200 <= answer.status < 300 and not problem:
            write.told = "acknowledged"
            if self.pulse:
                ledger.acknowledged_at.append((began, ended))
        elif answer.status:
            write.told = problem.get("outcome", "unknown" if answer.status >= 500 else "none")
        if write.told != "acknowledged" and not leaves:
            ledger.failed_at.append((began, ended))
            self._check_failure(write.kind, answer)
            await asyncio.sleep(_PAUSE)
        return answer

    def _check_failure(self, kind: str, answer: Answer) -> None:
        """See that what a failing answer says is what a client needs: RFC 9457, when to come again, the outcome."""
        ledger, problem = self.crowd.ledger, answer.problem
        status = problem.get("status", answer.status)
        if answer.status == 0:
            ledger.unanswered[ledger.fault] += 1
            return
        said = f"{ledger.fault}: {kind} answered {answer.status} {answer.headers} {answer.body}"
        ledger.internal_errors[ledger.fault] += status == 500
        if status == 503:
            outcomes = {"none"} if kind == "read" else {"none", "unknown"}
            if "retry-after" not in answer.headers or problem.get("outcome") not in outcomes:
                ledger.improper.append(said)
        elif not (status == 412 and kind == "update") and not (status == 404 and kind == "delete"):
            ledger.improper.append(said)

    def _after(self, write: Write, answer: Answer) -> None:
        assert self.known is not None
        self.known.writes += 1
        self.known.etag = answer.headers.get("etag", "") if write.told == "acknowledged" else ""
