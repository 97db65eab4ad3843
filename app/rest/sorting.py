"""The dialects of sorting, all into names and directions.

Source: CRM API Guidelines 6.1; REST API Design Guidelines, Sorting.
"""

from __future__ import annotations

import re
from typing import Final

from app.rest.parameters import Parameters
from resolvers.problem import Problem
from resolvers.problems import INVALID_PARAMETER

Terms = list[tuple[str, bool]]
"""Names and directions; True is descending."""

_DIRECTIONS: Final = {"asc": False, "desc": True}


def sort_terms(parameters: Parameters) -> Terms:
    """Return the order that the parameters ask for, in whichever dialect; none at all is empty.

    `sort=createdAt,desc` (repeatable), `sort_fields=lastName,firstName&sort=desc`,
    `sort_by=-createdAt,+lastName`, `sort_by=createdAt:desc,lastName:asc`.

    Raises:
        Problem: invalid-parameter for what cannot be read, and for two dialects at once.
    """
    sorts, fields, by = parameters.every("sort"), parameters.one("sortFields"), parameters.one("sortBy")
    if by is not None:
        if sorts or fields is not None:
            raise Problem(INVALID_PARAMETER, "Use sort_by alone, without sort and sort_fields.")
        return [_signed(part) for part in by.split(",")]
    if fields is not None:
        direction = _direction(sorts)
        return [(_name(part), direction) for part in fields.split(",")]
    return [_term(text) for text in sorts]


def _direction(sorts: tuple[str, ...]) -> bool:
    if not sorts:
        return False
    if len(sorts) > 1 or sorts[0].lower() not in _DIRECTIONS:
        raise Problem(INVALID_PARAMETER, "Beside sort_fields, sort is asc or desc, once.")
    return _DIRECTIONS[sorts[0].lower()]


def _term(text: str) -> tuple[str, bool]:
    name, _, direction = text.partition(",")
    if name.lower() in _DIRECTIONS and not direction:
        raise Problem(INVALID_PARAMETER, "sort=asc and sort=desc need sort_fields beside them.")
    return _name(name), _known(direction or "asc")


def _signed(text: str) -> tuple[str, bool]:
    """Read one part of sort_by: a `+` that was not percent-encoded arrives as a blank."""
    part = text.strip()
    if part[:1] in {"+", "-"}:
        return _name(part[1:]), part[0] == "-"
    name, _, direction = part.partition(":")
    return _name(name), _known(direction or "asc")


def _known(direction: str) -> bool:
    if direction.strip().lower() not in _DIRECTIONS:
        raise Problem(INVALID_PARAMETER, f"The direction {direction[:32]!r} is neither asc nor desc.")
    return _DIRECTIONS[direction.strip().lower()]


def _name(text: str) -> str:
    if not re.fullmatch(r"\s*[A-Za-z_]{1,32}\s*", text):
        raise Problem(INVALID_PARAMETER, f"{text[:32]!r} is no name of a field to sort by.")
    return text.strip()
