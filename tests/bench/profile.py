"""Where the gateway's time goes: `python -m tests.bench.profile`, or `make bench-profile ROWS=rest-one`.

The gateway runs under cProfile while wrk puts it under load. What cProfile itself costs falls on every call of a
function, so many small functions look worse than they are; a sampling profiler such as py-spy shows those better.
"""

from __future__ import annotations

import os
import pstats
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from tests.bench.load import run
from tests.bench.pairs import DATABASE, SECONDS, SETTINGS
from tests.bench.processes import ROOT, fill, gateway, store
from tests.bench.works import CUSTOMERS, Work, customer_ids, works

ROWS: Final = (os.environ.get("ROWS") or "rest-one,graphql-one").split(",")
TOP: Final = int(os.environ.get("TOP") or "25")


def main() -> None:
    """Fill, run each row on a gateway of its own, and print the functions that use most."""
    with ExitStack() as stack:
        mongod, _ = stack.enter_context(store())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-profile-")))
        fill(mongod, DATABASE, CUSTOMERS)
        for work in works(customer_ids(mongod.url, DATABASE)):
            if work.key in ROWS:
                taken = folder / work.key
                command = (sys.executable, "-m", "tests.bench.profiled", str(taken))
                with gateway(mongod, DATABASE, command=command, log=folder / "log", settings=SETTINGS) as server:
                    run(server, work.ours, 1, warm_up=0)
                    os.kill(server.pid, signal.SIGUSR1)
                    answered = run(server, work.ours, SECONDS, warm_up=0).answered
                sys.stdout.writelines(_told(work, taken, answered))


def _told(work: Work, taken: Path, answered: int) -> Iterator[str]:
    # An entry has: calls without recursion, all calls, own time, time with what was called, callers.
    found: dict[tuple[str, int, str], tuple[int, int, float, float, Any]]
    found = pstats.Stats(str(taken)).stats  # type: ignore[attr-defined]
    most = sorted(found.items(), key=lambda item: -item[1][2])[:TOP]
    yield f"\n{work.name}: {answered:,} requests\n own µs | with calls | calls | function\n"
    for (file, line, name), (_, calls, own, whole, _) in most:
        each = f"{own / answered * 1e6:7.1f} | {whole / answered * 1e6:10.1f} | {calls / answered:5.1f}"
        yield f"{each} | {_place(file, line)}{name}\n"


def _place(file: str, line: int) -> str:
    short = file.removeprefix(f"{ROOT}/").rpartition("site-packages/")[2]
    return f"{short}:{line} " if line else ""


if __name__ == "__main__":
    main()
