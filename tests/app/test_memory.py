"""A serving process takes no memory for what it does not need, and gives back what it needs no more."""

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

GROWING = """
import ctypes
from app.cli.memory import place_large_buffers

place_large_buffers()
held = bytearray(16 << 20)
del held
body, beside = bytearray(), []
for _ in range(256):
    body += bytes(65536)
    beside.append(bytes(65536))

def mapped(place):
    for line in open("/proc/self/maps"):
        low, high = (int(text, 16) for text in line.split()[0].split("-"))
        if low <= place < high:
            return line.split()[-1]

print(mapped(ctypes.addressof((ctypes.c_char * 1).from_buffer(body))))
"""


def printed(program: str) -> str:
    """Return what a process of its own prints."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def test_a_buffer_that_grows_large_lies_outside_the_heap_whatever_was_freed_before() -> None:
    assert "[heap]" not in printed(GROWING)


def test_a_gateway_that_sends_nothing_and_asks_no_issuer_imports_no_http_client() -> None:
    program = "import sys, app.main; print(sorted({'httpcore2', 'httpx2', 'h11'} & sys.modules.keys()))"
    assert printed(program) == "[]"


def test_what_refers_to_itself_and_has_lived_long_is_found_while_the_process_serves() -> None:
    assert 100 < int(printed(LONG_LIVED) or 0) < 200
