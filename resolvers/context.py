"""Who asks, over which store, and until when."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal, NamedTuple, NewType

from resolvers.audit import Audit, CallerKind, Entry, Outcome, unheard
from resolvers.cursors import CursorCipher
from resolvers.pages import PageReads
from resolvers.problem import Problem
from resolvers.problems import FORBIDDEN, UNAUTHORIZED
from resolvers.renderings import RenderMemory
from resolvers.webhook_rules import WebhookRules
from storage.claims import Claim, Writes
from storage.customers import CustomerAccess
from storage.store import Store

Clock = Callable[[], datetime]
IdempotencyKey = NewType("IdempotencyKey", str)
"""A key whose form has been checked: the text itself, without the quotes in which it may have been sent."""
Door = Literal["rest", "graphql"]


def utc_now() -> datetime:
    """Return the present moment, aware and in UTC."""
    return datetime.now(UTC)


class Scope(StrEnum):
    """What a caller may do."""

    READ = "customers:read"
    WRITE = "customers:write"
    DELETE = "customers:delete"
    ADMIN = "customers:admin"


ALL_SCOPES = tuple(scope.value for scope in Scope)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller may spend where it differs from the setting; None where it does not."""

    rate_limit: str | None = None
    daily_quota: int | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: an id without personal data, a name for people, the scopes granted, and what may be spent."""

    id: str
    name: str
    scopes: frozenset[str]
    allowance: Allowance = Allowance()
    kind: CallerKind = "api-key"


class Budget(NamedTuple):
    """One limit as it stands: `left` of `limit` units in `window` seconds; there is more after `reset` seconds.

    `name` is that of the policy (`caller`, `daily`), as the RateLimit header has it.
    """

    name: str
    limit: int
    left: int
    window: int
    reset: int


@dataclass(frozen=True, slots=True)
class Services:
    """What every request shares: the store, the cursors' cipher, the clock, the rules in force, the audit.

    `request_timeout` is in seconds. `begun` is called when an operation waits for a worker.
    """

    store: Store
    cursors: CursorCipher
    clock: Clock = utc_now
    us_address_rules: bool = False
    request_timeout: float = 5.0
    begun: Callable[[], None] = lambda: None
    renderings: RenderMemory | None = None
    audit: Audit = unheard
    webhooks: WebhookRules = field(default_factory=WebhookRules)


@dataclass(slots=True)
class Context:
    """One request, whichever door it came through."""

    services: Services
    caller: Caller | None
    request_id: str
    door: Door = "rest"
    budgets: tuple[Budget, ...] = ()
    base_url: str = ""
    """How clients reach the gateway, where what is answered needs to say so."""
    customers: CustomerAccess = field(init=False)
    """The customers: those of the store, or as they are within a batch."""
    key: IdempotencyKey | None = None
    """The idempotency key of the whole request, where it was sent for its one change rather than with that."""
    replayed: bool = False
    """Whether an answer is that of an earlier request with the same idempotency key."""
    claim: Claim | None = None
    """The idempotency key under which the operation at hand writes."""
    operation: str = field(default="", init=False)
    """The name of the operation that runs, or ran last."""
    created: str = field(default="", init=False)
    """The id of the customer that is being created: known to the audit even where the store does not answer."""
    deadline: float = field(init=False)
    """The moment of `time.monotonic` at which the request's time is over."""
    _spent: float = field(default=0.0, init=False)
    _pages: PageReads | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.customers = self.services.store.customers
        self.begin()

    def begin(self) -> None:
        """Let the request's time begin now; again when its body, which has a time of its own, has come."""
        self.deadline = time.monotonic() + self.services.request_timeout - self._spent

    def spend(self, seconds: float) -> None:
        """Take from the request's time what its admission took."""
        self._spent = seconds
        self.begin()

    @property
    def store(self) -> Store:
        """The open store."""
        return self.services.store

    @property
    def writes(self) -> Writes:
        """How customers are written: at once, or together with the outcome under an idempotency key."""
        return self.customers if self.claim is None else self.claim

    @property
    def pages(self) -> PageReads:
        """The pages that the request reads."""
        if self._pages is None:
            self._pages = PageReads()
        return self._pages

    def forget_pages(self) -> None:
        """Let go of the pages that were read; call it when nothing is read any more."""
        if self._pages is not None:
            self._pages.forget()

    def over(self, customers: CustomerAccess, audit: Audit) -> Context:
        """Return this request over other customers, such as those that a batch will leave, with an audit of its own."""
        other = copy(self)
        other.customers, other.services = customers, replace(self.services, audit=audit)
        other.claim = None
        return other

    def now(self) -> datetime:
        """Return the present moment by the gateway's clock."""
        return self.services.clock()

    def note(
        self,
        outcome: Outcome,
        customer: str = "",
        version: int = 0,
        changed: Iterable[str] = (),
        problem: str = "",
    ) -> None:
        """Put a change of a customer by the operation at hand, or the refusal of one, into the audit."""
        caller = self.caller
        who: tuple[str, CallerKind] = ("", "api-key") if caller is None else (caller.id, caller.kind)
        self.services.audit(
            Entry(*who, self.door, self.operation, outcome, self.request_id, customer, version, tuple(changed), problem)
        )

    def allows(self, scope: Scope) -> bool:
        """Tell whether the caller has a scope."""
        return self.caller is not None and scope in self.caller.scopes

    def require(self, scope: Scope | None) -> None:
        """Let a caller with the scope pass; None asks only for good credentials.

        Raises:
            Problem: unauthorized without a caller, forbidden without the scope, which it names (RFC 6750 section 3.1;
                in the problem's members, as a challenge belongs to 401 alone).
        """
        if self.caller is None:
            raise Problem(UNAUTHORIZED, "This needs credentials: send an API key as X-API-Key, or a bearer token.")
        if scope is not None and scope not in self.caller.scopes:
            raise Problem(
                FORBIDDEN,
                f"This needs the scope {scope}, which your credentials lack.",
                extra={"error": "insufficient_scope", "scope": scope.value},
            )
