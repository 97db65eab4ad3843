"""At 50,000 customers: which questions an index answers in order, and exactly which it does not.

`clean` means: by the index of its condition, in the order asked for, nothing sorted, no collection scanned.
What is not clean is named below with its reason; an exception that is not needed any more fails as well.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from app.cli.demo import demo_customers
from storage.documents import new_id
from storage.orders import key_of
from storage.plans import QueryPlan
from storage.query import (
    CUSTOMER_FIELDS,
    DEFAULT_ORDER,
    EVERYTHING,
    OPERATORS,
    PART_FIELDS,
    And,
    Compare,
    Field,
    Filter,
    Key,
    ListName,
    Not,
    Operator,
    Or,
    Order,
    OrderField,
    Question,
    Search,
    Some,
)
from storage.store import Store, StoreOptions, open_store

COUNT = 50_000
SIZE = 26
F = OrderField
Reason = Literal["clean", "range", "negation", "null", "few", "other order", "several fields", "many values"]
REASONS: dict[Reason, str] = {
    "clean": "an index answers it in order",
    "range": "gt ge lt le startsWith contains on text or digits: a range of the index is sorted, or the order's index "
    "is read and what does not fit passed over, whichever the store finds cheaper",
    "negation": "ne and not: the order's index is read and what does not fit passed over",
    "null": "is null: no index holds it; the order's index is read and what does not fit passed over",
    "few": "by ids, or by an exact moment of change: the few that are found are sorted",
    "other order": "a filter with another order than creation: what is found is sorted, or the order's index is read "
    "and what does not fit passed over; a range of updatedAt is clean when sorted by updatedAt",
    "several fields": "orders of several fields other than lastName with firstName, or with directions that differ: "
    "all that is found is sorted",
    "many values": "more than 200 values of `in` in one filter: what is found is sorted",
}
_RANGES = {"gt", "ge", "lt", "le", "startsWith", "contains"}
_VALUES: dict[str, Any] = {
    "id": "0d047d80-eb69-4665-9395-6df5a5e569a4", "firstName": "Anna", "middleName": "Emil", "lastName": "Müller",
    "email": "anna.muller.1@example.com", "createdAt": "2025-01-15T00:00:00.000+00:00", "phone": "49202",
    "updatedAt": "2025-01-15T00:00:00.000+00:00", "type": "home", "street1": "14 MG Road", "street2": "Apt. 7",
    "city": "Berlin", "state": "Berlin", "postalCode": "10115", "country": "IE", "countryCode": "+49",
    "number": "202-875-4343", "extension": "123",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A question, the index it should go by, and why it may not be clean."""

    name: str
    question: Question
    index: str
    reason: Reason = "clean"

    def found(self, plan: QueryPlan) -> str:
        """Return what is wrong with a plan, empty when it is clean."""
        wrong = [
            "scans the collection" if plan.scans_collection else "",
            "sorts" if plan.sorts else "",
            f"goes by {plan.indexes}" if self.index not in plan.indexes else "",
        ]
        return ", ".join(filter(None, wrong))


@pytest.fixture(scope="module")
async def store(mongod_url: str) -> AsyncIterator[Store]:
    """A store of 50,000 demo customers; the indexes are made at the end, which is faster."""
    began = time.monotonic()
    async with open_store(StoreOptions(mongod_url, f"test_{new_id()[:13]}", timeout=120)) as opened:
        customers = demo_customers(COUNT)
        while batch := list(itertools.islice(customers, 2000)):
            await opened.customers.create_many(batch)
        await opened.ensure_indexes()
        print(f"{COUNT} customers in {time.monotonic() - began:.1f} s")
        yield opened
        await opened.client.drop_database(opened.database)


# --- every field with every operator


def _value(field: Field, operator: Operator) -> Any:
    plain = True if field.kind == "flag" else field.choices[0] if field.kind == "choice" else _VALUES[field.path]
    if operator == "in":
        return (plain, field.choices[-1] if field.choices else plain)
    return str(plain)[:3] if operator in {"startsWith", "contains"} else plain


def _index(field: Field) -> str:
    return {"id": "id", "createdAt": "place", "updatedAt": "updatedAt"}.get(field.path, "terms")


def _reason(field: Field, operator: Operator) -> Reason:
    if field.kind == "instant":
        few = operator in {"eq", "in"}
        return "clean" if field.path == "createdAt" else "few" if few else "other order"
    if field.kind == "id":
        return "few"
    return "range" if operator in _RANGES else "clean"


