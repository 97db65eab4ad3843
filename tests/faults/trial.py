"""A replica set, a gateway of two workers and a crowd: faults are done to them, and in the end all is counted."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any, Final

from tests.commands import Started, serving, until
from tests.faults.crowd import Crowd
from tests.faults.faults import KILL, Fault, Stage
from tests.faults.keyed import RACE, race
from tests.faults.ledger import Count, Ledger, Witness, marks_of, total
from tests.faults.listener import Listener, Verdict
from tests.faults.replica_set import ReplicaSet
from tests.harness import make_key

DATABASE: Final = "gateway"
CALM: Final = "none"


@dataclass(frozen=True)
class Recovery:
    """How it went on after a fault, in seconds from the moment when MongoDB could be reached and took writes again.

    `back` is until a write that began then was acknowledged, `clean` until the last failing answer, and `slowest` what
    the slowest write took that began then.
    """

    fault: str
    back: float
    clean: float
    slowest: float


@dataclass
class Trial:
    """One run of faults."""

    stage: Stage
    ledger: Ledger
    witness: Witness
    gateways: list[Started]
    crowd: Crowd
    recoveries: list[Recovery] = field(default_factory=list)

    def inflict(self, fault: Fault) -> Recovery:
        """Do a fault, mend it, and return when everything is whole again."""
        replica_set = self.stage.replica_set
        election, _ = replica_set.wait_primary()
        self.ledger.fault = fault.name
        whole = 0.0
        with fault.does(self.stage):
            if fault.fails_over:
                whole = replica_set.wait_writes(after=election)
            time.sleep(fault.seconds)
        if not fault.fails_over:
            whole = replica_set.wait_writes()
        until(lambda: self._back(whole) is not None, 30, f"recovery after {fault.name}")
        replica_set.wait_whole()
        time.sleep(0.5)
        failed = [end - whole for _, end in list(self.ledger.failed_at) if end > whole]
        after = [end - begin for begin, end in list(self.ledger.acknowledged_at) if begin >= whole]
        recovery = Recovery(fault.name, self._back(whole) or 0.0, max(failed, default=0.0), max(after))
        self.recoveries.append(recovery)
        self.ledger.failed_at.clear()
        self.ledger.acknowledged_at.clear()
        self.ledger.fault = CALM
        return recovery

    def audit(self) -> dict[str, Count]:
        """Let nobody write for a moment, and return what has become of everything, by fault."""
        self.crowd.rest()
        self.stage.replica_set.wait_whole()
        self.witness.catch_up()
        counts = self.ledger.judge(self.witness.done)
        self.crowd.resume()
        return counts

    def missing(self) -> list[str]:
        """Return the customers that are not as they must be now; nobody may write meanwhile."""
        with self.stage.replica_set.witness() as client:
            database = client[DATABASE]
            shown = {"id": 1, "lastName": 1, "phoneNumbers.number": 1}
            there: dict[str, Any] = {one["id"]: marks_of(one) for one in database["customers"].find({}, shown)}
            tombstones = {one["id"] for one in database["tombstones"].find({}, {"id": 1})}
        known = self.crowd.customers.values()
        wrong = [f"{one.id} lacks {one.certain}" for one in known if not one.certain <= set(there.get(one.id, ()))]
        wrong += [f"{one} is there, although deleted" for one in self.crowd.deleted if one in there]
        return wrong + [f"{one} has no tombstone" for one in self.crowd.deleted if one not in tombstones]

    def events(self) -> Verdict:
        """Return what became of the events, once all are told or that took too long; nobody may write meanwhile."""
        listener = self.crowd.listener
        assert listener is not None
        self.witness.catch_up()
        with suppress(AssertionError):
            until(lambda: listener.knows(self.witness.versions), 60, "the last event")
        return listener.verdict(self.witness.versions)

    def race(self, keys: int, parallel: int, often: int, seconds: float) -> tuple[Counter[str], int]:
        """Let many send the same keys while the primary is killed; return counts, and how many customers there are.

        Keys that were not always answered by one and the same customer count as `other`.
        """
        crowd, ended = self.crowd, list[tuple[Counter[str], dict[str, set[str]]]]()
        connect = [(url, crowd.key) for url in crowd.urls]
        thread = Thread(target=lambda: ended.append(asyncio.run(race(connect, self.ledger, keys, parallel, often))))
        thread.start()
        time.sleep(seconds)
        self.ledger.fault = KILL.name
        with KILL.does(self.stage):
            self.stage.replica_set.wait_primary()
        thread.join(RACE + 40)
        self.stage.replica_set.wait_whole()
        self.ledger.fault = CALM
        counts, told = ended[0]
        counts["other"] += sum(len(ids) != 1 or "" in ids for ids in told.values())
        with self.stage.replica_set.witness() as client:
            there = client[DATABASE]["customers"].count_documents({"lastName": {"$in": list(told)}})
        return counts, there

    def unexpected(self) -> list[str]:
        """Return the lines of the gateways' logs about errors that nobody expected, each with its place in the code."""
        lines = [line for gateway in self.gateways for line in gateway.err.splitlines()]
        return [line.decode() for line in lines if b'"Unexpected error"' in line]

    def _back(self, whole: float) -> float | None:
        ends = [end for begin, end in list(self.ledger.acknowledged_at) if begin >= whole]
        return min(ends) - whole if ends else None


@contextmanager
def running(
    folder: Path, *, size: int, think: float, keyed: int = 0, gateways: int = 1, small_disk: Path | None = None
) -> Iterator[Trial]:
    """Set a trial up, let the crowd work, and end everything at the end of the block."""
    folders = [folder / f"member{number}" for number in range(3)]
    if small_disk is not None:
        folders[2] = small_disk / "member2"
    replica_set, ledger = ReplicaSet(folders), Ledger(CALM)
    with ExitStack() as stack:
        stack.enter_context(replica_set.running())
        key = make_key(replica_set.url, DATABASE)
        settings: dict[str, Any] = {"mongodb_url": replica_set.url, "mongodb_database": DATABASE, "rate_limit": "off"}
        homes = [folder / f"gateway{number}" for number in range(gateways)]
        served = [stack.enter_context(_serving(home, settings)) for home in homes]
        witness = Witness(replica_set, DATABASE)
        urls = [gateway.url for gateway in served]
        listener = Listener(urls, key)
        crowd = Crowd(urls, key, ledger, size, think, keyed=keyed, listener=listener)
        stage = Stage(replica_set, served[0], crowd, small_disk)
        with crowd.working():
            until(listener.begun.is_set, 30, "the stream of events")
            yield Trial(stage, ledger, witness, served, crowd)


@contextmanager
def _serving(home: Path, settings: dict[str, Any]) -> Iterator[Started]:
    """Run a gateway of two workers."""
    home.mkdir()
    with serving(home, "--workers", "2", **settings) as gateway:
        until(lambda: gateway.err.count(b"Application startup complete") == 2, 30, "the start of both workers")
        yield gateway


def verdict(trial: Trial, counts: dict[str, Count]) -> list[str]:
    """Return everything that must not be; nothing where the gateway kept its word."""
    found = total(counts.values())
    wrong = {
        "acknowledged and lost": found.lost,
        "done twice": found.doubled,
        "outcome none, and done": found.false_none,
        "answers 500": found.internal_errors,
    }
    return (
        [f"{count} {name}" for name, count in wrong.items() if count]
        + trial.ledger.improper[:20]
        + trial.unexpected()[:20]
    )
