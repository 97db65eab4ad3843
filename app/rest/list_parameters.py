"""The query parameters of lists."""

from __future__ import annotations

from app.rest.parameters import BOOLEAN, INTEGER, Parameter
from resolvers.cursors import MAX_CURSOR
from resolvers.filtering import MAX_SEARCH

PAGE = Parameter("page", {**INTEGER, "default": 1}, "Which page, from 1.")
SIZE = Parameter(
    "size",
    {**INTEGER, "maximum": 100, "default": 25},
    "How many customers a page has.",
    aliases=("page_size", "pageSize"),
)
CURSOR = Parameter(
    "cursor",
    {"type": "string", "maxLength": MAX_CURSOR},
    "Read on from a `Next-Cursor`; empty to start reading by cursor.",
)
COUNT = Parameter(
    "count", {"type": "string", "enum": ["exact", "none"]}, "`none` leaves the totals out, `exact` always counts."
)
FIELDS = Parameter(
    "fields", {"type": "string"}, "Only these fields, separated by commas, e.g. `firstName,addresses.city`."
)
EXPLAIN = Parameter("explain", {**BOOLEAN, "default": False}, "Show how the store answers (scope `customers:admin`).")
TEXT = {"type": "string"}
_SHORT = {**TEXT, "maxLength": 64}
MOMENT = {"type": "string", "format": "date-time"}
_SORT = Parameter(
    "sort", _SHORT, "`createdAt,desc`, may stand several times; or `asc`/`desc` beside `sort_fields`.", repeatable=True
)
_SORT_FIELDS = Parameter(
    "sortFields", TEXT, "Fields to sort by, separated by commas.", aliases=("sort_field", "sortField")
)
_SORT_BY = Parameter("sortBy", TEXT, "`-createdAt,+lastName` or `createdAt:desc,lastName:asc`.")
_Q = Parameter(
    "q", {**TEXT, "maxLength": MAX_SEARCH}, "Words, each the beginning of one in names, e-mail, city or phone digits."
)
_FILTER = Parameter(
    "filter",
    {"type": "string", "maxLength": 8000},
    "OData: `lastName eq 'Reiger' and addresses/any(a: a/city eq 'Berlin')`.",
)
_SIMPLE = (
    Parameter("id", {"type": "string", "format": "uuid"}, "This customer; may stand several times.", repeatable=True),
    Parameter("name", TEXT, "Any of the three names."),
    *(
        Parameter(name, TEXT, f"This {name}, compared without case.")
        for name in ("firstName", "middleName", "lastName")
    ),
    Parameter("email", TEXT, "This e-mail address, compared without case."),
    *(Parameter(name, TEXT, f"An address with this {name}.") for name in ("city", "state", "postalCode", "country")),
    Parameter(
        "addressType", {"type": "string", "enum": ["billing", "shipping", "home", "work"]}, "An address of this type."
    ),
    Parameter(
        "phoneType", {"type": "string", "enum": ["mobile", "home", "work", "other"]}, "A phone number of this type."
    ),
    Parameter("phone", TEXT, "A phone number with these digits, with or without country code."),
    *(
        Parameter(f"{word}{side}", MOMENT, f"{word.capitalize()} {side.lower()} this moment.")
        for word in ("created", "updated")
        for side in ("After", "Before")
    ),
    Parameter(
        "notify", _SHORT, "Accepts these channels: email, sms, push, mail; separated by commas.", repeatable=True
    ),
)
LIST_PARAMETERS = (
    PAGE, SIZE, CURSOR, COUNT, _SORT, _SORT_FIELDS, _SORT_BY, _Q, _FILTER, *_SIMPLE, FIELDS, EXPLAIN,
)  # fmt: skip
SEARCH_PARAMETERS = (PAGE, SIZE, CURSOR, COUNT, _SORT, _SORT_BY, _Q, _FILTER, FIELDS, EXPLAIN)
"""The members of the body of `:search`."""
