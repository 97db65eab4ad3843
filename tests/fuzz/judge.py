"""What every answer must be, whatever was sent: no failure of ours, no word of what is inside, the promised form."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from resolvers.problems import PROBLEM_TYPES
from tests.fuzz.requests import CUSTOMERS, Sent
from tests.fuzz.wire import Answer
from tests.harness import check_customer

LEAKS: Final = re.compile(
    rb"Traceback|File \"/|site-packages|\.py\b|pymongo|bson|mongodb://|E11000|Mongo|starlette|strawberry|pydantic|"
    rb"tombstones|operation_chunks|signing_keys|webhook_deliveries"
)
_KINDS: Final = {kind.slug: kind for kind in PROBLEM_TYPES}
_MEMBERS: Final = {"type", "title", "status", "detail", "instance", "requestId", "code", "resource"}
_ENVELOPED: Final = {"httpStatus", "request_id", "code", "resource", "title", "message"}
_EXTENSIONS: Final = {"type", "title", "status", "code", "requestId"}
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,}")
_VERSION: Final = re.compile(r"\d+\.\d+\.\d+")
_STRONG: Final = re.compile(r'"[^"]+"')
_SINGLE: Final = re.compile(
    rf"{CUSTOMERS}(/[0-9a-f-]{{36}}(/(addresses|phone-numbers)(/[0-9a-f-]{{36}})?|/notification-preferences)?)?$"
)
_TOLD: Final = re.compile(r"openapi|/docs|/guide|/assets|/problems|/schemas|__schema|__type|/metrics|explain|^/$")
"""Where documents speak about themselves."""
_HANDSHAKE: Final = b"Failed to open a WebSocket connection: "
"""How the library for WebSocket itself refuses a handshake."""
_KEPT: Final = 50
_REMEMBERED: Final = 100_000
Json = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What was wrong with an answer."""

    kind: str
    reason: str
    sent: bytes
    answer: Answer


@dataclass
class Verdicts:
    """How many answers there were by kind and status, and what was wrong."""

    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    customers: int = 0
    told: int = 0
    _seen: set[int] = field(default_factory=set)

    def judge(self, sent: Sent, answer: Answer) -> None:
        """Count an answer and find what is wrong with it."""
        self.counts[sent.kind, answer.status] += 1
        wrong = list(reasons(sent, answer))
        if not wrong and answer.status in {200, 201} and CUSTOMERS in sent.target:
            wrong = self._customers(sent, answer)
        for reason in wrong if len(self.faults) < _KEPT else ():
            self.faults.append(Fault(sent.kind, reason, sent.octets(), answer))

    def _customers(self, sent: Sent, answer: Answer) -> list[str]:
        """Hold every full customer against the Customer JSON Schema, each form of it once."""
        if "fields" in sent.target or b"fields" in sent.body or "json;" not in answer.header("content-type"):
            return []
        try:
            for one in _full(json.loads(answer.body or b"null")):
                self._hold(one)
        except AssertionError as error:
            return [str(error)]
        return []

    def _hold(self, one: Json) -> None:
        known = hash(json.dumps(one))
        if known not in self._seen:
            check_customer(one)
            self.customers += 1
            self._seen.add(known)
        if len(self._seen) > _REMEMBERED:
            self._seen.clear()


def _full(body: Any) -> list[Json]:
    """Return the customers of an answer, in either representation."""
    if not isinstance(body, dict):
        return []
    listed: list[Any] = body.get("content") or body.get("customers") or [body.get("customer", body)]
    return [one for one in listed if isinstance(one, dict) and "firstName" in one]


def reasons(sent: Sent, answer: Answer) -> list[str]:
    """Return what is wrong with an answer."""
    found: list[str] = []
    try:
        found.extend(_reasons(sent, answer))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        found.append(f"not of the promised form: {error!r}")
    return found


