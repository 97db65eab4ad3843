"""When more of a budget is there, by arithmetic and by the table."""

from __future__ import annotations

from math import floor, nextafter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage

from app.limits.table import SharedTable
from app.limits.windows import Window, parse_rate, window_of
from tests.app.limits.conftest import HandClock


def passes(window: Window, units: int, later: float) -> bool:
    """Tell by the rule itself whether units fit at a later moment."""
    previous, current, ends = window.previous, window.current, window.ends - later
    if ends <= 0:
        previous, current, ends = current, 0, ends + window.seconds
    return floor(previous * max(0.0, ends) / window.seconds) + current + units <= window.limit


windows = st.integers(1, 1000).flatmap(
    lambda limit: st.builds(
        Window,
        st.just(limit),
        st.sampled_from([1, 10, 60, 3600]),
        st.integers(0, limit),
        st.integers(0, limit),
        st.just(0.0),
    )
)


@given(windows, st.floats(0.001, 1), st.integers(1, 1000))
def test_c045_units_pass_right_after_their_wait_and_not_right_before(window: Window, share: float, units: int) -> None:
    at = Window(window.limit, window.seconds, window.previous, window.current, window.seconds * share)
    units = min(units, window.limit)
    wait = at.wait(units)
    assert 0 <= wait <= 2 * window.seconds
    assert passes(at, units, wait + 0.001)
    if wait > 0.002:
        assert not passes(at, units, wait - 0.001)
    else:
        assert wait == 0 or not passes(at, units, 0)


@given(windows, st.floats(0.001, 1))
def test_what_is_left_passes_now_and_one_more_does_not(window: Window, share: float) -> None:
    at = Window(window.limit, window.seconds, window.previous, window.current, window.seconds * share)
    if at.left:
        assert at.wait(at.left) == 0
    if at.left < at.limit and passes(at, at.left, 0):
        assert not passes(at, at.left + 1, 0)


async def test_windows_of_every_storage_are_read_alike(clock: HandClock) -> None:
    item = RateLimitItemPerSecond(10, 60)
    table, memory = SharedTable(slots=64, clock=clock), MemoryStorage()
    assert (await table.spend("a", 10, 60, 3))[0]
    assert await memory.acquire_sliding_window_entry("a", 10, 60, 3)
    for storage in (table, memory):
        window = window_of(item, await storage.get_sliding_window("a", 60))
        assert (window.limit, window.seconds, window.previous, window.current) == (10, 60, 0, 3)
        assert 0 < window.ends <= 60


@pytest.mark.parametrize(
    ("text", "units", "seconds"), [("600/minute", 600, 60), ("50/10second", 50, 10), ("9/2hour", 9, 7200)]
)
def test_rates_are_read(text: str, units: int, seconds: int) -> None:
    item = parse_rate(text)
    assert (item.amount, item.get_expiry()) == (units, seconds)


def test_the_moment_itself_is_not_enough() -> None:
    full = Window(10, 60, 0, 10, 30.0)
    assert full.wait(1) == 30
    assert not passes(full, 1, nextafter(30, 0))
    assert passes(full, 1, 30.001)
