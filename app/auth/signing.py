"""The gateway's own signing keys, shared by all gateways of a store.

A key signs for 30 days. The next one is made a day before, and is published for an hour at the least before it
signs, so that whoever keeps our JWKS for minutes knows it in time. A key that signs no more stays published until
the last token that it signed has expired. Nothing runs in the background: whoever reads the keys makes the next
one when its time has come. Where nobody came in time, the old key signs on for that hour.

With a secret (`GATEWAY_STORE_SECRET`) private keys are sealed. A gateway makes no key over one that it cannot
open: else one that lost its secret would quietly bring back plain keys, and two with different secrets would
overtake each other for ever. It says so and signs nothing, and still verifies, because public keys are plain. A
plain key is followed by a sealed one as soon as a gateway with a secret sees it.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from typing import Any, Final

from joserfc.jwk import ECKey

from app.auth.cache import BoundedCache
from app.auth.key_ring import ALGORITHM, OUTLIVES, REMEMBERED_SECONDS, KeyRing, SigningKey, due, make, opened
from app.auth.sealing import Seal
from resolvers.context import Clock
from storage.documents import moment
from storage.signing_keys import SigningKeyRecord, StoredSigningKeys

COOL_DOWN_SECONDS: Final = 1.0
"""How often at the most a kid that nobody knows makes the keys be read again."""
SEALED_CURE: Final = (
    "set GATEWAY_STORE_SECRET as on the store's other gateways, or start anew with `gateway keys rotate --drop`"
)
_RING: Final = "ring"


class SealedKey(Exception):
    """A key that is to sign is sealed, and this gateway has no secret or another one."""


@dataclass(slots=True)
class SigningKeys:
    """The keys of a store as one gateway sees them. Every method raises `Unavailable` where the store is away."""

    stored: StoredSigningKeys
    clock: Clock
    seal: Seal | None = None
    cache: BoundedCache = field(default_factory=lambda: BoundedCache(maxsize=1))
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _missed: float = field(default=-math.inf, init=False)

    @classmethod
    def of(cls, stored: StoredSigningKeys, clock: Clock, secret: str | None) -> SigningKeys:
        """Return the keys of a store for a gateway with this secret, or with none."""
        return cls(stored, clock, Seal.of(secret) if secret else None)

    async def published(self) -> list[dict[str, Any]]:
        """Return the public keys as JWKs (RFC 7517), newest first."""
        ring = await self._ring()
        return [dict(key.public.as_dict(private=False)) for key in ring.published(self.clock())]

    async def key(self, kid: str | None, algorithm: str) -> ECKey | None:
        """Return the public key of a kid for our algorithm, None where no published key has it.

        A kid that is not known makes the keys be read again at once, at most once in `COOL_DOWN_SECONDS`.
        """
        if kid is None or algorithm != ALGORITHM:
            return None
        ring = await self._ring()
        if not ring.knows(kid):
            ring = await self._newer(ring)
        return next((key.public for key in ring.published(self.clock()) if key.kid == kid), None)

    async def signer(self) -> ECKey:
        """Return the private key that signs now; raises `SealedKey`."""
        ring = await self._ring()
        return self._private(ring.signers(self.clock())[-1])

    async def check(self) -> None:
        """Make sure that this gateway can sign now and with the next key too; makes nothing. Raises `SealedKey`."""
        ring = KeyRing.of(await self.stored.list(), self.seal)
        for key in ring.signers(self.clock()):
            self._private(key)

    async def rotate(self, *, drop: bool = False) -> SigningKeyRecord:
        """Make a key that signs at once, and return it; older ones verify what they have signed.

        With `drop` the older ones end at once, for a key that others know. That also starts anew with another
        secret than that of the older ones, or with none.

        Raises:
            SealedKey: the newest key cannot be opened, and is not dropped.
        """
        now, records = self.clock(), await self.stored.list()
        if records and not drop and opened(records[0], self.seal) is None:
            raise self._sealed()
        made = make(records, self.seal, now, now)
        if not await self.stored.add(made, older_end=now + OUTLIVES):
            return await self.rotate(drop=drop)
        if drop:
            await self.stored.drop_older(made.generation)
        await self.cache.delete(_RING)
        return made

    async def _ring(self) -> KeyRing:
        known: KeyRing | None = await self.cache.get(_RING)
        if known is None:
            async with self._reading:
                known = await self.cache.get(_RING)
                return known or await self._read()
        return known

    async def _newer(self, ring: KeyRing) -> KeyRing:
        """Return the keys as read after `ring`, or `ring` itself while the last miss is too young."""
        async with self._reading:
            known: KeyRing = await self.cache.get(_RING) or ring
            now = asyncio.get_running_loop().time()
            if known is not ring or now - self._missed < COOL_DOWN_SECONDS:
                return known
            self._missed = now
            return await self._read()

    async def _read(self) -> KeyRing:
        """Read the keys, and make the first or the next one where its time has come."""
        records = await self.stored.list()
        while (made := due(records, self.seal, self.clock())) is not None:
            await self.stored.add(made, older_end=moment(made.signsFrom) + OUTLIVES)
            records = await self.stored.list()  # with ours, or with that of a gateway that was faster
        ring = KeyRing.of(records, self.seal)
        await self.cache.set(_RING, ring, REMEMBERED_SECONDS)
        return ring

    def _private(self, key: SigningKey) -> ECKey:
        if key.private is None:
            raise self._sealed()
        return key.private

    def _sealed(self) -> SealedKey:
        how = "with another GATEWAY_STORE_SECRET" if self.seal else "and GATEWAY_STORE_SECRET is not set"
        return SealedKey(f"the signing keys in the store are sealed {how}")
