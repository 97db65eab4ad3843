"""The order of a list in MongoDB's language: its paths, the place of a customer in it, what is read for it."""

from __future__ import annotations

from functools import lru_cache
from itertools import takewhile
from typing import Any, Final, cast

from storage.documents import Customer
from storage.driver import Document
from storage.query import Key, Order, OrderField, Question
from storage.terms import place
from storage.text import order_key

_PLACE: Final = "keys.place"
_ORDER: Final = "keys.order."
_TEXT_ORDER: Final = {OrderField.FIRST_NAME, OrderField.MIDDLE_NAME, OrderField.LAST_NAME, OrderField.EMAIL}


def order_path(field: OrderField) -> str:
    """Return the path that an order goes by."""
    return f"{_ORDER}{field.value}" if field in _TEXT_ORDER else field.value


@lru_cache(maxsize=256)
def order_terms(order: tuple[Order, ...]) -> tuple[tuple[str, bool], ...]:
    """Return paths and directions (True: descending) of an order made total.

    Nothing behind the id changes anything; where it is not named it follows the direction of the last
    term, so that one index serves both directions. Creation followed by the id is the place, which is both.
    """
    before = tuple(takewhile(lambda term: term.field is not OrderField.ID, order))
    terms = [(order_path(term.field), term.descending) for term in before]
    identifier = order[len(before)] if len(before) < len(order) else Order(OrderField.ID, before[-1].descending)
    if before and before[-1] == Order(OrderField.CREATED_AT, identifier.descending):
        return (*terms[:-1], (_PLACE, identifier.descending))
    return (*terms, ("id", identifier.descending))


def sort_terms(question: Question) -> list[tuple[str, int]]:
    """Return the sort of the question, turned round when it is read backward."""
    return [(path, -1 if down != question.backward else 1) for path, down in order_terms(question.order)]


def beyond(question: Question, key: Key) -> Document:
    """Return the condition that a customer lies beyond a key: equal so far, term by term, and beyond in the next."""
    alternatives: list[Document] = []
    equal: Document = {}
    for (path, direction), text in zip(sort_terms(question), key.values, strict=True):
        value = _ordered_by(path, text)
        alternatives.append({**equal, path: {"$lt" if direction < 0 else "$gt": value}})
        equal = {**equal, path: {"$eq": value}}
    return alternatives[0] if len(alternatives) == 1 else {"$or": alternatives}


def key_of(customer: Customer, order: tuple[Order, ...]) -> Key:
    """Return the place of a customer, read with at least `order_fields(order)`, in an order."""
    return Key(tuple(_order_value(customer, path) for path, _ in order_terms(order)))


def _order_value(customer: Customer, path: str) -> str | None:
    if path == _PLACE:
        return place(customer["createdAt"], customer["id"]).hex()
    found: str | None = cast("dict[str, Any]", customer)[path.removeprefix(_ORDER)]
    return found


def _ordered_by(path: str, value: str | None) -> object:
    """Return what the store holds at an order's path where a key has this value."""
    if path == _PLACE:
        return bytes.fromhex(value or "")
    return order_key(value) if path.startswith(_ORDER) else value


def order_fields(order: tuple[Order, ...]) -> frozenset[str]:
    """Return the fields from which a place in an order is made."""
    return frozenset({"id", *(term.field.value for term in order)})


@lru_cache(maxsize=256)
def projection(fields: frozenset[str] | None, order: tuple[Order, ...] = (), *, version: bool = True) -> Document:
    """Return what is read of each document: all but its keys, or the fields asked for and what its place needs.

    What it returns belongs to all who ask; with fields, `version` False leaves the version out.
    """
    if fields is None:
        return {"_id": 0, "keys": 0}
    needed = {*fields, *order_fields(order), *(("version",) if version else ())}
    return {"_id": 0, **dict.fromkeys(_without_covered(needed), 1)}


def _without_covered(paths: set[str]) -> list[str]:
    """Return the paths without those that lie below another one, which MongoDB would call a collision."""
    return sorted(path for path in paths if not any(path.startswith(f"{other}.") for other in paths))
