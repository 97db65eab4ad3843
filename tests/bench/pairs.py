"""Servers measured in turn: whatever else the machine does falls on both alike."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from storage.mongod import EmbeddedMongod
from tests.bench.load import Load, Sample, run
from tests.bench.processes import Client, gateway
from tests.bench.works import Work

SECONDS: Final = float(os.environ.get("SECONDS", "3"))
PAIRS: Final = int(os.environ.get("PAIRS", "5"))
DATABASE: Final = "speed"
SETTINGS: Final[dict[str, str]] = {"request_timeout": "5", "rate_limit": "900000000/hour"}
"""As by default, but with a limit that is counted and never reached."""
_WARM_SECONDS: Final = 2
Side = tuple[Client, Load]


@dataclass(frozen=True)
class Pairs:
    """Runs of two servers, one after the other, of which each pair says how the first compares with the second."""

    first: Sequence[Sample]
    second: Sequence[Sample]

    @property
    def cpu(self) -> list[float]:
        """What a request costs the first, as a multiple of what it costs the second, from the least to the most."""
        return sorted(one.cpu / two.cpu for one, two in zip(self.first, self.second, strict=True))

    @property
    def rate(self) -> float:
        """How many requests a second the first serves, as a multiple of the second's."""
        return median(one.rate / two.rate for one, two in zip(self.first, self.second, strict=True))

    @property
    def memory(self) -> float:
        """What a process of the first held at most, in MB."""
        return max(sample.memory for sample in self.first)


@dataclass(frozen=True)
class Bench:
    """One mongod with customers, a file for the log, and the works."""

    mongod: EmbeddedMongod
    log: Path
    works: dict[str, Work]

    def gateway(self, **settings: str) -> AbstractContextManager[Client]:
        """Run a gateway that writes its log into the file."""
        return gateway(self.mongod, DATABASE, log=self.log, settings={**SETTINGS, **settings})

    def warm(self, server: Client, load: Load) -> None:
        """Let a new server make its connections to MongoDB, which cost it milliseconds each, and fill its caches."""
        run(server, load, _WARM_SECONDS, warm_up=0)

    def measure(self, first: Side, second: Side, count: int = PAIRS, seconds: float = SECONDS) -> Pairs:
        """Measure two servers in turn, in alternating order, after a moment for each to warm up."""
        for server, load in (first, second):
            run(server, load, 1, warm_up=0)
        ours, others = [], []
        for number in range(count):
            if number % 2:
                others.append(self._run(*second, seconds))
            ours.append(self._run(*first, seconds))
            if not number % 2:
                others.append(self._run(*second, seconds))
        return Pairs(ours, others)

    def _run(self, server: Client, load: Load, seconds: float) -> Sample:
        sample = run(server, load, seconds, warm_up=0)
        os.truncate(self.log, 0)
        return sample
