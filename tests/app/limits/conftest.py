"""A clock that tests turn."""

from __future__ import annotations

from dataclasses import dataclass

import pytest


@dataclass
class HandClock:
    """Seconds that pass only when a test says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Return the moment."""
        return self.now


@pytest.fixture
def clock() -> HandClock:
    """A clock that stands still."""
    return HandClock()
