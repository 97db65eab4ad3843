"""Requests of each kind, made by chance from a seed: nearly good ones, and some that are good."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from urllib.parse import quote

from tests.corpus import FILTERS, PARAMETERS, SIMPLE, quoted
from tests.fuzz import mutations
from tests.fuzz.heads import wild
from tests.fuzz.seeds import Seed, graphql_seeds, rest_seeds

PLAIN: Final = "application/json"
CUSTOMERS: Final = "/api/v1/customers"
_FILTER_WORDS: Final = (
    "eq", "ne", "gt", "le", "in", "and", "or", "not", "(", ")", "any", "all", "contains", "startswith", "a:", "/",
    "null", "true", "firstName", "addresses", "phone", "createdAt", "'x'", "2026-01-01", "2026-01-01T00:00:00Z", "1.5",
    "notificationPreferences/sms", "''''", "9" * 400, "not " * 19, "(" * 21, "duration'P1D'", "guid'0'",
)  # fmt: skip
_GRAPHQL_WORDS: Final = (
    "{", "}", "(", ")", "$", "!", ":", "...", "on", "fragment f on Customer { id }", "@skip(if: true)", "query", "null",
    "mutation", "customers", "nodes", "id", "first: 1", "first: -1", '"""', '"\\ud800"', "__typename", "__schema",
    "9" * 400, "{a" * 30, "#", "\ufeff", "alias: id", "[ID!]!", "subscription", "1e999", "totalCount", "[[[[",
    '"\\u0000"',
)  # fmt: skip
_HEADERS: Final = {
    "If-Match": ("*", '"1-abc"', 'W/"x"', '"a", "b"', '"', ","),
    "If-None-Match": ("*", '"1-abc"', 'W/"x"'),
    "Idempotency-Key": ("a", '"key"', "k" * 255, "{}"),
    "Prefer": ("return=minimal", "handling=strict", 'return="minimal"; a=b', "wait=1,,"),
    "Accept": (PLAIN, "application/json;profile=enveloped", "*/*;q=0", "text/html", "application/json;q=2", "a/b;c"),
    "Content-Type": (PLAIN, "text/plain", "application/json; charset=utf-16", "application/json-patch+json", "a"),
    "X-Request-Id": ("abc", "a" * 129),
    "Request-Id": ("abc",),
    "Origin": ("null", "https://elsewhere.example", "http://127.0.0.1"),
    "Accept-Encoding": ("gzip", "br;q=1, *;q=0"),
    "Content-Encoding": ("gzip", "identity"),
    "X-Forwarded-For": ("1.2.3.4", "::1, x"),
    "X-HTTP-Method-Override": ("DELETE",),
    "Cookie": ("a=b",),
    "Range": ("bytes=0-1",),
    "traceparent": ("00-" + "1" * 32 + "-" + "2" * 16 + "-01", "00-0"),
}
_METHODS: Final = ("GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


@dataclass(frozen=True)
class World:
    """What is known of the gateway that is asked: who may ask, and what there is."""

    key: str
    client: str
    token: str
    etag: str
    people: tuple[Mapping[str, str], ...]
    """For each of some customers the ids of it and of its parts, by those of the examples."""
    cursors: tuple[str, ...]


@dataclass(frozen=True)
class Sent:
    """One request; `raw` are its bytes, where no head is made for it because it is no HTTP."""

    kind: str
    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    raw: bytes = b""

    def octets(self) -> bytes:
        """Return the request as it goes over the wire."""
        if self.raw:
            return self.raw
        sized = {"Content-Length": str(len(self.body))} if self.body or self.method in {"POST", "PUT", "PATCH"} else {}
        lines = [f"{name}: {value}" for name, value in {"Host": "127.0.0.1", **self.headers, **sized}.items()]
        return "\r\n".join([f"{self.method} {self.target} HTTP/1.1", *lines, "", ""]).encode("utf-8") + self.body


def requests(world: World, seed: int) -> Iterator[Sent]:
    """Give requests without end; the same for the same seed."""
    random = Random(seed)
    while True:
        yield random.choices(_KINDS, _SHARES)[0](random, world)


def documents(key: str, texts: Iterable[str]) -> Iterator[Sent]:
    """Give the request of each document of GraphQL."""
    for text in texts:
        body = json.dumps({"query": text}).encode()
        yield Sent("documents", "POST", "/graphql", {"X-API-Key": key, "Content-Type": PLAIN}, body)


def _line(given: str) -> str:
    """Return a text that can stand in a line of a head."""
    return re.sub(r"[\r\n\x00]", "", given).encode("utf-8", "replace").decode()


def _target(path: str, query: list[tuple[str, str]]) -> str:
    pairs = (f"{_quoted(name)}={_quoted(given)}" for name, given in query)
    return f"{path}?{'&'.join(pairs)}"[:6000] if query else path


def _quoted(given: str) -> str:
    """Encode a text; what stands for a wrong one becomes a byte that is no UTF-8."""
    return quote(given.encode("utf-8", "replace"), safe="").replace(quote(mutations.WRONG), "%FF")


def _real(random: Random, world: World, given: str) -> str:
    for example, real in random.choice(world.people).items():
        given = given.replace(example, real)
    return given


def _some(random: Random, seed: Seed) -> list[tuple[str, str]]:
    """Return up to three of the parameters that a request may have."""
    return random.sample(seed.query, min(len(seed.query), random.choice((0, 1, 1, 2, 3))))


def _tamed(path: str, query: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return a query that makes no webhook, which would be sent elsewhere, and no long work."""
    return [*query, ("dryRun", "true")] if "/webhooks" in path or ":import" in path else query


def _uri(random: Random, world: World) -> Sent:
    seed = random.choice(rest_seeds())
    query = [(name, _odd(random, given)) for name, given in _some(random, seed)]
    if random.random() < 0.3:
        query.append((random.choice((*PARAMETERS, mutations.text(random, "filter"))), random.choice(mutations.ODD)))
    path = _real(random, world, seed.path) if random.random() < 0.5 else seed.path
    if random.random() < 0.5:
        path = _path(random, path)
    method = seed.method if random.random() < 0.5 and not seed.body else random.choice(_METHODS)
    return Sent("addresses", method, _target(path, query), {"X-API-Key": world.key})


def _odd(random: Random, given: str) -> str:
    """Return an odd text, or a good one with accidents."""
    return random.choice(mutations.ODD) if random.random() < 0.4 else mutations.text(random, given)


def _path(random: Random, path: str) -> str:
    """Return a path of which one part is odd, mostly the last."""
    parts = path[1:].split("/")
    place = -1 if random.random() < 0.7 else random.randrange(len(parts))
    parts[place] = quote(_odd(random, parts[place]).encode("utf-8", "replace"), safe="%;:.~@!$&'()*+,=/")
    return "/" + "/".join(parts)


def _json(random: Random, world: World) -> Sent:
    seed = random.choice([one for one in rest_seeds() if one.media and "graphql" not in one.path])
    query = _tamed(seed.path, _some(random, seed))
    match = random.choice(("*", "*", world.etag, '"x"'))
    headers = {"X-API-Key": world.key, "Content-Type": seed.media, "If-Match": match}
    body = mutations.body(random, _fresh(random, seed.body))
    sent = _real(random, world, body.decode("latin-1")).encode("latin-1")
    return Sent("bodies", seed.method, _target(_real(random, world, seed.path), query), headers, sent)


def _fresh(random: Random, body: Any) -> Any:
    """Return a customer with an e-mail address that is mostly free."""
    if isinstance(body, dict) and "email" in body:
        return {**body, "email": f"person{random.randrange(10**9)}@example.com"}
    return body


def _filter(random: Random, world: World) -> Sent:
    pattern = random.choice([*FILTERS, *(given for name, given in SIMPLE if name == "filter")])
    words = pattern.replace("{}", quoted(random.choice(mutations.ODD)))
    text = mutations.words(random, words, _FILTER_WORDS)
    if random.random() < 0.5:
        return Sent("filters", "GET", _target(CUSTOMERS, [("filter", text)]), {"X-API-Key": world.key})
    headers = {"X-API-Key": world.key, "Content-Type": PLAIN}
    body = json.dumps({"filter": text, "size": 3}).encode()
    return Sent("filters", "POST", f"{CUSTOMERS}:search", headers, body)


def _graphql(random: Random, world: World) -> Sent:
    query, variables = random.choice(graphql_seeds())
    if random.random() < 0.7:
        query = mutations.words(random, query, _GRAPHQL_WORDS)
    else:
        variables = mutations.value(random, variables)
    asked: Any = {"query": query, "variables": variables}
    if random.random() < 0.1:
        asked = mutations.value(random, {**asked, "operationName": "Q", "extensions": {}})
    if "http" in str(variables):  # a webhook
        asked = {**asked, "query": "{ viewer { name } }"} if isinstance(asked, dict) else asked
    headers = {"X-API-Key": world.key, "Content-Type": PLAIN}
    if random.random() < 0.8:
        headers["Accept"] = random.choice((PLAIN, "application/graphql-response+json"))
    if random.random() < 0.1:
        return Sent("GraphQL", "GET", _target("/graphql", [("query", query)]), {"X-API-Key": world.key})
    body = _real(random, world, json.dumps(asked)).encode()
    return Sent("GraphQL", "POST", "/graphql", headers, body)


def _cursor(random: Random, world: World) -> Sent:
    cursor = mutations.text(random, random.choice(world.cursors))
    key = {"X-API-Key": world.key}
    match random.randrange(4):
        case 0:
            body = json.dumps({"query": "query($a: String) { customers(after: $a) { totalCount } }",
                                         "variables": {"a": cursor}}).encode()  # fmt: skip
            return Sent("cursors", "POST", "/graphql", {**key, "Content-Type": PLAIN}, body)
        case 1:
            return Sent("cursors", "HEAD", "/api/v1/customer-events", {**key, "Last-Event-ID": _line(cursor)})
        case 2:
            sort = random.choice(("lastName", "-createdAt", "email:desc", "id"))
            return Sent("cursors", "GET", _target(CUSTOMERS, [("cursor", cursor), ("sort_by", sort)]), key)
        case _:
            return Sent("cursors", "GET", _target(CUSTOMERS, [("cursor", cursor), ("size", "2")]), key)


def _credentials(random: Random, world: World) -> Sent:
    path = random.choice((f"{CUSTOMERS}?size=1", "/api/v1/viewer", "/graphql?query={viewer{name}}", "/metrics"))
    token = random.choice((world.token, "a.b.c", ".." , "e30.e30."))  # fmt: skip
    if random.random() < 0.7:
        token = mutations.text(random, token)
    basic = base64.b64encode(mutations.octets(random, world.client.encode())).decode()
    headers = random.choice((
        {"Authorization": f"Bearer {token}"}, {"Authorization": f"Basic {basic}"},
        {"Authorization": mutations.text(random, f"Bearer {token}")}, {"X-API-Key": mutations.text(random, world.key)},
        {"X-API-Key": world.key, "Authorization": f"Bearer {token}"}, {"Authorization": f"Basic {token}"},
    ))  # fmt: skip
    if random.random() < 0.15:
        form = mutations.text(random, "grant_type=client_credentials&scope=customers:read").encode("utf-8", "replace")
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return Sent("credentials", "POST", "/oauth/token", {**kind, "Authorization": f"Basic {basic}"}, form)
    lines = {name: _line(given) for name, given in headers.items()}
    return Sent("credentials", "GET", path, lines)


def _headers(random: Random, world: World) -> Sent:
    seed = random.choice([one for one in rest_seeds() if "/webhooks" not in one.path and ":" not in one.path])
    headers = {"X-API-Key": world.key}
    for name in random.sample(list(_HEADERS), random.choice((1, 1, 2, 4))):
        given = random.choice((*_HEADERS[name], world.etag))
        headers[name] = _line(given if random.random() < 0.5 else mutations.text(random, given))
    body = b"" if seed.body is None else json.dumps(_fresh(random, seed.body)).encode()
    if body:
        headers.setdefault("Content-Type", seed.media)
    return Sent("headers", seed.method, _real(random, world, seed.path), headers, body)


def _wild(random: Random, world: World) -> Sent:
    return Sent("HTTP", "", "", raw=wild(random, world.key))


_SHARED: Final[Mapping[Callable[[Random, World], Sent], int]] = {
    _uri: 18, _json: 22, _filter: 14, _graphql: 20, _cursor: 7, _credentials: 8, _headers: 9, _wild: 2,
}  # fmt: skip
_KINDS: Final = list(_SHARED)
_SHARES: Final = list(_SHARED.values())
