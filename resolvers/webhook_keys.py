"""Requests about webhooks with an idempotency key: what they mean, and what of their outcome is kept.

A secret is shown once, with the answer of the request that made it, and is never kept with an outcome: who did not get
that answer asks for another secret.
"""

from __future__ import annotations

from typing import Any, Final

from resolvers.context import Context
from resolvers.idempotency import Keyed, Outcome
from resolvers.meanings import valid
from resolvers.problem import JsonValue
from resolvers.webhook_commands import (
    AtWebhook,
    ChangeWebhook,
    CreateWebhook,
    NewWebhook,
    ReplayDeliveries,
    ReplayDelivery,
)
from resolvers.webhook_fields import created_fields, replay_range
from storage.deliveries import Delivery, earlier
from storage.records import record
from storage.webhooks import StoredSecret, Webhook

_KEPT: Final = ("id", "url", "types", "enabled", "disabledReason", "previousUntil", "createdAt", "updatedAt")
_UNKNOWN: Final = StoredSecret(b"", sealed=False)


def kept_webhook(webhook: Webhook) -> dict[str, Any]:
    """Return the outcome that a webhook is, new or changed: without any secret."""
    return {"webhook": {name: getattr(webhook, name) for name in _KEPT}}


def _earlier(outcome: Outcome) -> Webhook:
    unknown = {"owner": "", "secret": _UNKNOWN, "previous": None, "holdUntil": None, "since": ""}
    return record(Webhook, outcome["webhook"], types=tuple(outcome["webhook"]["types"]), **unknown)


def _earlier_new(outcome: Outcome) -> NewWebhook:
    return NewWebhook(_earlier(outcome), None)


def _earlier_delivery(outcome: Outcome) -> Delivery:
    return earlier(outcome["delivery"])


def keyed_webhook(ctx: Context, command: CreateWebhook) -> Keyed[NewWebhook] | None:
    """Return what a new webhook means. Raises what is wrong with the input, which leaves no trace of the key."""
    if command.key is None or command.dry_run:
        return None
    fields = created_fields(command.body(), ctx.services.webhooks, strict=command.strict)
    return Keyed(command.key, [fields.url, list(fields.types), fields.enabled], _earlier_new)


def keyed_update(_ctx: Context, command: ChangeWebhook) -> Keyed[Webhook] | None:
    """Return what a change means: what was sent, and of which webhook."""
    if command.key is None or command.dry_run or (sent := valid(command.change.meaning)) is None:
        return None
    return Keyed(command.key, [command.id, sent], _earlier)


def keyed_rotation(_ctx: Context, command: AtWebhook) -> Keyed[NewWebhook] | None:
    """Return what a new secret means: of which webhook."""
    if command.key is None or command.dry_run:
        return None
    return Keyed(command.key, command.id, _earlier_new)


def keyed_test(_ctx: Context, command: AtWebhook) -> Keyed[Delivery] | None:
    """Return what a test means: of which webhook."""
    if command.key is None or command.dry_run:
        return None
    return Keyed(command.key, command.id, _earlier_delivery)


def keyed_replay(_ctx: Context, command: ReplayDelivery) -> Keyed[Delivery] | None:
    """Return what sending a delivery again means: which one, of which webhook."""
    if command.key is None or command.dry_run:
        return None
    return Keyed(command.key, [command.id, command.delivery_id], _earlier_delivery)


def keyed_range(ctx: Context, command: ReplayDeliveries) -> Keyed[int] | None:
    """Return what sending a range again means; an end that is not named is whatever time it is, and so the same."""

    def asked() -> JsonValue:
        body = command.body()
        since, until, states = replay_range(body, ctx.now(), strict=command.strict)
        named = isinstance(body, dict) and "until" in body
        return [since, until if named else None, list(states)]

    if command.key is None or command.dry_run or (sent := valid(asked)) is None:
        return None
    return Keyed(command.key, [command.id, sent], lambda outcome: int(outcome["replayed"]))
