"""Writers and readers at both doors, who note what they are told and believe nothing else."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from tests import factories
from tests.faults.ledger import Ledger, Write

CUSTOMERS: Final = "/api/v1/customers"
PATIENCE: Final = 20.0
"""Seconds after which a client gives up; far beyond any time that the gateway allows itself."""
_PAUSE: Final = 0.1
"""Seconds that a client waits after a failure, instead of what `Retry-After` asks for: so recovery is seen sooner."""
_IDLE: Final = 5.0
"""Seconds after which a connection is not used again: the gateway ends those that are idle for long."""
_PULSE: Final = 0.1
_LIFE: Final = 12
_CREATE: Final = "mutation($input: CreateCustomerInput!) { createCustomer(input: $input) { id } }"
_ADD: Final = """mutation($id: ID!, $input: PhoneNumberInput!) {
  addPhoneNumber(customerId: $id, input: $input) { id }
}"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0 where the connection ended before anything did."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def problem(self) -> dict[str, Any]:
        """The problem that either door tells; empty where it tells none."""
        body = self.body if isinstance(self.body, dict) else {}
        if body.get("errors") and "extensions" in body["errors"][0]:
            return dict(body["errors"][0]["extensions"])
        return body if "code" in body and "status" in body else {}


class Connection:
    """A keep-alive connection of one client, made anew when it has ended."""

    def __init__(self, url: str, key: str) -> None:
        address = urlsplit(url)
        self._host, self._port, self._key = str(address.hostname), int(address.port or 80), key
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._used = 0.0

    async def ask(self, method: str, path: str, body: Any = None, leave: float | None = None, **more: str) -> Answer:
        """Send a request and return its answer; with `leave` go away after so many seconds."""
        try:
            async with asyncio.timeout(PATIENCE if leave is None else leave):
                return await self._exchange(method, path, body, more)
        except (OSError, EOFError, TimeoutError):
            self.close()
            return Answer(0, {}, None)

    async def _exchange(self, method: str, path: str, body: Any, more: dict[str, str]) -> Answer:
        if time.monotonic() - self._used > _IDLE:
            self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        content = b"" if body is None else json.dumps(body).encode()
        fixed = {"Host": "gateway", "X-API-Key": self._key, "Content-Length": str(len(content))}
        if body is not None:
            fixed["Content-Type"] = "application/json"
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in {**fixed, **more}.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        status, *heads = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
        pairs = (line.partition(":") for line in heads)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        self._used = time.monotonic()
        if headers.get("connection") == "close":
            self.close()
        return Answer(int(status.split()[1]), headers, json.loads(raw) if raw else None)

    def close(self) -> None:
        """End the connection; the next request makes another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


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
    paused: bool = False
    customers: dict[str, Known] = field(default_factory=dict)
    """Every customer whose creation was acknowledged and that nobody has asked to delete."""
    deleted: set[str] = field(default_factory=set)
    """Every customer whose deletion was acknowledged."""
    _ended: bool = False
    _idle: int = 0

    @contextmanager
    def working(self) -> Iterator[None]:
        """Let all work in a thread of their own until the end of the block."""
        failures: list[BaseException] = []

        def run() -> None:
            try:
                asyncio.run(self._run())
            except BaseException as error:  # noqa: BLE001 - told to the thread that waits
                failures.append(error)

        thread = threading.Thread(target=run, name="crowd", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended = True
            thread.join(PATIENCE + 20)
        assert not thread.is_alive()
        if failures:
            raise failures[0]

    def rest(self) -> None:
        """Return when nobody waits for an answer, and let nobody begin anything."""
        self.paused = True
        deadline = time.monotonic() + PATIENCE + 5
        while self._idle < self.size + 1:
            assert time.monotonic() < deadline, "a client still waits"
            time.sleep(0.02)

    def resume(self) -> None:
        """Let all begin again."""
        self.paused = False

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pulse(group))
            for number in range(self.size):
                group.create_task(self._client(number))

    async def _client(self, number: int) -> None:
        connection = Connection(self.urls[number % len(self.urls)], self.key)
        client = Client(self, connection, random.Random(number))
        while not self._ended:
            await self._while_paused()
            await client.step()
            await asyncio.sleep(self.think)
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
            variables = {"input": _for_graphql(body)}
            answer = await self._ask(write, "POST", "/graphql", {"query": _CREATE, "variables": variables})
        else:
            answer = await self._ask(write, "POST", CUSTOMERS, body)
        if write.told != "acknowledged":
            return
        made = answer.body["data"]["createCustomer"] if "data" in answer.body else answer.body
        self.known = Known(made["id"], answer.headers.get("etag", ""), {write.mark})
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
        ledger.worst[ledger.fault] = max(ledger.worst[ledger.fault], time.monotonic() - began)
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


def _for_graphql(body: dict[str, Any]) -> dict[str, Any]:
    def upper(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**part, "type": part["type"].upper()} for part in parts]

    return {**body, "addresses": upper(body["addresses"]), "phoneNumbers": upper(body["phoneNumbers"])}
