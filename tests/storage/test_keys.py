"""API keys: shown once, kept as hashes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.keys import PREFIX, SECRET_PREFIX, KeyId, new_secret, well_formed
from storage.store import Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SCOPES = ("customers:read",)


async def test_c063_a_key_is_found_by_itself_and_nothing_of_its_secrets_is_stored(store: Store) -> None:
    made = await store.keys.create("ci", SCOPES, NOW, None)
    assert await store.keys.find_by_key(made.key) == made.record
    (stored,) = await store.client[store.database]["keys"].find({}).to_list(None)
    assert made.key not in str(stored)
    assert made.client_secret not in str(stored)
    assert made.key[4:] not in str(stored)


async def test_a_key_is_found_by_client_and_secret_or_key_and_secret(store: Store) -> None:
    made, other = [await store.keys.create(name, SCOPES, NOW, None) for name in ("one", "two")]
    for user in (made.record.clientId, made.key):
        assert await store.keys.find_by_client(user, made.client_secret) == made.record
        assert await store.keys.find_by_client(user, other.client_secret) is None
        assert await store.keys.find_by_client(user, "") is None
    assert await store.keys.find_by_key(made.client_secret) is None
    assert await store.keys.find_by_client(made.record.id, made.client_secret) is None


async def test_a_key_has_limits_of_its_own_where_they_were_given(store: Store) -> None:
    made = await store.keys.create("ci", SCOPES, NOW, None, rate_limit="5/minute", daily_quota=7)
    assert (made.record.rateLimit, made.record.dailyQuota) == ("5/minute", 7)
    assert await store.keys.find_by_key(made.key) == made.record


async def test_a_key_from_before_there_were_limits_goes_on_working(store: Store) -> None:
    made = await store.keys.create("ci", SCOPES, NOW, None)
    await store.client[store.database]["keys"].update_one({}, {"$unset": {"rateLimit": "", "dailyQuota": ""}})
    assert await store.keys.find_by_key(made.key) == made.record
    assert await store.keys.list() == [made.record]


async def test_keys_are_listed_oldest_first_without_secrets(store: Store) -> None:
    late = await store.keys.create("late", SCOPES, NOW + timedelta(seconds=1), None)
    early = await store.keys.create("early", SCOPES, NOW, NOW + timedelta(days=1))
    assert await store.keys.list() == [early.record, late.record]
    assert early.record.expiresAt == "2026-01-02T00:00:00.000Z"


async def test_revoking_keeps_the_record_and_its_first_moment(store: Store) -> None:
    made = await store.keys.create("ci", SCOPES, NOW, None)
    assert await store.keys.revoke(made.record.id, NOW)
    assert await store.keys.revoke(made.record.id, NOW + timedelta(days=1))
    found = await store.keys.find_by_key(made.key)
    assert found is not None
    assert found.revokedAt == "2026-01-01T00:00:00.000Z"
    assert not await store.keys.revoke(KeyId("none"), NOW)


async def test_the_last_use_is_noted_once_a_minute(store: Store) -> None:
    made = await store.keys.create("ci", SCOPES, NOW, None)
    seen = []
    for seconds in (0, 30, 59, 61, 30):
        await store.keys.touch(made.record, NOW + timedelta(seconds=seconds))
        found = await store.keys.find_by_key(made.key)
        seen.append(found and found.lastUsedAt)
    first, later = "2026-01-01T00:00:00.000Z", "2026-01-01T00:01:01.000Z"
    assert seen == [first, first, first, later, later]


async def test_the_shared_secret_is_made_once_and_kept(store: Store) -> None:
    first = await store.secret("cursors")
    assert len(first) == 32
    assert await store.secret("cursors") == first
    assert await store.secret("other") != first


def test_c063_keys_have_prefix_length_and_check_digits() -> None:
    for prefix in (PREFIX, SECRET_PREFIX):
        keys = {new_secret(prefix) for _ in range(100)}
        assert len(keys) == 100
        assert all(key.startswith(prefix) and well_formed(key, prefix) and key.isascii() for key in keys)
    assert not well_formed(new_secret(SECRET_PREFIX))


@pytest.mark.parametrize("position", [0, 4, 20, 44, 50])
def test_a_key_with_one_other_character_is_not_well_formed(position: int) -> None:
    key = new_secret(PREFIX)
    other = "x" if key[position] != "x" else "y"
    assert not well_formed(key[:position] + other + key[position + 1 :])


@given(st.text(max_size=60))
def test_no_other_text_is_well_formed(text: str) -> None:
    assert not well_formed(text)


async def test_a_key_is_found_by_its_id_and_says_whether_it_works(store: Store) -> None:
    made = await store.keys.create("ci", SCOPES, NOW, NOW + timedelta(days=1))
    found = await store.keys.find(made.record.id)
    assert found == made.record
    assert found.works(NOW + timedelta(hours=23))
    assert not found.works(NOW + timedelta(days=1))
    await store.keys.revoke(made.record.id, NOW)
    ended = await store.keys.find(made.record.id)
    assert ended is not None
    assert not ended.works(NOW)
    assert await store.keys.find(KeyId(made.record.clientId)) is None