def _reasons(sent: Sent, answer: Answer) -> Iterator[str]:
    if not answer.status:
        if not sent.raw:
            yield "no answer"
        return
    if answer.status >= 500:
        yield f"status {answer.status}"
    yield from _leaks(sent, answer)
    yield from _head(sent, answer)
    kind = answer.header("content-type")
    if "json" in kind and "ndjson" not in kind and answer.body and not answer.header("content-encoding"):
        body = json.loads(answer.body, parse_constant=_never)
        if answer.status >= 400:
            yield from _failure(answer, body)
        elif sent.target.startswith("/graphql"):
            yield from _graphql(answer, body)


def _never(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _leaks(sent: Sent, answer: Answer) -> Iterator[str]:
    """Tell what an answer says of what is inside, beyond what was said to it."""
    if _TOLD.search(sent.target + sent.body.decode("latin-1")):
        return
    for leak in set(LEAKS.findall(repr(answer.headers).encode() + answer.body)):
        if leak not in sent.octets():
            yield f"tells of {leak!r}"


def _head(sent: Sent, answer: Answer) -> Iterator[str]:
    """Tell what is missing in the head of an answer."""
    if answer.status == 101 or answer.body.startswith(_HANDSHAKE):
        return
    if len(answer.headers.get("x-request-id", ())) != 1:
        yield "not one X-Request-Id"
    if not _VERSION.fullmatch(answer.header("api-version")):
        yield "without the version"
    if answer.header("x-content-type-options") != "nosniff" or "server" in answer.headers:
        yield "without the headers of security"
    if answer.status == 401 and "www-authenticate" not in answer.headers:
        yield "401 without a challenge"
    if answer.status == 405 and "allow" not in answer.headers:
        yield "405 without Allow"
    path = sent.target.partition("?")[0]
    changed = sent.method in {"POST", "PUT", "PATCH"} and path != CUSTOMERS
    shown = sent.method in {"GET", "HEAD"} and path != CUSTOMERS
    single = (changed or shown) and answer.status in {200, 201} and _SINGLE.match(path)
    if single and "dry" not in sent.target and not _STRONG.fullmatch(answer.header("etag")):
        yield "without a strong ETag"


def _failure(answer: Answer, body: Any) -> Iterator[str]:
    """Tell what is wrong with the form of a failure."""
    media = answer.header("content-type").partition(";")[0]
    if media == "application/problem+json":
        yield from _problem(answer, body)
    elif "error" in body and "errors" not in body:
        return  # of OAuth
    elif body["errors"] and "extensions" in body["errors"][0]:
        yield from _graphql(answer, body)
    elif not all(set(one) >= _ENVELOPED and one["httpStatus"] == answer.status for one in body["errors"]):
        yield "errors without their members"


def _problem(answer: Answer, body: Json) -> Iterator[str]:
    kind = _KINDS[body["type"].rpartition("/problems/")[2]]
    told = (body["status"], body["title"], body["code"])
    if not set(body) >= _MEMBERS or told != (answer.status, kind.title, kind.code) or kind.status != answer.status:
        yield "a problem that is not as its kind"
    if not all(_NAME.fullmatch(name) for name in body):
        yield "extension members with odd names"
    if body["requestId"] != answer.header("x-request-id"):
        yield "another request id than in the head"
    if not all({"field", "pointer", "message"} <= set(fault) for fault in body.get("errors", ())):
        yield "faults without their members"


def _graphql(answer: Answer, body: Json) -> Iterator[str]:
    if not set(body) <= {"data", "errors", "extensions"} or not set(body) & {"data", "errors"}:
        yield "no answer of GraphQL"
    for error in body.get("errors", ()):
        told = error["extensions"]
        kind = _KINDS[told["type"].rpartition("/problems/")[2]]
        if kind.status >= 500:
            yield f"an error of GraphQL with status {kind.status}"
        if not set(told) >= _EXTENSIONS or (told["status"], told["code"]) != (kind.status, kind.code):
            yield "an error of GraphQL that is not as its kind"
        if told["requestId"] != answer.header("x-request-id"):
            yield "another request id than in the head"
