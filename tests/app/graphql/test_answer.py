"""How GraphQL's answers are written: as one JSON text whatever rows they hold, and weighed as they are written."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import orjson
import pytest

from app.graphql import answer
from app.graphql.request import _is_json
from resolvers.problem import Problem
from schema.rows import Member, Row, row_json, row_type

PART: Final = row_type("Part", [Member("city", "city", str)])
ROW: Final = row_type("Customer", [Member("id", "id", str), Member("addresses", "addresses", list[PART])])  # type: ignore[valid-type]
SHAPES: Final[dict[str, Any]] = {
    "null": None,
    "a scalar": {"a": 1},
    "no rows": {"a": {"items": []}},
    "lists of lists": {"a": [[1, None], ["x"]]},
    "rows and null": {"a": [None, "row", "row"]},
    "dictionaries with rows": {"a": {"edges": [{"cursor": "é", "node": "row"}] * 3}},
    **{f"{count} rows": {"a": {"items": ["row"] * count}} for count in (1, 15, 16, 17, 32, 100)},
}


def made(value: Any) -> Any:
    """Return a value with a row wherever `row` stands."""
    if value == "row":
        row: Any = ROW
        part: Any = PART
        return row(id='"1"', addresses=[part(city="Zürich\n"), part(city="")])
    if isinstance(value, dict):
        return {name: made(item) for name, item in value.items()}
    return [made(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_weighed_is_the_same_text(shape: str) -> None:
    value = made(SHAPES[shape])
    assert orjson.dumps(answer._weighed(value), default=row_json) == orjson.dumps(value, default=row_json)


@pytest.mark.parametrize("shape", SHAPES)
def test_items_weigh_what_each_of_them_does_by_itself(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value = made(SHAPES[shape])
    whole = sum(len(orjson.dumps(item, default=row_json)) for item in _items(value))
    monkeypatch.setattr(answer, "MAX_ANSWER", whole)
    answer._weighed(value)
    if whole:
        monkeypatch.setattr(answer, "MAX_ANSWER", whole - 1)
        with pytest.raises(Problem, match="answer"):
            answer._weighed(value)


def _items(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [item for inner in value.values() for item in _items(inner)] if isinstance(value, dict) else []


def test_rows_of_one_kind_are_written_several_at_a_time() -> None:
    """So that the tests above have pieces with several rows."""
    rows: list[Row] = made(["row"] * 33)
    assert len(list(answer._pieces(rows))) == 3


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"application/json", True),
        (b" Application/JSON ; Charset=UTF-8", True),
        (b'application/json; charset="utf-8"', True),
        (b"application/json; version=1", True),
        (b"application/json; charset=latin-1", False),
        (b"application/graphql", False),
        (b"application/json\xff", False),
        (b"", False),
    ],
)
def test_which_content_types_are_json_in_utf_8(header: bytes, expected: bool) -> None:
    for _ in range(2):
        assert _is_json(header) is expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("*/*", answer.JSON),
        ("application/json", answer.JSON),
        (answer.RESPONSE, answer.RESPONSE),
        ("application/json, application/graphql-response+json", answer.RESPONSE),
        ("application/graphql-response+json;q=0.5, application/json", answer.JSON),
        ("text/html", None),
        ("application/json;q=0", None),
    ],
)
def test_which_media_type_an_answer_has(header: str, expected: str | None) -> None:
    for _ in range(2):
        assert answer._media_type(header) == expected


def test_what_a_document_was_stored_without_is_null_where_it_may_be() -> None:
    loose = row_type("Loose", [Member("id", "id", str), Member("middle", "middleName", str | None)])
    assert orjson.loads(orjson.dumps(msgspec.convert({"id": "1"}, loose), default=row_json)) == {
        "id": "1",
        "middleName": None,
    }
    with pytest.raises(msgspec.ValidationError, match="missing required field `id`"):
        msgspec.convert({"middleName": "M."}, loose)
