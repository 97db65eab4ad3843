"""One virtual client: its connections to all gateways, and what it makes of their answers."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from tests.faults.wire import Answer, Connection
from tests.soak.model import Attempt, Model
from tests.soak.people import People
from tests.soak.states import Record

Outcome = Literal["done", "refused", "none", "unknown"]
WHOLE: Final = """id version etag createdAt updatedAt firstName middleName lastName email
  addresses { id type street1 street2 city state postalCode country }
  phoneNumbers { id type countryCode number extension } notificationPreferences { email sms push mail }"""
LOSSY: Final = ("workers killed", "clients gone")
"""Faults under which a request may stay without an answer; under all others the gateway owes one."""
_TRIES: Final = 100
_PAUSE: Final = 0.1


class Reply(NamedTuple):
    """An answer, what it says was done, the request's id, and the moments between which it was asked."""

    answer: Answer
    outcome: Outcome
    request: str
    began: float
    ended: float

    @property
    def status(self) -> int:
        """The status, of the problem where there is one."""
        return int(self.answer.problem.get("status", self.answer.status))

    @property
    def etag(self) -> str | None:
        """The ETag of REST."""
        return self.answer.headers.get("etag")

    def data(self, name: str) -> Any:
        """Return one field of an answer of GraphQL."""
        return self.answer.body["data"][name]


@dataclass
class Tally:
    """What all clients together have counted."""

    done: Counter[str] = field(default_factory=Counter)
    """Works of each kind that were done."""
    outcomes: Counter[str] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    replays: int = 0


@dataclass
class Client:
    """One client, who alone changes the customers it made; `leaving` is the share of answers that it does not await."""

    number: int
    urls: Sequence[str]
    key: str
    model: Model
    people: People
    chance: random.Random
    tally: Tally
    down: AbstractSet[str]
    """The addresses of gateways that are starting: as a proxy does, nobody is sent to them before they are ready."""
    leaving: float = 0.0
    _connections: dict[str, Connection] = field(default_factory=dict)
    _requests: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self._connections = {url: Connection(url, self.key) for url in self.urls}

    def next_request(self) -> str:
        """Return the id of a request that is about to be sent."""
        return f"soak-{self.people.mark}-{next(self._requests)}"

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        heads: Mapping[str, str] | None = None,
        request: str = "",
        may_leave: bool = True,
    ) -> Reply:
        """Send a request; to another gateway where nobody listens, for nothing was sent then."""
        request = request or self.next_request()
        leave = self.chance.random() * 0.03 if may_leave and self.chance.random() < self.leaving else None
        fault, began = self.model.fault, self.model.clock()
        answer = Answer(0, {}, None, sent=False)
        for _ in range(_TRIES):
            connection = self._connections[self.chance.choice([url for url in self.urls if url not in self.down])]
            answer = await connection.ask(method, path, body, leave, **{"X-Request-Id": request, **(heads or {})})
            if answer.sent:
                break
            await asyncio.sleep(_PAUSE)
        outcome = self._outcome(answer, request, left=leave is not None, faults=(fault, self.model.fault))
        self.tally.outcomes[outcome] += 1
        if outcome in {"none", "unknown"}:
            await asyncio.sleep(_PAUSE)
        return Reply(answer, outcome, request, began, self.model.clock())

    async def graphql(self, document: str, variables: dict[str, Any] | None = None, **more: Any) -> Reply:
        """Send a document to GraphQL."""
        return await self.ask("POST", "/graphql", {"query": document, "variables": variables or {}}, **more)

    def _outcome(self, answer: Answer, request: str, *, left: bool, faults: tuple[str, str]) -> Outcome:
        problem = answer.problem
        status = problem.get("status", answer.status)
        if not answer.status:
            if not left and not set(faults) & set(LOSSY):
                self.model.accuse(request, f"no answer: {answer.why if answer.sent else 'nobody listens'}")
            return "unknown" if answer.sent else "none"
        if answer.headers.get("x-request-id") != request:
            self.model.accuse(request, f"answered as {answer.headers.get('x-request-id')}")
        graphql = isinstance(answer.body, dict) and "data" in answer.body
        if status < 400 and not (graphql and answer.body.get("errors")):
            return "done"
        if status == 503 and problem.get("outcome") in {"none", "unknown"} and "retry-after" in answer.headers:
            outcome: Outcome = problem["outcome"]
            return outcome
        if status >= 500 or not problem:
            self.model.accuse(request, f"answered {answer.status} {answer.body}")
            return "unknown"
        self.tally.refused[status] += 1
        return "refused"

    def note(self, reply: Reply, attempts: Sequence[Attempt], *, together: bool = False) -> bool:
        """Tell the model what became of changes, of which no answer is read; tell whether they were made."""
        if reply.outcome == "done":
            self.model.done(attempts)
        elif reply.outcome == "unknown":
            self.model.unknown(attempts, together=together)
        else:
            self.model.refused(attempts)
            if reply.outcome == "refused":
                self.unexpected(reply)
        return reply.outcome == "done"

    def unexpected(self, reply: Reply) -> None:
        """Say that something was refused which should have been done."""
        self.model.accuse(reply.request, f"refused: {reply.answer.status} {reply.answer.body}")

    def some(self) -> Record | None:
        """Return one of its customers, of whom everything is certain."""
        mine = self.model.alive(self.number)
        return self.chance.choice(mine) if mine else None

    def several(self, many: int) -> list[Record]:
        """Return some of its customers."""
        mine = self.model.alive(self.number)
        return self.chance.sample(mine, min(many, len(mine)))

    def close(self) -> None:
        """End its connections."""
        for connection in self._connections.values():
            connection.close()
