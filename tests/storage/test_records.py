"""What a newer gateway on the same store has added to documents keeps no older one from reading them."""

from __future__ import annotations

from datetime import UTC, datetime

from storage.deliveries import Delivery, DeliveryId, Event, Try
from storage.documents import Instant
from storage.store import Store
from tests.storage.test_signing_keys import END
from tests.storage.test_signing_keys import record as signing_key
from tests.storage.test_webhooks import create, webhook

NOW = Instant("2026-01-31T12:00:00.000Z")


async def test_documents_are_read_without_what_a_newer_gateway_has_added_to_them(store: Store) -> None:
    key = (await store.keys.create("reader", ("customers:read",), datetime.now(UTC), None)).record
    hook = webhook()
    assert await create(store, hook)
    event = Event("event", "customer.created", NOW)
    sent = Delivery(DeliveryId("one"), hook.id, event, "waiting", 1, 1, NOW, (Try(NOW, 500, None, 7),), NOW)
    await store.deliveries.add([sent])
    assert await store.signing_keys.add(signing_key(1), older_end=END)
    database = store.client[store.database]
    for name in ("keys", "webhooks", "webhook_deliveries", "signing_keys"):
        added = {"later": 1, **({"event.later": 1, "tries.0.later": 1} if name == "webhook_deliveries" else {})}
        await database[name].update_many({}, {"$set": added})
    assert await store.keys.list() == [key]
    assert await store.webhooks.find(hook.id) == hook
    assert await store.deliveries.find(hook.id, sent.id) == sent
    assert await store.signing_keys.list() == [signing_key(1)]
