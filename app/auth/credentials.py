"""From a request's credentials to its caller.

API keys come as `X-API-Key` or as Basic with the secret, tokens as Bearer (RFC 6750 section 2.1).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers

from app.auth.cache import BoundedCache
from app.auth.claims import EXPIRED, InvalidToken
from app.auth.issuer import key_caller
from app.auth.jwks import IssuerUnavailable
from app.auth.tokens import TokenVerifier
from resolvers.context import Caller, Clock
from resolvers.problems import UNAUTHORIZED, UNAVAILABLE, JsonValue, Problem
from storage.documents import instant
from storage.keys import PREFIX, KeyRecord, Keys, digest, well_formed

REMEMBERED_SECONDS: Final = 2
"""How long a checked key is remembered: the most that a revocation waits is this and one request."""
LATELY_SECONDS: Final = 600
"""How long credentials that were good are not held up by others from their address that are not."""

Guard = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Finds the caller behind credentials; what was found is remembered by its hash for seconds."""

    keys: Keys
    clock: Clock
    cache: BoundedCache
    tokens: TokenVerifier
    lately: BoundedCache
    """Which credentials have been good in the last minutes, by their hash."""

    async def authenticate(self, headers: Headers, guard: Guard) -> Caller | None:
        """Return the caller, or None where no credentials were sent.

        `guard` is asked before credentials are looked at that have not been good lately.

        Raises:
            Problem: unauthorized for credentials that are not good, whatever is wrong with them; unavailable
                for a token whose issuer is away; and what `guard` raises.
            Unavailable: the store does not answer.
        """
        keys, authorizations = headers.getlist("x-api-key"), headers.getlist("authorization")
        if len(keys) + len(authorizations) > 1:
            raise _bad("Send one kind of credentials, and once.")
        if keys:
            return await self._by_key(keys[0], guard)
        if not authorizations:
            return None
        scheme, _, rest = authorizations[0].partition(" ")
        if scheme.lower() == "basic":
            return await self._by_basic(rest.strip(), guard)
        if scheme.lower() == "bearer":
            return await self._by_token(rest.strip(" "), guard)
        raise _bad("These credentials are not good.")

    async def _by_key(self, key: str, guard: Guard) -> Caller:
        if not well_formed(key):
            raise _bad("The API key is not good.")
        return await self._remembered(digest(key), lambda: self.keys.find_by_key(key), guard)

    async def _by_basic(self, encoded: str, guard: Guard) -> Caller:
        try:
            client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError, ValueError) as error:
            raise _bad("The Basic credentials are not well-formed.") from error
        if not secret or (client.startswith(PREFIX) and not well_formed(client)):
            raise _bad("The key or the secret is not good.")
        name = digest(f"{client}:{secret}")
        return await self._remembered(name, lambda: self.keys.find_by_client(client, secret), guard)

    async def _by_token(self, token: str, guard: Guard) -> Caller:
        name = digest(token)
        known = await self.lately.get(name)
        if known is None:
            await guard()
        try:
            caller = await self.tokens.authenticate(token)
        except InvalidToken as invalid:
            said = "The token has expired." if invalid.reason == EXPIRED else "The token is not good."
            raise _bad(said, token=True) from invalid
        except IssuerUnavailable as error:
            said = "The token cannot be verified now: its issuer does not answer. Nothing was changed."
            raise Problem(UNAVAILABLE, said, extra={"outcome": "none"}) from error
        if known is None:
            await self.lately.set(name, True, LATELY_SECONDS)
        return caller

    async def _remembered(self, name: str, find: Callable[[], Awaitable[KeyRecord | None]], guard: Guard) -> Caller:
        known = await self.cache.get(name)
        if isinstance(known, KeyRecord):
            return self._caller(known)
        if await self.lately.get(name) is None:
            await guard()
        record = await find()
        if record is None:
            raise _bad("The key or the secret is not good.")
        caller = self._caller(record)
        await self.keys.touch(record.id, self.clock())
        await self.cache.set(name, record, REMEMBERED_SECONDS)
        await self.lately.set(name, True, LATELY_SECONDS)
        return caller

    def _caller(self, record: KeyRecord) -> Caller:
        if record.revokedAt is not None:
            raise _bad("The API key is not good.")
        if record.expiresAt is not None and record.expiresAt <= instant(self.clock()):
            raise _bad("The API key has expired.")
        return key_caller(record, frozenset(record.scopes))


def _bad(detail: str, *, token: bool = False) -> Problem:
    extra: dict[str, JsonValue] = {"credentials": "invalid"}
    if token:
        extra["error"] = "invalid_token"
    return Problem(UNAUTHORIZED, detail, extra=extra)
