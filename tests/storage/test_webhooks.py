"""Subscriptions in the store: how many an owner may have, and changes by two at the same moment. Both drivers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from uuid import uuid4

from storage.documents import Instant
from storage.store import Store
from storage.webhooks import StoredSecret, Webhook, WebhookId

NOW = Instant("2026-01-31T12:00:00.000Z")
MOST = 5


def webhook(owner: str = "me") -> Webhook:
    """Return a new subscription."""
    return Webhook(
        id=WebhookId(str(uuid4())), owner=owner, url="https://hooks.example.com/", types=("customer.created",),
        enabled=True, disabledReason=None, secret=StoredSecret(b"secret", sealed=False), previous=None,
        previousUntil=None, holdUntil=None, since="here", createdAt=NOW, updatedAt=NOW,
    )  # fmt: skip


async def create(store: Store, new: Webhook) -> bool:
    return await store.webhooks.transact(partial(store.webhooks.insert, new, MOST))


async def test_however_many_are_created_at_one_moment_an_owner_has_no_more_than_there_may_be(store: Store) -> None:
    stored = await asyncio.gather(*(create(store, webhook()) for _ in range(4 * MOST)))
    assert stored.count(True) == MOST
    assert await store.webhooks.count("me") == MOST
    assert await create(store, webhook("you")), "another owner has room"


async def test_at_the_cap_one_that_is_deleted_makes_room_for_one(store: Store) -> None:
    first = webhook()
    assert await create(store, first)
    await asyncio.gather(*(create(store, webhook()) for _ in range(MOST - 1)))
    assert not await create(store, webhook())
    assert await store.webhooks.delete(first.id, "me")
    stored = await asyncio.gather(*(create(store, webhook()) for _ in range(MOST)))
    assert (stored.count(True), await store.webhooks.count("me")) == (1, MOST)


async def test_a_change_is_made_of_what_was_found_or_not_at_all(store: Store) -> None:
    found = webhook()
    assert await create(store, found)
    other = replace(found, types=("customer.deleted",))
    mine = replace(found, url="https://hooks.example.com/new")

    async def stored(changed: Webhook) -> bool:
        return await store.webhooks.transact(partial(store.webhooks.replace, found, changed))

    assert [await stored(other), await stored(mine)] == [True, False]
    assert await store.webhooks.find(found.id) == other
    assert await store.webhooks.disable(found.id, "gone", NOW)
    late = replace(other, url="https://hooks.example.com/new")
    assert not await store.webhooks.transact(partial(store.webhooks.replace, other, late)), "it would be enabled again"
