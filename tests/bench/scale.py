"""Whether lists cost the same at any size: `python -m tests.bench.scale`, or `make bench-scale`.

For each size one database, filled with `gateway demo` on the embedded mongod in a folder of its own, and
one gateway process. What counts is CPU time (user and system) of gateway and mongod together for each
request. Sizes take turns within every round, so whatever else the machine does falls on all alike; each
figure is the median of the rounds, and a ratio the median of the rounds' ratios. A run over all sizes
puts its tables into docs/scale.md; `SIZES=10000,100000` makes a short run, which only prints them.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from statistics import median
from typing import Any

from pymongo import MongoClient

from tests.bench.processes import ROOT, Client, cpu_seconds, fill, gateway, resident_megabytes, store, wait_idle
from tests.bench.report import measured_on, put
from tests.bench.rows import Request, Row, add_rare, rows

ALL_SIZES = (10_000, 100_000, 1_000_000)
SIZES = tuple(int(size) for size in os.environ.get("SIZES", "").split(",") if size) or ALL_SIZES
ROUNDS = int(os.environ.get("ROUNDS", "5"))
BATCH_SECONDS, ROW_SECONDS = 0.5, 30
GOAL = 1.3
_PAGES = "pages of 25 unless said otherwise"
PAGE = ROOT / "docs" / "scale.md"


@dataclass(frozen=True)
class Sample:
    """What one request cost in one round: CPU of both processes in microseconds, and what the client waited."""

    gateway: float
    mongod: float
    milliseconds: float

    @property
    def both(self) -> float:
        """CPU of gateway and mongod together."""
        return self.gateway + self.mongod


@dataclass(frozen=True)
class Load:
    """What it took to fill one database, and what it holds."""

    size: int
    seconds: float
    data: int
    disk: int
    indexes: dict[str, int]


@dataclass(frozen=True)
class Side:
    """One size: its gateway and its rows."""

    client: Client
    rows: list[Row]


def main() -> None:
    """Fill, measure, print and write."""
    with ExitStack() as stack:
        mongod, pid = stack.enter_context(store())
        sides: list[Side] = []
        loads: list[Load] = []
        for size in SIZES:
            _say(f"{size:,} customers")
            database = f"scale_{size}"
            seconds = fill(mongod, database, size)
            loads.append(_load(mongod.url, database, size, seconds))
            client = stack.enter_context(gateway(mongod, database))
            add_rare(client)
            sides.append(Side(client, rows(client)))
        _say("waiting until the store has written everything")
        wait_idle(pid)
        table = _table(sides, pid)
        memory = [f"mongod {resident_megabytes(pid):,.0f} MB"]
        memory += [f"gateway {resident_megabytes(side.client.pid):,.0f} MB" for side in sides]
        head = f"{measured_on(mongod.url, 'starlette', 'pymongo')} {ROUNDS} rounds in turn, {_PAGES}."
        text = f"{head}\n\n{table}\n{_loads(loads)}\nResident at the end: {', '.join(memory)}.\n"
    sys.stdout.write(text)
    if SIZES == ALL_SIZES:
        put(PAGE, "bench-scale", text)


def _say(text: str) -> None:
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {text}\n")


def _load(url: str, database: str, size: int, seconds: float) -> Load:
    with MongoClient[dict[str, Any]](url) as client:
        said = client[database].command("collStats", "customers")
    return Load(size, seconds, said["size"], said["storageSize"], said["indexSizes"])


def _table(sides: Sequence[Side], mongod: int) -> str:
    heads = [f"{SIZES[0]:,}", *(text for size in SIZES[1:] for text in (f"{size:,}", "ratio")), "p50 ms"]
    lines = [["CPU µs a request (gateway + mongod)", *heads], ["---", *["--:"] * len(heads)]]
    over: list[str] = []
    for number, row in enumerate(sides[0].rows):
        samples = _measure([side.rows[number].requests for side in sides], [side.client for side in sides], mongod)
        cells = [row.name if row.flat else f"*{row.name}*", *_cells(samples)]
        if row.flat and max(_ratios(samples), default=0) > GOAL:
            over.append(row.name)
        lines.append(cells)
        _say(" | ".join(cells))
    missed = f"Over {GOAL}: {', '.join(over)}." if over else f"No flat row is over {GOAL}."
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines) + f"\n{missed} Rows in italics grow by nature.\n"


def _measure(requests: list[list[Request]], clients: list[Client], mongod: int) -> list[list[Sample]]:
    """Return the samples of each size, after a round to warm up; of a slow row fewer than `ROUNDS`."""
    turns = [cycle(one) for one in requests]
    samples: list[list[Sample]] = [[] for _ in clients]
    begun = time.monotonic()
    for number in range(ROUNDS + 1):
        for kept, turn, client in zip(samples, turns, clients, strict=True):
            sample = _sample(turn, client, mongod)
            if number:
                kept.append(sample)
        if number and time.monotonic() - begun > ROW_SECONDS:
            break
    return samples


def _sample(turn: Iterator[Request], client: Client, mongod: int) -> Sample:
    waits: list[float] = []
    before = cpu_seconds(client.pid), cpu_seconds(mongod)
    while sum(waits) < BATCH_SECONDS:
        begun = time.perf_counter()
        client.send(next(turn))
        waits.append(time.perf_counter() - begun)
    used = cpu_seconds(client.pid) - before[0], cpu_seconds(mongod) - before[1]
    return Sample(used[0] / len(waits) * 1e6, used[1] / len(waits) * 1e6, median(waits) * 1e3)


def _cells(samples: list[list[Sample]]) -> Iterator[str]:
    ratios = [None, *_ratios(samples)]
    for kept, ratio in zip(samples, ratios, strict=True):
        yield f"{median(s.gateway for s in kept):,.0f} + {median(s.mongod for s in kept):,.0f}"
        if ratio is not None:
            yield f"{ratio:,.2f}"
    yield f"{median(s.milliseconds for s in samples[-1]):,.1f}"


def _ratios(samples: list[list[Sample]]) -> list[float]:
    """Return what each larger size costs as a multiple of the smallest."""
    return [
        median(large.both / small.both for large, small in zip(kept, samples[0], strict=True)) for kept in samples[1:]
    ]


def _loads(loads: list[Load]) -> str:
    lines = ["| Customers | load s | a second | data MB | on disk MB | indexes MB | of which `terms` | bytes each |"]
    lines.append("|" + " --: |" * 8)
    for load in loads:
        indexes = sum(load.indexes.values())
        sizes = (load.data, load.disk, indexes, load.indexes["terms"])
        each = (load.disk + indexes) / load.size
        cells = [f"{load.size:,}", f"{load.seconds:,.0f}", f"{load.size / load.seconds:,.0f}"]
        lines.append(f"| {' | '.join([*cells, *(f'{size / 1e6:,.0f}' for size in sizes), f'{each:,.0f}'])} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
