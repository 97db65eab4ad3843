"""Questions that are taken and heavy, and the customers that make their answers as large as they can be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, cast
from urllib.parse import quote
from uuid import UUID

from storage.documents import Customer, instant
from storage.model import MAX_PARTS
from storage.text import MAX_TEXT
from tests import factories
from tests.selections import CUSTOMER

Kind = Literal["largest", "widest", "dense", "plain"]
ACCEPTED: Final = "accepted"
BEGIN: Final = datetime(2026, 5, 1, tzinfo=UTC)
CHARACTER: Final = "\U00020000"
"""A character of four bytes in UTF-8, without case."""


@dataclass(frozen=True)
class Attack:
    """A request that means harm: what must come (a problem's slug, or accepted), and why it hurts the bare stack.

    With `crowd` what comes depends on what is in the store: it may also be that the answer would be too large.
    """

    name: str
    comes: str
    why: str
    body: Any = field(repr=False)
    path: str = "/graphql"
    crowd: bool = False

    @property
    def method(self) -> str:
        """How it is sent."""
        return "GET" if self.body is None else "POST"

    @property
    def content(self) -> bytes | None:
        """What is sent."""
        return None if self.body is None else json.dumps(self.body, ensure_ascii=False).encode()


def ask(
    name: str, comes: str, why: str, query: str, *, operation: str | None = None, crowd: bool = False, **variables: Any
) -> Attack:
    """Return an attack by a document of GraphQL."""
    body = {"query": query, "variables": variables, **({"operationName": operation} if operation else {})}
    return Attack(name, comes, why, body, crowd=crowd)


def rest(name: str, comes: str, why: str, *, crowd: bool = False, **parameters: str) -> Attack:
    """Return an attack by a list of REST."""
    text = "&".join(f"{key}={quote(value)}" for key, value in parameters.items())
    return Attack(name, comes, why, None, f"/api/v1/customers?{text}", crowd)


def search(name: str, comes: str, why: str, *, crowd: bool = False, **body: Any) -> Attack:
    """Return an attack by a search of REST."""
    return Attack(name, comes, why, body, "/api/v1/customers:search", crowd)


def repeated(count: int, text: Callable[[int], str], between: str = " ") -> str:
    """Return so many texts, each made from its number."""
    return between.join(text(number) for number in range(count))


def customers_of(kind: Kind, count: int) -> Iterator[Customer]:
    """Give customers of a kind: `{kind}{number}@example.org`, with an id that `id_of` knows.

    The largest fill all that the contract allows; the widest take four times in memory what they take on
    the wire; the dense have as many parts as is allowed and next to nothing in them.
    """
    for number in range(count):
        document = factories.customer(**_PARTS[kind], email=f"{kind}{number}@example.org")
        time = instant(BEGIN + timedelta(seconds=number))
        whole = {"id": id_of(kind, number), "version": 1, **document, "createdAt": time, "updatedAt": time}
        for name in ("addresses", "phoneNumbers"):
            whole[name] = [{"id": str(UUID(int=place)), **part} for place, part in enumerate(whole[name])]
        yield cast("Customer", whole)


def id_of(kind: Kind, number: int) -> str:
    """Return the id of a customer of a kind."""
    return str(UUID(int=(0xA77AC << 108) + (_KINDS.index(kind) << 64) + number, version=4))


_KINDS: Final = ("largest", "widest", "dense", "plain")


def _filled(text: str, digits: str) -> dict[str, Any]:
    words = {"street1": text, "street2": text, "city": text, "state": text, "country": text}
    return {
        **dict.fromkeys(("firstName", "middleName", "lastName"), text),
        "addresses": [factories.address(**words, postalCode=digits)] * MAX_PARTS,
        "phoneNumbers": [factories.phone_number(countryCode=digits, number=digits, extension=text)] * MAX_PARTS,
    }


_PARTS: Final[dict[Kind, dict[str, Any]]] = {
    "largest": _filled(CHARACTER * MAX_TEXT, "9" * MAX_TEXT),
    "widest": _filled("a" * (MAX_TEXT - 1) + CHARACTER, "9" * MAX_TEXT),
    "dense": _filled("a", "9"),
    "plain": {},
}


def of(kind: Kind) -> str:
    """Return the filter for customers of a kind."""
    return f'filter: {{email: {{startsWith: "{kind}"}}}}'


def _page(kind: Kind, size: int, selected: str) -> str:
    return f"customers(first: {size}, {of(kind)}) {{ nodes {{ {selected} }} }}"


def _aliased(count: int, text: str) -> str:
    return repeated(count, lambda number: f"a{number}: {text}")


def _by_kind(kind: Kind) -> Iterator[Attack]:
    def page(name: str, why: str, query: str, **variables: Any) -> Attack:
        return ask(f"{kind}: {name}", ACCEPTED, why, query, crowd=True, **variables)

    part = "{ id type street1 street2 city state postalCode country }"
    yield page("a page of 100, every field", "a small document, a huge answer", f"{{ {_page(kind, 100, CUSTOMER)} }}")
    yield page("a page of 30, every field", "as much as fits into an answer", f"{{ {_page(kind, 30, CUSTOMER)} }}")
    yield page("a page of 60, every field", "more than fits into an answer", f"{{ {_page(kind, 60, CUSTOMER)} }}")
    yield page(
        "5 pages of 90 by alias, with addresses",
        "what each page reads adds up",
        f"{{ {_aliased(5, _page(kind, 90, f'addresses {part}'))} }}",
    )
    yield page(
        "15 pages of 30 by alias, with addresses",
        "15 reads at once, each of them large",
        f"{{ {_aliased(15, _page(kind, 30, f'addresses {part}'))} }}",
    )
    yield page(
        "15 pages of 100 by alias, plain fields",
        "1,500 customers by a document of 2 kB",
        f"{{ {_aliased(15, _page(kind, 100, 'id firstName middleName lastName email createdAt updatedAt version'))} }}",
    )
    yield page(
        "30 customers, their addresses by 15 aliases",
        "what is read once is answered 15 times",
        f"{{ {_page(kind, 30, _aliased(15, f'addresses {part}'))} }}",
    )
    yield page(
        "100 customers, a street by 15 aliases",
        "leaves cost nothing and still have to be answered",
        f"{{ {_page(kind, 100, f'''addresses {{ {_aliased(15, 'street1')} }}''')} }}",
    )
    yield page(
        "400 customers, every leaf of their addresses",
        "as many objects as the cost lets through",
        f"{{ {_aliased(4, _page(kind, 100, f'addresses {part} email'))} }}",
    )
    yield ask(
        f"{kind}: the same customer 100 times by nodes",
        ACCEPTED if kind == "dense" else "answer-too-large",
        "what is read once is answered 100 times",
        f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Customer {{ {CUSTOMER} }} }} }}",
        crowd=True,
        ids=[id_of(kind, 0)] * 100,
    )
    yield page(
        "one customer by 15 aliases",
        "15 reads of the largest document",
        f"""{{ {_aliased(15, f'customer(id: "{id_of(kind, 0)}") {{ {CUSTOMER} }}')} }}""",
    )
    yield page(
        "addresses by id, 15 aliases for each of 100 customers",
        "1,500 searches through a list",
        f"""{{ {_page(kind, 100, _aliased(15, f'address(id: "{UUID(int=99)}") {{ city }}'))} }}""",
    )
    yield Attack(
        f"{kind}: 1,500 faults of fields",
        "invalid-id",
        "each fault is a problem of its own in the answer",
        {"query": f"""{{ {_page(kind, 100, _aliased(15, 'address(id: "x") { city }'))} }}"""},
        crowd=True,
    )
    prefix = f"startswith(email,'{kind}')"
    yield rest(
        f"{kind}: REST, 100, every field", ACCEPTED, "100 documents of 300 kB", crowd=True, size="100", filter=prefix
    )
    yield rest(
        f"{kind}: REST, 30, every field",
        ACCEPTED,
        "as much as fits into an answer",
        crowd=True,
        size="30",
        filter=prefix,
    )
    yield rest(
        f"{kind}: REST, 100, two fields",
        ACCEPTED,
        "the other fields are not even read",
        crowd=True,
        size="100",
        fields="firstName,email",
        filter=prefix,
    )


def _widest_filter() -> dict[str, Any]:
    names = ("firstName", "middleName", "lastName", "email")
    return {"or": [{names[number % 4]: {"startsWith": f"q{number}"}} for number in range(98)]}


_FIVE: Final = {"or": [{name: {"contains": "zqx"}} for name in ("firstName", "middleName", "lastName", "email")]}
_ORDER: Final = [{"field": name} for name in ("MIDDLE_NAME", "EMAIL", "LAST_NAME", "FIRST_NAME", "UPDATED_AT", "ID")]
_LIST: Final = """query($filter: CustomerFilter, $search: String, $orderBy: [CustomerOrder!], $after: String) {
  customers(first: 100, after: $after, filter: $filter, search: $search, orderBy: $orderBy) { totalCount nodes { id } }
}"""


def _lists() -> Iterator[Attack]:
    yield ask("the widest or", ACCEPTED, "98 ranges of the index", _LIST, filter=_widest_filter())
    yield ask("contains in four fields", ACCEPTED, "no index answers contains", _LIST, filter=_FIVE)
    contains = {"addresses": {"some": {"or": [{"city": {"contains": "zqx"}}] * 5}}}
    yield ask("contains five times in addresses", ACCEPTED, "fifty texts for each customer", _LIST, filter=contains)
    many = {"lastName": {"in": [f"name{number}" for number in range(100)]}}
    yield ask("in with 100 values", ACCEPTED, "100 places of the index", _LIST, filter=many)
    ids = {"id": {"in": [id_of("plain", number) for number in range(100)]}}
    yield ask("100 ids", ACCEPTED, "100 places of the index", _LIST, filter=ids)
    yield ask("not in of nothing", ACCEPTED, "a negation finds everything", _LIST, filter={"not": many})
    yield ask("10 words", ACCEPTED, "ten conditions, the first finds all", _LIST, search="a b c d e f g h i j")
    yield ask("10 long words", ACCEPTED, "ten ranges", _LIST, search=" ".join(["abcdefghij" * 9] * 10))
    yield ask("ordered by six fields", ACCEPTED, "no index has this order", _LIST, orderBy=_ORDER)
    yield ask("filtered and ordered", ACCEPTED, "sorts what it filters", _LIST, filter={"not": many}, orderBy=_ORDER)
    totals = _aliased(15, 'customers(first: 1, filter: {lastName: {contains: "zqx"}}) { totalCount }')
    yield ask("15 totals of contains", ACCEPTED, "15 times through the whole collection", f"{{ {totals} }}")
    for page, comes in ((1_000_000, ACCEPTED), (100_000_000, "invalid-parameter")):
        query = f"{{ customerPage(page: {page}, size: 100) {{ items {{ id }} page {{ totalPages }} }} }}"
        yield ask(f"page {page}", comes, "an offset is walked, one by one", query)
    for name, cursor in (("of garbage", "x" * 400), ("of 8,000 characters", "A" * 8000), ("of another list", "é✓")):
        yield ask(f"a cursor {name}", "invalid-cursor", "what is in a cursor goes into a query", _LIST, after=cursor)
    for count, comes in ((3, ACCEPTED), (4, "graphql-cost")):
        query = f"{{ {_aliased(count, 'explainCustomers { returned }')} }}"
        yield ask(f"{count} plans", comes, "explain runs all plans to their end", query)


def _rest() -> Iterator[Attack]:
    conditions = " or ".join(f"firstName eq 'q{number}'" for number in range(98))
    yield search("REST: the widest or", ACCEPTED, "98 places of the index", filter=conditions)
    several = " or ".join(f"contains({name},'zqx')" for name in ("firstName", "middleName", "lastName", "email"))
    yield search("REST: contains in four fields", ACCEPTED, "no index answers contains", filter=several)
    values = ",".join(f"'{'v' * 60}{number}'" for number in range(100))
    yield search("REST: the longest in", ACCEPTED, "a filter of 7 kB", filter=f"lastName in ({values})")
    nested = f"{'(' * 20}firstName eq 'a'{')' * 20}"
    yield search("REST: 20 brackets", ACCEPTED, "each bracket is a level of recursion", filter=nested)
    yield search("REST: 8,000 brackets", "invalid-filter", "a stack of recursion each", filter="(" * 8000)
    yield search("REST: 2,000 not", "invalid-filter", "a stack of recursion each", filter="not " * 2000)
    yield search("REST: 9,000 characters", "invalid-filter", "time to read grows with length", filter="a" * 9000)
    yield search(
        "REST: a text that never ends", "invalid-filter", "the reader may go back", filter="a eq '" + "''" * 3900
    )
    yield search("REST: 500 and", "invalid-filter", "more conditions than are taken", filter=" and ".join(["a"] * 500))
    yield rest("REST: 10 words", ACCEPTED, "ten conditions, the first finds all", q="a b c d e f g h i j", size="100")
    yield search("REST: 500 words", "invalid-filter", "a condition each", q="a " * 500)
    orders = "middleName,email,lastName,firstName,updatedAt,id"
    yield rest("REST: ordered by six fields", ACCEPTED, "no index has this order", sort_by=orders, size="100")
    yield rest("REST: page 1,000,000", ACCEPTED, "an offset is walked, one by one", page="1000000", size="100")
    yield rest("REST: a cursor of garbage", "invalid-cursor", "what is in it goes into a query", cursor="x" * 400)
    yield rest("REST: 300 fields", "invalid-parameter", "each is looked up for the nearest", fields="firstNam," * 150)


HEAVY: Final = (*(attack for kind in _KINDS[:3] for attack in _by_kind(kind)), *_lists(), *_rest())
"""What a store full of customers makes heavy."""
