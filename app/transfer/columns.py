"""CSV: a customer in one line, its parts in columns such as `addresses[0].city`.

The name of a column is the `field` that problems name. A value is text without line ends; `true` and `false`
are the only other values. An empty cell is null where null may stand, and else an empty text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from resolvers.problem import JsonValue, Problem
from resolvers.problems import MALFORMED_REQUEST
from storage.model import (
    MAX_PARTS,
    AddressInput,
    CustomerInput,
    Input,
    NotificationPreferencesInput,
    PhoneNumberInput,
)

_LISTS: Final[Mapping[str, type[Input]]] = {"addresses": AddressInput, "phoneNumbers": PhoneNumberInput}
_FLAGS: Final = "notificationPreferences"
_COLUMN: Final = re.compile(r"(\w+)(?:\[([0-9]{1,2})\])?(?:\.(\w+))?")
_DELIMITERS: Final = ",;\t"
_BOOLEANS: Final[Mapping[str, JsonValue]] = {"true": True, "false": False}
_SERVER: Final = ("id", "createdAt", "updatedAt")

Place = tuple[str, int | None, str | None]
"""Where a column stands in a customer: a field, a position in a list, a field of what stands there."""


class BadHeader(Exception):
    """The first line does not name columns; the message says why."""


class TooFewColumns(Exception):
    """A customer has more addresses or phone numbers than there are columns for."""


def column_names(addresses: int = 1, phone_numbers: int = 1) -> list[str]:
    """Return the names of all columns for so many addresses and phone numbers, in the order of an export."""
    counts = {"addresses": addresses, "phoneNumbers": phone_numbers}
    names = ["id", *(name for name in CustomerInput.model_fields if name not in {*_LISTS, _FLAGS})]
    for name, model in _LISTS.items():
        names += [f"{name}[{index}].{field}" for index in range(counts[name]) for field in model.model_fields]
    flags = [f"{_FLAGS}.{field}" for field in NotificationPreferencesInput.model_fields]
    return [*names, *flags, "createdAt", "updatedAt"]


@dataclass(frozen=True, slots=True)
class CsvReader:
    """Reads the lines of a file whose header is known."""

    places: Sequence[Place]
    delimiter: str

    @classmethod
    def of(cls, header: bytes) -> CsvReader:
        """Return the reader for a file with this first line; raises `BadHeader`."""
        text = _decoded(header)
        delimiter = max(_DELIMITERS, key=text.count)
        names = [name.strip() for name in _cells(text, delimiter)]
        double = next((name for name in names if names.count(name) > 1), None)
        if double is not None:
            raise BadHeader(f"the column {double[:64]!r} stands twice")
        return cls([_place(name) for name in names], delimiter)

    def read(self, raw: bytes) -> JsonValue:
        """Return the customer of a line; raises malformed-request where it is no line of such a file."""
        cells = _cells(_decoded(raw), self.delimiter)
        if len(cells) != len(self.places):
            raise Problem(
                MALFORMED_REQUEST, f"The line has {len(cells)} cells, and the first line {len(self.places)} columns."
            )
        return _customer(zip(self.places, cells, strict=True))


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Problem(MALFORMED_REQUEST, f"The line is not UTF-8: see byte {error.start}.") from error


def _cells(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise Problem(MALFORMED_REQUEST, "The line is not CSV: a quoted value does not end on its line.") from error


def _place(name: str) -> Place:
    """Return where a column stands; raises `BadHeader` with the nearest name."""
    found = _COLUMN.fullmatch(name)
    field, index, inner = found.groups() if found else (name, None, None)
    if _known(field, index, inner):
        return field, None if index is None else int(index), inner
    near = get_close_matches(name[:64], column_names(2, 2), n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise BadHeader(f"there is no column {name[:64]!r}{hint}")


def _known(field: str, index: str | None, inner: str | None) -> bool:
    if field in _LISTS:
        return index is not None and int(index) < MAX_PARTS and inner in _LISTS[field].model_fields
    if field == _FLAGS:
        return index is None and inner in NotificationPreferencesInput.model_fields
    return index is None and inner is None and (field in _SERVER or field in CustomerInput.model_fields)


def _customer(cells: Iterable[tuple[Place, str]]) -> JsonValue:
    customer: dict[str, Any] = {name: {} for name in (*_LISTS, _FLAGS)}
    for (field, index, inner), cell in cells:
        if index is not None and inner is not None:
            part = customer[field].setdefault(index, {})
            _put(part, inner, cell, _LISTS[field])
        elif inner is not None:
            if cell:
                customer[field][inner] = _BOOLEANS.get(cell.strip().lower(), cell)
        else:
            _put(customer, field, cell, CustomerInput)
    for name in _LISTS:
        customer[name] = _listed(customer[name])
    return customer


def _put(document: dict[str, Any], name: str, cell: str, model: type[Input]) -> None:
    field = model.model_fields.get(name)
    document[name] = None if cell == "" and field is not None and not field.is_required() else cell


def _listed(parts: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the parts up to the last one with a value; an empty one before it is for the model to refuse."""
    filled = [index for index, part in parts.items() if any(part.values())]
    return [parts.get(index, {}) for index in range(max(filled, default=-1) + 1)]


@dataclass(frozen=True, slots=True)
class CsvWriter:
    """Writes customers with so many columns."""

    addresses: int
    phone_numbers: int

    def header(self) -> bytes:
        """Return the first line."""
        return _written([column_names(self.addresses, self.phone_numbers)])

    def lines(self, customers: Sequence[Mapping[str, Any]]) -> bytes:
        """Return the lines of full representations.

        Raises:
            TooFewColumns: one has more parts than there are columns for.
        """
        return _written(self._cells(customer) for customer in customers)

    def _cells(self, customer: Mapping[str, Any]) -> list[str]:
        counts = {"addresses": self.addresses, "phoneNumbers": self.phone_numbers}
        if any(len(customer[name]) > count for name, count in counts.items()):
            raise TooFewColumns
        cells = [customer["id"], *(customer.get(name) or "" for name in _plain_fields())]
        for name, model in _LISTS.items():
            for part in customer[name]:
                cells += [part.get(field) or "" for field in model.model_fields]
            cells += [""] * (len(model.model_fields) * (counts[name] - len(customer[name])))
        cells += ["true" if customer[_FLAGS][name] else "false" for name in NotificationPreferencesInput.model_fields]
        return [*cells, customer["createdAt"], customer["updatedAt"]]


def _plain_fields() -> list[str]:
    return [name for name in CustomerInput.model_fields if name not in {*_LISTS, _FLAGS}]


def _written(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
