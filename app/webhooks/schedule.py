"""When a delivery that was not taken is tried again, and what else follows from an answer.

Source: Standard Webhooks 1.0, Deliverability and reliability.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from app.webhooks.endpoint import Answer
from storage.deliveries import State

_MINUTE, _HOUR = 60, 3600
DELAYS: Final = (0, 5, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR)
"""Seconds before each try, counted from the one before: ten tries in a little more than three days."""
JITTER: Final = 0.1
"""By which part of it a delay grows at most, at random, so that what failed together does not return together."""
SLOW_DOWN: Final = frozenset({429, 502, 503, 504})
"""Answers after which the whole endpoint is left alone for a moment."""
PAUSE_SECONDS: Final = 5.0
"""For how long, where the endpoint does not say."""
GONE: Final = 410


class Decision(NamedTuple):
    """What follows from a try: the delivery's state, when it is tried again, until when the endpoint is left alone.

    With `disable` the endpoint wants nothing more.
    """

    state: State
    next: datetime | None
    hold: datetime | None = None
    disable: bool = False


def decide(attempts: int, answer: Answer, now: datetime, random: Callable[[], float]) -> Decision:
    """Return what follows from the answer to a try before which there had been `attempts` others."""
    if answer.good:
        return Decision("delivered", None)
    if answer.status == GONE:
        return Decision("failed", None, disable=True)
    hold = _hold(answer, now, random)
    if attempts + 1 >= len(DELAYS):
        return Decision("failed", None, hold)
    delay = DELAYS[attempts + 1] * (1 + JITTER * random())
    next_at = now + timedelta(seconds=max(delay, answer.retry_after or 0.0))
    return Decision("waiting", next_at, hold)


def _hold(answer: Answer, now: datetime, random: Callable[[], float]) -> datetime | None:
    if answer.status not in SLOW_DOWN:
        return None
    seconds = PAUSE_SECONDS * (1 + JITTER * random()) if answer.retry_after is None else answer.retry_after
    return now + timedelta(seconds=seconds)
