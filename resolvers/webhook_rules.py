"""What the operations on webhooks are given by the application: what is allowed, and how secrets are kept."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from storage.webhooks import StoredSecret, WebhookId

SECRET_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32
"""Standard Webhooks, Signature scheme: 24 to 64 random bytes."""

LookUp = Callable[[str], Awaitable[Sequence[str]]]
"""Gives the IP addresses that a host's name has now; raises OSError where it has none that can be found."""


class Sealing(Protocol):
    """What seals secrets before they are stored."""

    def close(self, text: bytes, name: str) -> bytes:
        """Return a text sealed, so that it opens under the same name alone."""
        ...


async def _nothing(_host: str) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class WebhookRules:
    """Whether webhooks may lead into private networks, what seals their secrets, and how names are looked up."""

    allow_private: bool = False
    seal: Sealing | None = None
    look_up: LookUp = _nothing

    def keep(self, secret: str, webhook_id: WebhookId) -> StoredSecret:
        """Return a secret as it is stored: sealed where there is something to seal it with."""
        if self.seal is None:
            return StoredSecret(secret.encode(), sealed=False)
        return StoredSecret(self.seal.close(secret.encode(), webhook_id), sealed=True)


def new_secret() -> str:
    """Return a new signing secret: `whsec_` and 32 random bytes in standard base64 (Standard Webhooks)."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
