"""Bearer tokens: signed JWTs of the issuers that are trusted here, and nothing else.

Source: RFC 7515 (JWS), RFC 7519 (JWT), RFC 8725 (JWT Best Current Practices), RFC 9068 section 4 (access tokens).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry, deserialize_compact
from joserfc.util import urlsafe_b64decode

from app.auth.cache import BoundedCache
from app.auth.claims import InvalidToken, VerifiedToken, verified_token
from app.auth.jwks import KeySource
from app.http.body import parse_json
from resolvers.context import Caller, Clock
from resolvers.problem import JsonValue, Problem

MAX_TOKEN: Final = 8 * 1024
"""Characters of a token."""
REMEMBERED_SECONDS: Final = 2
"""How long a verified token is remembered: the most that it outlives its key, or the key's owner."""
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_KID = re.compile(r"[!-~]{1,128}")
_TYPES = {"jwt", "at+jwt", "application/at+jwt"}


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who may issue tokens: its name (`iss`) to the letter, for whom (`aud`), how signed, and whose they then are.

    `caller` may raise InvalidToken where the owner of a good token is gone.
    """

    name: str
    audience: str
    algorithms: tuple[str, ...]
    keys: KeySource
    caller: Callable[[VerifiedToken], Awaitable[Caller]]


@dataclass(frozen=True, slots=True)
class TokenVerifier:
    """Verifies the tokens of several issuers; a good one is remembered by its hash for a moment."""

    issuers: tuple[Issuer, ...]
    clock: Clock
    cache: BoundedCache

    async def authenticate(self, token: str) -> Caller:
        """Return whose token it is.

        Raises:
            InvalidToken: it is not good, whatever is wrong with it.
            IssuerUnavailable: the key that it names is not known here, and the issuer cannot be asked.
        """
        try:
            verified = await self.verify(token)
            return await self._issuer(verified.issuer).caller(verified)
        except InvalidToken as invalid:
            structlog.get_logger().debug("A bearer token was refused", reason=invalid.reason)
            raise

    async def verify(self, token: str) -> VerifiedToken:
        """Return what a token says, its signature and its claims checked; raises as `authenticate` does."""
        if len(token) > MAX_TOKEN or not _COMPACT.fullmatch(token):
            raise InvalidToken("form")
        name = hashlib.sha256(token.encode()).hexdigest()
        return await self._remembered(name) or await self._verified(token, name)

    async def _remembered(self, name: str) -> VerifiedToken | None:
        known = await self.cache.get(name)
        if not isinstance(known, VerifiedToken):
            return None
        known.check_expiry(self.clock())
        return known

    async def _verified(self, token: str, name: str) -> VerifiedToken:
        header, claims = (_parsed(part) for part in token.split(".")[:2])
        issuer = self._issuer(claims.get("iss"))  # chooses the key, and is true only once that key has verified it
        kid, algorithm = _checked(header, issuer.algorithms)
        key = await issuer.keys.key(kid, algorithm)
        if key is None:
            raise InvalidToken("key")
        known = await self._remembered(name)  # while this request waited for the key another may have been quicker
        if known is None:
            _check_signature(token, key, algorithm)
            known = verified_token(claims, issuer.audience, self.clock())
            await self.cache.set(name, known, REMEMBERED_SECONDS)
        return known

    def _issuer(self, name: JsonValue) -> Issuer:
        for issuer in self.issuers:
            if issuer.name == name:
                return issuer
        raise InvalidToken("issuer")


def _parsed(part: str) -> dict[str, JsonValue]:
    try:
        value = parse_json(urlsafe_b64decode(part.encode()))
    except (Problem, ValueError) as error:
        raise InvalidToken("form") from error
    if not isinstance(value, dict):
        raise InvalidToken("form")
    return value


def _checked(header: Mapping[str, JsonValue], algorithms: tuple[str, ...]) -> tuple[str | None, str]:
    """Return kid and algorithm. Keys and addresses in the header (`jwk`, `jku`, `x5c`, `x5u`) are not looked at."""
    kid, algorithm = header.get("kid"), header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise InvalidToken("alg")
    if "typ" in header and str(header["typ"]).lower() not in _TYPES:
        raise InvalidToken("typ")
    if "crit" in header or header.get("b64", True) is not True or "jwt" in str(header.get("cty", "")).lower():
        raise InvalidToken("crit")
    if "kid" not in header:
        return None, algorithm
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise InvalidToken("kid")
    return kid, algorithm


class _Registry(JWSRegistry):
    """Exactly one algorithm, and no surprises: joserfc's own takes a default for an empty list, and warns of EdDSA."""

    max_header_length = max_payload_length = max_signature_length = MAX_TOKEN

    def __init__(self, algorithm: str) -> None:
        super().__init__(algorithms=(algorithm,), strict_check_header=False)
        self._algorithm = algorithm

    def get_alg(self, name: str) -> JWSAlgModel:
        if name != self._algorithm:
            raise UnsupportedAlgorithmError
        return self.algorithms[name]


def _check_signature(token: str, key: Key, algorithm: str) -> None:
    try:
        deserialize_compact(token, key, algorithms=(algorithm,), registry=_Registry(algorithm))
    except (JoseError, ValueError) as error:
        raise InvalidToken("signature") from error
