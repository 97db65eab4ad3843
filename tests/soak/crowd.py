"""All clients at work, in believable proportions, in a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tests.faults.thread import in_thread
from tests.faults.wire import PATIENCE
from tests.soak import batches, files, lists, parts, reads, writes
from tests.soak.client import Client
from tests.soak.events import Watcher
from tests.soak.model import LATE


class Work(NamedTuple):
    """One thing that clients do, and how often among a thousand."""

    often: int
    does: Callable[[Client], Awaitable[None]]


MOST: Final = 24
"""How many customers a client has before it only takes away, so that the store stays as large as it is."""
FEW: Final = 8
READS: Final = (
    Work(150, reads.at_rest), Work(60, reads.of_others), Work(100, reads.conditional), Work(20, reads.head),
    Work(100, reads.at_graphql), Work(30, reads.nodes), Work(40, reads.email), Work(40, reads.parts),
    Work(20, reads.preferences),
)  # fmt: skip
LISTS: Final = (Work(70, lists.filtered), Work(6, lists.everybody), Work(6, lists.exported))
CREATES: Final = (Work(40, writes.create), Work(20, writes.create_at_graphql), Work(20, writes.create_once))
CHANGES: Final = (
    Work(30, writes.replace), Work(60, writes.merge), Work(30, writes.steps), Work(20, writes.refused),
    Work(30, parts.add), Work(30, parts.change), Work(20, parts.remove), Work(15, parts.whole_list),
    Work(20, parts.preferences), Work(15, batches.batch), Work(10, batches.bulk), Work(5, batches.spoiled),
    Work(4, files.imported),
)  # fmt: skip
ENDS: Final = (Work(60, writes.delete), Work(6, files.cleared))


@dataclass
class Crowd:
    """The clients, and who watches the events. `leaving` is what faults set: the share of requests left early."""

    clients: list[Client]
    watcher: Watcher
    think: float
    paused: bool = False
    _leaving: float = 0.0
    _ended: bool = False
    _settled: threading.Event = field(default_factory=threading.Event)
    _released: threading.Event = field(default_factory=threading.Event)

    @property
    def leaving(self) -> float:
        """The share of requests whose client goes away early."""
        return self._leaving

    @leaving.setter
    def leaving(self, share: float) -> None:
        self._leaving = share
        for client in self.clients:
            client.leaving = share

    def working(self) -> AbstractContextManager[None]:
        """Let all work until `settle`, and the events be read until the end of the block."""
        return in_thread(self._run, "soak", end=self._end, seconds=PATIENCE + LATE + 60)

    def _end(self) -> None:
        self._ended = True
        self._released.set()

    def settle(self) -> None:
        """Let all end what they do, and look until everything is certain."""
        self._ended = True
        assert self._settled.wait(PATIENCE * 3 + LATE + 120), "a client still waits"

    async def _run(self) -> None:
        listening = asyncio.ensure_future(self.watcher.run())
        try:
            await self.watcher.begun.wait()
            async with asyncio.TaskGroup() as group:
                for client in self.clients:
                    group.create_task(self._work(client))
        finally:
            self._settled.set()
        while not self._released.is_set():  # noqa: ASYNC110 - told from another thread
            await asyncio.sleep(0.05)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    async def _work(self, client: Client) -> None:
        while not self._ended:
            work = choose(client)
            await work.does(client)
            client.tally.done[work.does.__name__] += 1
            if client.chance.random() < 0.1:
                await reads.settle(client)
            await asyncio.sleep(client.chance.uniform(0, 2 * self.think))
        while client.model.doubtful(client.number):
            await reads.settle(client)
            await asyncio.sleep(0.5)
        client.close()


def choose(client: Client) -> Work:
    """Return what a client does next: who has few customers creates, who has many takes away."""
    many = len(client.model.alive(client.number))
    works = (*READS, *LISTS, *(CREATES if many < MOST else ()), *CHANGES, *(ENDS if many > FEW else ()))
    if many < 2:
        works = CREATES
    chosen: list[Work] = client.chance.choices(works, [work.often for work in works])
    return chosen[0]


def clients_of(make: Callable[[int, random.Random], Client], many: int, seed: int) -> list[Client]:
    """Return clients whose chances follow from the seed."""
    return [make(number, random.Random(f"{seed}-{number}")) for number in range(many)]
