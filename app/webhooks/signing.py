"""What a delivery says and how it is signed (Standard Webhooks 1.0)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from app.auth.sealing import WEBHOOK_SECRETS, Seal, WrongSecret
from app.version import product_version
from resolvers.webhook_rules import SECRET_PREFIX
from storage.deliveries import Event
from storage.documents import instant
from storage.webhooks import StoredSecret, Webhook


class Unsignable(Exception):
    """A webhook's secret is sealed, and this gateway has no secret of the store or another one."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with the secrets of webhooks, as they are stored."""

    seal: Seal | None = None

    @classmethod
    def of(cls, secret: str | None) -> Signer:
        """Return the signer of a gateway with this secret of the store, or with none."""
        return cls(Seal.of(secret, WEBHOOK_SECRETS) if secret else None)

    def headers(self, webhook: Webhook, event_id: str, now: datetime, body: bytes) -> list[tuple[str, str]]:
        """Return the headers of one try: the id is that of the event, the time is that of the try.

        Raises:
            Unsignable: the present secret cannot be opened.
        """
        seconds = int(now.timestamp())
        signatures = " ".join(signature(secret, event_id, seconds, body) for secret in self._secrets(webhook, now))
        return [
            ("content-type", "application/json"),
            ("user-agent", f"customer-gateway/{product_version()}"),
            ("webhook-id", event_id),
            ("webhook-timestamp", str(seconds)),
            ("webhook-signature", signatures),
        ]

    def _secrets(self, webhook: Webhook, now: datetime) -> Sequence[str]:
        """Return the present secret, and the one before it for as long as it signs."""
        stored = [webhook.secret]
        if webhook.previous is not None and (webhook.previousUntil or "") > instant(now):
            stored.append(webhook.previous)
        return [self._opened(one, webhook) for one in stored]

    def _opened(self, stored: StoredSecret, webhook: Webhook) -> str:
        if not stored.sealed:
            return stored.secret.decode()
        if self.seal is None:
            raise Unsignable
        try:
            return self.seal.open(stored.secret, webhook.id).decode()
        except WrongSecret as error:
            raise Unsignable from error


def signature(secret: str, event_id: str, seconds: int, body: bytes) -> str:
    """Return `v1,` and the HMAC-SHA256, in base64, of the id, the time and the very bytes that are sent."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{event_id}.{seconds}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def body_of(event: Event) -> bytes:
    """Return the body of all deliveries of an event, the same at each try."""
    data: dict[str, object] = dict(event.detail)
    if event.customerId is not None:
        data = {"customerId": event.customerId, "version": event.version, "changed": list(event.changed)}
    return orjson.dumps({"id": event.id, "type": event.type, "timestamp": event.timestamp, "data": data})
