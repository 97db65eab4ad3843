"""From a question's filter and place to MongoDB's query language.

Values of clients stand only in value positions, always behind an operator of ours.
"""

from __future__ import annotations

from storage.documents import Customer
from storage.driver import Document
from storage.query import Key, Order, Question, Where
from storage.text import fold


def where_query(where: Where) -> Document:
    """Return the filter document of `where`."""
    query: Document = {}
    if where.ids is not None:
        query["id"] = {"$in": list(where.ids)}
    if where.email is not None:
        query["keys.email"] = {"$eq": fold(where.email)}
    return query


def sort_terms(question: Question) -> list[tuple[str, int]]:
    """Return the sort of the question, turned round when it is read backward."""
    return [(term.field.value, -1 if _downward(term, question) else 1) for term in question.order]


def page_query(question: Question) -> Document:
    """Return the filter of the question with the place from which it is read on."""
    query = where_query(question.where)
    if question.after is None:
        return query
    return {"$and": [query, _beyond(question, question.after)]} if query else _beyond(question, question.after)


def key_of(customer: Customer, order: tuple[Order, ...]) -> Key:
    """Return the place of a customer in an order."""
    return Key(tuple(customer[term.field.value] for term in order))


def _downward(term: Order, question: Question) -> bool:
    return term.descending != question.backward


def _beyond(question: Question, key: Key) -> Document:
    """Lexicographic comparison, term by term: equal so far, and beyond in this one."""
    alternatives: list[Document] = []
    equal: Document = {}
    for term, value in zip(question.order, key.values, strict=True):
        operator = "$lt" if _downward(term, question) else "$gt"
        alternatives.append({**equal, term.field.value: {operator: value}})
        equal = {**equal, term.field.value: {"$eq": value}}
    return {"$or": alternatives}
