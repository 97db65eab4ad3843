"""Callers whose credentials were good a moment ago."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from resolvers.context import Caller
from storage.documents import Instant


class _Known(NamedTuple):
    caller: Caller
    until: float
    expires: Instant | None


@dataclass(slots=True)
class RememberedCallers:
    """At most `most` callers by the hash of their credentials, each for `seconds`; the first that was set goes first.

    It is asked for every request, without waiting for anything: that is why it is no cache of aiocache.
    """

    seconds: float
    most: int
    clock: Callable[[], float] = time.monotonic
    hits: int = field(default=0, init=False)
    misses: int = field(default=0, init=False)
    _known: OrderedDict[bytes, _Known] = field(default_factory=OrderedDict, init=False)

    @property
    def entries(self) -> int:
        """How many callers there are."""
        return len(self._known)

    def get(self, name: bytes, now: Callable[[], Instant]) -> Caller | None:
        """Return a caller, or None; `now` is asked where the credentials themselves have an end."""
        known = self._known.get(name)
        if known is None or known.until <= self.clock() or (known.expires is not None and known.expires <= now()):
            self.misses += 1
            self._known.pop(name, None)
            return None
        self.hits += 1
        return known.caller

    def set(self, name: bytes, caller: Caller, expires: Instant | None) -> None:
        """Remember a caller from now on."""
        self._known[name] = _Known(caller, self.clock() + self.seconds, expires)
        self._known.move_to_end(name)
        if len(self._known) > self.most:
            self._known.popitem(last=False)
