"""Whether the gateway stays as it is under full load: `python -m tests.bench.steady`, or `make bench-steady`.

For `MINUTES` (10) wrk sends reads of all kinds through both doors as fast as they are answered, while memory, open
files, sockets, threads, tasks and prepared documents of the gateway are looked at every ten seconds. After the first
minute, in which caches and connections fill, nothing may grow. It stops by itself, and ends with 1 where memory grows.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from typing import Final

from tests.bench.load import Load, Sample, run
from tests.bench.pairs import DATABASE, SETTINGS
from tests.bench.processes import (
    REQUEST_SECONDS,
    Client,
    cpu_seconds,
    fill,
    gateway,
    open_files,
    resident_megabytes,
    store,
)
from tests.bench.works import CUSTOMERS, customer_ids, works

MINUTES: Final = float(os.environ.get("MINUTES", "10"))
EVERY: Final = 10.0
WARM_UP: Final = 60.0
_RARE: Final = 10
_GAUGES: Final = ("gateway_event_loop_tasks", 'gateway_cache_entries{cache="prepared-documents"}')
MOST: Final = 0.5
"""How many MB a minute may come: less than what the allocator moves to and fro in ten minutes."""


@dataclass(frozen=True)
class Look:
    """The gateway at one moment: seconds since the beginning, CPU seconds, memory in MB, and how many of the rest."""

    seconds: float
    cpu: float
    memory: float
    files: int
    sockets: int
    threads: int
    tasks: int
    documents: int


def main() -> None:
    """Fill, load, look, and tell."""
    with ExitStack() as stack:
        mongod, _ = stack.enter_context(store())
        log = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-steady-"))) / "log"
        fill(mongod, DATABASE, CUSTOMERS)
        load = _mixed(customer_ids(mongod.url, DATABASE))
        server = stack.enter_context(gateway(mongod, DATABASE, log=log, settings=SETTINGS))
        samples: list[Sample] = []
        driver = Thread(target=lambda: samples.append(run(server, load, MINUTES * 60, warm_up=0)))
        driver.start()
        looks = list(_looks(_watcher(server), driver, log))
        driver.join()
        if not samples:
            sys.exit("the load did not go well; see above")
        _tell(looks, samples[0])


def _mixed(ids: Sequence[str]) -> Load:
    """Return all reads of one customer in turn, and now and then a list: about as much work in all."""
    reads = [work.ours.requests for work in works(ids) if work.key != "rest-create"]
    single = [requests for requests in reads if len(requests) == len(ids)]
    lists = [request for requests in reads if len(requests) != len(ids) for request in requests]
    mixed = []
    for number in range(len(ids)):
        mixed += [requests[number] for requests in single]
        if number % _RARE == 0:
            mixed.append(lists[number // _RARE % len(lists)])
    return Load(32, mixed, alike=False)


def _watcher(server: Client) -> Client:
    """Return a client of the same server that reads its metrics, on a connection of its own."""
    connection = HTTPConnection("127.0.0.1", server.connection.port, timeout=REQUEST_SECONDS)
    return replace(server, connection=connection, headers={"X-API-Key": server.headers["X-API-Key"]})


def _looks(server: Client, driver: Thread, log: Path) -> Iterator[Look]:
    begun = time.monotonic()
    sys.stdout.write("seconds    CPU s  memory MB  files  sockets  threads  tasks  documents\n")
    while driver.is_alive():
        look = _look(server, time.monotonic() - begun)
        counts = f"{look.files:6} {look.sockets:8} {look.threads:8} {look.tasks:6} {look.documents:10}"
        told = f"{look.cpu:8.1f} {look.memory:10.1f} {counts}"
        sys.stdout.write(f"{look.seconds:7.0f} {told}\n")
        sys.stdout.flush()
        os.truncate(log, 0)
        yield look
        driver.join(EVERY)


def _look(server: Client, seconds: float) -> Look:
    pid = server.pid
    opened, sockets = open_files(pid), open_sockets(pid)
    threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    told = server.exchange(("GET", "/metrics", None))[1].decode()
    tasks, documents = (int(float(re.findall(f"^{re.escape(name)} (.+)$", told, re.MULTILINE)[0])) for name in _GAUGES)
    return Look(seconds, cpu_seconds(pid), resident_megabytes(pid), opened, sockets, threads, tasks, documents)


def open_sockets(pid: int) -> int:
    """Return how many of the files that a process holds open are sockets."""
    return sum(_target(link).startswith("socket:") for link in Path(f"/proc/{pid}/fd").iterdir())


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # closed meanwhile
        return ""


def _tell(looks: Sequence[Look], sample: Sample) -> None:
    steady = [look for look in looks if look.seconds >= min(WARM_UP, MINUTES * 30)]
    growth = {
        name: slope([(look.seconds / 60, getattr(look, name)) for look in steady])
        for name in ("memory", "files", "sockets", "threads", "tasks", "documents")
    }
    sys.stdout.write(
        f"{sample.answered:,} requests, {sample.rate:,.0f} a second, p50 {sample.p50:.1f} ms, "
        f"p99 {sample.p99:.1f} ms, {sample.cpu:,.0f} µs of CPU each, without a failure\n"
    )
    sys.stdout.write("growth a minute: " + ", ".join(f"{name} {value:+.2f}" for name, value in growth.items()) + "\n")
    if growth["memory"] > MOST:
        sys.exit(f"memory grows by more than {MOST} MB a minute")


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return how steeply points rise, by least squares; 0 where there are too few."""
    if len(points) < 2:
        return 0.0
    middle = sum(x for x, _ in points) / len(points)
    height = sum(y for _, y in points) / len(points)
    return sum((x - middle) * (y - height) for x, y in points) / sum((x - middle) ** 2 for x, _ in points)


if __name__ == "__main__":
    main()
