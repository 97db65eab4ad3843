"""The filter tree in plain Python, over customers as REST and GraphQL show them: what the store must agree with."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any

from storage.query import And, Compare, Filter, Not, Or, Search, Some


def holds(where: Filter, customer: dict[str, Any]) -> bool:
    """Tell whether a customer fulfils a filter."""
    if isinstance(where, And):
        return all(holds(term, customer) for term in where.terms)
    if isinstance(where, Or):
        return any(holds(term, customer) for term in where.terms)
    if isinstance(where, Not):
        return not holds(where.term, customer)
    if isinstance(where, Some):
        return any(holds(where.term, element) for element in customer[where.list_name])
    if isinstance(where, Search):
        return _found(where.words, customer)
    return _compares(where, customer)


def _compares(term: Compare, document: dict[str, Any]) -> bool:
    if term.field.kind == "digits":
        return any(_test(term, number) for number in _numbers(document))
    value: Any = document
    for name in term.field.path.split("."):
        value = value[name]
    return _test(term, value)


def _numbers(customer: dict[str, Any]) -> list[str]:
    numbers = []
    for phone in customer["phoneNumbers"]:
        number = re.sub(r"[^0-9]", "", phone["number"])
        numbers += [number, re.sub(r"[^0-9]", "", phone["countryCode"]) + number]
    return numbers


def _plain(term: Compare, value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if term.field.kind == "instant":
        return datetime.fromisoformat(value)
    if term.field.kind == "digits":
        return re.sub(r"[^0-9]", "", value)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", value).casefold())


def _test(term: Compare, value: Any) -> bool:
    mine = _plain(term, value)
    if term.operator == "in":
        return mine in [_plain(term, one) for one in term.value]  # type: ignore[union-attr]
    asked = _plain(term, term.value)
    if term.operator == "eq":
        return bool(mine == asked)
    if mine is None:
        return False
    tests: dict[str, Callable[[], bool]] = {
        "gt": lambda: mine > asked,
        "ge": lambda: mine >= asked,
        "lt": lambda: mine < asked,
        "le": lambda: mine <= asked,
        "startsWith": lambda: mine.startswith(asked),
        "contains": lambda: asked in mine,
    }
    return tests[term.operator]()


_LETTERS = {"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}


def bare(text: str) -> str:
    """Return text without case and accents."""
    decomposed = unicodedata.normalize("NFD", text.casefold())
    kept = "".join(c for c in decomposed if not 0x300 <= ord(c) <= 0x36F)
    return "".join(_LETTERS.get(c, c) for c in unicodedata.normalize("NFC", kept))


def _found(asked: tuple[str, ...], customer: dict[str, Any]) -> bool:
    texts = [customer["firstName"], customer["middleName"] or "", customer["lastName"], customer["email"]]
    texts += [address["city"] for address in customer["addresses"]]
    known = {word for text in texts for word in re.findall(r"[^\W_]+", bare(text))} | set(_numbers(customer))
    return bool(asked) and all(any(word.startswith(one) for word in known) for one in asked)


def order_value(customer: dict[str, Any], name: str) -> tuple[Any, ...]:
    """Return what a list is ordered by: text without case and accents, then exact; null first."""
    value = customer[name]
    if name in {"id", "createdAt", "updatedAt"}:
        return (value,)
    return ("", "") if value is None else (bare(value), value)


def ordered(customers: list[dict[str, Any]], terms: list[tuple[str, bool]]) -> list[str]:
    """Return the ids in an order; the id's own direction is that of the last term."""
    rows = sorted(customers, key=lambda c: c["id"], reverse=terms[-1][1])
    for name, descending in reversed(terms):
        rows = sorted(rows, key=lambda c: order_value(c, name), reverse=descending)
    return [customer["id"] for customer in rows]
