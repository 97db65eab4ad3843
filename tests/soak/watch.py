"""What a gateway holds while it works: memory, files, sockets and tasks, over all of its processes."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import httpx2

from tests.bench.processes import family, open_files, resident_megabytes
from tests.bench.steady import open_sockets, slope
from tests.soak.site import Gateway

_TASKS: Final = re.compile(r"^gateway_event_loop_tasks (.+)$", re.MULTILINE)
WARM_UP: Final = 0.2
"""The share of a run in which caches and connections fill, and which is not judged."""


class Look(NamedTuple):
    """A gateway at one moment: which process it was, seconds since the beginning, MB, and how many of the rest."""

    pid: int
    seconds: float
    memory: float
    files: int
    sockets: int
    tasks: float


class Growth(NamedTuple):
    """How one thing went: its low water in the first and the last third, its slope a minute, and the most allowed."""

    name: str
    first: float
    last: float
    slope: float
    most: float

    @property
    def flat(self) -> bool:
        """Whether the last third holds no more than the first one, but for what goes to and fro."""
        return self.last - self.first <= self.most


@dataclass
class Watch:
    """Looks at a gateway every few seconds, in a thread of its own."""

    gateway: Gateway
    key: str
    every: float = 5.0
    looks: list[Look] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look until the end of the block."""
        thread = threading.Thread(target=self._run, name="watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join(30)

    def _run(self) -> None:
        begun = time.monotonic()
        while not self._ended.wait(self.every):
            with suppress(OSError, httpx2.TransportError, IndexError, ValueError):  # it was just restarted, or killed
                self.looks.append(self._look(time.monotonic() - begun))

    def _look(self, seconds: float) -> Look:
        pid = self.gateway.started.process.pid
        pids = family(pid)
        answer = httpx2.get(f"{self.gateway.url}/metrics", headers={"X-API-Key": self.key}, timeout=10)
        tasks = float(_TASKS.findall(answer.text)[0])
        memory, files = sum(map(resident_megabytes, pids)), sum(map(open_files, pids))
        return Look(pid, seconds, memory, files, sum(map(open_sockets, pids)), tasks)


def growth(looks: Sequence[Look]) -> list[Growth]:
    """Return how memory, files, sockets and tasks of one process went, without the time in which it got warm."""
    steady = [look for look in looks if look.seconds >= looks[-1].seconds * WARM_UP] if looks else []
    third = len(steady) // 3
    if not third:
        return []
    found = []
    for name in ("memory", "files", "sockets", "tasks"):
        points = [(look.seconds / 60, float(getattr(look, name))) for look in steady]
        first, last = (low(sorted(y for _, y in part)) for part in (points[:third], points[-third:]))
        found.append(Growth(name, first, last, slope(points), allowed(name, first)))
    return found


def low(values: Sequence[float]) -> float:
    """Return what nine of ten values exceed: after a fault there is more for a while, and what is lost stays."""
    return values[len(values) // 10]


def allowed(name: str, first: float) -> float:
    """Return how much more there may be at the end: what allocators and pools of connections move to and fro."""
    return max(12.0, first * 0.05) if name == "memory" else max(8.0, first * 0.15)
