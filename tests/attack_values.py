"""Attacks by what stands in a document as a value, or comes with it as a variable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tests.contract.asking import VIEWER
from tests.heavy import ACCEPTED, Attack, ask, repeated

RECURSION: Final = "parser and validation recurse, and the stack ends"
SUGGEST: Final = "for each unknown name the nearest is looked for"
_LONG: Final = 15_000


def _literals() -> Iterator[Attack]:
    first = "{ customers(first: %s) { nodes { id } } }"
    by_email = "{ customerByEmail(email: %s) { id } }"
    kind, refused, found = "graphql-validation", "invalid-filter", "a text that is looked for"
    yield ask(
        "an integer of 5,000 digits", "graphql-limit", "Python refuses to read it, and says so", first % ("9" * 5000)
    )
    yield ask("an integer of 60 digits", kind, "no Int", first % ("9" * 60))
    yield ask(
        "an integer of 15,000 digits as id",
        "graphql-limit",
        "an ID may be a number",
        "{ customer(id: %s) { id } }" % ("9" * _LONG),
    )
    yield ask("a float beyond all", kind, "infinity is no number of JSON", first % "1e99999999")
    yield ask("a string of 15 kB", refused, found, by_email % f'"{"a" * _LONG}"')
    yield ask("a string of 2,000 escapes", refused, "each is decoded", by_email % ('"' + r"\u{1F98A}" * 1600 + '"'))
    yield ask("a string with U+0000", refused, "some stores end a text there", by_email % r'"a\u0000b"')
    yield ask("half a surrogate pair", "graphql-syntax", "no text of Unicode, no JSON", by_email % r'"\ud800"')
    yield ask("a string without end", "graphql-syntax", "the reader may go back", by_email % f'"{"a" * _LONG}')
    yield ask("a block string of 15 kB", refused, found, by_email % f'"""{"a" * _LONG}"""')
    yield ask(
        "a block string of 4,000 quotes",
        refused,
        "the reader may go back",
        by_email % ('"""' + '\\"""' * 3900 + '"""'),
    )
    yield ask(
        "a block string without end", "graphql-syntax", "the reader may go back", by_email % ('"""' + '\\"""" ' * 2500)
    )
    yield ask(
        "a block string of 175 lines",
        ACCEPTED,
        "indentation is taken off line by line",
        by_email % f'"""{repeated(175, lambda n: " " * n, chr(10))}a"""',
    )
    yield ask("900 ids", "invalid-parameter", "each is looked for", f"{{ nodes(ids: [{'1 ' * 900}]) {{ id }} }}")
    yield ask("deep input objects", "graphql-limit", RECURSION, first % ("{a: " * 100 + "1" + "}" * 100))
    nots = "{not: " * 60 + '{id: {eq: "1"}}' + "}" * 60
    yield ask("not of not of not", "invalid-filter", RECURSION, f"{{ customers(filter: {nots}) {{ totalCount }} }}")


def _variables() -> Iterator[Attack]:
    declared = "query($filter: CustomerFilter, $order: [CustomerOrder!])"
    listed = declared + " { customers(filter: $filter, orderBy: $order) { totalCount } }"
    ids = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    made = "mutation($input: CreateCustomerInput!) { createCustomer(input: $input, dryRun: true) { id } }"
    many = "each value is coerced before anybody counts them"
    yield ask("21,000 empty filters", "graphql-variables-size", many, listed, filter={"or": [{}] * 21_000})
    yield ask("3,000 filters", "graphql-variables-size", many, listed, filter={"or": [{"id": {"eq": "1"}}] * 3000})
    yield ask("20,000 terms of an order", "graphql-variables-size", many, listed, order=[{}] * 20_000)
    yield ask(
        "15,000 values of in", "graphql-variables-size", many, listed, filter={"lastName": {"in": ["a"] * 15_000}}
    )
    yield ask("15,000 ids", "graphql-variables-size", many, ids, ids=["1"] * 15_000)
    yield ask("2,900 empty filters", "invalid-filter", many, listed, filter={"or": [{}] * 2900})
    yield ask("2,900 terms of an order", "invalid-parameter", many, listed, order=[{}] * 2900)
    unknown = {f"lastNam{number}": 1 for number in range(2900)}
    yield ask("2,900 unknown members", "graphql-validation", SUGGEST, listed, filter=unknown)
    body = {"query": VIEWER, "variables": unknown}
    yield Attack("2,900 unknown variables", ACCEPTED, "they are copied about", body)
    yield ask("66 kB of variables", "graphql-variables-size", "time to read", VIEWER, v="a" * 66_000)
    yield ask(
        "65 kB of search",
        "invalid-filter",
        "each word is looked for",
        "query($q: String) { customers(search: $q) { totalCount } }",
        q="a " * 32_000,
    )
    nested: dict[str, Any] = {"id": {"eq": "1"}}
    for _ in range(26):
        nested = {"not": nested}
    yield ask("26 negations", "invalid-filter", RECURSION, listed, filter=nested)
    address = {"type": "HOME", "street1": "", "city": "", "state": "", "postalCode": "!", "country": ""}
    parts = {"addresses": [address] * 400, "phoneNumbers": []}
    names = {"firstName": "", "lastName": "", "email": "", "notificationPreferences": {}}
    yield ask(
        "400 addresses, each of them wrong", "graphql-validation", "each fault is told", made, input={**parts, **names}
    )
    yield ask(
        "20,000 empty addresses",
        "graphql-variables-size",
        "each fault is told",
        made,
        input={**names, "addresses": [{}] * 20_000},
    )
    yield Attack(
        "an operation without name among others",
        "graphql-validation",
        "which one is paid for",
        {"query": f"query a {VIEWER} query b {VIEWER}"},
    )


VALUES: Final = (*_literals(), *_variables())
"""All of them."""
