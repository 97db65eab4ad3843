"""Addresses and phone numbers: what is stored of them, and how their ids stay stable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from resolvers.problems import NOT_FOUND, Problem
from storage.documents import Customer, PartId, new_id
from storage.model import AddressInput, Input, PhoneNumberInput

Part = dict[str, Any]
"""One address or phone number as stored: its `id` and its fields."""


@dataclass(frozen=True, slots=True)
class PartKind:
    """One kind of nested part: its list in the document, its model and its names."""

    list_name: Literal["addresses", "phoneNumbers"]
    name: Literal["address", "phoneNumber"]
    noun: str
    path: str
    model: type[Input]


ADDRESS: Final = PartKind("addresses", "address", "address", "addresses", AddressInput)
PHONE_NUMBER: Final = PartKind(
    "phoneNumbers", "phoneNumber", "phone number", "phone-numbers", PhoneNumberInput
)


def parts_of(customer: Customer, kind: PartKind) -> list[Part]:
    """Return all parts of a kind."""
    return cast("list[Part]", customer[kind.list_name])


def position(customer: Customer, kind: PartKind, part_id: PartId) -> int:
    """Return where a part stands in its list; raises the problem not-found."""
    for index, part in enumerate(customer[kind.list_name]):
        if part["id"] == part_id:
            return index
    raise Problem(NOT_FOUND, f"The customer has no {kind.noun} with this id.", resource=kind.path)


def find_part(customer: Customer, kind: PartKind, part_id: PartId) -> Part | None:
    """Return one part, or None."""
    return next((part for part in parts_of(customer, kind) if part["id"] == part_id), None)


def shown(part: Part) -> Part:
    """Return a part without its id, as the Customer JSON Schema has it."""
    return {name: value for name, value in part.items() if name != "id"}


def with_ids(new: Sequence[Part], old: Sequence[Part]) -> list[Part]:
    """Give every new part an id: that of an equal old one, else that of its position, else a new one."""
    free = {part["id"]: shown(part) for part in old}
    ids: list[str | None] = [_equal(part, index, old, free) for index, part in enumerate(new)]
    for index, part_id in enumerate(ids):
        if part_id is None and index < len(old) and old[index]["id"] in free:
            ids[index] = old[index]["id"]
            del free[old[index]["id"]]
    return [{"id": part_id or new_id(), **part} for part_id, part in zip(ids, new, strict=True)]


def _equal(part: Part, index: int, old: Sequence[Part], free: dict[str, Part]) -> str | None:
    """Take the id of an old part that is equal, the one at the same position first."""
    here = [old[index]["id"]] if index < len(old) else []
    for part_id in [*here, *free]:
        if free.get(part_id) == part:
            del free[part_id]
            return cast("str", part_id)
    return None
