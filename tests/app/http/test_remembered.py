"""What is made of texts of clients is remembered of short ones alone."""

from __future__ import annotations

import tracemalloc

import pytest

from app import files
from app.graphql import answer, request
from app.http import negotiation
from app.http.remembered import LONGEST, remembered
from app.rest.preferences import parse_prefer

MEGABYTE = 1_000_000


def test_a_short_text_is_looked_at_once_and_a_long_one_each_time() -> None:
    asked: list[str] = []

    @remembered(2)
    def length(text: str, more: int) -> int:
        asked.append(text)
        return len(text) + more

    short, long = "a" * LONGEST, "a" * (LONGEST + 1)
    for text in (short, long, short, long):
        assert length(text, 1) == len(text) + 1
    assert asked == [short, long, long]
    assert (length("b", 1), length("c", 1), length(short, 1)) == (2, 2, LONGEST + 1)
    assert asked[3:] == ["b", "c", short]


@pytest.mark.parametrize(
    "ask",
    [
        negotiation.parse_accept,
        lambda text: negotiation.accepted_quality(text, "application/json"),
        lambda text: negotiation._profile(text.encode()),
        lambda text: negotiation._takes(text.encode(), ("application/json",)),
        lambda text: request._is_json(text.encode()),
        lambda text: files.takes(text, "gzip"),
        answer._media_type,
        parse_prefer,
    ],
    ids=["accept", "quality", "profile", "takes", "content-type", "coding", "media-type", "prefer"],
)
def test_large_heads_leave_nothing_in_memory(ask: object) -> None:
    assert callable(ask)
    ask("*/*")
    tracemalloc.start()
    try:
        for number in range(100):
            ask(f"*/*,{number}" + "x" * 10_000)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < MEGABYTE / 2
