"""A relay before the store that stops one command: before the store gets it, or before its answer comes back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

from tests.storage.conftest import directly

Moment = Literal["before", "after"]
"""Whether the command itself is held back, or its answer, which then is lost with its connection."""
_PATIENCE: Final = 20.0


@dataclass
class Stop:
    """A command that is stopped: `reached` once it has come, on its way again once `gone_on`."""

    word: bytes
    moment: Moment
    reached: threading.Event = field(default_factory=threading.Event)
    gone_on: asyncio.Event = field(default_factory=asyncio.Event)


class Valve:
    """The relay; belongs to the thread that it runs in."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._target = (str(address.hostname), address.port or 27017)
        self._store, self._loop = url, asyncio.new_event_loop()
        self._stop: Stop | None = None
        self.url = ""

    @contextmanager
    def stopping(self, word: str, moment: Moment) -> Iterator[Stop]:
        """Stop the next command that has a word in it, until the end of the block."""
        stop = self._stop = Stop(word.encode() + b"\0", moment)
        try:
            yield stop
        finally:
            self._stop = None
            self._loop.call_soon_threadsafe(stop.gone_on.set)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Relay until the end of the block."""
        thread = threading.Thread(target=self._loop.run_forever, name="valve", daemon=True)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(_PATIENCE)
            yield
        finally:
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_PATIENCE)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(_PATIENCE)
            self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = directly(self._store, self._server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, forth = await asyncio.open_connection(*self._target)
        stopped: list[Stop] = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ask(near, forth, stopped))
                group.create_task(self._answer(far, back, stopped))
        except* (OSError, EOFError):
            pass
        finally:
            forth.close()
            back.close()

    async def _ask(self, near: asyncio.StreamReader, forth: asyncio.StreamWriter, stopped: list[Stop]) -> None:
        while data := await near.read(1 << 20):
            stop = self._stop
            if stop is not None and stop.word in data:
                self._stop = None
                stop.reached.set()
                if stop.moment == "before":
                    await stop.gone_on.wait()
                else:
                    stopped.append(stop)
            forth.write(data)
            await forth.drain()
        raise EOFError

    async def _answer(self, far: asyncio.StreamReader, back: asyncio.StreamWriter, stopped: list[Stop]) -> None:
        while data := await far.read(1 << 20):
            if stopped:
                await stopped[0].gone_on.wait()
                with suppress(OSError):
                    back.transport.abort()
                raise EOFError
            back.write(data)
            await back.drain()
        raise EOFError
