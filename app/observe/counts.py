"""What was counted, as numbers by metric and labels, which can be written down and added up."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

Labels = tuple[str, ...]
Series = dict[Labels, float]


class Histogram(Struct):
    """How many observations are in each bucket, and their sum in seconds."""

    buckets: list[int]
    seconds: float


class Counts(Struct):
    """Values by the name of their metric and by its labels. Counters and histograms only grow while a process lives."""

    counters: dict[str, Series] = field(default_factory=dict)
    histograms: dict[str, dict[Labels, Histogram]] = field(default_factory=dict)
    gauges: dict[str, Series] = field(default_factory=dict)

    def add(self, other: Counts, *, gauges: bool) -> None:
        """Add what another process has counted, its gauges only where it lives."""
        _add(self.counters, other.counters)
        if gauges:
            _add(self.gauges, other.gauges)
        for name, rows in other.histograms.items():
            mine = self.histograms.setdefault(name, {})
            for labels, histogram in rows.items():
                known = mine.setdefault(labels, Histogram([0] * len(histogram.buckets), 0.0))
                known.buckets = [a + b for a, b in zip(known.buckets, histogram.buckets, strict=True)]
                known.seconds += histogram.seconds


def _add(mine: dict[str, Series], other: Mapping[str, Series]) -> None:
    for name, series in other.items():
        known = mine.setdefault(name, {})
        for labels, value in series.items():
            known[labels] = known.get(labels, 0) + value
