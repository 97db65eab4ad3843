"""Ending when told: a call of the store now and then keeps a cancellation to itself, and the loop around it goes on."""

from __future__ import annotations

import asyncio


def end_if_told() -> None:
    """Raise `CancelledError` where the task at hand has been cancelled before, and nobody has heeded it."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
