"""One worker process that spends as fast as it can, or evenly: `python -m tests.app.limits.hammer`.

It says `ready`, waits for a line, makes its attempts and prints how many passed.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from app.limits.limiter import open_limiter
from app.limits.refusals import Refused
from app.observe.logs import configure
from app.settings import Settings
from resolvers.context import Caller
from storage.store import StoreOptions, open_store

ROOT = Path(__file__).parents[3]
CALLER = Caller("hammer", "hammer", frozenset())


async def hammer(settings: Settings, attempts: int, seconds: float) -> int:
    """Return how many of the attempts, spread evenly over `seconds`, pass."""
    passed = 0
    nowhere = StoreOptions("mongodb://127.0.0.1:1")  # without a daily quota nobody asks it
    async with open_store(nowhere) as store, open_limiter(settings, store.quotas) as limiter:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number in range(attempts):
            if seconds:
                await asyncio.sleep(begun + number * seconds / attempts - loop.time())
            try:
                await limiter.spend(CALLER)
                passed += 1
            except Refused:
                pass
    return passed


def main(rate: str, table: str, redis: str, attempts: str, seconds: str) -> None:
    """Do it for the words of the command line; `-` is a word for none."""
    path, url = None if table == "-" else Path(table), None if redis == "-" else redis
    configure("error")
    settings = Settings(_env_file=None, rate_limit=rate, limits_table=path, redis_url=url)
    sys.stdout.write(f"{asyncio.run(hammer(settings, int(attempts), float(seconds)))}\n")


@contextmanager
def _worker(words: list[str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.app.limits.hammer", *words]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            yield process
        finally:
            process.kill()


def accepted(
    rate: str, *, attempts: int, seconds: float = 0, table: Path | None = None, redis: str = "-", workers: int = 2
) -> list[int]:
    """Return how many attempts pass in each of several worker processes that begin together."""
    words = [rate, str(table or "-"), redis, str(attempts), str(seconds)]
    with ExitStack() as stack:
        processes = [stack.enter_context(_worker(words)) for _ in range(workers)]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return [int(process.stdout.readline()) for process in processes if process.stdout]


if __name__ == "__main__":
    main(*sys.argv[1:])
