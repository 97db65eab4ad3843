"""Callers whose credentials were good a moment ago: for how long, and how many."""

from __future__ import annotations

from app.auth.remembered import RememberedCallers
from resolvers.context import Caller
from storage.documents import Instant

CALLER = Caller("one", "One", frozenset())
EARLY, LATE = Instant("2026-01-01T00:00:00.000Z"), Instant("2026-01-01T00:00:01.000Z")


def never() -> Instant:
    raise AssertionError("the time is asked only where the credentials have an end")


def test_a_caller_is_remembered_for_its_seconds_and_no_longer() -> None:
    now = [100.0]
    known = RememberedCallers(2, 10, clock=lambda: now[0])
    known.set(b"a", CALLER, None)
    now[0] = 101.9
    assert known.get(b"a", never) is CALLER
    now[0] = 102.0
    assert known.get(b"a", never) is None
    assert (known.hits, known.misses, known.entries) == (1, 1, 0)


def test_credentials_end_at_their_own_moment_though_they_are_remembered() -> None:
    known = RememberedCallers(2, 10)
    known.set(b"a", CALLER, LATE)
    assert known.get(b"a", lambda: EARLY) is CALLER
    assert known.get(b"a", lambda: LATE) is None


def test_of_too_many_the_one_that_was_set_first_goes() -> None:
    known = RememberedCallers(2, 2)
    for name in (b"a", b"b", b"c"):
        known.set(name, CALLER, None)
    assert [known.get(name, never) for name in (b"a", b"b", b"c")] == [None, CALLER, CALLER]
