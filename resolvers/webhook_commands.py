"""What the doors ask of the operations on webhooks, as data."""

from __future__ import annotations

from dataclasses import dataclass

from resolvers.context import IdempotencyKey
from resolvers.patches import Body, Change
from storage.deliveries import Delivery, DeliveryId, State
from storage.webhooks import Webhook, WebhookId


@dataclass(frozen=True, slots=True)
class CreateWebhook:
    """A new subscription; `strict` refuses unknown properties, `dry_run` stores nothing."""

    body: Body
    strict: bool = False
    dry_run: bool = False
    key: IdempotencyKey | None = None


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A subscription at the moment when its new secret is known; None in a replay, which does not know it."""

    webhook: Webhook
    secret: str | None


@dataclass(frozen=True, slots=True)
class AtWebhook:
    """One subscription of the caller: to be read, deleted, tested, or given a new secret."""

    id: WebhookId
    dry_run: bool = False
    key: IdempotencyKey | None = None


@dataclass(frozen=True, slots=True)
class ChangeWebhook:
    """A change of a subscription."""

    id: WebhookId
    change: Change
    strict: bool = False
    dry_run: bool = False
    key: IdempotencyKey | None = None


@dataclass(frozen=True, slots=True)
class ListDeliveries:
    """A page of the log of a subscription; `after` is the id of the last delivery that is known."""

    id: WebhookId
    state: State | None = None
    after: str | None = None
    size: int = 25


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """A page of a log; `next` is what the next one comes after, None where there is none."""

    deliveries: tuple[Delivery, ...]
    size: int
    next: DeliveryId | None


@dataclass(frozen=True, slots=True)
class ReplayDelivery:
    """One delivery, to be sent again."""

    id: WebhookId
    delivery_id: DeliveryId
    dry_run: bool = False
    key: IdempotencyKey | None = None


@dataclass(frozen=True, slots=True)
class ReplayDeliveries:
    """All deliveries of a range of time, to be sent again."""

    id: WebhookId
    body: Body
    strict: bool = False
    dry_run: bool = False
    key: IdempotencyKey | None = None
