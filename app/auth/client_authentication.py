"""Which client sends a token request: API keys by client id and secret (RFC 6749 section 2.3.1)."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError

from storage.keys import SECRET_PREFIX, KeyRecord, Keys, well_formed

METHODS: Final = ("client_secret_basic", "client_secret_post")
"""The ways to authenticate, by their registered names (RFC 7591 section 2)."""
_HALF_ENCODED: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class _Credentials:
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)


async def authenticate_client(
    authorizations: Sequence[str], form: Mapping[str, str], keys: Keys, now: datetime
) -> KeyRecord:
    """Return the API key that the `Authorization` headers or the form of a token request name.

    An unknown client and a wrong secret cost one and the same question to the store, and are answered alike.

    Raises:
        InvalidClientError: whatever is wrong with the credentials; every failed authentication ends here.
        InvalidRequestError: two ways of authentication at once.
        Unavailable: the store does not answer.
    """
    given = _credentials(authorizations, form)
    if not given.client_id or not well_formed(given.client_secret, SECRET_PREFIX):
        raise _invalid_client()
    record = await keys.find_by_client(given.client_id, given.client_secret)
    if record is None or not record.works(now):
        raise _invalid_client()
    return record


def _credentials(authorizations: Sequence[str], form: Mapping[str, str]) -> _Credentials:
    in_form = _Credentials(form.get("client_id", ""), form.get("client_secret", ""))
    if not authorizations:
        return in_form
    if len(authorizations) > 1 or in_form.client_secret:
        raise InvalidRequestError("Authenticate in one way: by Basic, or by client_id and client_secret in the body.")
    basic = _basic(authorizations[0])
    if in_form.client_id not in {"", basic.client_id}:
        raise InvalidRequestError("The client_id in the body is not the one of the Authorization header.")
    return basic


def _basic(authorization: str) -> _Credentials:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise _invalid_client()
    try:
        client, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        return _Credentials(decoded(client), decoded(secret))
    except ValueError as error:
        raise _invalid_client() from error


def decoded(text: str) -> str:
    """Return a form-encoded text as it was meant (RFC 6749 appendix B); raises ValueError where it is not one."""
    if not text.isascii() or _HALF_ENCODED.search(text):
        raise ValueError("not form-encoded")
    return unquote_plus(text, errors="strict")


def _invalid_client() -> InvalidClientError:
    return InvalidClientError("Client authentication failed.", status_code=401)
