"""The Idempotency-Key header, the same at both doors (IETF draft, The Idempotency-Key HTTP Header Field)."""

from __future__ import annotations

from typing import Final

from starlette.types import Scope

from app.http.heads import heads_of
from resolvers.context import IdempotencyKey
from resolvers.idempotency import idempotency_key, malformed

_NAME: Final = b"idempotency-key"


def sent_key(scope: Scope) -> IdempotencyKey | None:
    """Return the key that a request was sent with; raises idempotency-key where it is none, or there are several."""
    heads = heads_of(scope)
    if _NAME not in heads:
        return None
    if heads.repeated and sum(name == _NAME for name, _ in scope["headers"]) > 1:
        raise malformed("There are several Idempotency-Key headers.")
    return idempotency_key(heads.text(_NAME))
