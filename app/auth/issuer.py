"""The gateway as an issuer of tokens (RFC 9068): for API keys, ended with them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from joserfc import jwt
from joserfc.jwk import ECKey

from app.auth.cache import BoundedCache
from app.auth.key_ring import ALGORITHM, TOKEN_SECONDS
from app.auth.signing import SigningKeys
from app.auth.token_server import TokenAnswer, TokenServer
from resolvers.context import Allowance, Caller, Clock
from resolvers.problem import Problem
from resolvers.problems import UNAUTHORIZED
from storage.deadlines import wire_deadline
from storage.documents import moment, new_id
from storage.errors import Unavailable
from storage.keys import KeyId, KeyRecord, Keys

AUDIENCE: Final = "customer-gateway"
"""Who tokens are meant for where no setting says so."""
REMEMBERED_SECONDS: Final = 2
"""How long the API key behind a token is remembered."""
_REMEMBERED_KEYS: Final = 10_000
_NOTE_SECONDS: Final = 0.5
"""How long a request waits for a store that does not take the note of a key's use."""


class VerifiedToken(Protocol):
    """What a token says whose signature, claims and issuer have been found good."""

    @property
    def subject(self) -> str | None:
        """The claim `sub`."""
        ...

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes of the claim `scope`."""
        ...


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """Issues tokens to API keys, and finds the caller behind a token; `url` is its name (`iss`).

    Every method that waits raises `Unavailable` where the store is away.
    """

    url: str
    audience: str
    keys: Keys
    signing: SigningKeys
    clock: Clock
    cache: BoundedCache = field(default_factory=lambda: BoundedCache(maxsize=_REMEMBERED_KEYS))

    async def issue(self, record: KeyRecord, form: Mapping[str, str]) -> TokenAnswer:
        """Answer the token request of an authenticated client; raises `SealedKey`."""
        signer, now = await self.signing.signer(), self.clock()
        seconds = _lifetime(record, now)
        server = TokenServer(record, seconds, lambda scope: self._token(signer, record, scope, now, seconds))
        answer = server.answer(form)
        if answer.status == 200:
            await note_use(self.keys, record, now)
        return answer

    def _token(self, signer: ECKey, record: KeyRecord, scope: str, now: datetime, seconds: int) -> str:
        issued = int(now.timestamp())
        claims = {
            "iss": self.url,
            "aud": self.audience,
            "sub": record.id,
            "client_id": record.clientId,
            "scope": scope,
            "iat": issued,
            "exp": issued + seconds,
            "jti": new_id(),
        }
        header = {"alg": ALGORITHM, "typ": "at+jwt", "kid": signer.kid}
        return jwt.encode(header, claims, signer, algorithms=[ALGORITHM])

    async def caller(self, token: VerifiedToken) -> Caller:
        """Return the caller behind a verified token of this issuer: its API key, with what both may do.

        The key is looked up, at most every `REMEMBERED_SECONDS`: a token ends with its key.

        Raises:
            Problem: unauthorized where the key has been revoked, has expired or is not there.
        """
        record = await self._record(KeyId(token.subject or ""))
        if record is None or not record.works(self.clock()):
            extra = {"credentials": "invalid", "error": "invalid_token"}
            raise Problem(UNAUTHORIZED, "The API key of this token is no longer good.", extra=extra)
        return key_caller(record, token.scopes & frozenset(record.scopes))

    async def _record(self, key_id: KeyId) -> KeyRecord | None:
        known: KeyRecord | None = await self.cache.get(key_id)
        if known is not None:
            return known
        found = await self.keys.find(key_id)
        if found is not None:
            await self.cache.set(key_id, found, REMEMBERED_SECONDS)
            await note_use(self.keys, found, self.clock())
        return found


async def note_use(keys: Keys, record: KeyRecord, now: datetime) -> None:
    """Note that a key was used, where the store takes it in time; if not, another request will."""
    with suppress(Unavailable), wire_deadline(_NOTE_SECONDS):
        await keys.touch(record, now)


def key_caller(record: KeyRecord, scopes: frozenset[str]) -> Caller:
    """Return the caller that an API key stands for, however it comes: one identity, and one budget."""
    return Caller(record.id, record.name, scopes, Allowance(record.rateLimit, record.dailyQuota))


def _lifetime(record: KeyRecord, now: datetime) -> int:
    """Return for how many seconds a token of a key is good: never longer than the key itself."""
    if record.expiresAt is None:
        return TOKEN_SECONDS
    left = (moment(record.expiresAt) - now).total_seconds()
    return max(1, min(TOKEN_SECONDS, int(left)))
