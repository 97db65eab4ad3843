"""Signing keys in the store: numbered, so that of two gateways that make the same one only the first does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from storage.documents import instant
from storage.errors import Unavailable
from storage.signing_keys import SigningKeyRecord
from storage.store import Store
from tests.storage.conftest import OpenStore

NOW = datetime(2100, 1, 1, tzinfo=UTC)
END = NOW + timedelta(days=1)


def record(generation: int, kid: str = "kid") -> SigningKeyRecord:
    return SigningKeyRecord(generation, kid, '{"kty": "EC"}', b"\0\xff", True, instant(NOW), instant(NOW))


async def expiry(store: Store) -> dict[int, datetime | None]:
    documents = await store.client[store.database]["signing_keys"].find({}).to_list(None)
    return {document["_id"]: document.get("expires") for document in documents}


async def test_keys_come_back_as_they_were_kept_newest_first(store: Store) -> None:
    for generation in (1, 2, 10):
        assert await store.signing_keys.add(record(generation), older_end=END)
    assert await store.signing_keys.list() == [record(10), record(2), record(1)]


async def test_of_many_that_make_a_generation_at_once_one_does(store: Store) -> None:
    made = [record(7, f"kid{number}") for number in range(20)]
    won = await asyncio.gather(*(store.signing_keys.add(one, older_end=END) for one in made))
    assert sum(won) == 1
    assert await store.signing_keys.list() == [made[won.index(True)]]


async def test_who_comes_too_late_changes_nothing(store: Store) -> None:
    for generation in (1, 2):
        await store.signing_keys.add(record(generation), older_end=END)
    assert not await store.signing_keys.add(record(2, "late"), older_end=NOW)
    assert await expiry(store) == {1: END.replace(tzinfo=None), 2: None}


async def test_an_older_key_ends_with_the_first_of_those_that_follow_it(store: Store) -> None:
    await store.signing_keys.add(record(1), older_end=END)
    await store.signing_keys.add(record(2), older_end=END)
    await store.signing_keys.add(record(3), older_end=NOW)
    await store.signing_keys.add(record(4), older_end=END)
    now, end = NOW.replace(tzinfo=None), END.replace(tzinfo=None)
    assert await expiry(store) == {1: now, 2: now, 3: end, 4: None}


async def test_dropping_forgets_the_older_ones_alone(store: Store) -> None:
    for generation in (1, 2, 3):
        await store.signing_keys.add(record(generation), older_end=END)
    assert await store.signing_keys.drop_older(3) == 2
    assert await store.signing_keys.list() == [record(3)]
    assert await store.signing_keys.drop_older(3) == 0


async def test_the_store_itself_forgets_keys_that_have_ended(store: Store) -> None:
    indexes = await store.client[store.database]["signing_keys"].index_information()
    assert indexes["expires"]["expireAfterSeconds"] == 0


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
async def test_a_store_that_is_away_is_said_so(opened: OpenStore, unused_tcp_port: int) -> None:
    async with opened(f"mongodb://127.0.0.1:{unused_tcp_port}/?directConnection=true") as store:
        keys = store.signing_keys
        asked = (keys.list(), keys.add(record(1), older_end=END), keys.drop_older(1))
        said = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(error) for error in said] == [Unavailable] * 3
