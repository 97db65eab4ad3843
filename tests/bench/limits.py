"""How exactly two workers keep one limit: `python -m tests.bench.limits`, or `make bench-limits`.

Two processes with a limiter each make ten times as many requests as the limit allows, evenly over its window of
60 seconds: once on a Redis of their own, once on the table that workers share. What they let pass is held
against the limit. It stops by itself after a bit more than two minutes; SECONDS=6 makes a short run.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.limits.table import table_file
from tests.app.limits.hammer import accepted
from tests.redis_server import RedisServer

SECONDS = int(os.environ.get("SECONDS", "60"))
LIMIT = 600
WORKERS = 2
TIMES = 10


@contextmanager
def redis() -> Iterator[str]:
    """Run a Redis of its own; gives its address."""
    with tempfile.TemporaryDirectory(prefix="bench-limits-") as folder:
        with socket.create_server(("127.0.0.1", 0)) as free:
            server = RedisServer(Path(folder), free.getsockname()[1])
        server.start()
        try:
            yield server.url
        finally:
            server.kill()


def _row(name: str, counts: list[int]) -> None:
    total = sum(counts)
    each = " + ".join(map(str, counts))
    sys.stdout.write(f"| {name} | {LIMIT * TIMES:,} | {each} = {total} | {100 * (total - LIMIT) / LIMIT:+.2f} % |\n")
    sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    rate = f"{LIMIT}/{SECONDS}second"
    share, duration = LIMIT * TIMES // WORKERS, SECONDS * 0.98  # the last request comes before the window ends
    sys.stdout.write(f"{WORKERS} workers, {rate}\n\n")
    sys.stdout.write("| Counted in | Requests | Accepted | Deviation |\n|---|--:|--:|--:|\n")
    if shutil.which("redis-server"):
        with redis() as url:
            _row("Redis", accepted(rate, attempts=share, seconds=duration, redis=url))
    else:
        sys.stdout.write("| Redis | redis-server is not installed | | |\n")
    with table_file() as path:
        _row("the shared table", accepted(rate, attempts=share, seconds=duration, table=path))


if __name__ == "__main__":
    main()
