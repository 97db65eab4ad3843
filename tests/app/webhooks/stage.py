"""The sender of webhooks over a real store, with a clock that a test turns."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from app.webhooks.counts import WebhookCounts
from app.webhooks.endpoint import Endpoints
from app.webhooks.service import WebhookService, sending
from app.webhooks.signing import Signer
from resolvers.changes import Target
from resolvers.commands import ChangeCustomer, CreateCustomer, DeleteCustomer
from resolvers.context import ALL_SCOPES, Caller, Context, Services
from resolvers.cursors import CursorCipher
from resolvers.customers import create_customer, delete_customer, update_customer
from resolvers.patches import MergePatch
from resolvers.preconditions import Precondition
from resolvers.webhook_commands import CreateWebhook, NewWebhook
from resolvers.webhook_rules import WebhookRules
from resolvers.webhooks import create_webhook
from storage.deliveries import Delivery
from storage.documents import Customer
from storage.store import Store
from storage.webhooks import Webhook, WebhookId
from tests import factories
from tests.resolvers.conftest import Hands


async def eventually(condition: Callable[[], object], seconds: float = 20) -> None:
    """Return once the condition is true; fail where that takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen within {seconds} s"
        await asyncio.sleep(0.01)


@dataclass
class Stage:
    """A store, a caller with an API key, and the sender."""

    store: Store
    owner: str
    clock: Hands = field(default_factory=Hands)
    secret: str | None = None
    service: WebhookService | None = None

    @property
    def counts(self) -> WebhookCounts:
        assert self.service is not None
        return self.service.counts

    def context(self) -> Context:
        rules = WebhookRules(allow_private=True, seal=Signer.of(self.secret).seal)
        services = Services(self.store, CursorCipher(bytes(32)), self.clock, webhooks=rules)
        return Context(services, Caller(self.owner, "test", frozenset(ALL_SCOPES)), "request")

    async def webhook(self, url: str, *types: str) -> NewWebhook:
        body: dict[str, Any] = {"url": url, **({"types": list(types)} if types else {})}
        return await create_webhook(self.context(), CreateWebhook(lambda: body))

    async def customer(self, **changes: Any) -> Customer:
        body = factories.customer(**changes)
        return await create_customer(self.context(), CreateCustomer(lambda: body))

    async def change(self, customer: Customer, **changes: Any) -> Customer:
        target = Target(customer["id"], Precondition())
        return await update_customer(self.context(), ChangeCustomer(target, MergePatch(lambda: changes)))

    async def erase(self, customer: Customer) -> None:
        await delete_customer(self.context(), DeleteCustomer(Target(customer["id"], Precondition())))

    async def log(self, webhook: NewWebhook) -> Sequence[Delivery]:
        """Return all deliveries of a webhook, the oldest first."""
        return (await self.store.deliveries.page(webhook.webhook.id, None, None, 1000))[::-1]

    async def stored(self, webhook_id: WebhookId) -> Webhook:
        found = await self.store.webhooks.find(webhook_id)
        assert found is not None
        return found

    def turn(self, **by: float) -> None:
        """Turn the clock, and let the sender look at it."""
        self.clock.turn(**by)
        assert self.service is not None
        self.service.wake.set()

    @asynccontextmanager
    async def sending(self, timeout: float = 15.0) -> AsyncIterator[WebhookService]:  # noqa: ASYNC109 - of each try
        """Send until the end of the block."""

        async def nowhere(_host: str) -> Sequence[str]:
            raise OSError

        async with aclosing(Endpoints(nowhere, allow_private=True, timeout=timeout)) as endpoints:
            service = WebhookService(self.store, endpoints, Signer.of(self.secret), self.clock, WebhookCounts())
            self.service = service
            async with sending(service):
                yield service


async def staged(store: Store, **options: Any) -> Stage:
    """Return a stage whose caller has an API key that works."""
    hands = Hands()
    key = await store.keys.create("owner", ALL_SCOPES, hands(), None)
    return Stage(store, key.record.id, hands, **options)
