"""Webhook subscriptions: who wants which events where, and the secrets that their deliveries are signed with.

A secret is kept as it comes: sealed by whoever made it where there is something to seal it with. Nothing here can
read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NewType

from storage import driver
from storage.documents import Instant
from storage.driver import Client, Collection, Document, Session
from storage.errors import reading, writing
from storage.records import record
from storage.transactions import Change, transact

WebhookId = NewType("WebhookId", str)

DisabledReason = Literal["owner", "gone", "credentials"]
"""Why nothing is sent: the owner said so, the endpoint answered 410, the owner's API key is no longer good."""
_HIDDEN: Final = {"_id": 0}
_SAID: Final = ("url", "types", "enabled", "disabledReason")
"""What a change of a subscription is decided by."""
_CHANGED: Final = (*_SAID, "holdUntil", "since", "updatedAt")
_SECRETS: Final = ("secret", "previous", "previousUntil", "updatedAt")


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A signing secret; `sealed` tells whether `secret` can be read only with the operator's own secret."""

    secret: bytes
    sealed: bool


@dataclass(frozen=True, slots=True)
class Webhook:
    """One subscription.

    `since` is the position of the change feed from which on events are its own. The secret before the present one
    signs as well until `previousUntil`. Nothing is sent before `holdUntil`, because the endpoint has asked for it.
    """

    id: WebhookId
    owner: str
    url: str
    types: tuple[str, ...]
    enabled: bool
    disabledReason: DisabledReason | None
    secret: StoredSecret
    previous: StoredSecret | None
    previousUntil: Instant | None
    holdUntil: Instant | None
    since: str
    createdAt: Instant
    updatedAt: Instant


def _secret(document: Mapping[str, Any] | None) -> StoredSecret | None:
    return None if document is None else StoredSecret(bytes(document["secret"]), bool(document["sealed"]))


def _webhook(document: Document) -> Webhook:
    secret, previous = _secret(document.pop("secret")), _secret(document.pop("previous"))
    if secret is None:
        raise ValueError("a webhook without a secret")
    return record(Webhook, document, types=tuple(document["types"]), secret=secret, previous=previous)


def _stored(name: str, value: object) -> object:
    if isinstance(value, StoredSecret):
        return {"secret": value.secret, "sealed": value.sealed}
    return list(value) if name == "types" and isinstance(value, tuple) else value


def _document(webhook: Webhook) -> Document:
    return {name: _stored(name, getattr(webhook, name)) for name in Webhook.__slots__}


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The collection of subscriptions. Every method raises `Unavailable` where the store does not answer."""

    client: Client
    database: str

    @property
    def _webhooks(self) -> Collection:
        return self.client[self.database]["webhooks"]

    @property
    def _owners(self) -> Collection:
        return self.client[self.database]["webhook_owners"]

    async def transact(self, change: Change) -> bool:
        """Make a change of subscriptions in a transaction of its own. Returns and raises what `transact` does."""
        async with driver.session(self.client) as session:
            return await transact(session, change)

    async def insert(self, webhook: Webhook, most: int, session: Session) -> bool:
        """Store a new subscription as part of the transaction at hand; False where its owner has `most` already.

        Whoever adds one writes its owner's document as well. So of several who do at the same moment one goes on, and
        the others have a conflict, and count anew.
        """
        owner = {"$eq": webhook.owner}
        await self._owners.update_one({"_id": owner}, {"$inc": {"added": 1}}, upsert=True, session=session)
        if await self._webhooks.count_documents({"owner": owner}, limit=most, session=session) >= most:
            return False
        await self._webhooks.insert_one(_document(webhook), session=session)
        return True

    async def replace(self, found: Webhook, changed: Webhook, session: Session) -> bool:
        """Store what an owner changes as part of the transaction at hand; False where `found` is not there any more."""
        return await self._replace(found, changed, _SAID, _CHANGED, session)

    async def replace_secret(self, found: Webhook, changed: Webhook, session: Session) -> bool:
        """Store the secrets of `changed` as part of the transaction at hand; False where those of `found` are gone."""
        return await self._replace(found, changed, ("secret",), _SECRETS, session)

    async def _replace(
        self, found: Webhook, changed: Webhook, same: Sequence[str], names: Sequence[str], session: Session
    ) -> bool:
        still = {name: {"$eq": _stored(name, getattr(found, name))} for name in same}
        update = {"$set": {name: _stored(name, getattr(changed, name)) for name in names}}
        query = {**_query(found.id, found.owner), **still}
        return (await self._webhooks.update_one(query, update, session=session)).matched_count == 1

    async def count(self, owner: str) -> int:
        """Return how many subscriptions a caller has."""
        with reading():
            return await self._webhooks.count_documents({"owner": {"$eq": owner}})

    async def count_stopped(self) -> int:
        """Return how many subscriptions, of whomever, are disabled though their owners have not said so."""
        with reading():
            return await self._webhooks.count_documents({"disabledReason": {"$in": ["gone", "credentials"]}})

    async def enabled(self) -> Sequence[Webhook]:
        """Return all subscriptions, of whomever, that events are delivered to."""
        return await self._find({"enabled": {"$eq": True}})

    async def owned(self, owner: str) -> Sequence[Webhook]:
        """Return all subscriptions of a caller, oldest first."""
        return await self._find({"owner": {"$eq": owner}})

    async def _find(self, query: Document) -> list[Webhook]:
        with reading():
            found = await self._webhooks.find(query, _HIDDEN, sort=[("createdAt", 1), ("id", 1)]).to_list(None)
        return [_webhook(document) for document in found]

    async def find(self, webhook_id: WebhookId, owner: str | None = None) -> Webhook | None:
        """Return one subscription; with `owner` only where it is that caller's."""
        with reading():
            found = await self._webhooks.find_one(_query(webhook_id, owner), _HIDDEN)
        return _webhook(found) if found else None

    async def hold(self, webhook_id: WebhookId, until: Instant) -> None:
        """Send nothing to a subscription until then."""
        with writing():
            await self._webhooks.update_one(_query(webhook_id, None), {"$set": {"holdUntil": until}})

    async def disable(self, webhook_id: WebhookId, reason: DisabledReason, at: Instant) -> bool:
        """Send nothing more to a subscription; False where nothing was sent to it already."""
        changes = {"enabled": False, "disabledReason": reason, "updatedAt": at}
        with writing():
            result = await self._webhooks.update_one(
                {"id": {"$eq": webhook_id}, "enabled": {"$eq": True}}, {"$set": changes}
            )
        return result.modified_count == 1

    async def delete(self, webhook_id: WebhookId, owner: str) -> bool:
        """Forget a subscription; False where there is none of that caller."""
        with writing():
            return (await self._webhooks.delete_one(_query(webhook_id, owner))).deleted_count == 1


def _query(webhook_id: WebhookId, owner: str | None) -> Document:
    of_owner = {} if owner is None else {"owner": {"$eq": owner}}
    return {"id": {"$eq": webhook_id}, **of_owner}
