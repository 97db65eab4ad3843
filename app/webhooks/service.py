"""One worker of all gateways on a store sends the webhooks; when it is gone, another one does within seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import structlog

from app.observe.logs import failure_fields
from app.settings import Settings
from app.webhooks.addresses import Names
from app.webhooks.counts import WebhookCounts
from app.webhooks.endpoint import Endpoints
from app.webhooks.relay import NotLeading, Relay
from app.webhooks.sender import Sender
from app.webhooks.signing import Signer
from app.webhooks.subscriptions import Subscriptions
from resolvers.context import Clock
from resolvers.webhook_rules import WebhookRules
from storage.deadlines import wire_deadline
from storage.documents import new_id
from storage.errors import StoreError
from storage.store import Store
from storage.webhook_feed import LEASE_SECONDS

RENEW_SECONDS: Final = LEASE_SECONDS / 3
"""How often the lease is taken anew, and how often the others look whether it is free."""
_END_SECONDS: Final = 2.0


@dataclass(slots=True)
class WebhookService:
    """What a gateway does for webhooks as long as it runs."""

    store: Store
    endpoints: Endpoints
    signer: Signer
    clock: Clock
    counts: WebhookCounts
    holder: str = field(default_factory=new_id)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    """Says that something may have become due."""

    async def run(self) -> None:
        """Lead whenever nobody else does, for ever; nothing that goes wrong ends it."""
        told = False
        while True:
            try:
                if await self._take():
                    await self._lead()
            except* NotLeading:
                pass  # another one leads
            except* StoreError as group:  # whoever can leads on, and this one asks again
                if not told:
                    errors = sorted({type(error).__name__ for error in _flat(group)})
                    structlog.get_logger().warning("Webhooks wait: the store does not answer", errors=errors)
                told = True
            except* Exception as group:  # noqa: BLE001 - a fault in here must not end the gateway, nor be silent
                for error in _flat(group):
                    structlog.get_logger().error("Unexpected error", **failure_fields(error))
            else:
                told = False
            await asyncio.sleep(RENEW_SECONDS)

    async def _take(self) -> bool:
        with wire_deadline(RENEW_SECONDS):
            return await self.store.webhook_feed.take(self.holder)

    async def _lead(self) -> None:
        """Feed and send until the lease is lost."""
        subscriptions = Subscriptions(self.store, self.clock)
        relay = Relay(self.store, subscriptions, self.holder, self.clock, self.counts, self.wake)
        sender = Sender(self.store, subscriptions, self.endpoints, self.signer, self.clock, self.counts, self.wake)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._renew(), name="webhook lease")
                group.create_task(relay.run(), name="webhook feed")
                group.create_task(sender.run(), name="webhook sender")
        finally:
            with suppress(StoreError):
                with wire_deadline(_END_SECONDS):
                    await self.store.webhook_feed.release(self.holder)

    async def _renew(self) -> None:
        """Take the lease again and again. Raises `NotLeading` where another one has it, or it may have ended."""
        taken = time.monotonic()
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            with suppress(StoreError):
                began = time.monotonic()
                if not await self._take():
                    raise NotLeading
                taken = began
            if time.monotonic() - taken > LEASE_SECONDS - RENEW_SECONDS:
                raise NotLeading


def _flat(group: BaseExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _flat(error)
        else:
            yield error


class Outbox(NamedTuple):
    """What a gateway needs to take webhooks and to send them."""

    rules: WebhookRules
    endpoints: Endpoints
    signer: Signer


@asynccontextmanager
async def open_outbox(settings: Settings) -> AsyncIterator[Outbox]:
    """Give what is needed, as the settings have it, until the end of the block."""
    signer, private = Signer.of(settings.store_secret), settings.webhook_allow_private
    with closing(Names()) as names:
        async with aclosing(Endpoints(names.look_up, private)) as endpoints:
            yield Outbox(WebhookRules(private, signer.seal, names.look_up), endpoints, signer)


@asynccontextmanager
async def sending(service: WebhookService) -> AsyncIterator[None]:
    """Let a gateway take its part in sending webhooks inside the block, and hand over at its end."""
    task = asyncio.create_task(service.run(), name="webhooks")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
