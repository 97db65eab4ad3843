"""The ids of nested parts stay with the parts they belong to."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.parts import shown, with_ids

Part = dict[str, Any]
plain = st.lists(st.sampled_from("abcd").map(lambda name: {"city": name}), max_size=8)


def old_of(items: list[Part]) -> list[Part]:
    return [{"id": f"old-{index}", **item} for index, item in enumerate(items)]


def kept(new: list[Part]) -> list[Part]:
    return [part for part in new if part["id"].startswith("old-")]


@given(plain, plain)
def test_every_part_has_an_id_of_its_own_and_what_was_sent(before: list[Part], after: list[Part]) -> None:
    result = with_ids(after, old_of(before))
    assert [shown(part) for part in result] == after
    assert len({part["id"] for part in result}) == len(after)


@given(plain)
def test_the_same_list_keeps_every_id_in_place(items: list[Part]) -> None:
    assert with_ids(items, old_of(items)) == old_of(items)


@given(plain, plain)
def test_as_many_equal_parts_as_there_can_be_keep_their_ids(before: list[Part], after: list[Part]) -> None:
    old = {part["id"]: shown(part) for part in old_of(before)}
    result = with_ids(after, old_of(before))
    matched = Counter(part["city"] for part in result if old.get(part["id"]) == shown(part))
    possible = Counter(item["city"] for item in before) & Counter(item["city"] for item in after)
    assert matched == possible


@given(plain, plain)
def test_an_equal_part_at_its_own_position_keeps_its_id(before: list[Part], after: list[Part]) -> None:
    result = with_ids(after, old_of(before))
    for index, (one, other) in enumerate(zip(before, after, strict=False)):
        if one == other:
            assert result[index]["id"] == f"old-{index}"


@given(plain, plain)
def test_a_new_id_is_made_only_where_neither_an_equal_part_nor_the_position_is_free(
    before: list[Part], after: list[Part]
) -> None:
    old, result = old_of(before), with_ids(after, old_of(before))
    used = {part["id"] for part in result}
    free = [part for part in old if part["id"] not in used]
    for index, part in enumerate(result):
        if not part["id"].startswith("old-"):
            assert uuid.UUID(part["id"]).version == 4
            assert shown(part) not in [shown(other) for other in free]
            assert index >= len(old) or old[index] not in free


@given(plain, plain)
def test_a_list_that_only_changes_in_place_keeps_every_id(before: list[Part], after: list[Part]) -> None:
    fresh = [{"city": f"new {index}"} for index in range(len(before))]
    assert [part["id"] for part in with_ids(fresh, old_of(before))] == [f"old-{i}" for i in range(len(before))]
    assert len(kept(with_ids(after, []))) == 0


@pytest.mark.parametrize(
    ("before", "after", "ids"),
    [
        ("ab", "ba", [1, 0]),
        ("abc", "cab", [2, 0, 1]),
        ("ab", "aab", [0, None, 1]),
        ("ab", "b", [1]),
        ("ab", "xb", [0, 1]),
        ("ab", "bx", [1, None]),
        ("az", "zz", [0, 1]),
        ("aa", "xa", [0, 1]),
        ("aa", "ax", [0, 1]),
        ("abc", "xbca", [None, 1, 2, 0]),
        ("", "a", [None]),
        ("a", "", []),
    ],
)
def test_ids_go_by_equality_first_and_position_second(before: str, after: str, ids: list[int | None]) -> None:
    result = with_ids([{"city": name} for name in after], old_of([{"city": name} for name in before]))
    found = [int(part["id"][4:]) if part["id"].startswith("old-") else None for part in result]
    assert found == ids
