"""Identifiers as clients send them."""

from __future__ import annotations

import re

from resolvers.problem import Problem
from resolvers.problems import INVALID_ID
from storage.deliveries import DeliveryId
from storage.documents import CustomerId, PartId
from storage.jobs import JobId
from storage.webhooks import WebhookId

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def customer_id(text: str) -> CustomerId:
    """Return a customer's id in canonical form; raises the problem invalid-id."""
    return CustomerId(_uuid(text, "customer"))


def part_id(text: str, noun: str) -> PartId:
    """Return the id of a nested part in canonical form; raises the problem invalid-id."""
    return PartId(_uuid(text, noun))


def job_id(text: str) -> JobId:
    """Return an operation's id in canonical form; raises the problem invalid-id."""
    return JobId(_uuid(text, "operation"))


def webhook_id(text: str) -> WebhookId:
    """Return a webhook's id in canonical form; raises the problem invalid-id."""
    return WebhookId(_uuid(text, "webhook"))


def delivery_id(text: str) -> DeliveryId:
    """Return a delivery's id in canonical form; raises the problem invalid-id."""
    return DeliveryId(_uuid(text, "delivery"))


def _uuid(text: str, noun: str) -> str:
    lower = text.lower()
    if not _UUID.fullmatch(lower):
        raise Problem(INVALID_ID, f"The {noun} id must be a UUID, e.g. 0d047d80-eb69-4665-9395-6df5a5e569a4.")
    return lower
