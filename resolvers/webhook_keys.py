"""Requests about webhooks with an idempotency key: what they mean, and what of their outcome is kept.

A secret is shown once, with the answer of the request that made it, and is never kept with an outcome: who did not get
that answer asks for another secret.
"""

from __future__ import annotations

from typing import Any, Final

from resolvers.context import Context
from resolvers.idempotency import Keyed, Outcome
from resolvers.webhook_commands import AtWebhook, CreateWebhook, NewWebhook
from resolvers.webhook_fields import created_fields
from storage.deliveries import Delivery, earlier
from storage.webhooks import StoredSecret, Webhook

_KEPT: Final = ("id", "url", "types", "enabled", "disabledReason", "previousUntil", "createdAt", "updatedAt")
_UNKNOWN: Final = StoredSecret(b"", sealed=False)


def kept_webhook(webhook: Webhook) -> dict[str, Any]:
    """Return the outcome that a new webhook, or one with a new secret, is: without any secret."""
    return {"webhook": {name: getattr(webhook, name) for name in _KEPT}}


def _earlier(outcome: Outcome) -> NewWebhook:
    known = {**outcome["webhook"], "types": tuple(outcome["webhook"]["types"])}
    return NewWebhook(Webhook(**known, owner="", secret=_UNKNOWN, previous=None, holdUntil=None, since=""), None)


def keyed_webhook(ctx: Context, command: CreateWebhook) -> Keyed[NewWebhook] | None:
    """Return what a new webhook means. Raises what is wrong with the input, which leaves no trace of the key."""
    if command.key is None or command.dry_run:
        return None
    fields = created_fields(command.body(), ctx.services.webhooks, strict=command.strict)
    return Keyed(command.key, [fields.url, list(fields.types), fields.enabled], _earlier)


def keyed_rotation(_ctx: Context, command: AtWebhook) -> Keyed[NewWebhook] | None:
    """Return what a new secret means: of which webhook."""
    if command.key is None or command.dry_run:
        return None
    return Keyed(command.key, command.id, _earlier)


def keyed_test(_ctx: Context, command: AtWebhook) -> Keyed[Delivery] | None:
    """Return what a test means: of which webhook."""
    if command.key is None or command.dry_run:
        return None
    return Keyed(command.key, command.id, lambda outcome: earlier(outcome["delivery"]))
