"""The command `gateway` under cProfile: `python -m tests.bench.profiled FILE serve …`.

SIGUSR1 begins, so that the start is no part of it; the end of the command writes the file. What is measured is CPU
time, not the time that passed, so that waiting and other processes do not count.
"""

from __future__ import annotations

import cProfile
import signal
import sys
import time
from types import FrameType

from app.cli.main import run


def main() -> None:
    """Run the command in the words behind the file's name."""
    taken = sys.argv.pop(1)
    profile = cProfile.Profile(time.thread_time)

    def begin(_signal: int, _frame: FrameType | None) -> None:
        profile.enable()

    signal.signal(signal.SIGUSR1, begin)
    try:
        run()
    finally:
        profile.disable()
        profile.dump_stats(taken)


if __name__ == "__main__":
    main()
