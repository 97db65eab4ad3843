"""Webhook deliveries: each event for each subscription, what waits to be sent, and the log of what became of it.

One event is stored for one subscription once, however often it is added. Deliveries hold no personal values: an
event names a customer by id and version, and says which parts have changed.
"""

from __future__ import annotations

from collections.abc import Collection as Several
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final, Literal, NamedTuple, NewType

from bson import ObjectId

from storage.documents import CustomerId, Instant, moment, new_id
from storage.driver import Client, Collection, Document, Session, aggregate
from storage.errors import Duplicate, StoreError, inserting, reading, writing
from storage.records import record
from storage.webhooks import WebhookId

DeliveryId = NewType("DeliveryId", str)
State = Literal["waiting", "delivered", "failed"]
STATES: Final[tuple[State, ...]] = ("waiting", "delivered", "failed")
KEPT: Final = timedelta(days=30)
"""How long a delivery stays in the log after something happened to it."""
MOST_TRIES: Final = 20
"""How many tries of one delivery the log shows: the last ones."""
_HIDDEN: Final = {"_id": 0, "expires": 0}


@dataclass(frozen=True, slots=True)
class Event:
    """What is told; `id` is the same for every subscription and every try."""

    id: str
    type: str
    timestamp: Instant
    customerId: CustomerId | None = None
    version: int | None = None
    changed: tuple[str, ...] = ()
    detail: tuple[tuple[str, str], ...] = ()
    """What an event that is about no customer says, as pairs."""


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt: when, the answer's status or else what went wrong, and how long it took."""

    at: Instant
    status: int | None
    error: str | None
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one subscription.

    `attempts` counts since it was added or replayed, which `round` counts; `next` is there while it waits.
    """

    id: DeliveryId
    webhook: WebhookId
    event: Event
    state: State
    round: int
    attempts: int
    next: Instant | None
    tries: tuple[Try, ...]
    createdAt: Instant


class Range(NamedTuple):
    """Which deliveries to send again: of events from `since` to before `until`, in these states."""

    since: Instant
    until: Instant
    states: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """How much waits, and since when the first that is due does."""

    waiting: int
    overdue_since: Instant | None


def new_delivery(webhook: WebhookId, event: Event, now: Instant) -> Delivery:
    """Return a delivery that is due at once."""
    return Delivery(DeliveryId(new_id()), webhook, event, "waiting", 1, 0, now, (), now)


def _stored(delivery: Delivery) -> Document:
    document = asdict(delivery)
    document["event"] |= {"changed": list(delivery.event.changed), "detail": [list(p) for p in delivery.event.detail]}
    document["tries"] = list(document["tries"])
    return {"_id": ObjectId(), **document, "expires": moment(delivery.createdAt) + KEPT}


def kept(delivery: Delivery) -> Document:
    """Return a delivery in a form that can be stored elsewhere; `earlier` reads it."""
    return {name: value for name, value in _stored(delivery).items() if name not in _HIDDEN}


def earlier(document: Document) -> Delivery:
    """Return a delivery from what `kept` gave."""
    return _delivery(document)


def _delivery(document: Document) -> Delivery:
    told = document["event"]
    detail = tuple((name, value) for name, value in told["detail"])
    event = record(Event, told, changed=tuple(told["changed"]), detail=detail)
    return record(Delivery, document, event=event, tries=tuple(record(Try, one) for one in document["tries"]))


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The collection of deliveries. Every method raises `Unavailable` where the store does not answer."""

    client: Client
    database: str

    @property
    def _deliveries(self) -> Collection:
        return self.client[self.database]["webhook_deliveries"]

    async def add(self, deliveries: Sequence[Delivery]) -> None:
        """Store deliveries; those whose event is stored for their subscription already stay as they are."""
        if not deliveries:
            return
        with writing(), inserting(len(deliveries)) as outcomes:
            await self._deliveries.insert_many([_stored(one) for one in deliveries], ordered=False)
        _raise_all_but_duplicates(outcomes)

    async def insert(self, delivery: Delivery, session: Session) -> bool:
        """Store a new delivery as part of the transaction at hand; True, as it is stored."""
        await self._deliveries.insert_one(_stored(delivery), session=session)
        return True

    async def due_webhooks(self, webhooks: Several[WebhookId], now: Instant) -> list[WebhookId]:
        """Return those of the subscriptions that something is due for."""
        match = {"state": "waiting", "webhook": {"$in": list(webhooks)}, "next": {"$lte": now}}
        with reading():
            cursor = await aggregate(self._deliveries, [{"$match": match}, {"$group": {"_id": "$webhook"}}])
            return [WebhookId(found["_id"]) for found in await cursor.to_list(None)]

    async def due(self, webhook: WebhookId, now: Instant, limit: int) -> list[Delivery]:
        """Return what is due for a subscription, what was due first at the front."""
        query = {"state": "waiting", "webhook": {"$eq": webhook}, "next": {"$lte": now}}
        with reading():
            found = await self._deliveries.find(query, _HIDDEN, sort=[("next", 1), ("_id", 1)], limit=limit).to_list(
                None
            )
        return [_delivery(document) for document in found]

    async def settle(self, delivery: Delivery, tried: Try, state: State, next_at: Instant | None) -> None:
        """Note one try and what follows from it; one of a round that a replay has ended changes nothing but the log."""
        log = {"tries": {"$each": [asdict(tried)], "$slice": -MOST_TRIES}}
        changes = {
            "state": state,
            "attempts": delivery.attempts + 1,
            "next": next_at,
            "expires": moment(tried.at) + KEPT,
        }
        one = {"id": {"$eq": delivery.id}}
        with writing():
            result = await self._deliveries.update_one(
                {**one, "round": {"$eq": delivery.round}}, {"$set": changes, "$push": log}
            )
            if result.matched_count == 0:
                await self._deliveries.update_one(one, {"$push": log})

    async def postpone(self, delivery: Delivery, next_at: Instant) -> None:
        """Let a delivery wait without a try."""
        query = {"id": {"$eq": delivery.id}, "round": {"$eq": delivery.round}, "state": "waiting"}
        with writing():
            await self._deliveries.update_one(query, {"$set": {"next": next_at}})

    async def find(self, webhook: WebhookId, delivery_id: DeliveryId) -> Delivery | None:
        """Return one delivery of a subscription."""
        with reading():
            found = await self._deliveries.find_one({"id": {"$eq": delivery_id}, "webhook": {"$eq": webhook}}, _HIDDEN)
        return _delivery(found) if found else None

    async def page(self, webhook: WebhookId, state: State | None, after: Delivery | None, size: int) -> list[Delivery]:
        """Return deliveries of a subscription, those of the newest events first, from behind one of them on."""
        query: Document = {"webhook": {"$eq": webhook}}
        if state is not None:
            query["state"] = {"$eq": state}
        if after is not None:
            at, own = after.event.timestamp, after.id
            query["$or"] = [{"event.timestamp": {"$lt": at}}, {"event.timestamp": {"$eq": at}, "id": {"$lt": own}}]
        with reading():
            found = await self._deliveries.find(
                query, _HIDDEN, sort=[("event.timestamp", -1), ("id", -1)], limit=size
            ).to_list(None)
        return [_delivery(document) for document in found]

    async def replay(self, webhook: WebhookId, delivery_id: DeliveryId, now: Instant) -> Delivery | None:
        """Let a delivery be due at once, with all its tries before it again; None where there is none."""
        with writing():
            return await self.replay_within(None, webhook, delivery_id, now)

    async def replay_within(
        self, session: Session | None, webhook: WebhookId, delivery_id: DeliveryId, now: Instant
    ) -> Delivery | None:
        """Do what `replay` does as part of the transaction at hand."""
        one = {"id": {"$eq": delivery_id}, "webhook": {"$eq": webhook}}
        found = await self._deliveries.find_one_and_update(
            one, _again(now), _HIDDEN, return_document=True, session=session
        )
        return _delivery(found) if found else None

    async def replay_range(self, webhook: WebhookId, asked: Range, now: Instant) -> int:
        """Let the deliveries of a range be due; return how many."""
        with writing():
            return await self.replay_range_within(None, webhook, asked, now)

    async def replay_range_within(self, session: Session | None, webhook: WebhookId, asked: Range, now: Instant) -> int:
        """Do what `replay_range` does as part of the transaction at hand."""
        return (await self._deliveries.update_many(_range(webhook, asked), _again(now), session=session)).modified_count

    async def count_range(self, webhook: WebhookId, asked: Range) -> int:
        """Return how many deliveries `replay_range` would let be due."""
        with reading():
            return await self._deliveries.count_documents(_range(webhook, asked))

    async def delete_all(self, webhook: WebhookId) -> None:
        """Forget all deliveries of a subscription."""
        with writing():
            await self._deliveries.delete_many({"webhook": {"$eq": webhook}})

    async def queue(self, webhooks: Several[WebhookId], now: Instant) -> Queue:
        """Return how much waits for these subscriptions."""
        waiting: dict[str, Any] = {"state": "waiting", "webhook": {"$in": list(webhooks)}}
        with reading():
            count = await self._deliveries.count_documents(waiting)
            first = await self._deliveries.find_one({**waiting, "next": {"$lte": now}}, {"next": 1}, sort=[("next", 1)])
        return Queue(count, first["next"] if first else None)


def _again(now: Instant) -> list[Document]:
    """Return the change that begins a new round."""
    expires = moment(now) + KEPT
    fixed = {"state": "waiting", "attempts": 0, "next": {"$literal": now}, "expires": {"$literal": expires}}
    return [{"$set": {**fixed, "round": {"$add": ["$round", 1]}}}]


def _range(webhook: WebhookId, asked: Range) -> Document:
    return {
        "webhook": {"$eq": webhook},
        "event.timestamp": {"$gte": asked.since, "$lt": asked.until},
        "state": {"$in": list(asked.states)},
    }


def _raise_all_but_duplicates(outcomes: Sequence[StoreError | None]) -> None:
    for outcome in outcomes:
        if outcome is not None and not isinstance(outcome, Duplicate):
            raise outcome
