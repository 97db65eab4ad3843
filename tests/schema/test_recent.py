"""What was made of a text is kept while it is used, and no more of it than fits."""

from __future__ import annotations

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
