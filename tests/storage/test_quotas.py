"""Daily quotas are exact, whoever spends at once, and survive restarts."""

from __future__ import annotations

import asyncio

import pytest

from storage.errors import Unavailable
from storage.store import Store, StoreOptions, open_store
from tests.storage.conftest import OpenStore

DAY = "2100-01-31"


async def test_units_are_spent_until_the_quota_is(store: Store) -> None:
    spent = [await store.quotas.spend("one", DAY, units, 10) for units in (4, 5, 2, 1, 1)]
    assert spent == [(True, 4), (True, 9), (False, 9), (True, 10), (False, 10)]


async def test_callers_and_days_have_quotas_of_their_own(store: Store) -> None:
    for caller, day in (("one", DAY), ("other", DAY), ("one", "2100-02-01")):
        assert await store.quotas.spend(caller, day, 1, 1) == (True, 1)
    assert await store.quotas.spend("one", DAY, 1, 1) == (False, 1)


async def test_of_200_at_once_exactly_the_quota_passes(store: Store) -> None:
    spent = await asyncio.gather(*(store.quotas.spend("one", DAY, 1, 100) for _ in range(200)))
    assert sum(passed for passed, _ in spent) == 100
    assert sorted(used for passed, used in spent if passed) == list(range(1, 101))


async def test_of_many_first_ones_at_once_each_is_counted(store: Store) -> None:
    for number in range(20):
        spent = await asyncio.gather(*(store.quotas.spend(str(number), DAY, 2, 5) for _ in range(8)))
        assert sorted(spent)[-2:] == [(True, 2), (True, 4)]
        assert sum(passed for passed, _ in spent) == 2


async def test_more_than_the_quota_never_passes(store: Store) -> None:
    assert await store.quotas.spend("one", DAY, 11, 10) == (False, 0)
    assert await store.quotas.spend("one", DAY, 10, 10) == (True, 10)


async def test_a_quota_that_was_lowered_refuses(store: Store) -> None:
    assert await store.quotas.spend("one", DAY, 8, 10) == (True, 8)
    assert await store.quotas.spend("one", DAY, 1, 5) == (False, 8)


async def test_what_was_spent_survives_a_restart_and_ends_two_days_later(store: Store, mongod_url: str) -> None:
    await store.quotas.spend("someone@example.com", DAY, 3, 5)
    async with open_store(StoreOptions(mongod_url, store.database)) as again:
        assert await again.quotas.spend("someone@example.com", DAY, 3, 5) == (False, 3)
    (stored,) = await store.client[store.database]["quotas"].find({}).to_list(None)
    assert "someone" not in str(stored)
    assert stored["expires"].isoformat() == "2100-02-02T00:00:00"


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
async def test_a_store_that_does_not_answer_is_unavailable(opened: OpenStore) -> None:
    async with opened("mongodb://127.0.0.1:1") as store:
        with pytest.raises(Unavailable):
            await store.quotas.spend("one", DAY, 1, 10)
