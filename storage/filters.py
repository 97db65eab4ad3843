"""From a question to MongoDB's query language.

Values of clients stand only in value positions, behind an operator of ours, and inside a regular
expression only escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, cast

from storage.documents import Instant, instant, moment
from storage.driver import Document
from storage.emails import email_key, email_pieces
from storage.orders import beyond
from storage.query import (
    And,
    Compare,
    Field,
    Filter,
    Not,
    Or,
    Question,
    Search,
    Some,
)
from storage.terms import FALSE, GRAM, TRUE, WORD_MARK, milliseconds, place_at
from storage.text import after_prefix, digits, fold

_TERMS: Final = "keys.terms"
_PLACE: Final = "keys.place"
_EMAIL: Final = "keys.email"
_NOTHING: Final[Document] = {"id": {"$in": []}}
_COMPARISONS: Final = {"gt": "$gt", "ge": "$gte", "lt": "$lt", "le": "$lte"}


def filter_query(where: Filter) -> Document:
    """Return the filter document of `where`; `{}` for everything."""
    if isinstance(where, Compare):
        return _compare(where)
    if isinstance(where, Not):
        return {"$nor": [filter_query(where.term)]}
    if isinstance(where, Some):
        return _some(where)
    if isinstance(where, Search):
        return _all([_word(word) for word in where.words]) if where.words else _NOTHING
    parts = [filter_query(term) for term in where.terms]
    return _all(parts) if isinstance(where, And) else _any(parts)


def _all(parts: list[Document]) -> Document:
    wanted = [part for part in parts if part]
    return wanted[0] if len(wanted) == 1 else {"$and": wanted} if wanted else {}


def _any(parts: list[Document]) -> Document:
    if not parts:
        return _NOTHING
    return parts[0] if len(parts) == 1 else {"$or": parts}


def _compare(term: Compare) -> Document:
    field = term.field
    if field.kind == "id":
        return {"id": {"$in" if term.operator == "in" else "$eq": _listed(term.value)}}
    if field.kind == "instant":
        return _instant(field.path, term)
    if term.value is None:
        return {field.path: {"$eq": None}}
    if term.operator == "in" and None in _values(term):
        rest = tuple(value for value in _values(term) if value is not None)
        return {"$or": [{field.path: {"$eq": None}}, _terms(Compare(field, "in", rest))]}
    return _terms(term)


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _values(term: Compare) -> tuple[Any, ...]:
    return term.value if isinstance(term.value, tuple) else (term.value,)


def _key(field: Field, value: object) -> str:
    if isinstance(value, bool):
        return field.mark + (TRUE if value else FALSE)
    return field.mark + _KEYS.get(field.kind, fold)(str(value))


_KEYS: Final[dict[str, Callable[[str], str]]] = {"digits": digits, "email": email_key}
"""How values are compared that are not simply text."""


def _terms(term: Compare) -> Document:
    """Return the condition on the marked terms: equality, or a range within the field's own mark."""
    field, operator = term.field, term.operator
    if operator == "in":
        return {_TERMS: {"$in": [_key(field, value) for value in _values(term)]}}
    key = _key(field, term.value)
    if operator == "eq":
        return {_TERMS: {"$eq": key}}
    if operator in {"contains", "startsWith"}:
        pieces = email_pieces(str(term.value)) if field.kind == "email" else (key.removeprefix(field.mark),)
        return _any([_piece(field, operator, piece) for piece in pieces])
    if field.kind == "email":  # one key each, where there may be two terms
        return {_EMAIL: {_COMPARISONS[operator]: key.removeprefix(field.mark)}}
    bounds = {"$gte": field.mark, "$lt": after_prefix(field.mark)}
    replaced = "$gte" if operator in {"gt", "ge"} else "$lt"
    del bounds[replaced]
    return {_TERMS: {"$elemMatch": {**bounds, _COMPARISONS[operator]: key}}}


