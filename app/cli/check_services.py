"""What `gateway check` finds at the services beside the store: the issuer of tokens, and Redis."""

from __future__ import annotations

import asyncio

import httpx2
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.auth.discovery import Unreadable, find_jwks, read_document
from app.auth.jwks import StaticKey
from app.auth.public_keys import key_map
from app.cli.finding import Finding
from app.limits.redis import connections
from app.settings import Settings

_SECONDS = 3.0


async def check_services(settings: Settings) -> list[Finding]:
    """Look at what the settings name, each within `_SECONDS`."""
    findings = []
    if settings.jwt_issuer is not None:
        findings.append(await _issuer(settings, settings.jwt_issuer))
    if settings.redis_url is not None:
        findings.append(await _redis(settings.redis_url))
    return findings


async def _issuer(settings: Settings, issuer: str) -> Finding:
    subject = "issuer"
    if settings.jwt_public_key is not None:
        try:
            StaticKey.parse(settings.jwt_public_key)
        except ValueError as error:
            return Finding(subject, "bad", f"GATEWAY_JWT_PUBLIC_KEY is {error}", "put the issuer's public key there")
        return Finding(subject, "good", "its public key is set")
    try:
        async with asyncio.timeout(_SECONDS), httpx2.AsyncClient(timeout=_SECONDS) as client:
            keys = key_map(await read_document(client, settings.jwt_jwks_url or await find_jwks(client, issuer)))
    except (Unreadable, TimeoutError) as error:
        cure = "see GATEWAY_JWT_ISSUER and GATEWAY_JWT_JWKS_URL; its tokens are 503 until its keys can be read"
        return Finding(subject, "bad", f"its keys cannot be read: {str(error) or 'no answer'}", cure)
    if not keys:
        return Finding(subject, "bad", "it publishes no key that is good here", "see GATEWAY_JWT_ALGORITHMS")
    return Finding(subject, "good", f"it publishes {sum(map(len, keys.values()))} keys")


async def _redis(url: str) -> Finding:
    pool = connections(url)
    try:
        async with asyncio.timeout(_SECONDS):
            await Redis(connection_pool=pool).exists("customer-gateway:check")
    except (RedisError, OSError, TimeoutError):
        cure = "see GATEWAY_REDIS_URL; until it answers each machine counts its limits alone"
        return Finding("redis", "warning", "it does not answer", cure)
    finally:
        await pool.aclose()
    return Finding("redis", "good", "it answers")
