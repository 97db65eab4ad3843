"""The arithmetic of a sliding window counter: what is left of a limit, and when more of it is there.

Of the previous window as much counts as still overlaps the last `seconds`, rounded down; the present window
counts in full. A window begins with the first hit after a time without any.
"""

from __future__ import annotations

from functools import lru_cache
from math import floor
from typing import Final, NamedTuple

from limits import RateLimitItem, parse

OFF: Final = "off"


@lru_cache(maxsize=1024)
def parse_rate(text: str) -> RateLimitItem:
    """Return the limit that a text such as `600/minute` or `50/10second` means. Raises ValueError for others."""
    return parse(text)


class Window(NamedTuple):
    """One limit at one moment: units of both windows, and the seconds until the present one ends."""

    limit: int
    seconds: int
    previous: int = 0
    current: int = 0
    ends: float = 0.0

    @property
    def left(self) -> int:
        """How many units can be spent at this moment."""
        faded = floor(self.previous * self.ends / self.seconds) if self.previous else 0
        return max(0, self.limit - faded - self.current)

    def wait(self, units: int) -> float:
        """Return the seconds after which `units` pass when nobody spends meanwhile; 0 where they pass now.

        They pass after that moment, not at it. `units` must not be more than the limit.
        """
        room = self.limit - self.current - units
        if room >= 0:  # it is the previous window that stands in the way, and it fades
            return max(0.0, self.ends - (room + 1) * self.seconds / self.previous) if self.previous else 0.0
        # The present window alone is too full, so it has to become the previous one, and perhaps to fade.
        return self.ends + max(0.0, self.seconds * (1 - (self.limit - units + 1) / self.current))


def window_of(item: RateLimitItem, state: tuple[int, float, int, float]) -> Window:
    """Return the window that a storage of `limits` tells: counts and seconds to live of previous and current.

    A storage keeps the present window for two lengths, so that it can become the previous one.
    """
    previous, previous_ttl, current, current_ttl = state
    seconds = item.get_expiry()
    ends = current_ttl - seconds if current_ttl > 0 else previous_ttl
    return Window(item.amount, seconds, previous, current, max(0.0, ends))
