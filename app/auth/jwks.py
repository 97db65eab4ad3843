"""Where the keys of an issuer come from: a setting, or the issuer itself, read seldom and shared by all.

Source: RFC 7517; OpenID Connect Core 1.0 section 10.1 (rotation of signing keys).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import structlog
from joserfc.jwk import Key

from app.auth.cache import BoundedCache
from app.auth.discovery import Unreadable, find_jwks, read_document
from app.auth.public_keys import KeyMap, from_text, key_map, suits

if TYPE_CHECKING:
    import httpx2

FETCH_SECONDS: Final = 2.5
"""How long one fetch may take, discovery included."""
MAX_AGE: Final = 600.0
"""Seconds after which keys are read again before they are used: the most that a removed key lives on."""
REFRESH_AFTER: Final = MAX_AGE / 2
"""Seconds after which keys in use are read again behind the requests, so that none has to wait."""
STALE_SECONDS: Final = 24 * 3600.0
"""How long keys are good while the issuer is away."""
BURST: Final = 5
REFILL_SECONDS: Final = 30.0
"""At most `BURST` fetches at once, and one more for each `REFILL_SECONDS`."""
_REMEMBERED = 1000
_PLAIN_KID = re.compile(r"(?!.*\.\.)[A-Za-z0-9._~:/#=+@-]+")


class IssuerUnavailable(Exception):
    """An issuer's keys are needed and cannot be had now: the token is neither good nor bad."""


class KeySource(Protocol):
    """The keys of one issuer."""

    async def key(self, kid: str | None, algorithm: str) -> Key | None:
        """Return the key of that id that suits the algorithm; None where the issuer has none.

        Raises:
            IssuerUnavailable: whether it has one cannot be told now.
        """
        ...


@dataclass(frozen=True, slots=True)
class StaticKey:
    """An issuer's one key, from a setting."""

    only: Key

    @classmethod
    def parse(cls, text: str) -> StaticKey:
        """Return the source of a key in PEM or as JWK; raises ValueError for anything else."""
        return cls(from_text(text))

    async def key(self, kid: str | None, algorithm: str) -> Key | None:
        """Return the key. A token needs no `kid`; where it has one and the key has none, it must look like one."""
        own = self.only.kid
        named = kid is None or (kid == own if own else _PLAIN_KID.fullmatch(kid))
        return self.only if named and suits(self.only, algorithm) else None


@dataclass(frozen=True, slots=True)
class _Published:
    """What an issuer published, read at `address` by a fetch that began `at`."""

    keys: KeyMap
    address: str
    at: float


@dataclass(slots=True)
class _Budget:
    """A token bucket."""

    left: float = BURST
    at: float = float("-inf")

    def take(self, now: float) -> bool:
        self.left = min(BURST, self.left + (now - self.at) / REFILL_SECONDS)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class RemoteKeys:
    """The keys that an issuer publishes, at `jwks_url` or where its metadata says.

    Who needs keys that are not here waits for one fetch that all share; it outlives those who give up waiting.
    `timer` tells seconds that only ever grow. `aclose` ends what is under way.
    """

    def __init__(
        self,
        client: httpx2.AsyncClient,
        issuer: str,
        jwks_url: str | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._timer = timer
        self._cache = BoundedCache(maxsize=_REMEMBERED)
        self._budget = _Budget()
        self._fetch: asyncio.Task[None] | None = None
        self._failing = False
        self._closed = False

    async def key(self, kid: str | None, algorithm: str) -> Key | None:
        """Return a key; one that is unknown is looked for at the issuer, within the budget."""
        asked = self._timer()
        keys = (await self._current()).keys
        if kid is None:
            return _only(keys, algorithm)
        if kid not in keys and not await self._known_as_unknown(kid):
            keys = await self._newer(kid, asked)
        return next((key for key in keys.get(kid, ()) if suits(key, algorithm)), None)

    async def _current(self) -> _Published:
        """Return what was published; nobody waits for what is there, unless it may be out of date unseen."""
        kept = await self._published()
        age = self._timer() - kept.at if kept else 0.0
        if kept is None or (age >= MAX_AGE and not self._failing):
            await self._refreshed()
            kept = await self._published()
        elif age >= REFRESH_AFTER:
            self._begin()
        if kept is None:
            raise IssuerUnavailable
        return kept

    async def _newer(self, kid: str, asked: float) -> KeyMap:
        await self._refreshed()
        kept = await self._published()
        if kept is None or (kid not in kept.keys and self._failing):
            raise IssuerUnavailable
        if kid not in kept.keys and kept.at >= asked:  # a fetch that had begun before may have missed it
            await self._cache.set(f"unknown {kid}", kept.at)
        return kept.keys

    async def _known_as_unknown(self, kid: str) -> bool:
        at = await self._cache.get(f"unknown {kid}")
        return isinstance(at, float) and self._timer() - at < REFILL_SECONDS

    async def _published(self) -> _Published | None:
        kept = await self._cache.get("published")
        return kept if isinstance(kept, _Published) and self._timer() - kept.at < STALE_SECONDS else None

    async def _refreshed(self) -> None:
        """Wait for the fetch that is under way, or that may begin. Who gives up waiting leaves it to the others."""
        task = self._begin()
        if task is not None:
            await asyncio.wait([task])

    def _begin(self) -> asyncio.Task[None] | None:
        if self._fetch is None or self._fetch.done():
            if self._closed or not self._budget.take(self._timer()):
                return None
            self._fetch = asyncio.create_task(self._read())
        return self._fetch

    async def _read(self) -> None:
        began = self._timer()
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                address = await self._address()
                keys = key_map(await read_document(self._client, address))
        except (Unreadable, TimeoutError) as error:
            self._failing = True
            reason = str(error) or f"no answer within {FETCH_SECONDS} seconds"
            structlog.get_logger().warning("An issuer's keys cannot be read", issuer=self._issuer, reason=reason)
        else:
            self._failing = False
            await self._cache.set("published", _Published(keys, address, began))

    async def _address(self) -> str:
        """Return where the keys are: as set, as found a moment ago, or as the issuer says now."""
        if self._jwks_url is not None:
            return self._jwks_url
        kept = await self._published()
        if kept is not None and not self._failing and self._timer() - kept.at < REFILL_SECONDS:
            return kept.address
        return await find_jwks(self._client, self._issuer)

    async def aclose(self) -> None:
        """End the fetch that is under way; none begins after it."""
        self._closed = True
        if self._fetch is not None:
            self._fetch.cancel()
            await asyncio.wait([self._fetch])


def _only(keys: KeyMap, algorithm: str) -> Key | None:
    """Return the key of a set of one, for a token that names none (OpenID Connect Core 1.0 section 10.1)."""
    every = [key for same in keys.values() for key in same]
    return every[0] if len(every) == 1 and suits(every[0], algorithm) else None