def _piece(field: Field, operator: str, piece: str) -> Document:
    if operator == "startsWith":
        return {_TERMS: {"$elemMatch": _beginning(field.mark + piece)}}
    return {_TERMS: {"$regex": f"^{field.mark}.*{re.escape(piece)}", "$options": "s"}}


def _beginning(prefix: str) -> Document:
    above = after_prefix(prefix)
    return {"$gte": prefix, "$lt": above} if above else {"$gte": prefix}


def _word(word: str) -> Document:
    """Return the condition that a word begins with this one: one term up to `GRAM` letters, else a range too."""
    head = {_TERMS: {"$eq": WORD_MARK + word[:GRAM]}}
    return head if len(word) <= GRAM else {"$and": [head, {_TERMS: {"$elemMatch": _beginning(WORD_MARK + word)}}]}


def _instant(path: str, term: Compare) -> Document:
    if term.operator == "in":
        return _any([_instant(path, Compare(term.field, "eq", value)) for value in _values(term)])
    name, bound = (_PLACE, _place_bound) if path == "createdAt" else (path, _text_bound)
    return _between(name, term.operator, cast("str", term.value), bound)


Bound = Callable[[str, bool], object]
"""The stored form of the first millisecond not before an instant, or (True) of the first one after it."""


def _between(name: str, operator: str, value: str, bound: Bound) -> Document:
    first, after = bound(value, False), bound(value, True)
    ranges: dict[str, Document] = {
        "eq": {"$gte": first, "$lt": after},
        "gt": {"$gte": after},
        "ge": {"$gte": first},
        "lt": {"$lt": first},
        "le": {"$lt": after},
    }
    return {name: ranges[operator]}


def _place_bound(value: str, after: bool) -> object:
    return place_at(_rounded(value, after=after))


def _text_bound(value: str, after: bool) -> object:
    rounded = _rounded(value, after=after)
    base = moment(Instant(value))
    return instant(base + timedelta(milliseconds=rounded - milliseconds(base)))


def _rounded(value: str, *, after: bool) -> int:
    point = moment(Instant(value))
    whole = milliseconds(point)
    return whole + 1 if after or point.microsecond % 1000 else whole


def _some(some: Some) -> Document:
    """Return the condition on one element; a single comparison by its term, several by the folded elements."""
    if isinstance(some.term, Compare) and some.term.value is not None and None not in _values(some.term):
        return _terms(some.term)
    elements = {f"keys.{some.list_name}": {"$elemMatch": _element(some.term)}}
    return _all([*_hints(some.term), elements])


def _hints(term: Filter) -> list[Document]:
    """Return what the index can say of an element's condition: its equalities, each on its own."""
    terms = term.terms if isinstance(term, And) else (term,)
    usable = [t for t in terms if isinstance(t, Compare) and t.operator in {"eq", "in"} and None not in _values(t)]
    return [_terms(t) for t in usable]


def _element(term: Filter) -> Document:
    if isinstance(term, Compare):
        return {term.field.path: _element_condition(term)}
    if isinstance(term, Not):
        return {"$nor": [_element(term.term)]}
    if isinstance(term, And | Or):
        parts = [_element(part) for part in term.terms]
        return _all(parts) if isinstance(term, And) else _any_element(parts)
    raise TypeError(f"{type(term).__name__} has no place inside an element")


def _any_element(parts: list[Document]) -> Document:
    return {"$or": parts} if parts else {"type": {"$in": []}}


def _element_condition(term: Compare) -> Document:
    values = [None if value is None else fold(str(value)) for value in _values(term)]
    if term.operator == "in":
        return {"$in": values}
    value = values[0]
    if term.operator == "eq" or value is None:
        return {"$eq": value}
    if term.operator == "contains":
        return {"$regex": re.escape(value)}
    if term.operator == "startsWith":
        return _beginning(value) if value else {"$ne": None}
    return {_COMPARISONS[term.operator]: value}


def page_query(question: Question) -> Document:
    """Return the filter of the question with the place from which it is read on."""
    query = filter_query(question.where)
    return query if question.after is None else _all([query, beyond(question, question.after)])
