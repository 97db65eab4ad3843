"""Daily quotas: what a caller may spend in a day (UTC), counted in the store, so it survives restarts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Final

from app.limits.bounded import Bounded
from app.limits.refusals import Jitter, Refused, impossible, random_jitter, refused
from resolvers.context import Budget, Clock, utc_now
from resolvers.operation import unavailable
from resolvers.problems import QUOTA_EXHAUSTED
from storage.errors import Unavailable
from storage.quotas import Quotas

NAME: Final = "daily"
_DAY: Final = 24 * 3600
_SPREAD: Final = 600
"""Exhausted callers come back spread over ten minutes after midnight."""
_SENTENCE: Final = "The quota of this day (UTC) is spent. Try again after {seconds} seconds."


@dataclass(frozen=True, slots=True)
class DailyQuotas:
    """Spends units in the store, and remembers who had too few left: units are only ever spent within a day."""

    quotas: Quotas
    clock: Clock = utc_now
    jitter: Jitter = random_jitter
    _spent: Bounded[str, tuple[str, int]] = field(default_factory=Bounded)

    def check(self, who: str, quota: int, units: int) -> None:
        """Let pass whoever is not known to have too little left.

        Raises:
            Refused: quota-exhausted.
        """
        now = self.clock()
        day, used = self._spent.get(who, ("", 0))
        if day == _day(now) and used + units > quota:
            raise self._refusal(quota, used, units, now)

    async def spend(self, who: str, quota: int, units: int) -> Budget:
        """Take units from the quota of this day and return what it is then.

        Raises:
            Refused: quota-exhausted; nothing was taken.
            Problem: unavailable where the store does not answer; units may have been taken.
        """
        now = self.clock()
        try:
            passed, used = await self.quotas.spend(who, _day(now), units, quota)
        except Unavailable as error:
            raise unavailable("none") from error
        if not passed:
            self._spent[who] = _day(now), used
            raise self._refusal(quota, used, units, now)
        return _budget(quota, used, now)

    def _refusal(self, quota: int, used: int, units: int, now: datetime) -> Refused:
        budget = _budget(quota, used, now)
        if units > quota:
            return impossible(QUOTA_EXHAUSTED, units, budget)
        return refused(QUOTA_EXHAUSTED, _SENTENCE, budget, _seconds_left(now), _SPREAD, self.jitter)


def _day(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()


def _seconds_left(now: datetime) -> float:
    """Return the seconds until midnight in UTC."""
    moment = now.astimezone(UTC)
    midnight = datetime.combine(moment.date() + timedelta(days=1), datetime.min.time(), UTC)
    return (midnight - moment).total_seconds()


def _budget(quota: int, used: int, now: datetime) -> Budget:
    return Budget(NAME, quota, max(0, quota - used), _DAY, ceil(_seconds_left(now)))
