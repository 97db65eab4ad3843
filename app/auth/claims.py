"""What a token says, once its signature is known to be good.

Source: RFC 7519 section 4.1; RFC 9068 sections 2.2 and 4; RFC 8693 sections 4.2 and 4.3 (`scope`, `client_id`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from resolvers.context import Scope
from resolvers.problem import JsonValue

SKEW_SECONDS: Final = 60
"""How far the clocks of issuer and gateway may be apart."""
EXPIRED: Final = "expired"

Claims = Mapping[str, JsonValue]


class InvalidToken(Exception):
    """A token that is not good; `reason` is one word of ours, for the log, and holds nothing of the token."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """What a good token says: `subject` or `client_id` is there, `scopes` are those known here.

    `expires` is in seconds since 1970.
    """

    issuer: str
    subject: str | None
    client_id: str | None
    scopes: frozenset[str]
    expires: float

    def check_expiry(self, now: datetime) -> None:
        """Raise InvalidToken where the token has expired."""
        if now.timestamp() >= self.expires + SKEW_SECONDS:
            raise InvalidToken(EXPIRED)


def verified_token(claims: Claims, audience: str, now: datetime) -> VerifiedToken:
    """Return what the claims of a signed token say; raises InvalidToken for the first that is not as it must be."""
    _check_audience(claims.get("aud"), audience)
    expires = _seconds(claims, "exp")
    if expires is None:
        raise InvalidToken("exp")
    subject, client = _name(claims, "sub"), _name(claims, "client_id") or _name(claims, "azp")
    if subject is None and client is None:
        raise InvalidToken("sub")
    _name(claims, "jti")  # means nothing here, but one that is no text is refused
    token = VerifiedToken(str(claims["iss"]), subject, client, _scopes(claims.get("scope", "")), expires)
    token.check_expiry(now)
    for name in ("nbf", "iat"):
        begins = _seconds(claims, name)
        if begins is not None and begins > now.timestamp() + SKEW_SECONDS:
            raise InvalidToken(name)
    return token


def _check_audience(said: JsonValue, audience: str) -> None:
    listed = said if isinstance(said, list) else [said]
    if audience not in listed or not all(isinstance(one, str) for one in listed):
        raise InvalidToken("aud")


def _seconds(claims: Claims, name: str) -> float | None:
    """Return a NumericDate (RFC 7519 section 2), None where there is none; True is no number."""
    said = claims.get(name)
    if name not in claims:
        return None
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise InvalidToken(name)
    return float(said)


def _name(claims: Claims, name: str) -> str | None:
    said = claims.get(name)
    if name not in claims:
        return None
    if not isinstance(said, str) or not said:
        raise InvalidToken(name)
    return said


def _scopes(said: JsonValue) -> frozenset[str]:
    """Return the scopes that are known here, from a text with spaces (RFC 8693 section 4.2) or a list."""
    words = said.split(" ") if isinstance(said, str) else said
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise InvalidToken("scope")
    return frozenset(scope.value for scope in Scope if scope.value in words)
