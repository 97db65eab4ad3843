"""From the change feed into the queue: each change becomes one delivery for each webhook that wants it.

A position is stored only after the deliveries of all before it are. Who dies between the two adds the same
deliveries again, and the store takes each once: nothing is lost, and nothing is there twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from app.webhooks.counts import WebhookCounts
from app.webhooks.subscriptions import Subscriptions
from resolvers.context import Clock
from storage.change_stream import Change
from storage.deadlines import wire_deadline
from storage.deliveries import Event, new_delivery
from storage.documents import Instant, instant, new_id
from storage.errors import HistoryLost, UnknownPosition
from storage.positions import Place
from storage.store import Store
from storage.watch import Watch
from storage.webhooks import Webhook

HISTORY_LOST: Final = "history.lost"
"""The type of the event that tells of events that nobody can tell any more; every webhook gets it."""
LOOK_SECONDS: Final = 1.0
"""How often it is looked whether there are webhooks, while there are none."""
STORE_SECONDS: Final = 10.0
"""How long one step may take."""
QUIET_SECONDS: Final = 2.0
"""How often the position is stored while nothing changes, so that it never becomes too old."""
_BATCH: Final = 200
"""How many changes are stored together at most."""
_LOST: Final = "Changes of customers were lost for webhooks: the store's history does not reach back far enough"


class NotLeading(Exception):
    """Another gateway has taken over."""


@dataclass(slots=True)
class Relay:
    """Feeds the queue, for the one who holds the lease; `wake` is set whenever something has become due."""

    store: Store
    subscriptions: Subscriptions
    holder: str
    clock: Clock
    counts: WebhookCounts
    wake: asyncio.Event
    _since: dict[str, Place] = field(default_factory=dict)

    async def run(self) -> None:
        """Feed for ever. Raises `NotLeading` and `StoreError`."""
        while True:
            with wire_deadline(STORE_SECONDS):
                waited_for = await self._anyone()
                position = await self.store.webhook_feed.position()
            if not waited_for:
                await asyncio.sleep(LOOK_SECONDS)
                continue
            try:
                await self._follow(position)
            except (HistoryLost, UnknownPosition):
                await self._tell_of_loss(position)

    async def _anyone(self) -> bool:
        """Tell whether anyone waits for events, and let the feed rest where nobody does.

        It is looked again after that is said: a webhook that was made in between has found the feed under way.
        """
        if await self.subscriptions.active():
            await self._rest(idle=False)
            return True
        await self._rest(idle=True)
        if not await self.subscriptions.active():
            return False
        await self._rest(idle=False)
        return True

    async def _rest(self, *, idle: bool) -> None:
        if not await self.store.webhook_feed.rest(self.holder, idle=idle):
            raise NotLeading

    async def _follow(self, position: str | None) -> None:
        """Take changes after a position until nobody waits for them; from now on where there is none."""
        if position is None:
            position = await self.store.changes.position()
            await self._advance(position)
        async with self.store.changes.watch(position) as watch:
            while True:
                batch = await _batch(watch)
                with wire_deadline(STORE_SECONDS):
                    if not await self._add(batch, watch.position):
                        return

    async def _add(self, batch: Sequence[Change], position: str) -> bool:
        """Store the deliveries of some changes, then that they are stored; False where nobody waits for any."""
        webhooks, now = await self.subscriptions.active(), instant(self.clock())
        starts = [(webhook, await self._start(webhook)) for webhook in webhooks]
        deliveries = [
            new_delivery(webhook.id, _event(change), now)
            for change in batch
            for webhook, start in starts
            if f"customer.{change.type}" in webhook.types and change.place > start
        ]
        await self.store.deliveries.add(deliveries)
        await self._advance(position)
        self.counts.events += len(batch)
        if deliveries:
            self.wake.set()
        return bool(webhooks)

    async def _start(self, webhook: Webhook) -> Place:
        """Return the place from which on changes are a webhook's own; all are where that cannot be read."""
        if webhook.since not in self._since:
            cipher = await self.store.changes.history.cipher()
            try:
                self._since[webhook.since] = cipher.open(webhook.since)
            except UnknownPosition:  # of another store, from which the webhooks were copied
                self._since[webhook.since] = Place(b"")
        return self._since[webhook.since]

    async def _advance(self, position: str) -> None:
        if not await self.store.webhook_feed.advance(self.holder, position):
            raise NotLeading

    async def _tell_of_loss(self, position: str | None) -> None:
        """Tell every webhook, the log and the metrics that changes are missing, and go on from now.

        The event has an id of its own for each lost position, so whoever tells it again adds nothing.
        """
        structlog.get_logger().error(_LOST)
        self.counts.histories_lost += 1
        with wire_deadline(STORE_SECONDS):
            webhooks, now = await self.subscriptions.active(), instant(self.clock())
            here = await self.store.changes.position()
            event = Event(f"lost-{position}" if position else new_id(), HISTORY_LOST, now, detail=(("until", now),))
            await self.store.deliveries.add([new_delivery(webhook.id, event, now) for webhook in webhooks])
            await self._advance(here)
        self.wake.set()


def _event(change: Change) -> Event:
    return Event(
        id=change.id,
        type=f"customer.{change.type}",
        timestamp=Instant(change.timestamp),
        customerId=change.customer_id,
        version=change.version,
        changed=change.changed,
    )


async def _batch(watch: Watch) -> list[Change]:
    """Return changes that have come together; none where none comes for `QUIET_SECONDS`."""
    batch: list[Change] = []
    change = await watch.next(QUIET_SECONDS)
    while change is not None:
        batch.append(change)
        change = await watch.next(0) if len(batch) < _BATCH else None
    return batch