def _of_field(field: Field, list_name: ListName | None) -> Iterator[tuple[str, Filter, Reason]]:
    def within(term: Filter) -> Filter:
        return term if list_name is None else Some(list_name, term)

    for operator in OPERATORS[field.kind]:
        yield operator, within(Compare(field, operator, _value(field, operator))), _reason(field, operator)
    equal = Compare(field, "eq", _value(field, "eq"))
    yield "ne", Not(within(equal)), "negation"
    if list_name:
        yield "some ne", within(Not(equal)), "negation"
    if field.nullable:
        nothing = Compare(field, "eq", None)
        yield "eq null", within(nothing), "null"
        yield "ne null", Not(within(nothing)), "null"
        yield "in null", within(Compare(field, "in", (None, equal.value))), "null"  # type: ignore[arg-type]


def _single() -> Iterator[Case]:
    tables: list[tuple[str, dict[str, Field], ListName | None]] = [("", CUSTOMER_FIELDS, None)]
    tables += [(f"{name}/", fields, name) for name, fields in PART_FIELDS.items()]
    for prefix, fields, list_name in tables:
        for field in fields.values():
            for operator, where, reason in _of_field(field, list_name):
                # createdAt has the place as its index, which is also the order's: only the negation of others shows.
                expected: Reason = "clean" if reason == "negation" and field.path == "createdAt" else reason
                yield Case(f"{prefix}{field.path} {operator}", Question(where, limit=SIZE), _index(field), expected)


# --- search, combinations, orders


_LAST = Compare(CUSTOMER_FIELDS["lastName"], "eq", "Müller")
_FIRST = Compare(CUSTOMER_FIELDS["firstName"], "eq", "Anna")
_CITY = Compare(PART_FIELDS["addresses"]["city"], "eq", "Berlin")
_HOME = Compare(PART_FIELDS["addresses"]["type"], "eq", "home")
_NAMES = tuple(Compare(CUSTOMER_FIELDS[name], "eq", "Emil") for name in ("firstName", "middleName", "lastName"))
_CHANGED: Filter = Compare(CUSTOMER_FIELDS["updatedAt"], "gt", "2025-01-15T00:00:00.000+00:00")


def _values(count: int) -> tuple[str, ...]:
    return tuple(f"name{number}" for number in range(count))


def _in(path: str, count: int) -> Filter:
    return Compare(CUSTOMER_FIELDS[path], "in", _values(count))


_CREATED = Compare(CUSTOMER_FIELDS["createdAt"], "gt", "2025-01-15T00:00:00.000+00:00")
_MANY = Or(tuple(_in(path, 100) for path in ("firstName", "lastName", "email")))


def _combined() -> Iterator[Case]:
    wheres: tuple[tuple[str, Filter, Reason], ...] = (
        *((f"q {' '.join(words)}", Search(words), "clean") for words in (
            ("an",), ("anna",), ("conceicao",), ("anna", "mul"), ("an", "be", "mu", "de"), ("4920",), ("zzz",),
        )),
        ("and of equalities", And((_LAST, _FIRST)), "clean"),
        ("equality and a moment", And((_LAST, _CREATED)), "clean"),
        ("equality and a range", And((_LAST, Compare(CUSTOMER_FIELDS["firstName"], "ge", "b"))), "clean"),
        ("equality and a negation", And((_LAST, Not(_FIRST))), "clean"),
        ("equality and contains", And((_LAST, Compare(CUSTOMER_FIELDS["firstName"], "contains", "nna"))), "clean"),
        ("equality and q", And((_LAST, Search(("anna",)))), "clean"),
        ("or of equalities", Or((_LAST, _FIRST, Some("addresses", _CITY))), "clean"),
        ("name", Or(_NAMES), "clean"),
        ("two conditions on one address", Some("addresses", And((_CITY, _HOME))), "clean"),
        ("in with 100 values", _in("firstName", 100), "clean"),
        ("or of two in with 100 values", Or((_in("firstName", 100), _in("lastName", 100))), "clean"),
        ("or of three in with 100 values", _MANY, "many values"),
        ("or with a negation", Or((_LAST, Not(_FIRST))), "negation"),
        ("not", Not(And((_LAST, _FIRST))), "negation"),
    )  # fmt: skip
    for name, where, reason in wheres:
        yield Case(name, Question(where, limit=SIZE), "terms", reason)


def _index_of(field: OrderField) -> str:
    own = {F.ID: "id", F.CREATED_AT: "place", F.UPDATED_AT: "updatedAt"}
    return own.get(field, f"order_{field.value}")


