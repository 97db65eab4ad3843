"""Cursors over REST: they lead through any list, can be used nowhere else, and tell nothing."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.crowd import LIST, Crowd, crowded, links, member, names, problem

COUNT = 30
ALL = [f"Name{number:03}" for number in range(COUNT)]
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.fixture(scope="module")
def crowd(mongod_url: str) -> Iterator[Crowd]:
    with crowded(mongod_url, [member(number) for number in range(COUNT)]) as made:
        yield made


def _next(crowd: Crowd, **parameters: Any) -> str:
    response = crowd.get(**{"cursor": "", "size": 5, **parameters})
    assert response.status_code == 200, response.text
    return str(response.headers["next-cursor"])


WALKS: tuple[dict[str, Any], ...] = (
    {},
    {"size": 15},
    {"size": 100},
    {"sort": "createdAt,desc"},
    {"sort_by": "-lastName,+firstName"},
    {"sort_by": "middleName"},
    {"sort": ["lastName", "updatedAt,desc"]},
    {"q": "name0", "city": "köln"},
    {"filter": "lastName eq 'Ng' or phone eq '555-0107'", "fields": "firstName", "sort": "updatedAt"},
    {"email": "nobody@example.com"},
)


@pytest.mark.parametrize("parameters", WALKS, ids=str)
def test_c093_the_links_of_a_cursor_lead_to_the_end_and_back_unchanged(
    crowd: Crowd, parameters: dict[str, Any]
) -> None:
    expected = names(crowd.get(**{**parameters, "size": 100}))
    response = crowd.get(**{"size": 7, **parameters, "cursor": ""})
    first = names(response)
    seen, pages = list(first), [first]
    while "next" in links(response):
        assert names(crowd.gateway.http.get(links(response)["first"])) == first
        response = crowd.gateway.http.get(links(response)["next"])
        seen += names(response)
        pages.append(names(response))
        assert "prev" in links(response)
    assert seen == expected
    assert "next-cursor" not in response.headers
    for page in reversed(pages[:-1]):
        response = crowd.gateway.http.get(links(response)["prev"])
        assert names(response) == page
        assert "next" in links(response)
    assert "prev" not in links(response)


def test_the_next_cursor_is_that_of_the_next_link(crowd: Crowd) -> None:
    response = crowd.get(cursor="", size=5)
    assert links(response)["next"] == f"{LIST}?size=5&cursor={response.headers['next-cursor']}"
    assert set(response.headers["next-cursor"]) <= set(ALPHABET)
    assert names(crowd.get(cursor=response.headers["next-cursor"], size=5)) == ALL[5:10]


def test_another_size_may_go_on_from_a_cursor(crowd: Crowd) -> None:
    assert names(crowd.get(cursor=_next(crowd, size=5), size=3)) == ALL[5:8]


def test_a_page_number_beside_a_cursor_is_refused(crowd: Crowd) -> None:
    assert crowd.problem(cursor="", page=1) == (400, "invalid-parameter", "Use page or cursor, not both.")


def test_c072_a_cursor_with_any_one_character_changed_is_refused(crowd: Crowd) -> None:
    cursor = _next(crowd, sort="lastName")
    chance = random.Random(7)
    for position, letter in enumerate(cursor):
        other = chance.choice([one for one in (*ALPHABET, "~", "=", ".", "é", " ") if one != letter])
        altered = cursor[:position] + other + cursor[position + 1 :]
        assert crowd.problem(cursor=altered, size=5, sort="lastName")[:2] == (400, "invalid-cursor"), (position, other)


def test_c072_a_cursor_cut_or_lengthened_is_refused(crowd: Crowd) -> None:
    cursor = _next(crowd)
    altered = [cursor[:-1], cursor[1:], cursor + "A", cursor + "=", cursor * 2, "A", "~", "~~" + cursor, "x" * 1500]
    for text in altered:
        wanted = (200, "") if text == "~" else (400, "invalid-cursor")
        response = crowd.get(cursor=text, size=5)
        assert (response.status_code, "" if response.is_success else problem(response)[1]) == wanted, text


def test_c072_every_last_character_but_its_own_is_refused(crowd: Crowd) -> None:
    """The last character of base64 carries bits that do not count; they may not be free either."""
    for size in (5, 6):
        cursor = _next(crowd, size=size, sort="firstName")
        accepted = [
            last for last in ALPHABET if crowd.get(cursor=cursor[:-1] + last, sort="firstName").status_code == 200
        ]
        assert accepted == [cursor[-1]]


OTHER_LISTS: tuple[dict[str, Any], ...] = (
    {"sort": "lastName,desc"},
    {"sort": "firstName"},
    {"sort": ["lastName", "firstName"]},
    {},
    {"sort": "lastName", "city": "berlin"},
    {"sort": "lastName", "filter": "lastName ge 'a'"},
    {"sort": "lastName", "q": "name"},
)


@pytest.mark.parametrize("other", OTHER_LISTS, ids=str)
def test_c072_a_cursor_is_good_for_no_other_order_or_filter(crowd: Crowd, other: dict[str, Any]) -> None:
    cursor = _next(crowd, sort="lastName")
    assert crowd.problem(cursor=cursor, size=5, **other)[:2] == (400, "invalid-cursor")


def test_a_cursor_is_good_for_the_same_list_in_other_words(crowd: Crowd) -> None:
    cursor = _next(crowd, sort="lastName,asc", city="Berlin")
    found = names(crowd.get(cursor=cursor, size=5, sort_by="+last_name", filter="city eq 'Berlin'"))
    assert found == names(crowd.get(sort="lastName", city="Berlin"))[5:10]


def test_c072_a_cursor_of_another_gateway_is_refused(crowd: Crowd, mongod_url: str) -> None:
    cursor = _next(crowd)
    with crowded(mongod_url, [member(1)]) as other:
        assert other.problem(cursor=cursor)[:2] == (400, "invalid-cursor")


@pytest.mark.parametrize("sort", ["email", "lastName", "firstName", "middleName", "updatedAt", "id"])
def test_a_cursor_holds_no_readable_name_address_or_time(crowd: Crowd, sort: str) -> None:
    cursor = _next(crowd, sort=sort, size=29)
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    readable = (cursor + raw.decode("latin-1")).lower()
    for customer in crowd.customers:
        for value in (customer["email"], customer["firstName"], customer["lastName"], customer["id"], "2026-03"):
            assert len(value) < 3 or value.lower() not in readable
            assert value.encode() not in raw or len(value) < 3
    assert cursor != _next(crowd, sort=sort, size=29), "sealed anew each time"


def test_c072_the_longest_names_make_cursors_that_work(mongod_url: str) -> None:
    """Three names of 256 characters of four bytes: too long for a URI, not for a body."""
    longest = "🦊" * 256
    crowd = [member(number) for number in range(3)]
    for customer in crowd:
        customer["firstName"] = customer["middleName"] = customer["lastName"] = longest
    order = ["firstName", "middleName", "lastName", "email"]
    with crowded(mongod_url, crowd) as long:
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            response = long.search(cursor=cursor, size=1, sort=order)
            assert response.status_code == 200, response.text
            seen += [customer["email"] for customer in response.json()["content"]]
            cursor = response.headers.get("next-cursor")
        assert seen == sorted(customer["email"] for customer in crowd)
        assert problem(long.get(cursor="", size=1, sort=order))[:2] == (414, "uri-too-long")
