"""From the parameters of a list to its query: simple filters, `q`, `filter`, order, fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from app.rest.odata import parse_filter
from app.rest.parameters import Parameters
from app.rest.sorting import sort_terms
from resolvers.commands import Count, ListPage, ListQuery, ListWindow
from resolvers.filtering import all_of, check_size, condition, search
from resolvers.identifiers import customer_id
from resolvers.ordering import order_of
from resolvers.problem import Problem
from resolvers.problems import INVALID_PARAMETER
from resolvers.renderings import Renderings
from resolvers.selection import EVERYTHING_SHOWN, Selection, paths_shown, select
from storage.query import DEFAULT_SIZE, EVERYTHING, MAX_SIZE, Filter

BACKWARD: Final = "~"
"""Stands before a cursor that reads backward; unreserved in URIs (RFC 3986 section 2.3)."""
EQUALITIES: Final = (
    "name", "firstName", "middleName", "lastName", "email", "city", "state", "postalCode", "country",
    "addressType", "phoneType", "phone",
)  # fmt: skip
MOMENTS: Final = {
    "createdAfter": ("createdAt", "gt"),
    "createdBefore": ("createdAt", "lt"),
    "updatedAfter": ("updatedAt", "gt"),
    "updatedBefore": ("updatedAt", "lt"),
}
_LIST: Final = {"page", "size", "cursor", "count", "sort", "sortFields", "sortBy", "fields", "explain"}
_UNFILTERED: Final = _LIST | {"confirm", "dryRun", "format"}
"""The parameters that do not say which customers are meant."""


def list_query(given: Parameters, renderings: Renderings | None = None) -> ListQuery:
    """Return the query of a list, reading only what is shown; whole customers as `renderings`, where there are any.

    Raises:
        Problem: invalid-filter, invalid-parameter.
    """
    fields = fields_of(given)
    where, order = where_of(given), order_of(sort_terms(given))
    if fields is None:
        return ListQuery(where, order, EVERYTHING_SHOWN, version=False, renderings=renderings)
    return ListQuery(where, order, paths_shown(fields), version=False)


def where_of(given: Parameters) -> Filter:
    """Return which customers are meant, by simple filters, `q` and `filter`. Raises invalid-filter."""
    return EVERYTHING if given.values.keys() <= _UNFILTERED else check_size(all_of(_filters(given)))


def fields_of(given: Parameters) -> Selection | None:
    """Return the fields asked for, None for all."""
    text = given.one("fields")
    return None if text is None else select(text.split(","))


def list_command(given: Parameters, renderings: Renderings | None = None) -> ListPage | ListWindow:
    """Return what a list is asked for: a page by number, or by cursor where one is sent (even empty)."""
    size = given.number("size", DEFAULT_SIZE, most=MAX_SIZE)
    cursor = given.one("cursor")
    if cursor is not None and given.one("page") is not None:
        raise Problem(INVALID_PARAMETER, "Use page or cursor, not both.")
    query = list_query(given, renderings)
    if cursor is None:
        return ListPage(given.number("page", 1), size, count_mode(given), query)
    backward = cursor.startswith(BACKWARD)
    return ListWindow(size, cursor.removeprefix(BACKWARD) or None, backward, query)


def count_mode(given: Parameters) -> Count:
    """Return how the list is to be counted."""
    text = given.choice("count", ("exact", "none"), "auto")
    return "exact" if text == "exact" else "none" if text == "none" else "auto"


def _filters(given: Parameters) -> Iterator[Filter]:
    """Give the conditions; in an address or a moment, which hold no blank, one that arrives was a plus."""
    ids = given.every("id")
    if ids:
        yield condition("id", "in", [customer_id(text) for text in ids])
    for name in EQUALITIES:
        value = given.one(name)
        if value is not None:
            yield condition(name, "eq", value.replace(" ", "+") if name == "email" else value)
    for name, (field, operator) in MOMENTS.items():
        value = given.one(name)
        if value is not None:
            yield condition(field, operator, value.replace(" ", "+"))
    for flags in given.every("notify"):
        yield from (condition(f"notificationPreferences.{flag.strip()}", "eq", True) for flag in flags.split(","))
    if (words := given.one("q")) is not None:
        yield search(words)
    if (expression := given.one("filter")) is not None:
        yield parse_filter(expression)
