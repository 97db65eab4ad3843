"""A phone number is found by its digits, however its country code was stored and is asked for, at both doors."""

from __future__ import annotations

from typing import Any

import pytest

from tests import factories
from tests.conftest import StartGateway
from tests.harness import Gateway

LIST = "/api/v1/customers"
FILTER = "query ($filter: CustomerFilter) { customers(filter: $filter) { nodes { id } } }"
SEARCH = "query ($search: String) { customers(search: $search) { nodes { id } } }"
STORED = (("+49", "30 1234"), ("0049", "30 1234"), ("49", "30-1234"), ("00", "4930 1234"), ("+1", "00123"))
ASKED: tuple[tuple[str, list[int]], ...] = (
    ("30 1234", [0, 1, 2]),
    ("+49 30 1234", [0, 1, 2, 3]),
    ("0049 30 1234", [0, 1, 2, 3]),
    ("4930-1234", [0, 1, 2, 3]),
    ("00123", [4]),
    ("123", [4]),
    ("001 00123", [4]),
    ("0030 1234", [0, 1, 2]),
    ("49", []),
)


@pytest.fixture
def own(start_gateway: StartGateway) -> Gateway:
    """A gateway with nobody in it."""
    return start_gateway()


def _create(own: Gateway) -> list[str]:
    """Create a customer for each stored number, and return their ids; no address has a digit to be found."""
    numbers = [factories.phone_number(countryCode=code, number=number) for code, number in STORED]
    people = zip("abcde", numbers, strict=True)
    return [own.create(email=f"{name}@example.com", phoneNumbers=[one])["id"] for name, one in people]


def _both(own: Gateway, parameters: dict[str, str], query: str, **variables: Any) -> list[list[str]]:
    """Return the ids that each door finds."""
    rest = own.http.get(LIST, params=parameters).json()["content"]
    nodes = own.graphql(query, **variables)["data"]["customers"]["nodes"]
    return [[one["id"] for one in found] for found in (rest, nodes)]


def test_a_number_is_found_with_and_without_what_stands_for_abroad(own: Gateway) -> None:
    made = _create(own)
    for asked, found in ASKED:
        expected = [made[place] for place in found]
        assert _both(own, {"phone": asked}, FILTER, filter={"phone": {"eq": asked}}) == [expected, expected], asked


def test_digits_are_searched_as_the_beginning_of_a_phone_number_and_of_any_word(own: Gateway) -> None:
    made = [*_create(own), own.create(email="007bond@example.com")["id"]]
    for asked in ("0049 30", "+49 30", "4930"):
        assert _both(own, {"q": asked}, SEARCH, search=asked) == [made[:4], made[:4]]
    for asked in ("007", "007b", "007BOND"):
        assert _both(own, {"q": asked}, SEARCH, search=asked) == [made[5:], made[5:]]
