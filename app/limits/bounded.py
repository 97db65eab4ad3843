"""A dict that cannot grow beyond its bound."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, TypeVar

K = TypeVar("K")
V = TypeVar("V")
MAX_ENTRIES: Final = 10_000


class Bounded(OrderedDict[K, V]):
    """A dict of at most `MAX_ENTRIES`; the one that was set longest ago goes first."""

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > MAX_ENTRIES:
            self.popitem(last=False)
