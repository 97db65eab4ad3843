"""What was made of texts lately, kept for when they come again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Values by the text they were made of; what was not used longest goes first.

    There are at most `most` of them, as each may have plans beside what its text needs. The texts together have at
    most `capacity` characters; a document, prepared, takes up to 140 bytes for each.
    """

    def __init__(self, capacity: int, most: int) -> None:
        self._capacity = capacity
        self._most = most
        self._size = 0
        self._values: OrderedDict[str, T] = OrderedDict()
        self.hits = self.misses = 0

    @property
    def entries(self) -> int:
        """How many values are kept."""
        return len(self._values)

    def get(self, text: str) -> T | None:
        """Return what was made of a text, None where that is not known any more."""
        value = self._values.get(text)
        if value is None:
            self.misses += 1
        else:
            self.hits += 1
            self._values.move_to_end(text)
        return value

    def keep(self, text: str, value: T) -> T:
        """Keep what was made of a text that was not known, unless it alone is too long, and return it."""
        if len(text) > self._capacity:
            return value
        self._values[text] = value
        self._size += len(text)
        while self._size > self._capacity or len(self._values) > self._most:
            oldest, _ = self._values.popitem(last=False)
            self._size -= len(oldest)
        return value
