"""What the sender of webhooks counts; only the worker that leads has anything in the gauges."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

OUTCOMES: Final = ("delivered", "failed", "given_up")


@dataclass(slots=True, eq=False)
class WebhookCounts:
    """Tries by outcome, what waits, and how late the first of it is in seconds."""

    tries: Counter[str] = field(default_factory=Counter)
    events: int = 0
    histories_lost: int = 0
    leads: bool = False
    waiting: int = 0
    lag: float = 0.0

    def stand_down(self) -> None:
        """Say nothing more of the queue: another worker does."""
        self.leads, self.waiting, self.lag = False, 0, 0.0
