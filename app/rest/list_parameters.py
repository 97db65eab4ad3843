"""The query parameters of lists."""

from __future__ import annotations

from app.rest.parameters import BOOLEAN, INTEGER, Parameter
from resolvers.cursors import MAX_CURSOR
from resolvers.filtering import MAX_SEARCH
from resolvers.imports import ON_CONFLICT as CONFLICTS

TEXT = {"type": "string"}
_SHORT = {**TEXT, "maxLength": 64}
MOMENT = {"type": "string", "format": "date-time"}
PAGE = Parameter("page", {**INTEGER, "default": 1}, "Which page, from 1. Not together with `cursor`.", example=2)
SIZE = Parameter(
    "size",
    {**INTEGER, "maximum": 100, "default": 25},
    "How many customers a page has, 100 at most.",
    aliases=("page_size", "pageSize"),
    example=10,
)
CURSOR = Parameter(
    "cursor",
    {"type": "string", "maxLength": MAX_CURSOR},
    "Read by cursor: empty to start, then the `Next-Cursor` of each answer until there is none. A cursor is good only "
    "with the filters and the order that it was made with (else 400); `size` and `fields` may change.",
    example="",
)
COUNT = Parameter(
    "count",
    {"type": "string", "enum": ["exact", "none"]},
    "`none` leaves `totalElements` and `totalPages` out, which is cheaper; `exact` counts with a cursor too.",
    example="none",
)
FIELDS = Parameter(
    "fields",
    {"type": "string"},
    "Answer only these fields, separated by commas, with dots into parts; `id` always comes.",
    example="firstName,lastName,addresses.city",
)
EXPLAIN = Parameter(
    "explain",
    {**BOOLEAN, "default": False},
    "`true` shows in `explain` how the store answers, and no customers: its query, its index, what it looked at. "
    "Needs the scope `customers:admin`.",
    example=True,
)
_SORT = Parameter(
    "sort",
    _SHORT,
    "A field and a direction: `createdAt,desc`, `lastName` (ascending). Stands once for each field, the most important "
    "first. Beside `sort_fields` it is `asc` or `desc` alone. Fields: id, firstName, middleName, lastName, email, "
    "createdAt, updatedAt.",
    repeatable=True,
    example=["lastName,asc", "createdAt,desc"],
)
_SORT_FIELDS = Parameter(
    "sortFields",
    TEXT,
    "Fields to sort by, separated by commas, all in the direction of `sort`.",
    aliases=("sort_field", "sortField"),
    example="lastName,firstName",
)
_SORT_BY = Parameter(
    "sortBy",
    TEXT,
    "Fields to sort by, each with its direction: `-createdAt,+lastName` or `createdAt:desc,lastName:asc`. Alone, "
    "without `sort` and `sort_fields`.",
    example="-createdAt,+lastName",
)
_Q = Parameter(
    "q",
    {**TEXT, "maxLength": MAX_SEARCH},
    "Words that must all be found, each as the beginning of a word in names, e-mail, city or the digits of a phone "
    "number; without case and accents.",
    example="rei franc",
)
_FILTER = Parameter(
    "filter",
    {"type": "string", "maxLength": 8000},
    "An OData expression: `lastName eq 'Reiger' and createdAt ge 2026-01-01`; `addresses/any(a: a/city eq 'Berlin' and "
    "a/country eq 'DE')` on one and the same address. A quote within a text is doubled.",
    example="addresses/any(a: a/city eq 'San Francisco') and notificationPreferences/sms eq false",
)
_EXAMPLES = {
    "firstName": "Alex",
    "middleName": "Marie",
    "lastName": "Reiger",
    "city": "San Francisco",
    "state": "CA",
    "postalCode": "94105",
    "country": "USA",
}
_SIMPLE = (
    Parameter(
        "id",
        {"type": "string", "format": "uuid"},
        "The customer of this id; stands once for each of several.",
        repeatable=True,
        example=["d68825b3-830c-44f8-953e-a8b5cd943aa8"],
    ),
    Parameter("name", TEXT, "Any of the three names is this, compared without case.", example="Reiger"),
    *(
        Parameter(name, TEXT, f"The {said} is this, compared without case.", example=_EXAMPLES[name])
        for name, said in (("firstName", "first name"), ("middleName", "middle name"), ("lastName", "last name"))
    ),
    Parameter("email", TEXT, "The e-mail address is this, however written.", example="alex.reiger@example.com"),
    *(
        Parameter(name, TEXT, f"An address has this {said}, compared without case.", example=_EXAMPLES[name])
        for name, said in (("city", "city"), ("state", "state"), ("postalCode", "postal code"), ("country", "country"))
    ),
    Parameter(
        "addressType",
        {"type": "string", "enum": ["billing", "shipping", "home", "work"]},
        "An address is of this type.",
        example="home",
    ),
    Parameter(
        "phoneType",
        {"type": "string", "enum": ["mobile", "home", "work", "other"]},
        "A phone number is of this type.",
        example="mobile",
    ),
    Parameter(
        "phone",
        TEXT,
        "A phone number has these digits, with or without its country code; all else in the text is ignored.",
        example="+1 202-875-4343",
    ),
    *(
        Parameter(
            f"{word}{side}",
            MOMENT,
            f"{word.capitalize()} {side.lower()} this moment, which is not included; UTC where it has no zone.",
            example="2026-09-14T22:35:56Z",
        )
        for word in ("created", "updated")
        for side in ("After", "Before")
    ),
    Parameter(
        "notify",
        _SHORT,
        "Accepts all of these channels: email, sms, push, mail; separated by commas.",
        repeatable=True,
        example=["email,push"],
    ),
)
LIST_PARAMETERS = (
    PAGE, SIZE, CURSOR, COUNT, _SORT, _SORT_FIELDS, _SORT_BY, _Q, _FILTER, *_SIMPLE, FIELDS, EXPLAIN,
)  # fmt: skip
SEARCH_PARAMETERS = (PAGE, SIZE, CURSOR, COUNT, _SORT, _SORT_FIELDS, _SORT_BY, _Q, _FILTER, FIELDS, EXPLAIN)
"""The members of the body of `:search`."""
FILTER_PARAMETERS = (_Q, _FILTER, *_SIMPLE)
"""Those that say which customers are meant."""
CONFIRM = Parameter(
    "confirm",
    {"type": "string", "enum": ["all"]},
    "`all` says that really all customers are meant; only where nothing else says which ones.",
    example="all",
)
FORMAT = Parameter(
    "format",
    {"type": "string", "enum": ["ndjson", "csv"]},
    "The format of the answer, instead of `Accept`.",
    example="csv",
)
ON_CONFLICT = Parameter(
    "onConflict",
    {"type": "string", "enum": list(CONFLICTS), "default": "fail"},
    "What becomes of a line whose e-mail address is taken: it is refused, left out, or replaces the fields of the "
    "customer who has it.",
    example="skip",
)
