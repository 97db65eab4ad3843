"""The order of a list, from the names that clients write."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from resolvers.filtering import camel_case
from resolvers.problem import Problem
from resolvers.problems import INVALID_PARAMETER
from storage.query import DEFAULT_ORDER, Order, OrderField

_BY_NAME: Final = {field.value: field for field in OrderField}


def order_of(terms: Sequence[tuple[str, bool]]) -> tuple[Order, ...]:
    """Return the order of these names (True: descending); none at all means the default.

    Raises:
        Problem: invalid-parameter for an unknown name, with the nearest known one, or one given twice.
    """
    if not terms:
        return DEFAULT_ORDER
    order = tuple(Order(_field(name), descending) for name, descending in terms)
    if len({term.field for term in order}) != len(order):
        raise Problem(INVALID_PARAMETER, "A list can be ordered only once by each field.")
    return order


def _field(name: str) -> OrderField:
    found = _BY_NAME.get(camel_case(name))
    if found is None:
        near = get_close_matches(camel_case(name)[:64], _BY_NAME, n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]}?" if near else f" It takes {', '.join(_BY_NAME)}."
        raise Problem(INVALID_PARAMETER, f"A list cannot be ordered by {name[:64]!r}.{hint}")
    return found
