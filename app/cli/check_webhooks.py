"""What `gateway check` finds of the webhooks: whether they pile up, and which get nothing any more."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from app.cli.finding import Finding
from storage.documents import instant, moment
from storage.store import Store

_LATE_SECONDS: Final = 300
"""How late a delivery may be before it is told."""
_SUBJECT: Final = "webhooks"


async def check_webhooks(store: Store, now: datetime) -> Finding:
    """Look at the queue; raises `Unavailable`."""
    enabled = [webhook.id for webhook in await store.webhooks.enabled()]
    queue = await store.deliveries.queue(enabled, instant(now))
    stopped = await store.webhooks.count_stopped()
    found = f"{len(enabled)} are sent to, {queue.waiting} deliveries wait"
    late = (now - moment(queue.overdue_since)).total_seconds() if queue.overdue_since else 0.0
    if late > _LATE_SECONDS:
        cure = "is a gateway running, and does it reach the endpoints? Its log and the deliveries of a webhook say more"
        return Finding(_SUBJECT, "warning", f"{found}, one for {late / 60:.0f} minutes", cure)
    if stopped:
        cure = "their owners can enable them again, or delete them"
        return Finding(_SUBJECT, "warning", f"{found}; {stopped} were disabled by a 410 or a revoked key", cure)
    return Finding(_SUBJECT, "good", found)
