"""Contexts over a real store, with a clock that a test sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from resolvers.context import ALL_SCOPES, Caller, Context, Services
from resolvers.cursors import CursorCipher
from storage.store import Store


@dataclass
class Hands:
    """A clock whose time is what a test says.

    It begins on a day that is far: what has expired by MongoDB's own clock is taken away within a minute.
    """

    now: datetime = field(default_factory=lambda: datetime(2100, 1, 1, tzinfo=UTC))

    def __call__(self) -> datetime:
        """Return the moment."""
        return self.now

    def turn(self, **by: float) -> None:
        """Turn the clock, forward or back."""
        self.now += timedelta(**by)


NewContext = Callable[..., Context]


@pytest.fixture
def clock() -> Hands:
    """A clock that stands still until it is turned."""
    return Hands()


@pytest.fixture
def context(store: Store, clock: Hands) -> NewContext:
    """Makes contexts: `context()` with all scopes, `context("customers:read")` with one, `us=True` with US rules."""

    def make(*scopes: str, us: bool = False) -> Context:
        services = Services(store, CursorCipher(bytes(32)), clock, us)
        return Context(services, Caller("caller", "test", frozenset(scopes or ALL_SCOPES)), "request")

    return make
