"""The issuer outside of the gateway that the settings name, and who its callers are."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import structlog

from app.auth.claims import VerifiedToken
from app.auth.jwks import FETCH_SECONDS, KeySource, RemoteKeys, StaticKey
from app.auth.tokens import Issuer
from app.settings import Settings
from resolvers.context import Caller


@asynccontextmanager
async def outside_issuers(settings: Settings) -> AsyncIterator[tuple[Issuer, ...]]:
    """Give the issuer that is set, if one is; it need not be there yet, for it is asked when its keys are needed.

    Raises:
        ValueError: GATEWAY_JWT_PUBLIC_KEY is no public key.
    """
    if settings.jwt_issuer is None or settings.jwt_audience is None:
        yield ()
        return
    async with _key_source(settings, settings.jwt_issuer) as keys:
        yield (Issuer(settings.jwt_issuer, settings.jwt_audience, settings.jwt_algorithms, keys, outside_caller),)


@asynccontextmanager
async def _key_source(settings: Settings, issuer: str) -> AsyncIterator[KeySource]:
    if settings.jwt_public_key is not None:
        yield _static_key(settings.jwt_public_key)
        return
    import httpx2  # here, for most gateways ask no issuer and need not hold it

    async with httpx2.AsyncClient(timeout=FETCH_SECONDS) as client:
        async with aclosing(RemoteKeys(client, issuer, settings.jwt_jwks_url)) as keys:
            yield keys


def _static_key(text: str) -> StaticKey:
    try:
        return StaticKey.parse(text)
    except ValueError as error:
        structlog.get_logger().error(f"GATEWAY_JWT_PUBLIC_KEY is {error}.")
        raise


async def outside_caller(token: VerifiedToken) -> Caller:
    """Return the caller of a token: as stable as issuer and subject, and an id that tells nothing of either."""
    owner = f"\0{token.subject}" if token.subject is not None else f"\1{token.client_id}"
    digest = hashlib.sha256((token.issuer + owner).encode()).digest()
    name = "jwt_" + base64.urlsafe_b64encode(digest).decode()[:22]
    return Caller(name, token.client_id or token.subject or "", token.scopes, kind="token")
