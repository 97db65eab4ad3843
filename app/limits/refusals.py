"""Refusals: the two problems of spending too much, with the budgets that the answer shows."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from math import floor
from typing import Final

from resolvers.context import Budget
from resolvers.problem import Problem, ProblemType

Jitter = Callable[[int], int]
"""Gives a random integer from 0 up to, but not including, its argument."""
random_jitter: Final[Jitter] = secrets.randbelow
_SLACK: Final = 0.01
"""Seconds by which clocks and roundings may differ: what is promised holds all the same."""


@dataclass(eq=False)
class Refused(Problem):
    """Rate limited, or quota exhausted. `budgets` are shown as those of any answer, the exhausted one first.

    The extension member `retryAfter` has the seconds after which the same request passes, where waiting helps.
    """

    budgets: tuple[Budget, ...] = ()


def refused(kind: ProblemType, detail: str, budget: Budget, wait: float, spread: int, jitter: Jitter) -> Refused:
    """Return the problem for a request that passes after `wait` seconds.

    Those who are refused together come back spread over `spread` seconds. `detail` has a place for the seconds.
    The budget's reset is the same moment (RateLimit Header Fields for HTTP, Retry-After and RateLimit).
    """
    seconds = floor(wait + _SLACK) + 1 + jitter(spread + 1)
    shown = budget._replace(reset=seconds)
    text = detail.format(seconds=seconds)
    return Refused(kind, text, extra={"retryAfter": seconds}, resource="limits", budgets=(shown,))


def impossible(kind: ProblemType, units: int, budget: Budget) -> Refused:
    """Return the problem for a request that costs more than its whole budget: waiting does not help."""
    detail = (
        f"This request costs {units} units, and no more than {budget.limit} can be spent in {budget.window} seconds. "
        "Waiting does not help: ask for less at once."
    )
    return Refused(kind, detail, extra={"cost": units, "limit": budget.limit}, resource="limits", budgets=(budget,))
