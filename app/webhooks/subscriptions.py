"""Which webhooks events are sent to: enabled ones, whose owner may still have them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from resolvers.context import Clock, Scope
from storage.documents import instant
from storage.keys import KeyId
from storage.store import Store
from storage.webhooks import Webhook

OUTSIDE_CALLER = "jwt_"
"""What the ids of callers begin with whose tokens come from another issuer: nobody tells us when those end."""


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """The webhooks of a store. Every method raises `Unavailable` where the store does not answer."""

    store: Store
    clock: Clock

    async def active(self) -> Sequence[Webhook]:
        """Return them; one whose owner's API key has been revoked, has expired or lost its scope is disabled."""
        webhooks = await self.store.webhooks.enabled()
        owners = {webhook.owner for webhook in webhooks}
        good = dict(zip(owners, await asyncio.gather(*map(self._may, owners)), strict=True))
        for webhook in webhooks:
            if not good[webhook.owner]:
                await self._disable(webhook)
        return [webhook for webhook in webhooks if good[webhook.owner]]

    async def _may(self, owner: str) -> bool:
        if owner.startswith(OUTSIDE_CALLER):
            return True
        key = await self.store.keys.find(KeyId(owner))
        return key is not None and key.works(self.clock()) and Scope.ADMIN.value in key.scopes

    async def _disable(self, webhook: Webhook) -> None:
        if await self.store.webhooks.disable(webhook.id, "credentials", instant(self.clock())):
            structlog.get_logger().warning("A webhook is disabled: its owner's key is not good", webhook=webhook.id)
