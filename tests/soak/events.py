"""One who reads the change feed meanwhile: every version of every customer is told once, in order, and truly."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.faults.listener import Listener
from tests.soak.model import Model
from tests.soak.states import LISTS, Fields, Record, State, same_parts


@dataclass
class Watcher(Listener):
    """Reads events at one gateway after the other, and compares each with the model.

    It keeps the newest version of each customer alone, so that an hour takes no more memory than a minute.
    """

    model: Model = field(default_factory=Model)
    newest: dict[str, int] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)

    def _take(self, event: dict[str, str]) -> None:
        kind = event.get("event", "")
        if kind.startswith("customer."):
            self.note(event["id"], kind, json.loads(event["data"]))
        elif kind == "problem":
            self.model.accuse("events", f"the stream ended with {event.get('data')}")
        self._last = event.get("id", self._last)
        self.begun.set()

    def note(self, event: str, kind: str, told: dict[str, Any]) -> None:
        """Compare one event with what must have happened."""
        data = told["data"]
        customer, version = data["customerId"], data["version"]
        before = self.newest.get(customer, 0)
        self.newest[customer] = version
        self.told[kind] += 1
        if version != before + 1:
            self.model.accuse(event, f"an event of version {version} of {customer} after that of {before}")
        if told["type"] != kind or (kind == "customer.created") != (version == 1):
            self.model.accuse(event, f"{kind} {told}")
        if (record := self.model.records.get(customer)) is not None:
            self._compare(event, kind, record, version, data["changed"])

    def _compare(self, event: str, kind: str, record: Record, version: int, changed: list[str]) -> None:
        states = {state.version: state for state in record.states}
        after, before = states.get(version), states.get(version - 1)
        if after is None:
            if version > max(states):
                self.model.accuse(event, f"customer {record.id} has no version {version}: {sorted(states)}")
            return
        after.seen = True
        if (after.fields is None) != (kind == "customer.deleted"):
            self.model.accuse(event, f"{kind} of version {version} of {record.id}")
        elif before is not None and before.fields is not None and after.fields is not None:
            self._compare_names(event, record, (before, after), changed)

    def _compare_names(self, event: str, record: Record, states: tuple[State, State], changed: list[str]) -> None:
        before, after = (state.fields or {} for state in states)
        differ = different(before, after)
        if sorted(changed) != differ:
            self.model.accuse(event, f"version {states[1].version} of {record.id} changed {differ}, told is {changed}")

    def missing(self) -> list[str]:
        """Return the customers whose newest version was not told; nobody may write meanwhile."""
        last = {record.id: record.states[-1].version for record in self.model.records.values()}
        return [
            f"{one}: {self.newest.get(one, 0)} of {last[one]}" for one in last if self.newest.get(one, 0) != last[one]
        ]


def different(before: Fields, after: Fields) -> list[str]:
    """Return the names of the fields that differ."""
    return sorted(
        name
        for name in after
        if not (same_parts(before[name], after[name]) if name in LISTS else before[name] == after[name])
    )
