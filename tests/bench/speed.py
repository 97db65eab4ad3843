"""What a request costs, as a multiple of a bare handler's: `python -m tests.bench.speed`, or `make bench`.

Gateway and bare handler (`tests/bench/yardstick.py`) run as processes of their own on one embedded mongod with the
same customers, and wrk puts them under load in turn, in pairs whose order alternates. What counts is the server's CPU
time (user and system, without mongod) for each request: requests a second say more of what else the machine does.
Figures are medians of the pairs. `ROWS=rest-one,graphql-list SECONDS=2` measures parts; a whole run takes about
eight minutes, and with `WRITE=1` it puts its tables into docs/performance.md.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Final

from tests.bench.layers import KEYS, STACK, layer_rows, stack_table
from tests.bench.load import Sample
from tests.bench.pairs import DATABASE, PAIRS, SECONDS, Bench, Pairs
from tests.bench.processes import ROOT, Client, fill, store, yardstick
from tests.bench.report import measured_on, put, table
from tests.bench.works import CUSTOMERS, Work, customer_ids, works

ROWS: Final = frozenset(name for name in os.environ.get("ROWS", "").split(",") if name)
PAGE: Final = ROOT / "docs" / "performance.md"
_MEGABYTES: Final = 120
_PACKAGES: Final = ("uvicorn", "uvloop", "httptools", "starlette", "pymongo", "strawberry-graphql", "graphql-core")
_HEAD: Final = (
    "CPU of a request", "ratio", "goal", "", "spread", "µs", "bare µs", "requests/s", "p50 ms", "p99 ms",
)  # fmt: skip


def main() -> None:
    """Fill, measure, print, and write where that was asked for."""
    known = {*KEYS, STACK, *(work.key for work in works([]))}
    if ROWS - known:
        sys.exit(f"There is no row {', '.join(sorted(ROWS - known))}; there are {', '.join(sorted(known))}.")
    if os.environ.get("WRITE") and ROWS:
        sys.exit("WRITE=1 writes a whole run, without ROWS.")
    with ExitStack() as stack:
        mongod, _ = stack.enter_context(store())
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-speed-"))
        fill(mongod, DATABASE, CUSTOMERS)
        every = works(customer_ids(mongod.url, DATABASE))
        bench = Bench(mongod, Path(folder) / "log", {work.key: work for work in every})
        ours = stack.enter_context(bench.gateway())
        bare = stack.enter_context(yardstick(mongod, DATABASE))
        text = _report(bench, ours, bare)
        text = f"{measured_on(mongod.url, *_PACKAGES)} {PAIRS} pairs of {SECONDS:g} s. {_load()}\n\n{text}"
    sys.stdout.write(f"\n{text}")
    if os.environ.get("WRITE"):
        put(PAGE, "bench", text)


def _load() -> str:
    """Say how busy the machine is: where it has more to do than it has cores, figures swing."""
    return f"Load of the machine {os.getloadavg()[0]:.1f}."


def _report(bench: Bench, ours: Client, bare: Client) -> str:
    """Measure what is asked for; what writes comes last, so that everything else sees the same customers."""
    first = bench.works["rest-one"]
    bench.warm(ours, first.ours)
    bench.warm(bare, first.bare)
    sentences = []
    for sentence in layer_rows(bench, ours, ROWS or frozenset(KEYS)):
        _say(sentence)
        sentences.append(sentence)
    layers = f"\n{stack_table(bench, bare)}" if not ROWS or STACK in ROWS else ""
    rows, memory = [], 0.0
    for work in bench.works.values():
        if not ROWS or work.key in ROWS:
            pairs = bench.measure((ours, work.ours), (bare, work.bare))
            memory = max(memory, pairs.memory)
            rows.append(_row(work, pairs))
            _say(" | ".join(rows[-1]))
    if rows:
        sentences.append(f"Resident under load {memory:.0f} MB (goal {_MEGABYTES}, {_met(memory, _MEGABYTES)}).")
    listed = "".join(f"- {sentence}\n" for sentence in sentences)
    return (f"{table(_HEAD, rows)}\n{listed}" if rows else listed) + layers


def _row(work: Work, pairs: Pairs) -> list[str]:
    ratio = round(median(pairs.cpu), 2)  # a third digit says nothing
    waits = (f"{_middle(pairs.first, name):,.1f}" for name in ("p50", "p99"))
    costs = (f"{_middle(side, 'cpu'):,.0f}" for side in (pairs.first, pairs.second))
    spread = f"{pairs.cpu[0]:.2f} to {pairs.cpu[-1]:.2f}"
    rate = f"{_middle(pairs.first, 'rate'):,.0f}"
    return [work.name, f"{ratio:.2f}", f"{work.goal:g}", _met(ratio, work.goal), spread, *costs, rate, *waits]


def _middle(samples: Sequence[Sample], name: str) -> float:
    return float(median(getattr(sample, name) for sample in samples))


def _met(found: float, goal: float) -> str:
    return "reached" if found <= goal else "**missed**"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
