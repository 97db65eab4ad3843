"""Too much at once: what could not be answered in time is refused at once, before anything is done for it.

Work is bounded by the number of requests in hand. One that waits for its client, as for a body that comes slowly or
for the next event of a stream, is no work meanwhile: else slow clients could shut out all others.
"""

from __future__ import annotations

from random import Random
from typing import Final

from starlette.types import Scope

from app.observe.metrics import Metrics
from resolvers.problem import Problem
from resolvers.problems import OVERLOADED

_RANDOM: Final = Random()  # noqa: S311 - it only spreads
REFUSED: Final = "overload.refused"
"""Where a scope says that its request was refused: the connection then rests a moment before it is read on."""
UNBOUNDED: Final = frozenset({"/health/live", "/health/ready", "/metrics"})
"""Who watches the gateway is let in at any time."""
_RETRY_SECONDS: Final = (1, 3)
"""From where to where Retry-After goes, so that those who were refused together do not all come back together."""
REST_SECONDS: Final = (0.1, 0.3)
"""How long a connection rests after a refusal: a client that asks again at once gets no more by it."""


def overloaded(scope: Scope, metrics: Metrics) -> Problem:
    """Return the refusal of a request, which is counted."""
    scope[REFUSED] = True
    metrics.overloads += 1
    seconds = _RANDOM.randint(*_RETRY_SECONDS)
    detail = "The gateway has too many requests in hand; nothing was changed."
    return Problem(OVERLOADED, detail, extra={"outcome": "none", "retryAfter": seconds}, resource="requests")


def rest_seconds() -> float:
    """Return how long a connection rests now."""
    return _RANDOM.uniform(*REST_SECONDS)
