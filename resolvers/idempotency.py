"""Idempotency keys: a request that is repeated with its key has one effect and one outcome, through either door.

A key belongs to its caller, and stands for one operation with one payload. What is kept is what the operation found,
not how a door showed it: the customer as it was then, or the problem. Refused input leaves no trace, and what failed
in the gateway or its store is never repeated to anyone.
Source: The Idempotency-Key HTTP Header Field (IETF draft); RFC 9651 section 3.3.3 for the form of strings.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from typing import Any, Final, Generic, TypeVar

from resolvers import problems as p
from resolvers.context import Context, IdempotencyKey
from resolvers.problem import JsonValue, Problem, ProblemType
from storage.claims import Claim
from storage.documents import CustomerId
from storage.errors import ClaimLost, StoreError
from storage.ledger import Asked, Differs, Held, Kept, Running

ResultT = TypeVar("ResultT")
Outcome = Mapping[str, Any]
"""What is kept: `customer` as it was after the change, or `problem`, or what an operation of its own kind keeps."""

FINAL: Final = (p.CONFLICT, p.PATCH_CONFLICT, p.PRECONDITION_FAILED, p.NOT_FOUND, p.GONE)
"""The problems that are an outcome: they tell of the customers, not of the request or of the gateway."""

_STRING: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_BARE: Final = re.compile(r"[!#-~]+")
KEY_PATTERN: Final = rf"^(?:{_STRING.pattern}|{_BARE.pattern})$"
"""What is sent as a key, but for its length."""
_ESCAPED: Final = re.compile(r"\\(.)")
_LONGEST: Final = 255
_TYPES: Final = {kind.code: kind for kind in FINAL}


def idempotency_key(text: str) -> IdempotencyKey:
    """Return the key that a header or an argument holds: `abc` and `"abc"` are the same one.

    Raises:
        Problem: idempotency-key, where it is neither one string in quotes nor visible ASCII without quotes, of 1 to
            255 characters.
    """
    quoted = _STRING.fullmatch(text)
    key = _ESCAPED.sub(r"\1", quoted[1]) if quoted else text
    if not 1 <= len(key) <= _LONGEST or not (quoted or _BARE.fullmatch(key)):
        raise malformed(
            "An idempotency key has 1 to 255 visible ASCII characters; with blanks or quotes it is a string in quotes."
        )
    return IdempotencyKey(key)


def malformed(detail: str) -> Problem:
    """Return the problem for what is no key, or no single one."""
    return _problem(p.IDEMPOTENCY_KEY, detail)


@dataclass(frozen=True, slots=True)
class Keyed(Generic[ResultT]):
    """A request with a key: what it means, and how its result comes back from what was kept.

    `meaning` is the same for the same request through either door. `customer` is the one that is to change, where
    there is one already: the outcome is forgotten when that one is erased.
    """

    key: IdempotencyKey
    meaning: JsonValue
    replay: Callable[[Outcome], ResultT]
    customer: CustomerId | None = None


async def once(
    ctx: Context, operation: str, keyed: Keyed[ResultT], run: Callable[[Context], Awaitable[ResultT]]
) -> ResultT:
    """Return what `run` gives, or gave to an earlier request with the same key for the same operation.

    `run` writes by the claim of its context, once; it raises problems, and `ClaimLost`.

    Raises:
        Problem: idempotency-in-progress, idempotency-key-reused, gone where the customer has been erased since,
            and those of `run`, new or replayed.
    """
    async with ctx.store.ledger.session() as session:
        while True:
            began = time.monotonic()
            found = await ctx.store.ledger.claim(_asked(ctx, operation, keyed), ctx.now(), session)
            if not isinstance(found, Held):
                return _replayed(ctx, keyed, found)
            ctx.claim = Claim(ctx.store.ledger, ctx.store.customers, found, began)
            try:
                return await _run(ctx, keyed, ctx.claim, run)
            except ClaimLost:
                ctx.created = ""  # the lease had ended, and a retry has the key now: look what became of it
            finally:
                ctx.claim = None


async def _run(
    ctx: Context, keyed: Keyed[ResultT], claim: Claim, run: Callable[[Context], Awaitable[ResultT]]
) -> ResultT:
    try:
        return await run(ctx)
    except Problem as problem:
        if problem.type in FINAL:
            await claim.refuse({"problem": _kept(problem)}, keyed.customer)
        elif problem.extra.get("outcome") != "unknown":
            await claim.release()
        raise
    except ClaimLost:
        raise
    except Exception:
        with suppress(StoreError):
            await claim.release()  # what was written before it failed is an outcome, and stays
        raise


def _asked(ctx: Context, operation: str, keyed: Keyed[ResultT]) -> Asked:
    caller = ctx.caller.id if ctx.caller else ""
    return Asked(_digest([caller, keyed.key]), operation, _digest(keyed.meaning))


def _digest(value: JsonValue) -> str:
    """Return the SHA-256 of a JSON value, the same in whatever order its members come."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _replayed(ctx: Context, keyed: Keyed[ResultT], found: Kept | Running | Differs) -> ResultT:
    if isinstance(found, Running):
        seconds = max(1, ceil(found.seconds))
        raise _problem(p.IDEMPOTENCY_IN_PROGRESS, "A request with this key is running.", {"retryAfter": seconds})
    if isinstance(found, Differs):
        raise _problem(p.IDEMPOTENCY_KEY_REUSED, "This key was sent with another operation or another payload.")
    ctx.replayed = True
    if found.outcome is None:
        raise Problem(p.GONE, "The customer that this request was about has been deleted.", replayed=True)
    if "problem" in found.outcome:
        raise _problem_of(found.outcome["problem"])
    return keyed.replay(found.outcome)


def _problem(kind: ProblemType, detail: str, extra: Mapping[str, JsonValue] | None = None) -> Problem:
    return Problem(kind, detail, extra=extra or {}, resource="idempotency-keys")


def _kept(problem: Problem) -> dict[str, JsonValue]:
    return {
        "code": problem.type.code,
        "detail": problem.detail,
        "extra": dict(problem.extra),
        "resource": problem.resource,
    }


def _problem_of(kept: Mapping[str, Any]) -> Problem:
    kind = _TYPES[kept["code"]]
    return Problem(kind, kept["detail"], extra=kept["extra"], resource=kept["resource"], replayed=True)
