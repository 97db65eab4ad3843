"""From the words of a filter, whichever door they came through, to the filter tree.

Names, operators and values are checked here, once: camelCase or snake_case names, wrong ones refused with
the nearest known one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Final

from resolvers.identifiers import customer_id
from resolvers.problem import Problem
from resolvers.problems import INVALID_FILTER
from storage.documents import Instant
from storage.query import (
    CUSTOMER_FIELDS,
    OPERATORS,
    PART_FIELDS,
    And,
    Compare,
    Field,
    Filter,
    ListName,
    Not,
    Operator,
    Or,
    Scalar,
    Search,
    Some,
)
from storage.text import MAX_TEXT, dialled, digits, words

MAX_NODES: Final = 100
MAX_VALUES: Final = 100
MAX_FILTER_DEPTH: Final = 20
MIN_CONTAINS: Final = 3
MAX_CONTAINS: Final = 5
"""How large a filter may be, how short the text of `contains`, which no index answers, and how many there may be."""
MAX_WORDS: Final = 10
MAX_SEARCH: Final = 1000
"""How many words `q` may have, and how many characters."""
_MAX_YEAR: Final = 9998
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([0-9]{2}:[0-9]{2})(?:(:[0-9]{2})(?:\.([0-9]{1,9})|:([0-9]{3}))?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_DIGITS_AND_SEPARATORS: Final = "0123456789+()./ \t-"


@dataclass(frozen=True, slots=True)
class Asked:
    """A field as a client names it: in the customer, or in some element of a nested list."""

    field: Field
    list_name: ListName | None = None


def _table() -> dict[str, Asked]:
    table = {path: Asked(field) for path, field in CUSTOMER_FIELDS.items()}
    for list_name, fields in PART_FIELDS.items():
        table |= {f"{list_name}.{path}": Asked(field, list_name) for path, field in fields.items()}
    addresses = PART_FIELDS["addresses"]
    table |= {name: Asked(addresses[name], "addresses") for name in ("city", "state", "postalCode", "country")}
    table["addressType"] = Asked(addresses["type"], "addresses")
    table["phoneType"] = Asked(PART_FIELDS["phoneNumbers"]["type"], "phoneNumbers")
    return table


FIELDS: Final[Mapping[str, Asked]] = _table()
"""Every name that can be asked about; `name` is beside them."""
NAMES: Final = ("firstName", "middleName", "lastName")


def camel_case(name: str) -> str:
    """Return a snake_case path in camelCase; camelCase stays."""
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def find_field(name: str) -> Asked:
    """Return the field of a name; raises invalid-filter with the nearest known one."""
    found = FIELDS.get(camel_case(name).replace("/", "."))
    if found is None:
        raise unknown(name, "field", [*FIELDS, "name"])
    return found


def find_element_field(list_name: ListName, name: str) -> Field:
    """Return the field of an element; raises invalid-filter with the nearest known one."""
    found = PART_FIELDS[list_name].get(camel_case(name))
    if found is None:
        raise unknown(name, f"field of {list_name}", list(PART_FIELDS[list_name]))
    return found


def unknown(name: str, noun: str, known: Iterable[str]) -> Problem:
    """Return the problem for a name that does not exist."""
    near = get_close_matches(camel_case(name)[:64], list(known), n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]}?" if near else ""
    return Problem(INVALID_FILTER, f"There is no {noun} {name[:64]!r}.{hint}")


def condition(name: str, operator: str, value: object) -> Filter:
    """Return one comparison of a named field; `name` means any of the three names."""
    if camel_case(name) == "name":
        compared = [compare(CUSTOMER_FIELDS[path], operator, value, name) for path in NAMES]
        return And(tuple(compared)) if operator == "ne" else Or(tuple(compared))
    asked = find_field(name)
    return within(asked.list_name, compare(asked.field, operator, value, name))


def within(list_name: ListName | None, term: Filter) -> Filter:
    """Return a condition on some element; a negated single comparison means that no element has the value."""
    if list_name is None:
        return term
    return Not(Some(list_name, term.term)) if isinstance(term, Not) else Some(list_name, term)


def compare(field: Field, operator: str, value: object, name: str = "") -> Filter:
    """Return one checked comparison; `ne` as the negation of `eq`.

    Raises:
        Problem: invalid-filter for an operator or a value that the field does not take.
    """
    if operator == "ne":
        return Not(compare(field, "eq", value, name))
    known = OPERATORS[field.kind]
    found: Operator | None = next((one for one in known if one == operator), None)
    label = name or field.path
    if found is None:
        raise Problem(INVALID_FILTER, f"{label} cannot be asked with {operator}; it takes {', '.join([*known, 'ne'])}.")
    if found == "in":
        return Compare(field, found, tuple(_value(field, one, label) for one in _several(value, label)))
    checked = _value(field, value, label)
    if checked is None and found != "eq":
        raise Problem(INVALID_FILTER, f"{label} can be compared with null only by eq, ne and in.")
    if found == "contains" and len(str(checked)) < MIN_CONTAINS:
        raise Problem(INVALID_FILTER, f"contains needs at least {MIN_CONTAINS} characters; use startsWith, eq or q.")
    return Compare(field, found, checked)


def _several(value: object, label: str) -> list[object]:
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MAX_VALUES:
        raise Problem(INVALID_FILTER, f"{label} in takes a list of 1 to {MAX_VALUES} values.")
    return list(value)


def _value(field: Field, value: object, label: str) -> Scalar:
    if value is None:
        if not field.nullable:
            raise Problem(INVALID_FILTER, f"{label} is never null.")
        return None
    if field.kind == "flag":
        return _flag(value, label)
    if not isinstance(value, str):
        raise Problem(INVALID_FILTER, f"{label} is compared with text, not with {_kind(value)}.")
    if "\0" in value:
        raise Problem(INVALID_FILTER, f"{label} is compared with a text that holds NUL.")
    if len(value) > MAX_TEXT and len(unicodedata.normalize("NFC", value)) > MAX_TEXT:
        raise Problem(INVALID_FILTER, f"{label} is compared with a text of more than {MAX_TEXT} characters.")
    return _CHECKS[field.kind](field, value, label) if field.kind in _CHECKS else value


def _kind(value: object) -> str:
    return "true or false" if isinstance(value, bool) else "a list" if isinstance(value, list) else "a number"


def _flag(value: object, label: str) -> bool:
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise Problem(INVALID_FILTER, f"{label} is true or false.")
    return value


def _choice(field: Field, value: str, label: str) -> str:
    if value.lower() not in field.choices:
        raise Problem(INVALID_FILTER, f"{label} is one of {', '.join(field.choices)}.")
    return value.lower()


def _identifier(_field: Field, value: str, label: str) -> str:
    try:
        return customer_id(value)
    except Problem as problem:
        raise Problem(INVALID_FILTER, f"{label}: {problem.detail}") from problem


def _digits(_field: Field, value: str, label: str) -> str:
    found = dialled(value)
    if not found:
        raise Problem(INVALID_FILTER, f"{label} is compared by its digits, and there is none.")
    return found


def _instant(_field: Field, value: str, label: str) -> str:
    try:
        aware = _moment(value)
    except (ValueError, OverflowError) as error:
        raise Problem(INVALID_FILTER, f"{label} is compared with a timestamp like 2026-08-26T18:00:00Z.") from error
    if aware.year > _MAX_YEAR:
        raise Problem(INVALID_FILTER, f"{label} is compared with a year up to {_MAX_YEAR}.")
    return Instant(aware.isoformat())


def _moment(text: str) -> datetime:
    """Read RFC 3339, or the form of REST API Design Guidelines, Datetime (`:fff`); without a zone it is UTC."""
    found = _INSTANT.fullmatch(text.upper())
    if found is None:
        raise ValueError(text)
    day, minute, second, point, colon, zone = found.groups("")
    fraction = (point or colon)[:6]
    clock = f"T{minute or '00:00'}{second or ':00'}.{fraction:0<6}"
    return datetime.fromisoformat(day + clock + (zone or "Z")).astimezone(UTC)


_CHECKS: Final = {"choice": _choice, "id": _identifier, "digits": _digits, "instant": _instant}


def search(text: str) -> Filter:
    """Return the search for every word of a text; digits with separators between them are one word.

    A text without a word finds nothing.

    Raises:
        Problem: invalid-filter for a text or a number of words over the limit.
    """
    if len(text) > MAX_SEARCH:
        raise Problem(INVALID_FILTER, f"q takes at most {MAX_SEARCH} characters.")
    if "\0" in text:
        raise Problem(INVALID_FILTER, "q is a text that holds NUL.")
    if not text.strip(_DIGITS_AND_SEPARATORS) and (number := dialled(text)):
        whole = digits(text)  # what begins with 00 need be no phone number: 007bond@example.com
        return Search((number,)) if whole == number else Or((Search((number,)), Search((whole,))))
    found = words(text)
    if len(found) > MAX_WORDS:
        raise Problem(INVALID_FILTER, f"q takes at most {MAX_WORDS} words.")
    return Search(tuple(found))


def check_size(where: Filter) -> Filter:
    """Return the filter if it is not too large; raises invalid-filter."""
    nodes, depth = _size(where, 1)
    if nodes > MAX_NODES or depth > MAX_FILTER_DEPTH:
        raise Problem(
            INVALID_FILTER, f"A filter may have {MAX_NODES} parts and {MAX_FILTER_DEPTH} levels; this has more."
        )
    if sum(term.operator == "contains" for term in _comparisons(where)) > MAX_CONTAINS:
        raise Problem(INVALID_FILTER, f"A filter may have at most {MAX_CONTAINS} contains, which no index answers.")
    return where


def _comparisons(where: Filter) -> Iterator[Compare]:
    if isinstance(where, Compare):
        yield where
    for child in _children(where):
        yield from _comparisons(child)


def _children(where: Filter) -> tuple[Filter, ...]:
    return where.terms if isinstance(where, And | Or) else (where.term,) if isinstance(where, Not | Some) else ()


def _size(where: Filter, depth: int) -> tuple[int, int]:
    if depth > MAX_FILTER_DEPTH + 1:
        return 1, depth
    sizes = [_size(child, depth + 1) for child in _children(where)]
    return 1 + sum(nodes for nodes, _ in sizes), max((deep for _, deep in sizes), default=depth)


def all_of(parts: Iterable[Filter | None]) -> Filter:
    """Return the conjunction of the filters that are there."""
    present = tuple(part for part in parts if part is not None)
    return present[0] if len(present) == 1 else And(present)
