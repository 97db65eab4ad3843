"""Where a soak happens: three mongods behind relays, two gateways of two workers each, and the crowd before them."""

from __future__ import annotations

import random
import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
from pymongo import MongoClient

from tests.commands import Started, started, until
from tests.faults.faults import Stage, workers
from tests.faults.replica_set import ReplicaSet, free_port
from tests.harness import make_key
from tests.soak.client import Client, Tally
from tests.soak.crowd import Crowd, clients_of
from tests.soak.events import Watcher
from tests.soak.model import Model
from tests.soak.people import People

DATABASE: Final = "gateway"


@dataclass
class Gateway:
    """One gateway, which may be ended and started again at its port."""

    folder: Path
    port: int
    settings: dict[str, Any]
    workers: int
    generation: int = 0
    process: Started | None = None
    logs: list[Path] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def started(self) -> Started:
        """Its present process."""
        assert self.process is not None
        return self.process

    def start(self) -> None:
        """Start it, and return once all its workers serve."""
        self.generation += 1
        home = self.folder / str(self.generation)
        home.mkdir(parents=True)
        words = ("serve", "--port", str(self.port), "--workers", str(self.workers))
        self.process = self._stack.enter_context(started(home, *words, **self.settings))
        self.logs.append(home / "err")
        until(lambda: self._serves() or self.started.ended(), 60, "a gateway's start")
        assert not self.started.ended(), self.started.err.decode()[-2000:]

    def stop(self) -> int:
        """Let it end as SIGTERM does, and return its exit code."""
        return self.started.stop(signal.SIGTERM)

    def close(self) -> None:
        """End it with everything that it started."""
        self._stack.close()

    def unexpected(self) -> list[str]:
        """Return the lines of its logs about errors that nobody expected."""
        lines = [line for log in self.logs for line in log.read_bytes().splitlines()]
        return [line.decode()[:2000] for line in lines if b'"Unexpected error"' in line]

    def _serves(self) -> bool:
        if self.workers > 1 and len(workers(self.started)) < self.workers:
            return False
        try:
            return httpx2.get(f"{self.url}/health/ready", timeout=5).status_code == 200
        except httpx2.TransportError:
            return False


@dataclass
class Site:
    """All of it; without a replica set of its own nothing can be done to MongoDB."""

    gateways: list[Gateway]
    crowd: Crowd
    model: Model
    tally: Tally
    key: str
    witness: Callable[[], MongoClient[dict[str, Any]]]
    database: str
    replica_set: ReplicaSet | None = None
    down: set[str] = field(default_factory=set)
    """The addresses of gateways that are not ready; clients look there."""

    def stage(self) -> Stage:
        """Return what faults are done to: the replica set, and the first gateway."""
        assert self.replica_set is not None
        return Stage(self.replica_set, self.gateways[0].started, self.crowd)


@contextmanager
def running(folder: Path, seed: int, *, clients: int, think: float) -> Iterator[Site]:
    """Set three members and two gateways of two workers up, let the crowd work, and end all at the end of the block."""
    replica_set = ReplicaSet([folder / f"member{number}" for number in range(3)])
    with replica_set.running():
        with serving(folder, replica_set.url, DATABASE, (2, 2)) as (gateways, key):
            with working(gateways, key, seed, clients, think) as (crowd, model, tally, down):
                yield Site(gateways, crowd, model, tally, key, replica_set.witness, DATABASE, replica_set, down)


@contextmanager
def serving(
    folder: Path, url: str, database: str, workers_of_each: tuple[int, ...]
) -> Iterator[tuple[list[Gateway], str]]:
    """Run gateways on a database until the end of the block; gives them and a key."""
    settings = {"mongodb_url": url, "mongodb_database": database, "rate_limit": "off", "log_level": "warning"}
    key = make_key(url, database)
    with ExitStack() as stack:
        gateways = []
        for number, many in enumerate(workers_of_each):
            gateway = Gateway(folder / f"gateway{number}", free_port(), settings, many)
            stack.callback(gateway.close)
            gateway.start()
            gateways.append(gateway)
        yield gateways, key


@contextmanager
def working(
    gateways: list[Gateway], key: str, seed: int, many: int, think: float
) -> Iterator[tuple[Crowd, Model, Tally, set[str]]]:
    """Let a crowd work at gateways until the end of the block; the set is of those that it must not go to."""
    urls, model, tally, run = [gateway.url for gateway in gateways], Model(), Tally(), secrets.token_hex(2)
    down: set[str] = set()
    watcher = Watcher(urls, key, model=model)

    def client(number: int, chance: random.Random) -> Client:
        return Client(number, urls, key, model, People(f"s{run}x{number}x", chance), chance, tally, down)

    crowd = Crowd(clients_of(client, many, seed), watcher, think)
    with crowd.working():
        until(watcher.begun.is_set, 30, "the stream of events")
        yield crowd, model, tally, down
