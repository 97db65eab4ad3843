"""Addresses and phone numbers: what is stored of them, and how their ids stay stable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from resolvers.problem import Problem
from resolvers.problems import NOT_FOUND
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
    plural: str
    path: str
    model: type[Input]


ADDRESS: Final = PartKind("addresses", "address", "address", "addresses", "addresses", AddressInput)
PHONE_NUMBER: Final = PartKind(
    "phoneNumbers", "phoneNumber", "phone number", "phone numbers", "phone-numbers", PhoneNumberInput
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
    fields = part.copy()
    fields.pop("id", None)
    return fields


def with_ids(new: Sequence[Part], old: Sequence[Part]) -> list[Part]:
    """Give every new part an id: that of an equal old one, else that of its position, else a new one.

    Of several equal old ones the one at the same position is taken first.
    """
    if not old:
        return [{"id": new_id(), **part} for part in new]
    free = {part["id"]: shown(part) for part in old}
    ids: dict[int, str] = {}
    for choose in (_equal_here, _equal_anywhere, _here):
        for index, part in enumerate(new):
            chosen = choose(part, index, old, free) if index not in ids else None
            if chosen is not None:
                ids[index] = chosen
                del free[chosen]
    return [{"id": ids.get(index) or new_id(), **part} for index, part in enumerate(new)]


def _here(_part: Part, index: int, old: Sequence[Part], free: dict[str, Part]) -> str | None:
    here = cast("str", old[index]["id"]) if index < len(old) else None
    return here if here in free else None


def _equal_here(part: Part, index: int, old: Sequence[Part], free: dict[str, Part]) -> str | None:
    here = _here(part, index, old, free)
    return here if here is not None and free[here] == part else None


def _equal_anywhere(part: Part, _index: int, _old: Sequence[Part], free: dict[str, Part]) -> str | None:
    return next((part_id for part_id, other in free.items() if other == part), None)
