"""Counting what happens, while it happens: a dictionary and a few additions for each request.

`prometheus_client` would take a lock, and look labels up, at each count. Here numbers only grow in plain objects, which
belong to one event loop; `app.observe.counts` reads them when somebody asks, and the client writes them down then.

How many rows there can be is bounded: by what the code names (templates, root fields of the schema, methods that HTTP
knows, statuses), and by `MOST` whatever happens. Nothing that a client writes becomes a label; ids of callers do, of
those alone who use what is deprecated, and of so many as `MOST_USES`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from starlette.datastructures import Headers
from starlette.types import Scope

from app.webhooks.counts import WebhookCounts
from resolvers.problem import ProblemType
from storage.timing import StoreTime

StreamKind = Literal["sse", "graphql-sse", "websocket"]
"""How a stream of events goes out."""
STREAMS: Final[tuple[StreamKind, ...]] = ("sse", "graphql-sse", "websocket")
Door = Literal["rest", "graphql", "other"]
"""By which way a request came; `other` are pages, health, tokens and what leads nowhere."""

BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds up to which the buckets of durations go, each included; one more bucket has what took longer."""
MOST: Final = 2000
"""How many rows of requests there are at most; what would be one more is counted as `OTHERS`."""
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CREDENTIALS: Final = ("api-key", "basic", "bearer", "client", "other")
"""Kinds of credentials that may not be good; `client` are those of the token endpoint."""
GRAPHQL_OPERATION: Final = "graphql_operation"
"""Where a scope holds the label of the GraphQL operation that it asks for, once that is known."""
OTHERS: Final = "(others)"
NO_ROUTE: Final = "(no route)"
NOBODY: Final = "(nobody)"
MOST_USES: Final = 1000
"""How many pairs of a deprecation and a caller are told apart; the callers of what would be more are `OTHERS`."""
_WORST: Final = "worst_problem"
"""Where a scope holds the highest status of the problems that its answer tells of: GraphQL may tell them with 200."""
_REST: Final = ("/api/", "/customers")
_GRAPHQL: Final = "/graphql"
_TOKEN: Final = "/oauth/token"
_SCHEMES: Final = {"basic": "basic", "bearer": "bearer"}


class Labels(NamedTuple):
    """What requests are told apart by."""

    door: Door
    operation: str
    method: str
    status: str
    outcome: str


@dataclass(slots=True, eq=False)
class Work:
    """What the requests of one operation, by one method, took; seconds, and bytes of answers' bodies."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0
    store_seconds: float = 0.0
    store_calls: int = 0
    sent: int = 0


@dataclass(slots=True, eq=False)
class Row:
    """How many requests ended alike, and the work that they are a part of."""

    work: Work
    count: int = 0


@dataclass(slots=True, eq=False)
class Metrics:
    """What one process has counted since it began."""

    in_flight: int = 0
    idle: int = 0
    """How many of those wait for their client, or only watch the gateway, and so are no work meanwhile."""
    overloads: int = 0
    rows: dict[Labels, Row] = field(default_factory=dict)
    works: dict[tuple[Door, str, str], Work] = field(default_factory=dict)
    problems: Counter[tuple[Door, str]] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    bad_credentials: Counter[str] = field(default_factory=Counter)
    uses: Counter[tuple[str, str]] = field(default_factory=Counter)
    streams: Counter[str] = field(default_factory=Counter)
    webhooks: WebhookCounts = field(default_factory=WebhookCounts)
    _known: dict[tuple[str | None, str, int, int | None], Row] = field(default_factory=dict)

    def request(self, scope: Scope, status: int, seconds: float, store: StoreTime, sent: int) -> None:
        """Count a request that has ended, for which `in_flight` was raised; `sent` are the bytes of its answer's body.

        A status of 0 is that of a request without an answer.
        """
        self.in_flight -= 1
        key = (
            scope.get(GRAPHQL_OPERATION) or scope.get("route_template"),
            scope["method"],
            status,
            scope.get(_WORST),
        )
        row = self._known.get(key)
        if row is None:
            row = self._row(*key)
        row.count += 1
        work = row.work
        work.buckets[bisect_left(BOUNDS, seconds)] += 1
        work.seconds += seconds
        work.store_seconds += store.seconds
        work.store_calls += store.calls
        work.sent += sent

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let the request at hand be no work inside: it waits for its client, or only looks at the gateway."""
        self.idle += 1
        try:
            yield
        finally:
            self.idle -= 1

    def problem(self, scope: Scope, kind: ProblemType) -> None:
        """Count a problem that an answer tells of."""
        scope[_WORST] = max(scope.get(_WORST, 0), kind.status)
        self.problems[door_of(scope.get("route_template")), kind.slug] += 1

    def refused(self, policy: str) -> None:
        """Count a refusal by a limit; `policy` is its name in the RateLimit headers."""
        self.refusals[policy] += 1

    @contextmanager
    def stream(self, kind: StreamKind) -> Iterator[None]:
        """Count a stream of events as open, inside the block."""
        self.streams[kind] += 1
        try:
            yield
        finally:
            self.streams[kind] -= 1

    def used(self, name: str, caller: str | None) -> None:
        """Count a request that names something deprecated, by its name in the registry and by the caller's id."""
        key = (name, NOBODY if caller is None else caller)
        full = len(self.uses) >= MOST_USES and key not in self.uses
        self.uses[(name, OTHERS) if full else key] += 1

    def failed(self, scope: Scope) -> None:
        """Count credentials that were not good, by their kind."""
        self.bad_credentials[_kind(scope)] += 1

    def _row(self, name: str | None, method: str, status: int, worst: int | None) -> Row:
        """Return the row of a request whose like was not seen before; it is found at once from then on."""
        known = method in METHODS
        labels = Labels(
            door_of(name), name or NO_ROUTE, method if known else "other", str(status), _outcome(status, worst or 0)
        )
        if labels not in self.rows and len(self.rows) >= MOST:
            labels = labels._replace(operation=OTHERS, method="other")
        row = self.rows.get(labels)
        if row is None:
            row = self.rows[labels] = Row(self.works.setdefault(labels[:3], Work()))
        if known and len(self._known) < MOST:
            self._known[name, method, status, worst] = row
        return row


def door_of(name: str | None) -> Door:
    """Return the door of a route's template, or of the name of a GraphQL operation."""
    if name is None:
        return "other"
    if not name.startswith("/") or name == _GRAPHQL:
        return "graphql"
    return "rest" if name.startswith(_REST) else "other"


def _outcome(status: int, worst: int) -> str:
    """Return how a request ended: by the worst problem told, as GraphQL answers 200 where a field has failed."""
    if status == 0:
        return "unanswered"
    decisive = max(status, worst)
    if decisive < 400:
        return "success"
    return "client_error" if decisive < 500 else "server_error"


def _kind(scope: Scope) -> str:
    if scope.get("route_template") == _TOKEN:
        return "client"
    headers = Headers(scope=scope)
    if "x-api-key" in headers:
        return "api-key"
    return _SCHEMES.get(headers.get("authorization", "").partition(" ")[0].lower(), "other")
