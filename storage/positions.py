"""Positions: places in the store's history of changes, sealed, so that what MongoDB keeps in them stays inside.

A place is a resume token of MongoDB; places are ordered as their bytes are. The same place is always sealed
the same (AES-SIV, RFC 5297), so an event has one id wherever and by whichever gateway it is shown.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final, NewType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from storage.errors import UnknownPosition

Place = NewType("Place", bytes)
"""The bytes of a resume token."""

MAX_POSITION: Final = 1024
"""The longest position that is looked at, in characters; those of MongoDB 6 to 8 have about 100."""


class PositionCipher:
    """Seals and opens places with a key of 32 bytes that all gateways on a store share."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(key)

    def seal(self, place: Place) -> str:
        """Return the position, URL-safe and without a dot, that names a place."""
        return _encoded(self._cipher.encrypt(place, None))

    def open(self, position: str) -> Place:
        """Return the place that a position names; raises `UnknownPosition`."""
        if len(position) > MAX_POSITION or not position.isascii():
            raise UnknownPosition
        try:
            raw = base64.b64decode(position + "=" * (-len(position) % 4), altchars=b"-_", validate=True)
            place = self._cipher.decrypt(raw, None)
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise UnknownPosition from error
        if _encoded(raw) != position:
            raise UnknownPosition
        return Place(place)


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
