"""Who asks, over which store, and until when."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from resolvers.cursors import CursorCipher
from resolvers.pages import PageReads
from resolvers.problems import FORBIDDEN, UNAUTHORIZED, Problem
from resolvers.renderings import RenderMemory
from storage.store import Store

Clock = Callable[[], datetime]


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
    """What every request shares: the store, the cursors' cipher, the clock and the rules in force.

    `request_timeout` is in seconds.
    """

    store: Store
    cursors: CursorCipher
    clock: Clock = utc_now
    us_address_rules: bool = False
    request_timeout: float = 5.0
    renderings: RenderMemory | None = None


@dataclass(slots=True)
class Context:
    """One request, whichever door it came through."""

    services: Services
    caller: Caller | None
    request_id: str
    budgets: tuple[Budget, ...] = ()
    deadline: float = field(init=False)
    """The moment of `time.monotonic` at which the request's time is over."""
    _pages: PageReads | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Let the request's time begin now; again when its body, which has a time of its own, has come."""
        self.deadline = time.monotonic() + self.services.request_timeout

    @property
    def store(self) -> Store:
        """The open store."""
        return self.services.store

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

    def now(self) -> datetime:
        """Return the present moment by the gateway's clock."""
        return self.services.clock()

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
