"""From a request's credentials to its caller.

API keys come as `X-API-Key` or as Basic with the secret, tokens as Bearer (RFC 6750 section 2.1).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from app.auth.cache import BoundedCache
from app.auth.claims import EXPIRED, InvalidToken
from app.auth.issuer import key_caller, note_use
from app.auth.jwks import IssuerUnavailable
from app.auth.remembered import RememberedCallers
from app.auth.tokens import TokenVerifier
from app.http.heads import Heads
from resolvers.context import Caller, Clock
from resolvers.problem import JsonValue, Problem
from resolvers.problems import UNAUTHORIZED, UNAVAILABLE
from storage.documents import instant
from storage.keys import PREFIX, KeyRecord, Keys, well_formed

REMEMBERED_SECONDS: Final = 2
"""How long a checked key is remembered: the most that a revocation waits is this and one request."""
_KEY: Final = b"x-api-key"
_HEADERS: Final = (_KEY, b"authorization")
LATELY_SECONDS: Final = 600
"""How long credentials that were good are not held up by others from their address that are not."""

Guard = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Finds the caller behind credentials; what was found is remembered by its hash for seconds."""

    keys: Keys
    clock: Clock
    known: RememberedCallers
    tokens: TokenVerifier
    lately: BoundedCache
    """Which credentials have been good in the last minutes, by their hash, with the loop's time of that."""

    def remembered(self, heads: Heads) -> Caller | None:
        """Return the caller of an API key, or of Basic credentials, that was good a moment ago, else None."""
        sent = _sent(heads)
        return self.known.get(_name(*sent[0]), lambda: instant(self.clock())) if len(sent) == 1 else None

    async def authenticate(self, heads: Heads, guard: Guard) -> Caller | None:
        """Return the caller, or None where no credentials were sent.

        `guard` is asked before credentials are looked at that have not been good lately.

        Raises:
            Problem: unauthorized for credentials that are not good, whatever is wrong with them; unavailable
                for a token whose issuer is away; and what `guard` raises.
            Unavailable: the store does not answer.
        """
        sent = _sent(heads)
        if len(sent) > 1 or (heads.repeated and any(b", " in value for _, value in sent)):
            raise _bad("Send one kind of credentials, and once.")
        if not sent:
            return None
        name = _name(*sent[0])
        try:
            return await self._caller_of(name, _KEY in heads, sent[0][1].decode("latin-1"), guard)
        except Problem as problem:
            if problem.type is UNAUTHORIZED:
                await self.lately.delete(name.hex())  # what has ended is guarded as any other guess
            raise

    async def _caller_of(self, name: bytes, is_key: bool, value: str, guard: Guard) -> Caller:
        if is_key:
            return await self._by_key(name, value, guard)
        scheme, _, rest = value.partition(" ")
        if scheme.lower() == "basic":
            return await self._by_basic(name, rest.strip(), guard)
        if scheme.lower() == "bearer":
            return await self._by_token(name, rest.strip(" "), guard)
        raise _bad("These credentials are not good.")

    async def _by_key(self, name: bytes, key: str, guard: Guard) -> Caller:
        if not well_formed(key):
            raise _bad("The API key is not good.")
        return await self._found(name, lambda: self.keys.find_by_key(key), guard)

    async def _by_basic(self, name: bytes, encoded: str, guard: Guard) -> Caller:
        try:
            client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError, ValueError) as error:
            raise _bad("The Basic credentials are not well-formed.") from error
        if not secret or (client.startswith(PREFIX) and not well_formed(client)):
            raise _bad("The key or the secret is not good.")
        return await self._found(name, lambda: self.keys.find_by_client(client, secret), guard)

    async def _by_token(self, name: bytes, token: str, guard: Guard) -> Caller:
        since = await self._since(name, guard)
        try:
            caller = await self.tokens.authenticate(token)
        except InvalidToken as invalid:
            said = "The token has expired." if invalid.reason == EXPIRED else "The token is not good."
            raise _bad(said, token=True) from invalid
        except IssuerUnavailable as error:
            said = "The token cannot be verified now: its issuer does not answer. Nothing was changed."
            raise Problem(UNAVAILABLE, said, extra={"outcome": "none"}) from error
        await self._was_good(name, since)
        return caller

    async def _found(self, name: bytes, find: Callable[[], Awaitable[KeyRecord | None]], guard: Guard) -> Caller:
        since = await self._since(name, guard)
        record = await find()
        if record is None:
            raise _bad("The key or the secret is not good.")
        caller = self._caller(record)
        self.known.set(name, caller, record.expiresAt)
        await self._was_good(name, since)
        await note_use(self.keys, record, self.clock())
        return caller

    async def _since(self, name: bytes, guard: Guard) -> float:
        """Return since when credentials are known to be good; those that are not have to pass the guard first."""
        since: float | None = await self.lately.get(name.hex())
        if since is None:
            await guard()
        return -math.inf if since is None else since

    async def _was_good(self, name: bytes, since: float) -> None:
        """Note that credentials were good now; who goes on to use them stays known, and few requests write it down."""
        now = asyncio.get_running_loop().time()
        if now - since > LATELY_SECONDS / 2:
            await self.lately.set(name.hex(), now, LATELY_SECONDS)

    def _caller(self, record: KeyRecord) -> Caller:
        if record.revokedAt is not None:
            raise _bad("The API key is not good.")
        if record.expiresAt is not None and record.expiresAt <= instant(self.clock()):
            raise _bad("The API key has expired.")
        return key_caller(record, frozenset(record.scopes))


def _sent(heads: Heads) -> list[tuple[bytes, bytes]]:
    return [(header, heads[header]) for header in _HEADERS if header in heads]


def _name(header: bytes, sent: bytes) -> bytes:
    """Return by what credentials are remembered: their hash, so that no secret stays in memory.

    The header is a part of it: what is good in one of them is not good in the other.
    """
    return hashlib.sha256(header + b":" + sent).digest()


def _bad(detail: str, *, token: bool = False) -> Problem:
    extra: dict[str, JsonValue] = {"credentials": "invalid"}
    if token:
        extra["error"] = "invalid_token"
    return Problem(UNAUTHORIZED, detail, extra=extra)
