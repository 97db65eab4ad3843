"""Work in an event loop of its own, beside the thread that does faults."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def in_thread(
    work: Callable[[], Coroutine[Any, Any, None]], name: str, *, end: Callable[[], None], seconds: float
) -> Iterator[None]:
    """Let work be done until the end of the block, where `end` tells it to stop, for which it has so many seconds.

    Raises what the work has raised.
    """
    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work())
        except BaseException as error:  # noqa: BLE001 - told to the thread that waits
            failures.append(error)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        end()
        thread.join(seconds)
        if failures:
            raise failures[0]
    assert not thread.is_alive()
