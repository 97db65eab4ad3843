"""Spending from rate limits, wherever they are counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from math import ceil
from typing import Final

from limits import RateLimitItem

from app.limits.bounded import Bounded
from app.limits.refusals import Jitter, Refused, impossible, random_jitter, refused
from app.limits.storage import WindowStorage
from app.limits.windows import Window, window_of
from resolvers.context import Budget
from resolvers.problems import RATE_LIMITED

_SPREAD: Final = 8
"""Refused callers come back spread over the eighth part of the window."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A kind of limit: its name in the RateLimit headers, and the sentence for who is over it."""

    name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Meter:
    """Spends units in a storage, and remembers whose budget is empty.

    Until a unit of it is back nobody can spend from it, here or elsewhere: so what is remembered stays true that
    long, and nobody asks the storage. `clock` gives seconds that only go forward.
    """

    storage: WindowStorage
    clock: Callable[[], float] = time.monotonic
    jitter: Jitter = random_jitter
    _empty: Bounded[str, tuple[Window, float]] = field(default_factory=Bounded)
    _names: Bounded[tuple[str, str], tuple[RateLimitItem, str]] = field(default_factory=Bounded)

    async def spend(self, policy: Policy, item: RateLimitItem, who: str, units: int, paid: int = 0) -> Budget:
        """Take units from the budget of `who` and return what it is then.

        `paid` units of the same request were taken before: who sends it again needs these too, and is told so.

        Raises:
            Refused: rate-limited; nothing was taken.
        """
        name, seconds = self._name(policy.name, item, who), item.get_expiry()
        whole = units + paid
        if whole > item.amount:
            raise impossible(RATE_LIMITED, whole, await self._look(policy, item, name))
        self._check_empty(policy, name, whole)
        passed, state = await self.storage.spend(name, item.amount, seconds, units)
        window = window_of(item, state)
        if not passed:
            self._refuse(policy, name, window, whole)
        return _budget(policy, window)

    async def check(self, policy: Policy, item: RateLimitItem, who: str) -> None:
        """Let pass where a unit is left; takes none. Raises as `spend` does."""
        name = self._name(policy.name, item, who)
        self._check_empty(policy, name, 1)
        window = window_of(item, await self.storage.get_sliding_window(name, item.get_expiry()))
        if window.left < 1:
            self._refuse(policy, name, window, 1)

    async def _look(self, policy: Policy, item: RateLimitItem, name: str) -> Budget:
        return _budget(policy, window_of(item, await self.storage.get_sliding_window(name, item.get_expiry())))

    def _name(self, policy: str, item: RateLimitItem, who: str) -> str:
        """Return the name of a counter: of one length, and without an id or an address in it that people could read."""
        known = self._names.get((policy, who))
        if known is None or known[0] is not item:
            shown = blake2b(who.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
            known = self._names[policy, who] = item, item.key_for(policy, shown)
        return known[1]

    def _check_empty(self, policy: Policy, name: str, units: int) -> None:
        if name in self._empty:
            window, then = self._empty[name]
            since = self.clock() - then
            if since <= window.wait(1):
                raise self._refusal(policy, window, units, since)

    def _refuse(self, policy: Policy, name: str, window: Window, units: int) -> None:
        if window.left == 0:
            self._empty[name] = window, self.clock()
        raise self._refusal(policy, window, units, 0.0)

    def _refusal(self, policy: Policy, window: Window, units: int, since: float) -> Refused:
        spread = ceil(window.seconds / _SPREAD)
        wait = window.wait(units) - since
        return refused(RATE_LIMITED, policy.sentence, _budget(policy, window), wait, spread, self.jitter)


def _budget(policy: Policy, window: Window) -> Budget:
    """Return a budget as it is shown; it has more after `reset` seconds."""
    left = window.left
    reset = ceil(window.wait(left + 1)) if left < window.limit else 0
    return Budget(policy.name, window.limit, left, window.seconds, reset)
