"""What one customer may be at one moment, and whether something that was seen is that."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Fields = dict[str, Any]
"""A customer without what the server makes: as REST takes it, its parts with an `id` that is "" until it was seen."""
LISTS: Final[tuple[str, ...]] = ("addresses", "phoneNumbers")


@dataclass(slots=True, eq=False)
class State:
    """One version of a customer, and from when until when it may be seen; `fields` is None where it is erased."""

    version: int
    fields: Fields | None
    since: float
    until: float = math.inf
    updated: str = ""
    seen: bool = False
    """Whether anybody has seen it: then it cannot have been refused."""
    request: str = ""
    """The id of the request that was to make it."""
    doubtful: bool = False
    """Whether nobody knows if it was made."""
    group: tuple[Any, ...] = ()
    """The attempts of a transaction whose outcome nobody knows: all were done, or none."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an answer shows of a customer. What it does not show is None; `fields` may be a part of them."""

    id: str
    fields: Fields | None = None
    erased: bool = False
    version: int | None = None
    etag: str | None = None
    created: str | None = None
    updated: str | None = None


@dataclass(slots=True, eq=False)
class Record:
    """A customer whom one client alone changes: its states from old to new, the last of which may not be certain."""

    email: str
    owner: int
    states: list[State]
    id: str = ""
    created: str = ""
    settled_from: float = 0.0
    """A read that began later and shows an old state proves that what was unknown was not done."""

    @property
    def sure(self) -> State | None:
        """The state that it must have now; None where there are several that it may have."""
        current = [state for state in self.states if state.until == math.inf]
        return current[0] if len(current) == 1 and current[0].version > 0 else None

    def possible(self, began: float, ended: float) -> list[State]:
        """Return the states that a read between two moments may show, the newest first."""
        return [one for one in reversed(self.states) if one.since <= ended and one.until >= began]


def etag_of(customer: str, version: int) -> str:
    """Return the ETag that one version must have at both doors."""
    return f'"v{version}-{customer[:8]}"'


def differences(record: Record, state: State, seen: Seen) -> list[str]:
    """Return in what something seen is not a state of a customer."""
    wrong = []
    if seen.erased != (state.fields is None):
        return ["it is erased" if seen.erased else "it is not erased"]
    known: tuple[tuple[str, Any, Any], ...] = (
        ("id", record.id, seen.id),
        ("createdAt", record.created, seen.created),
        ("updatedAt", state.updated, seen.updated),
        ("version", state.version, seen.version),
        ("etag", record.id and etag_of(record.id, state.version), seen.etag),
    )
    for name, mine, shown in known:
        if shown is not None and mine and mine != shown:
            wrong.append(f"{name} {shown} instead of {mine}")
    for name, shown in (seen.fields or {}).items():
        mine = (state.fields or {}).get(name)
        if not (same_parts(mine, shown) if name in LISTS else mine == shown):
            wrong.append(f"{name} {shown!r} instead of {mine!r}")
    return wrong


def same_parts(mine: Any, shown: Any) -> bool:
    """Tell whether two lists of parts are the same; ids count where both sides know them."""
    if not isinstance(mine, list) or not isinstance(shown, list) or len(mine) != len(shown):
        return False
    return all(same_part(*pair) for pair in zip(mine, shown, strict=True))


def same_part(mine: Mapping[str, Any], shown: Mapping[str, Any]) -> bool:
    """Tell whether two parts are the same."""
    known, told = mine.get("id"), shown.get("id")
    return without_id(mine) == without_id(shown) and (not known or not told or known == told)


def without_id(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part as the Customer JSON Schema has it."""
    return {name: value for name, value in part.items() if name != "id"}


def learn(record: Record, state: State, seen: Seen) -> None:
    """Keep what only the server could tell: ids and times. What is known once may never be something else."""
    record.id = record.id or seen.id
    record.created = record.created or seen.created or ""
    state.updated = state.updated or seen.updated or ""
    for name in LISTS:
        shown = (seen.fields or {}).get(name, [])
        for mine, part in zip((state.fields or {}).get(name, []), shown, strict=False):
            mine["id"] = mine["id"] or part.get("id", "")


def carried(new: Sequence[Mapping[str, Any]], old: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return parts with the ids that they must have after they took the place of others.

    A part that is equal to an old one keeps its id, at best at the same place; else the part at its place keeps it.
    """
    free = dict(enumerate(old))
    found: dict[int, str] = {}
    for index, part in enumerate(new):
        if index in free and without_id(free[index]) == without_id(part):
            found[index] = free.pop(index)["id"]
    for index, part in enumerate(new):
        equal = [place for place, one in free.items() if without_id(one) == without_id(part)]
        if index not in found and equal:
            found[index] = free.pop(equal[0])["id"]
    for index in range(len(new)):
        if index not in found and index in free:
            found[index] = free.pop(index)["id"]
    return [{"id": found.get(index, ""), **without_id(part)} for index, part in enumerate(new)]
