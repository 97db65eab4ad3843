"""The model of what every customer must be: each has one client that changes it, and everybody may look.

A change that was sent may be seen from that moment on. Where it is acknowledged the state before it may be seen only
by those who asked earlier; where it was refused nobody may ever have seen it; where nobody knows both are right, until
a read shows one of them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tests.soak.states import Fields, Record, Seen, State, differences, learn

LATE: Final = 20.0
"""Seconds after which what was sent without an answer is done or will never be: longer than any fault of the store."""
KEEP: Final = 60.0
"""Seconds for which states are kept that are over: longer than a client waits for any answer."""


class Attempt(NamedTuple):
    """A change that was sent: the customer and what it shall become; not `changes` where it is just that already."""

    record: Record
    state: State
    changes: bool = True


@dataclass
class Model:
    """All customers, and everything that was not as it must be."""

    wrong: list[str] = field(default_factory=list)
    fault: str = "none"
    """What is done to the gateway now."""
    records: dict[str, Record] = field(default_factory=dict)
    """Every customer whose id is known, the erased ones too."""
    pending: dict[str, Record] = field(default_factory=dict)
    """Those whose creation was sent, by their e-mail address, until their id is known."""
    clock: Callable[[], float] = time.monotonic
    late: float = LATE
    compared: int = 0
    """How often something that was seen was compared with what must be."""
    _groups: dict[int, Sequence[Attempt]] = field(default_factory=dict)

    def accuse(self, request: str, told: str) -> None:
        """Note something that must not be."""
        self.wrong.append(f"{self.fault}: {request}: {told}")

    def new(self, owner: int, fields: Fields, request: str) -> Attempt:
        """Note that a customer is about to be created."""
        state = State(1, fields, self.clock(), request=request)
        record = Record(fields["email"], owner, [State(0, None, -math.inf), state])
        self.pending[fields["email"].casefold()] = record
        return Attempt(record, state)

    def change(self, record: Record, fields: Fields | None, request: str) -> Attempt:
        """Note that a customer, of whom everything is certain, is about to be changed; None erases it.

        A change that makes no difference makes no version either.
        """
        current = record.sure
        assert current is not None
        assert current.fields is not None
        if fields is not None and not differences(record, current, Seen(record.id, fields)):
            return Attempt(record, current, changes=False)
        state = State(current.version + 1, fields, self.clock(), request=request)
        record.states.append(state)
        return Attempt(record, state)

    def answered(self, request: str, attempt: Attempt, seen: Seen) -> None:
        """Note that a change was acknowledged, and compare what was answered with what it must have made."""
        record, state, _ = attempt
        self.compared += 1
        if (found := self.find(seen)) not in {None, record} or (record.id and record.id != seen.id):
            self.accuse(request, f"{_name(record)} was answered as {seen.id}")
        elif wrong := differences(record, state, seen):
            self.accuse(request, f"{_name(record)}: {wrong}")
        elif found is None and not record.id:
            self.accuse(request, f"{_name(record)} was answered without its e-mail address: {seen}")
        else:
            learn(record, state, seen)
        self.done([attempt])

    def done(self, attempts: Iterable[Attempt]) -> None:
        """Note that changes were acknowledged."""
        now = self.clock()
        for record, state, _ in attempts:
            state.seen, state.doubtful, state.group = True, False, ()
            for other in record.states:
                if other is not state:
                    other.until = min(other.until, now)
            record.states = [one for one in record.states if one.until > now - KEEP]

    def refused(self, attempts: Iterable[Attempt]) -> None:
        """Note that changes were certainly not made."""
        for record, state, changes in attempts:
            if changes and state.seen:
                self.accuse(state.request, f"{_name(record)}: version {state.version} was seen, and denied")
            elif changes:
                self._drop(record, state)

    def unknown(self, attempts: Sequence[Attempt], *, together: bool = False) -> None:
        """Note that nobody knows whether changes were made; `together` where it is all of them or none."""
        seen = [one for one in attempts if one.changes and one.state.seen]
        self.done(attempts if together and seen else seen)
        for record, state, changes in attempts:
            if changes and not state.seen:
                record.settled_from = self.clock() + self.late
                state.doubtful, state.group = True, tuple(attempts) if together else ()

    def see(self, request: str, seen: Seen, began: float, ended: float) -> State | None:
        """Compare what somebody was shown with what must be; return the state that it is."""
        record = self.find(seen)
        self.compared += 1
        if record is None:
            self.accuse(request, f"a customer that nobody made: {seen}")
            return None
        possible = record.possible(began, ended)
        found = next((state for state in possible if not differences(record, state, seen)), None)
        if found is None:
            close = [differences(record, state, seen) for state in possible]
            self.accuse(request, f"{_name(record)}: {min(close, key=len, default=['nothing was to be seen'])}")
            return None
        self._settle(record, found, seen, began, ended)
        return found

    def absent(self, request: str, record: Record, began: float, ended: float) -> bool:
        """Compare that somebody was told of no such customer with what must be; tell whether that may be."""
        self.compared += 1
        found = next((one for one in record.possible(began, ended) if one.fields is None), None)
        if found is None:
            self.accuse(request, f"{_name(record)} is missing")
            return False
        self._settle(record, found, Seen("", erased=True), began, ended)
        return True

    def find(self, seen: Seen) -> Record | None:
        """Return the customer that somebody was shown."""
        if (record := self.records.get(seen.id)) is not None:
            return record
        email = (seen.fields or {}).get("email", "").casefold()
        if (record := self.pending.get(email)) is not None and seen.id:
            record.id = seen.id
            self.records[seen.id] = self.pending.pop(email)
        return record

    def _settle(self, record: Record, found: State, seen: Seen, began: float, ended: float) -> None:
        """Learn from what was seen: nobody who asks from now on may see anything older."""
        learn(record, found, seen)
        found.seen = True
        for older in record.states[: record.states.index(found)]:
            older.until = min(older.until, ended)
        group, found.group, found.doubtful = found.group, (), False
        self.done([one for one in group if one.state.doubtful])
        if began > record.settled_from:
            for never in [one for one in record.states if one.doubtful]:
                self._never(record, never)

    def _never(self, record: Record, state: State) -> None:
        """Conclude that a change, and all that would have been made with it, was not made."""
        for other in state.group or (Attempt(record, state),):
            if other.changes and other.state.seen:
                self.accuse(state.request, f"half of a batch: {_name(other.record)}, but not {_name(record)}")
            elif other.changes:
                self._drop(other.record, other.state)

    def _drop(self, record: Record, state: State) -> None:
        record.states = [one for one in record.states if one is not state]
        if not record.id and all(one.version == 0 for one in record.states):
            self.pending.pop(record.email.casefold(), None)

    def alive(self, owner: int) -> list[Record]:
        """Return the customers of a client of whom everything is certain, and who are there."""
        mine = [one for one in self.records.values() if one.owner == owner]
        return [one for one in mine if one.sure is not None and one.sure.fields is not None]

    def doubtful(self, owner: int | None = None) -> list[Record]:
        """Return the customers, of one client or of all, about whom not everything is certain."""
        known = [*self.records.values(), *self.pending.values()]
        return [one for one in known if (owner is None or one.owner == owner) and any(s.doubtful for s in one.states)]


def _name(record: Record) -> str:
    return f"customer {record.id or record.email}"
