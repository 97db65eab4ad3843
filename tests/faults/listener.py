"""One who reads the change feed while faults are done, and goes on after the last event whenever a stream ends."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import httpx2

_EVENTS: Final = "/api/v1/customer-events"
_PAUSE: Final = 0.05
_SILENT: Final = 15.0

Change = tuple[str, int]
"""A customer, and the version that a change made."""


class Verdict(NamedTuple):
    """How many events were told, and how many wrongly; `lags` are seconds from the acknowledgement, by fault."""

    told: int
    lost: int
    phantom: int
    doubled: int
    disordered: int
    resumed: int
    lags: dict[str, list[float]]

    @property
    def wrong(self) -> list[str]:
        """What must not be."""
        counted = {
            "lost": self.lost,
            "phantom": self.phantom,
            "told twice": self.doubled,
            "disordered": self.disordered,
        }
        return [f"{number} events {name}" for name, number in counted.items() if number]


def p99(seconds: Sequence[float]) -> float:
    """Return the value that 99 of 100 do not exceed."""
    return sorted(seconds)[-(-99 * len(seconds) // 100) - 1] if seconds else 0.0


@dataclass
class Listener:
    """Reads at one gateway after the other."""

    urls: Sequence[str]
    key: str
    acknowledged: dict[Change, tuple[float, str]] = field(default_factory=dict)
    """When a change was acknowledged, and what fault there was."""
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    _told: dict[Change, float] = field(default_factory=dict)
    _newest: dict[str, int] = field(default_factory=dict)
    _doubled: int = 0
    _disordered: int = 0
    _streams: int = 0
    _last: str = ""

    async def run(self) -> None:
        """Read until cancelled."""
        async with httpx2.AsyncClient(timeout=httpx2.Timeout(_SILENT)) as client:
            while True:
                with suppress(httpx2.TransportError, httpx2.StreamError):
                    await self._read(client, self.urls[self._streams % len(self.urls)])
                await asyncio.sleep(_PAUSE)

    async def _read(self, client: httpx2.AsyncClient, url: str) -> None:
        headers = {"X-API-Key": self.key, "Accept": "text/event-stream"}
        if self._last:
            headers["Last-Event-ID"] = self._last
        self._streams += 1
        async with client.stream("GET", url + _EVENTS, headers=headers) as response:
            if response.status_code != 200:
                return
            event: dict[str, str] = {}
            async for line in response.aiter_lines():
                name, _, value = line.partition(": ")
                if line:
                    event[name] = value
                    continue
                self._take(event)
                event = {}

    def _take(self, event: dict[str, str]) -> None:
        if event.get("event", "").startswith("customer."):
            self._note(json.loads(event["data"])["data"])
        self._last = event.get("id", self._last)
        self.begun.set()

    def _note(self, data: dict[str, Any]) -> None:
        customer, version = data["customerId"], data["version"]
        self._doubled += (customer, version) in self._told
        self._disordered += version <= self._newest.get(customer, 0)
        self._newest[customer] = max(version, self._newest.get(customer, 0))
        self._told.setdefault((customer, version), time.monotonic())

    @property
    def streams(self) -> int:
        """How many streams it has read."""
        return self._streams

    def knows(self, changes: Collection[Change]) -> bool:
        """Tell whether it has been told of all these changes."""
        return self._told.keys() >= set(changes)

    def verdict(self, made: Collection[Change]) -> Verdict:
        """Compare with the changes that were made."""
        lags: dict[str, list[float]] = {}
        for change, (when, fault) in list(self.acknowledged.items()):
            if change in self._told:
                lags.setdefault(fault, []).append(max(0.0, self._told[change] - when))
        lost, phantom = set(made) - self._told.keys(), self._told.keys() - set(made)
        counts = (len(self._told), len(lost), len(phantom), self._doubled, self._disordered, self._streams - 1)
        return Verdict(*counts, lags)
