"""What is left of the goodput when too much is asked: `python -m tests.bench.overload`, or `make overload`.

A gateway that works on `MOST` requests at once is asked over as many connections, which is its peak, then over three
and ten times as many. The clients are the worst there are: who is refused asks again at once, whatever Retry-After
says. It takes about a minute, and ends with 1 where less than 80 % of the peak is left at three times the load.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from tests.bench.load import Load, _wrk
from tests.bench.pairs import DATABASE, SETTINGS
from tests.bench.processes import Client, fill, gateway, resident_megabytes, store
from tests.bench.works import customer_ids, works

MOST: Final = 64
TIMES: Final = (1, 3, 10)
SECONDS: Final = 6
CUSTOMERS: Final = 2000
LEAST: Final = 0.8
_KEYS: Final = ("rest-one", "rest-list", "rest-create")


@dataclass(frozen=True)
class Row:
    """What came back in one run: good answers and refusals a second, waits of all in ms, memory in MB."""

    work: str
    connections: int
    good: float
    refused: float
    p50: float
    p99: float
    memory: float


def main() -> None:
    """Measure and print."""
    with ExitStack() as stack:
        mongod, _ = stack.enter_context(store())
        log = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-overload-"))) / "log"
        fill(mongod, DATABASE, CUSTOMERS)
        loads = {one.key: one.ours for one in works(customer_ids(mongod.url, DATABASE))}
        settings = {**SETTINGS, "max_in_flight": str(MOST)}
        server = stack.enter_context(gateway(mongod, DATABASE, log=log, settings=settings))
        rows = [row for key in _KEYS for row in _measured(server, key, loads[key])]
    sys.stdout.write(_table(rows))
    if any(_left(rows, row) < LEAST for row in rows if row.connections == 3 * MOST):
        sys.exit(f"less than {LEAST:.0%} of the peak is left")


def _measured(server: Client, key: str, load: Load) -> Iterator[Row]:
    with NamedTemporaryFile("w", suffix=".tsv", encoding="utf-8") as file:
        file.writelines("\t".join(request) + "\n" for request in load.requests)
        file.flush()
        _wrk(server, Load(MOST, load.requests), file.name, 1)
        for times in TIMES:
            yield _row(server, key, MOST * times, _wrk(server, Load(MOST * times, load.requests), file.name, SECONDS))


def _row(server: Client, key: str, connections: int, told: dict[str, Any]) -> Row:
    seconds = told["duration"] / 1e6
    good = (told["requests"] - told["failed"]) / seconds
    memory = resident_megabytes(server.pid)
    return Row(key, connections, good, told["failed"] / seconds, told["p50"] / 1e3, told["p99"] / 1e3, memory)


def _left(rows: list[Row], row: Row) -> float:
    return row.good / next(one.good for one in rows if one.work == row.work)


def _table(rows: list[Row]) -> str:
    head = ["Work", "connections", "good/s", "of the peak", "refused/s", "p50 ms", "p99 ms", "MB"]
    lines = [head, ["---", *["--:"] * (len(head) - 1)]]
    for row in rows:
        told = [f"{row.connections}", f"{row.good:,.0f}", f"{_left(rows, row):.0%}", f"{row.refused:,.0f}"]
        lines.append([row.work, *told, f"{row.p50:.1f}", f"{row.p99:.1f}", f"{row.memory:.0f}"])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    main()
