"""Orders made total: which paths a list goes by."""

from __future__ import annotations

import pytest

from storage.orders import order_terms, projection
from storage.query import Order, OrderField

F = OrderField
Terms = list[tuple[str, bool]]


def up(field: OrderField) -> Order:
    return Order(field)


def down(field: OrderField) -> Order:
    return Order(field, descending=True)


ORDERS: tuple[tuple[tuple[Order, ...], Terms], ...] = (
    ((up(F.CREATED_AT),), [("keys.place", False)]),
    ((down(F.CREATED_AT),), [("keys.place", True)]),
    ((down(F.CREATED_AT), down(F.ID)), [("keys.place", True)]),
    ((down(F.CREATED_AT), up(F.ID)), [("createdAt", True), ("id", False)]),
    ((up(F.ID),), [("id", False)]),
    ((down(F.ID), up(F.LAST_NAME)), [("id", True)]),
    ((up(F.LAST_NAME),), [("keys.order.lastName", False), ("id", False)]),
    ((down(F.UPDATED_AT),), [("updatedAt", True), ("id", True)]),
    ((up(F.EMAIL), up(F.ID), down(F.CREATED_AT)), [("keys.order.email", False), ("id", False)]),
    ((up(F.EMAIL), down(F.ID)), [("keys.order.email", False), ("id", True)]),
    ((up(F.LAST_NAME), down(F.CREATED_AT)), [("keys.order.lastName", False), ("keys.place", True)]),
    ((up(F.CREATED_AT), down(F.LAST_NAME)), [("createdAt", False), ("keys.order.lastName", True), ("id", True)]),
)


@pytest.mark.parametrize(("order", "terms"), ORDERS, ids=[str(terms) for _, terms in ORDERS])
def test_every_order_ends_in_the_id_or_in_the_place_that_has_it(order: tuple[Order, ...], terms: Terms) -> None:
    assert list(order_terms(order)) == terms


def test_what_is_read_has_no_path_below_another_one() -> None:
    fields = frozenset({"addresses", "addresses.city", "firstName"})
    assert projection(fields, (up(F.LAST_NAME),)) == {
        "_id": 0, "addresses": 1, "firstName": 1, "id": 1, "lastName": 1, "version": 1,
    }  # fmt: skip
    assert projection(None) == {"_id": 0, "keys": 0}
