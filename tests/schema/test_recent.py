"""What was made of a text is kept while it is used, and no more of it than fits."""

from __future__ import annotations

import gc

from graphql import Node, Token

from schema.build import SchemaOptions, build_schema
from schema.recent import Recent


def test_what_was_not_used_longest_goes_first() -> None:
    recent: Recent[int] = Recent(6, 100)
    for number, text in enumerate(("aa", "bb", "cc")):
        assert recent.keep(text, number + 1) == number + 1
    assert recent.get("aa") == 1
    recent.keep("dd", 4)
    assert [recent.get(text) for text in ("aa", "bb", "cc", "dd")] == [1, None, 3, 4]


def test_a_text_that_does_not_fit_is_not_kept_and_takes_no_other_along() -> None:
    recent: Recent[int] = Recent(6, 100)
    recent.keep("aa", 1)
    assert recent.keep("x" * 7, 2) == 2
    assert (recent.get("x" * 7), recent.get("aa")) == (None, 1)
    assert recent.keep("bb", 3) == recent.get("bb") == 3


def test_a_document_is_prepared_once_while_it_is_used() -> None:
    documents = build_schema(SchemaOptions()).documents
    first = documents.operation("{ viewer { name } }", None)
    assert documents.operation("{ viewer { name } }", None) is first
    for number in range(20):
        documents.operation(f"{{ viewer {{ name }} }} #{number}{' ' * 16_000}", None)
    assert documents.operation("{ viewer { name } }", None) is not first


def test_there_are_never_more_than_may_be() -> None:
    recent: Recent[int] = Recent(1000, 2)
    for number, text in enumerate("abc"):
        recent.keep(text, number)
    assert [recent.get(text) for text in "abc"] == [None, 1, 2]


def test_a_document_that_is_let_go_leaves_nothing_to_the_garbage_collector() -> None:
    documents = build_schema(SchemaOptions()).documents
    kept = documents._prepare(
        'query Q($a: ID!) { customer(id: $a) { ...f } node(id: "x") { id } } fragment f on Node { id }'
    )
    gc.collect()
    gc.disable()
    try:
        before = _nodes_and_tokens()
        del kept
        left = _nodes_and_tokens()
        assert before - left > 40
        gc.collect()
        assert _nodes_and_tokens() == left
    finally:
        gc.enable()


def _nodes_and_tokens() -> int:
    kinds = map(type, gc.get_objects())  # not isinstance: a weak proxy asks for what may be gone
    return sum(issubclass(kind, Node | Token) for kind in kinds)
