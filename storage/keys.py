"""API keys: only hashes are kept, so a dump of the store opens no door."""

from __future__ import annotations

import hashlib
import secrets
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NewType

from storage.documents import Instant, instant, new_id
from storage.driver import Client, Collection, Document
from storage.errors import reading, writing
from storage.reads import SharedReads
from storage.records import record

KeyId = NewType("KeyId", str)

PREFIX: Final = "cgw_"
SECRET_PREFIX: Final = "cgs_"
TOUCH_EVERY: Final = timedelta(minutes=1)
"""How exact `lastUsedAt` is."""

_Question = tuple[tuple[str, str], ...]
"""What a key is found by: fields and their values."""
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHOWN = {"_id": 0, "hash": 0, "secretHash": 0, "expires": 0}


def _base62(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, rest = divmod(number, 62)
        digits = _ALPHABET[rest] + digits
    return digits


def new_secret(prefix: str) -> str:
    """Return a prefix, 240 random bits in base 62 and six check digits (CRC-32)."""
    body = _base62(secrets.randbits(240), 41)
    return prefix + body + _check_digits(prefix + body)


def _check_digits(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), 6)


def well_formed(secret: str, prefix: str = PREFIX) -> bool:
    """Tell whether a text has the form of a key, check digits included, without asking the store."""
    return (
        len(secret) == len(prefix) + 47
        and secret.isascii()
        and secret.startswith(prefix)
        and secrets.compare_digest(_check_digits(secret[:-6]), secret[-6:])
    )


def digest(secret: str) -> str:
    """Return the only form in which a secret is kept (SHA-256; the secret itself has 240 random bits)."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key as the store knows it, without any secret; keys from before there were limits have none of their own."""

    id: KeyId
    name: str
    clientId: str
    scopes: tuple[str, ...]
    createdAt: Instant
    expiresAt: Instant | None
    lastUsedAt: Instant | None
    revokedAt: Instant | None
    rateLimit: str | None = None
    dailyQuota: int | None = None

    def works(self, now: datetime) -> bool:
        """Tell whether the key is neither revoked nor expired."""
        return self.revokedAt is None and (self.expiresAt is None or self.expiresAt > instant(now))


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key at the only moment when its secrets are known."""

    record: KeyRecord
    key: str
    client_secret: str


def _record(document: Document) -> KeyRecord:
    return record(KeyRecord, document, scopes=tuple(document["scopes"]))


@dataclass(frozen=True, slots=True)
class Keys:
    """The collection of API keys. Every method raises `Unavailable` where the store does not answer.

    Requests that wait for the same key at the same moment share one read of it.
    """

    client: Client
    database: str
    _reads: SharedReads[_Question, KeyRecord | None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_reads", SharedReads(self._find))

    async def close(self) -> None:
        """Return when no shared read is on its way any more; to be called before the client is closed."""
        await self._reads.close()

    @property
    def _keys(self) -> Collection:
        return self.client[self.database]["keys"]

    async def create(
        self,
        name: str,
        scopes: tuple[str, ...],
        now: datetime,
        expires: datetime | None,
        *,
        rate_limit: str | None = None,
        daily_quota: int | None = None,
    ) -> NewKey:
        """Make a key and return it with its secrets, which nothing can show again.

        `rate_limit` (such as `600/minute`) and `daily_quota` stand in place of the settings.
        """
        key, secret = new_secret(PREFIX), new_secret(SECRET_PREFIX)
        record = KeyRecord(
            id=KeyId(new_id()),
            name=name,
            clientId=f"client_{_base62(secrets.randbits(96), 17)}",
            scopes=scopes,
            createdAt=instant(now),
            expiresAt=instant(expires) if expires else None,
            lastUsedAt=None,
            revokedAt=None,
            rateLimit=rate_limit,
            dailyQuota=daily_quota,
        )
        shown = {name: getattr(record, name) for name in KeyRecord.__slots__}
        with writing():
            await self._keys.insert_one({**shown, "hash": digest(key), "secretHash": digest(secret)})
        return NewKey(record, key, secret)

    async def find_by_key(self, key: str) -> KeyRecord | None:
        """Return the record of a key, expired and revoked ones too."""
        return await self._reads.get((("hash", digest(key)),))

    async def find_by_client(self, client_id: str, client_secret: str) -> KeyRecord | None:
        """Return the record whose client id, or key, and client secret these are."""
        name = "hash" if client_id.startswith(PREFIX) else "clientId"
        value = digest(client_id) if name == "hash" else client_id
        return await self._reads.get(((name, value), ("secretHash", digest(client_secret))))

    async def find(self, key_id: KeyId) -> KeyRecord | None:
        """Return the record of an id, expired and revoked ones too."""
        return await self._reads.get((("id", key_id),))

    async def _find(self, question: _Question) -> KeyRecord | None:
        with reading():
            found = await self._keys.find_one({name: {"$eq": value} for name, value in question}, _SHOWN)
        return _record(found) if found else None

    async def list(self) -> list[KeyRecord]:
        """Return all keys, oldest first."""
        with reading():
            found = await self._keys.find({}, _SHOWN, sort=[("createdAt", 1), ("id", 1)]).to_list(None)
        return [_record(document) for document in found]

    async def touch(self, record: KeyRecord, now: datetime) -> None:
        """Note that a key was used, at most once in `TOUCH_EVERY`; the store is asked only where that is due."""
        before = instant(now - TOUCH_EVERY)
        if record.lastUsedAt is not None and record.lastUsedAt >= before:
            return
        stale = {"$or": [{"lastUsedAt": {"$eq": None}}, {"lastUsedAt": {"$lt": before}}]}
        with writing():
            await self._keys.update_one({"id": {"$eq": record.id}, **stale}, {"$set": {"lastUsedAt": instant(now)}})

    async def revoke(self, key_id: KeyId, now: datetime) -> bool:
        """End a key; False when there is none of that id. Revoking again keeps the first moment."""
        with writing():
            result = await self._keys.update_one(
                {"id": {"$eq": key_id}},
                [{"$set": {"revokedAt": {"$ifNull": ["$revokedAt", {"$literal": instant(now)}]}}}],
            )
        return result.matched_count == 1
