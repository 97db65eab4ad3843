"""A serving process gives back what it does not need any more, however long that has lived."""

from __future__ import annotations

import subprocess
import sys

LONG_LIVED = """
import asyncio, contextlib, gc, weakref
from app.cli.memory import settled

class Ring:
    def __init__(self):
        self.itself = self

@contextlib.asynccontextmanager
async def lifespan(app):
    yield None

async def main():
    rings, seen = [], None
    async with settled(lifespan)(None):
        old = Ring()
        seen = weakref.ref(old)
        for turn in range(200):
            if turn == 100:
                del old
            rings += [Ring() for _ in range(500)]
            [[] for _ in range(50_000)]
            if seen() is None:
                print(turn)
                break

asyncio.run(main())
"""


def test_what_refers_to_itself_and_has_lived_long_is_found_while_the_process_serves() -> None:
    done = subprocess.run([sys.executable, "-c", LONG_LIVED], capture_output=True, text=True, timeout=60, check=True)
    assert 100 < int(done.stdout or 0) < 200
