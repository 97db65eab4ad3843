"""Signing keys by the calendar: when each begins to sign, when it is no longer published, when the next is due.

Pure: what is stored goes in, what is to be stored comes out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from joserfc.jwk import ECKey

from app.auth.sealing import Seal, WrongSecret
from storage.documents import instant, moment
from storage.signing_keys import SigningKeyRecord

ALGORITHM: Final = "ES256"
"""RFC 7518 section 3.4."""
SIGNS_FOR: Final = timedelta(days=30)
MADE_BEFORE: Final = timedelta(days=1)
"""How long before it signs the next key is made, where somebody comes in time."""
PUBLISHED_BEFORE: Final = timedelta(hours=1)
"""How long every key but the first is published before it signs, at the least."""
TOKEN_SECONDS: Final = 900
"""The longest life of a token."""
SKEW_SECONDS: Final = 60
"""How far clocks may be apart."""
REMEMBERED_SECONDS: Final = 2
"""How long a gateway remembers the keys. A rotation by hand waits that long, and as long as a token is remembered."""
OUTLIVES: Final = timedelta(seconds=TOKEN_SECONDS + SKEW_SECONDS + REMEMBERED_SECONDS)
"""How long a key stays published after another one has begun to sign."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key: `private` is None where it cannot be opened, `ends` where no later key has been made."""

    generation: int
    kid: str
    public: ECKey
    private: ECKey | None
    signs_from: datetime
    ends: datetime | None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys of a moment, newest first."""

    keys: tuple[SigningKey, ...]

    @classmethod
    def of(cls, records: Sequence[SigningKeyRecord], seal: Seal | None) -> KeyRing:
        """Return the ring of stored keys, newest first."""
        begins = [moment(record.signsFrom) for record in records]
        return cls(
            tuple(
                SigningKey(
                    generation=record.generation,
                    kid=record.kid,
                    public=ECKey.import_key(json.loads(record.public)),
                    private=opened(record, seal),
                    signs_from=begins[place],
                    ends=min(begins[:place]) + OUTLIVES if place else None,
                )
                for place, record in enumerate(records)
            )
        )

    def knows(self, kid: str) -> bool:
        """Tell whether there is a key of this id, published or not."""
        return any(key.kid == kid for key in self.keys)

    def published(self, now: datetime) -> list[SigningKey]:
        """Return the keys by which tokens may be verified."""
        return [key for key in self.keys if key.ends is None or now < key.ends]

    def signers(self, now: datetime) -> list[SigningKey]:
        """Return the keys that will sign, newest first, the one that signs now at the end."""
        begun = [key.signs_from <= now for key in self.keys]
        return list(self.keys[: begun.index(True) + 1] if True in begun else self.keys)


def due(records: Sequence[SigningKeyRecord], seal: Seal | None, now: datetime) -> SigningKeyRecord | None:
    """Return the key that is to be added to these, newest first; None where none is."""
    if not records:
        return make(records, seal, now, now)
    newest, ends = records[0], moment(records[0].signsFrom) + SIGNS_FOR
    if opened(newest, seal) is None:
        return None
    if seal is not None and not newest.sealed:
        return make(records, seal, now, now + PUBLISHED_BEFORE)
    if now < ends - MADE_BEFORE:
        return None
    return make(records, seal, now, max(ends, now + PUBLISHED_BEFORE))


def make(
    records: Sequence[SigningKeyRecord], seal: Seal | None, now: datetime, signs_from: datetime
) -> SigningKeyRecord:
    """Return a new key of the generation after these; its id is its thumbprint (RFC 7638)."""
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    kid, private = str(key.kid), json.dumps(key.as_dict(private=True)).encode()
    return SigningKeyRecord(
        generation=records[0].generation + 1 if records else 1,
        kid=kid,
        public=json.dumps(key.as_dict(private=False)),
        private=seal.close(private, kid) if seal else private,
        sealed=seal is not None,
        createdAt=instant(now),
        signsFrom=instant(signs_from),
    )


def opened(record: SigningKeyRecord, seal: Seal | None) -> ECKey | None:
    """Return the private key, None where it is sealed and this is not its seal."""
    if not record.sealed:
        return ECKey.import_key(json.loads(record.private))
    try:
        return ECKey.import_key(json.loads(seal.open(record.private, record.kid))) if seal else None
    except WrongSecret:
        return None
