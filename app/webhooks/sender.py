"""From the queue to the endpoints.

Each endpoint has a lane of its own with a bound, so one that is dead or slow delays nobody else's deliveries. In a
lane the deliveries of one customer go one after the other, in their order; one that fails does not hold up the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Final

import structlog

from app.webhooks.counts import WebhookCounts
from app.webhooks.endpoint import Answer, Endpoints
from app.webhooks.schedule import Decision, decide
from app.webhooks.signing import Signer, Unsignable, body_of
from app.webhooks.subscriptions import Subscriptions
from resolvers.context import Clock
from storage.deadlines import wire_deadline
from storage.deliveries import Delivery, Try
from storage.documents import instant, moment
from storage.store import Store
from storage.webhooks import Webhook, WebhookId

AT_ONCE: Final = 4
"""How many requests one endpoint has before it at most."""
LANES: Final = 256
"""How many endpoints are sent to at once at most; each comes up again after `_BATCH` deliveries."""
LOOK_SECONDS: Final = 1.0
"""How often it is looked what has become due."""
UNSIGNED_SECONDS: Final = 300.0
"""How long a delivery waits that cannot be signed here; that is no try."""
_BATCH: Final = 40
_STORE_SECONDS: Final = 10.0
_MEASURED_EVERY: Final = timedelta(seconds=5)


@dataclass(slots=True)
class Sender:
    """Sends what is due, for the one who holds the lease; `wake` says that something has become due."""

    store: Store
    subscriptions: Subscriptions
    endpoints: Endpoints
    signer: Signer
    clock: Clock
    counts: WebhookCounts
    wake: asyncio.Event
    random: Callable[[], float] = field(default_factory=lambda: Random().random)  # noqa: S311 - it only spreads
    _lanes: dict[WebhookId, asyncio.Task[None]] = field(default_factory=dict)
    _measured: datetime | None = None

    async def run(self) -> None:
        """Send for ever. Raises `StoreError`; what was under way is ended then, and sent again by the next one."""
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await self._start_lanes(group)
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_SECONDS):
                            await self.wake.wait()
                    self.wake.clear()
        finally:
            self._lanes.clear()
            self.counts.stand_down()

    async def _start_lanes(self, group: asyncio.TaskGroup) -> None:
        with wire_deadline(_STORE_SECONDS):
            now = instant(self.clock())
            webhooks = await self.subscriptions.active()
            ready = {one.id for one in webhooks if (one.holdUntil or "") <= now} - self._lanes.keys()
            due = await self.store.deliveries.due_webhooks(ready, now) if ready else []
            await self._measure([one.id for one in webhooks])
        for webhook_id in due[: LANES - len(self._lanes)]:
            task = group.create_task(self._lane(webhook_id), name="webhook")
            self._lanes[webhook_id] = task
            task.add_done_callback(partial(self._end, webhook_id))

    def _end(self, webhook_id: WebhookId, _task: asyncio.Task[None]) -> None:
        self._lanes.pop(webhook_id, None)
        self.wake.set()

    async def _measure(self, webhooks: Sequence[WebhookId]) -> None:
        """See how much waits, now and then: counting a long queue takes its time."""
        now = self.clock()
        if self._measured is not None and now - self._measured < _MEASURED_EVERY:
            return
        self._measured = now
        queue = await self.store.deliveries.queue(webhooks, instant(now))
        late = (now - moment(queue.overdue_since)).total_seconds() if queue.overdue_since else 0.0
        self.counts.leads, self.counts.waiting, self.counts.lag = True, queue.waiting, late

    async def _lane(self, webhook_id: WebhookId) -> None:
        """Send what is due for one webhook; where all lanes are in use only a part of it, for others to come up."""
        while await self._send_some(webhook_id) and len(self._lanes) < LANES:
            pass

    async def _send_some(self, webhook_id: WebhookId) -> bool:
        """Send some of what is due for one webhook; False where that was all, or it is to be left alone now."""
        with wire_deadline(_STORE_SECONDS):
            due = await self.store.deliveries.due(webhook_id, instant(self.clock()), _BATCH)
        customers: dict[str, list[Delivery]] = {}
        for delivery in due:
            customers.setdefault(delivery.event.customerId or delivery.id, []).append(delivery)
        slots, stopped = asyncio.Semaphore(AT_ONCE), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for deliveries in customers.values():
                group.create_task(self._send_all(deliveries, slots, stopped))
        return bool(due) and not stopped.is_set()

    async def _send_all(self, deliveries: Sequence[Delivery], slots: asyncio.Semaphore, stopped: asyncio.Event) -> None:
        for delivery in deliveries:
            async with slots:
                if not stopped.is_set() and not await self._send(delivery):
                    stopped.set()

    async def _send(self, delivery: Delivery) -> bool:
        """Try one delivery; False where the endpoint is to be left alone now."""
        with wire_deadline(_STORE_SECONDS):
            webhook = await self.store.webhooks.find(delivery.webhook)
        now, body = self.clock(), body_of(delivery.event)
        if webhook is None or not webhook.enabled or (webhook.holdUntil or "") > instant(now):
            return False
        try:
            headers = self.signer.headers(webhook, delivery.event.id, now, body)
        except Unsignable:
            structlog.get_logger().error("A webhook cannot be signed: see GATEWAY_STORE_SECRET", webhook=webhook.id)
            with wire_deadline(_STORE_SECONDS):
                await self.store.deliveries.postpone(delivery, instant(now + timedelta(seconds=UNSIGNED_SECONDS)))
            return True
        return await self._settle(webhook, delivery, await self.endpoints.post(webhook.url, headers, body))

    async def _settle(self, webhook: Webhook, delivery: Delivery, answer: Answer) -> bool:
        """Store what came of a try, and what follows from it."""
        now = self.clock()
        decision = decide(delivery.attempts, answer, now, self.random)
        tried = Try(instant(now), answer.status, answer.error, round(answer.seconds * 1000))
        with wire_deadline(_STORE_SECONDS):
            next_at = instant(decision.next) if decision.next else None
            await self.store.deliveries.settle(delivery, tried, decision.state, next_at)
            if decision.hold:
                await self.store.webhooks.hold(webhook.id, instant(decision.hold))
            if decision.disable and await self.store.webhooks.disable(webhook.id, "gone", instant(now)):
                structlog.get_logger().warning("A webhook is disabled: its endpoint answers 410", webhook=webhook.id)
        self._count(decision)
        return not (decision.hold or decision.disable)

    def _count(self, decision: Decision) -> None:
        outcome = {"delivered": "delivered", "waiting": "failed", "failed": "given_up"}[decision.state]
        self.counts.tries[outcome] += 1
