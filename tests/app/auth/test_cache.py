"""The cache in memory keeps what was used lately, and no more of it than fits."""

from __future__ import annotations

import sys

from app.auth.cache import BoundedCache

TEXT = "x" * 1000
SIZE = sys.getsizeof(TEXT)


async def test_values_never_take_more_bytes_together_than_may_be() -> None:
    cache = BoundedCache(1000, 10 * SIZE)
    for number in range(500):
        await cache.set(f"{number}", f"{number % 10}{TEXT[1:]}", 3600)
        assert cache.entries <= 10
    assert [await cache.exists(f"{number}") for number in (489, 490, 499)] == [False, True, True]
    assert len(cache._handlers) == 10


async def test_letters_of_four_bytes_count_as_such() -> None:
    cache = BoundedCache(1000, 10 * SIZE)
    for number in range(20):
        await cache.set(f"{number}", "\U0001f98a" * 1000)
    assert cache.entries == 2


async def test_what_has_gone_by_itself_makes_room() -> None:
    cache = BoundedCache(1000, 10 * SIZE)
    for number in range(10):
        await cache.set(f"{number}", TEXT)
    for number in range(0, 10, 2):
        await cache.delete(f"{number}")
    for number in range(5):
        await cache.set(f"new {number}", TEXT)
    assert cache.entries == 10
    assert await cache.exists("1")


async def test_what_alone_is_too_large_is_not_kept() -> None:
    cache = BoundedCache(1000, SIZE)
    await cache.set("large", TEXT * 2)
    assert cache.entries == 0
    await cache.set("small", "x")
    assert cache.entries == 1


async def test_without_a_capacity_only_their_number_counts() -> None:
    cache = BoundedCache(3)
    for number in range(5):
        await cache.set(f"{number}", TEXT * 100)
    assert [await cache.exists(f"{number}") for number in range(5)] == [False, False, True, True, True]
