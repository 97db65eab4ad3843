"""A sliding window counter in plain Python, which keeps every hit and counts them anew each time."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import floor


@dataclass
class Model:
    """The limit of one key."""

    limit: int
    seconds: int
    begin: Fraction = Fraction(0)
    hits: list[tuple[Fraction, int]] = field(default_factory=list)

    def spend(self, now: Fraction, units: int) -> bool:
        """Spend units where they fit."""
        if not self._live(now):
            self.begin, self.hits = now, []
        if self.weight(now) + units > self.limit:
            return False
        self.hits.append((now, units))
        return True

    def weight(self, now: Fraction) -> int:
        """Return what is spent at a moment."""
        if not self._live(now):
            return 0
        present = self._number(now)
        faded = 1 - ((now - self.begin) / self.seconds - present)
        return floor(self._units(present - 1) * faded) + self._units(present)

    def _live(self, now: Fraction) -> bool:
        return bool(self.hits) and self._number(now) - self._number(self.hits[-1][0]) < 2

    def _number(self, moment: Fraction) -> int:
        return floor((moment - self.begin) / self.seconds)

    def _units(self, number: int) -> int:
        return sum(units for moment, units in self.hits if self._number(moment) == number)
