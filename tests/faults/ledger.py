"""What writers were told, and what MongoDB says was done: each write has a mark by which it is found again."""

from __future__ import annotations

import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bson import Timestamp
from pymongo.errors import PyMongoError

from tests.faults.replica_set import Client, ReplicaSet

Told = Literal["acknowledged", "none", "unknown"]


@dataclass(slots=True)
class Write:
    """One write: the mark that it leaves, the fault that there was, what its writer was told."""

    mark: str
    kind: str
    fault: str
    customer: str = ""
    told: Told = "unknown"
    status: int = 0
    seconds: float = 0.0

    @property
    def trace(self) -> str:
        """What the witness finds where it was done: its mark, and of a delete the customer's id."""
        return f"delete {self.customer}" if self.kind == "delete" else self.mark


@dataclass
class Count:
    """What there was of everything while one fault lasted."""

    acknowledged: int = 0
    none: int = 0
    unknown: int = 0
    unknown_done: int = 0
    lost: int = 0
    doubled: int = 0
    false_none: int = 0
    reads: int = 0
    reads_failed: int = 0
    internal_errors: int = 0
    unanswered: int = 0
    worst: float = 0.0


@dataclass
class Ledger:
    """What all writers together were told. `fault` is the one that there is now."""

    fault: str = "nothing"
    writes: dict[str, Write] = field(default_factory=dict)
    improper: list[str] = field(default_factory=list)
    """Answers that no client should get: 500s, failures without what they must say, reads older than known."""
    reads: Counter[str] = field(default_factory=Counter)
    reads_failed: Counter[str] = field(default_factory=Counter)
    internal_errors: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    """Requests whose connection ended, or that were not answered within the client's patience."""
    worst: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    longest: tuple[float, str] = (0.0, "")
    """How long it took at most until a change with a key was acknowledged, and what was answered to it meanwhile."""
    acknowledged_at: list[tuple[float, float]] = field(default_factory=list)
    """Begin and end of each acknowledged write that was one of the pulse."""
    failed_at: list[tuple[float, float]] = field(default_factory=list)
    """Begin and end of each request that was not answered as it should be."""
    _marks: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def begin(self, kind: str, customer: str = "") -> Write:
        """Note a write that is about to be sent."""
        write = Write(f"T{next(self._marks):09d}", kind, self.fault, customer)
        self.writes[write.mark] = write
        return write

    def waited(self, began: float) -> None:
        """Note how long one request took that ends now."""
        self.worst[self.fault] = max(self.worst[self.fault], time.monotonic() - began)

    def acknowledged(self) -> int:
        """Return how many writes were acknowledged."""
        return sum(write.told == "acknowledged" for write in list(self.writes.values()))

    def judge(self, done: Mapping[str, int]) -> dict[str, Count]:
        """Return the counts by fault; `done` says how often each mark was written."""
        counts: dict[str, Count] = defaultdict(Count)
        claimed = Counter(write.trace for write in self.writes.values() if write.told != "none")
        certain = Counter(write.trace for write in self.writes.values() if write.told == "acknowledged")
        for write in self.writes.values():
            count, times = counts[write.fault], done.get(write.trace, 0)
            count.worst = max(count.worst, write.seconds)
            if write.told == "acknowledged":
                count.acknowledged += 1
                count.lost += times == 0
                count.doubled += times > 1 or certain[write.trace] > 1
            elif write.told == "none":
                count.none += 1
                count.false_none += times > 0 and not claimed[write.trace]
            else:
                count.unknown += 1
                count.unknown_done += times > 0
                count.doubled += times > 1
        self._add_others(counts)
        return dict(counts)

    def _add_others(self, counts: dict[str, Count]) -> None:
        for name in ("reads", "reads_failed", "internal_errors", "unanswered"):
            for fault, times in getattr(self, name).items():
                setattr(counts[fault], name, times)
        for fault, seconds in self.worst.items():
            counts[fault].worst = max(counts[fault].worst, seconds)


def total(counts: Iterable[Count]) -> Count:
    """Return the sum of counts; the worst of the worst times."""
    found = Count()
    for count in counts:
        for name in Count.__dataclass_fields__:
            value = getattr(count, name)
            setattr(found, name, max(found.worst, value) if name == "worst" else getattr(found, name) + value)
    return found


class Witness:
    """Reads from the change stream of the customers, which shows only what a majority has, what was really written.

    Each write leaves its mark: a last name, the number of a phone, or a tombstone.
    """

    def __init__(self, replica_set: ReplicaSet, database: str) -> None:
        self._set, self._database = replica_set, database
        with replica_set.witness() as client:
            self._resume: Any = client.admin.command("hello")["$clusterTime"]["clusterTime"]
        self.done: Counter[str] = Counter()
        self.there: dict[Any, Counter[str]] = {}
        """The marks of every customer that is stored, by its place in the collection."""
        self._ids: dict[Any, tuple[str, int]] = {}
        self.versions: set[tuple[str, int]] = set()
        """Each change of a customer: its id, and the version that the change made."""

    def catch_up(self) -> None:
        """Read all that has happened so far; tries again where the primary goes away meanwhile."""
        while True:
            try:
                with self._set.witness() as client:
                    self._read_to_end(client)
                return
            except PyMongoError:
                continue

    def _read_to_end(self, client: Client) -> None:
        database = client[self._database]
        end = database["witness"].insert_one({}).inserted_id
        where = {"resume_after": self._resume}
        if isinstance(self._resume, Timestamp):
            where = {"start_at_operation_time": self._resume}
        pipeline = [{"$match": {"ns.coll": {"$in": ["customers", "witness"]}}}]
        with database.watch(pipeline, max_await_time_ms=100, batch_size=1000, **where) as stream:
            for event in stream:
                self._resume = event["_id"]
                if event["ns"]["coll"] == "witness":
                    if event["documentKey"]["_id"] == end:
                        return
                else:
                    self._take(event)

    def _take(self, event: Mapping[str, Any]) -> None:
        place = event["documentKey"]["_id"]
        before = self.there.pop(place, Counter())
        if event["operationType"] == "delete":
            customer, version = self._ids.pop(place)
            self.done[f"delete {customer}"] += 1
            self.versions.add((customer, version + 1))
            return
        document = event["fullDocument"]  # an update that is no whole document would have none, and fail here
        after = marks_of(document)
        self.there[place] = after
        self._ids[place] = (document["id"], document["version"])
        self.versions.add(self._ids[place])
        self.done.update(after - before)


def marks_of(document: Mapping[str, Any]) -> Counter[str]:
    """Return the marks that a customer bears."""
    numbers = (phone["number"] for phone in document["phoneNumbers"])
    return Counter([document["lastName"], *(f"T{number}" for number in numbers if number.isdigit())])
