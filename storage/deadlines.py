"""Until when the store may be waited for.

A request has one moment at which its waiting ends, kept in a context variable: each call of the driver gets what
is left of it, and so does what waits to be gathered. The driver keeps its time by itself, retries and server
selection included; should it ever fail to, the call is cancelled `GRACE` seconds later.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any, Final, cast

GRACE: Final = 0.25
_LEAST: Final = 0.001

_DEADLINE: ContextVar[float | None] = ContextVar("wire_deadline", default=None)


class WireDeadline:
    """Ends the waiting inside at a moment of `time.monotonic`, or where that is earlier when it ends around it."""

    __slots__ = ("_moment", "_token")

    def __init__(self, moment: float) -> None:
        self._moment = moment

    def __enter__(self) -> None:
        around = _DEADLINE.get()
        self._token: Token[float | None] = _DEADLINE.set(
            self._moment if around is None or self._moment < around else around
        )

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        _DEADLINE.reset(self._token)


def wire_deadline(seconds: float) -> WireDeadline:
    """Give everything inside at most `seconds` for waiting for the store."""
    return WireDeadline(time.monotonic() + max(seconds, _LEAST))


def deadline() -> float | None:
    """Return the moment of `time.monotonic` at which the waiting ends, None where there is none."""
    return _DEADLINE.get()


def seconds_left() -> float | None:
    """Return how many seconds there are until then, None where there is no such moment."""
    moment = _DEADLINE.get()
    return None if moment is None else moment - time.monotonic()


def at_most(seconds: float) -> float:
    """Return these seconds, or how many there are until the wire's deadline where that is earlier."""
    left = seconds_left()
    return seconds if left is None else max(min(seconds, left), 0)


class HardEnd:
    """Cancels the task at hand after so many seconds, as `asyncio.timeout` does, for use without `async with`.

    `more` is asked then whether it is to wait on: it gives further seconds, 0 or less for none.
    """

    __slots__ = ("_cancelling", "_expired", "_more", "_task", "_timer")

    def __init__(self, seconds: float, more: Callable[[], float] | None = None) -> None:
        self._task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._cancelling, self._expired = self._task.cancelling(), False
        self._more = more
        self._timer = asyncio.get_running_loop().call_later(seconds, self._expire)

    def _expire(self) -> None:
        if self._more is not None and (seconds := self._more()) > 0:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._expire)
            return
        self._expired = True
        self._task.cancel()

    def stop(self) -> None:
        """Let the task go on."""
        self._timer.cancel()

    def over(self, error: BaseException | None) -> bool:
        """Stop; tell whether it was this end, and nobody else's, that the task was cancelled for."""
        self._timer.cancel()
        if not self._expired:
            return False
        return self._task.uncancel() <= self._cancelling and isinstance(error, asyncio.CancelledError)
