"""What both doors show of webhooks and deliveries; secrets only where they are new."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from resolvers.webhook_commands import NewWebhook
from storage.deliveries import Delivery
from storage.webhooks import Webhook

Json = dict[str, Any]


def webhook_view(webhook: Webhook) -> Json:
    """Return what is shown of a webhook, without any secret."""
    return {
        "id": webhook.id,
        "url": webhook.url,
        "types": list(webhook.types),
        "enabled": webhook.enabled,
        "disabledReason": webhook.disabledReason,
        "previousSecretUntil": webhook.previousUntil,
        "createdAt": webhook.createdAt,
        "updatedAt": webhook.updatedAt,
    }


def new_webhook_view(made: NewWebhook) -> Json:
    """Return what is shown of a webhook at the one moment when its secret is known; a replay has null for it."""
    return {**webhook_view(made.webhook), "secret": made.secret}


def delivery_view(delivery: Delivery) -> Json:
    """Return what is shown of a delivery."""
    event = delivery.event
    return {
        "id": delivery.id,
        "eventId": event.id,
        "type": event.type,
        "timestamp": event.timestamp,
        "customerId": event.customerId,
        "version": event.version,
        "changed": list(event.changed),
        "state": delivery.state,
        "attempts": delivery.attempts,
        "nextAttemptAt": delivery.next,
        "tries": [asdict(one) for one in delivery.tries],
        "createdAt": delivery.createdAt,
    }
