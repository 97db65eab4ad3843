"""Cursors: a place in one list, sealed so that nobody can read, alter or use it elsewhere.

A cursor may hold a name or an e-mail address, so it is encrypted (AES-GCM, RFC 5116); order and filter
of its list are the associated data, so with another list it does not open.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from resolvers.problem import Problem
from resolvers.problems import INVALID_CURSOR
from storage.query import Key

_NONCE: Final = 12
MAX_CURSOR: Final = 8192
"""The longest cursor that is looked at, in characters: three names and an e-mail at their longest fit."""


class CursorCipher:
    """Seals and opens cursors with a key of 32 bytes that all gateways on a store share."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, key: Key, listing: bytes) -> str:
        """Return the URL-safe cursor for a place in the list that `listing` names."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._cipher.encrypt(nonce, orjson.dumps(list(key.values)), listing)
        return base64.urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()

    def open(self, cursor: str, listing: bytes) -> Key:
        """Return the place that a cursor of this list names; raises the problem invalid-cursor."""
        try:
            raw = _decoded(cursor)
            plain = self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], listing)
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise Problem(INVALID_CURSOR, "The cursor does not belong to this list, order and filter.") from error
        return Key(tuple(orjson.loads(plain)))


def _decoded(cursor: str) -> bytes:
    if len(cursor) > MAX_CURSOR or not cursor.isascii():
        raise ValueError("no cursor of ours")
    raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != cursor:
        raise ValueError("not in canonical form")
    return raw