def _orders() -> Iterator[tuple[str, tuple[Order, ...], str, Reason]]:
    for field, down in itertools.product(F, (False, True)):
        yield f"by {field.value} {_way(down)}", (Order(field, down),), _index_of(field), "clean"
    for down in (False, True):
        both = (Order(F.LAST_NAME, down), Order(F.FIRST_NAME, down))
        yield f"by lastName, firstName {_way(down)}", both, "order_lastName_firstName", "clean"
        newest = (Order(F.CREATED_AT, down), Order(F.ID, down))
        yield f"by createdAt, id {_way(down)}", newest, "place", "clean"
        yield f"by email, id {_way(down)}", (Order(F.EMAIL, down), Order(F.ID, down)), "order_email", "clean"
    mixed = (Order(F.LAST_NAME), Order(F.FIRST_NAME, descending=True))
    yield "by lastName up, firstName down", mixed, "order_lastName_firstName", "several fields"
    for first, second in ((F.FIRST_NAME, F.LAST_NAME), (F.LAST_NAME, F.CREATED_AT), (F.CREATED_AT, F.LAST_NAME)):
        yield f"by {first.value}, {second.value}", (Order(first), Order(second)), "", "several fields"
    yield "by updatedAt down, id up", (Order(F.UPDATED_AT, descending=True), Order(F.ID)), "", "several fields"


def _way(down: bool) -> str:
    return "down" if down else "up"


def _ordered() -> Iterator[Case]:
    for name, order, index, reason in _orders():
        for backward in (False, True):
            question = Question(EVERYTHING, order, SIZE, backward=backward)
            yield Case(f"{name}{' from the end' if backward else ''}", question, index, reason)
    for field in F:
        if field not in {F.CREATED_AT, F.UPDATED_AT}:
            yield Case(f"lastName eq by {field.value}", Question(_LAST, (Order(field),), SIZE), "terms", "other order")
    for down in (False, True):
        order = (Order(F.UPDATED_AT, down),)
        yield Case(f"updatedAt gt by updatedAt {_way(down)}", Question(_CHANGED, order, SIZE), "updatedAt")
        order = (Order(F.CREATED_AT, down),)
        yield Case(f"lastName eq by createdAt {_way(down)}", Question(_LAST, order, SIZE), "terms")
    yield Case("lastName eq by updatedAt", Question(_LAST, (Order(F.UPDATED_AT),), SIZE), "terms", "other order")
    yield Case("page 100", Question(limit=25, skip=2475), "place")


CASES = [*_single(), *_combined(), *_ordered()]


async def test_an_index_answers_in_order_and_the_exceptions_are_exactly_those_named(store: Store) -> None:
    faults: dict[str, str] = {}
    for case in CASES:
        plan = await store.customers.explain(case.question)
        found = case.found(plan)
        if found and case.reason == "clean":
            faults[case.name] = found
        elif not found and case.reason != "clean":
            faults[case.name] = f"the exception {case.reason!r} is not needed any more"
        elif plan.scans_collection and case.reason != "several fields":
            faults[case.name] = f"the exception {case.reason!r} says nothing of a scan"
    assert faults == {}


def test_every_reason_is_needed_and_told() -> None:
    assert {case.reason for case in CASES} == set(REASONS)
    for reason, told in REASONS.items():
        count = sum(case.reason == reason for case in CASES)
        print(f"{reason} ({count}): {told}")


# --- depth


async def _key_at(store: Store, order: tuple[Order, ...], depth: int, where: Filter = EVERYTHING) -> Key:
    (customer,) = await store.customers.find(Question(where, order, 1, skip=depth))
    return key_of(customer, order)


async def test_c095_a_page_by_cursor_costs_the_same_at_any_depth(store: Store) -> None:
    orders = [order for _, order, _, reason in _orders() if reason == "clean"]
    for order, depth, backward in itertools.product(orders, (100, 25_000, 49_900), (False, True)):
        after = await _key_at(store, order, depth)
        plan = await store.customers.explain(Question(order=order, limit=SIZE, after=after, backward=backward))
        assert (plan.scans_collection, plan.sorts, plan.returned) == (False, False, SIZE), (order, depth, backward)
        assert plan.documents_examined == SIZE
        assert plan.keys_examined <= SIZE + 2


async def test_c095_a_page_by_cursor_of_a_filter_costs_the_same_at_any_depth(store: Store) -> None:
    last = Compare(CUSTOMER_FIELDS["lastName"], "eq", "Nguyen")
    first = Compare(CUSTOMER_FIELDS["firstName"], "eq", "Begoña")
    city = Compare(PART_FIELDS["addresses"]["city"], "eq", "Bengaluru")
    wheres: tuple[Filter, ...] = (last, Search(("an",)), Or((last, first)), Some("addresses", city))
    for where, depth, backward in itertools.product(wheres, (50, 800), (False, True)):
        after = await _key_at(store, DEFAULT_ORDER, depth, where)
        plan = await store.customers.explain(Question(where, limit=SIZE, after=after, backward=backward))
        assert (plan.scans_collection, plan.sorts, plan.returned) == (False, False, SIZE), (where, depth, backward)
        assert plan.documents_examined <= 2 * SIZE
        assert plan.indexes == ("terms",)
