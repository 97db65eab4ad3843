"""Lists in GraphQL: Relay's connection, pages by number, filters, orders, and what the store is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.crowd import Crowd, crowded, member
from tests.wiretap import recorder

COUNT = 12
ALL = [f"Name{number:03}" for number in range(COUNT)]


@pytest.fixture(scope="module")
def crowd(mongod_url: str) -> Iterator[Crowd]:
    recorder()
    with crowded(mongod_url, [member(number) for number in range(COUNT)]) as made:
        yield made


_WINDOW = """query Window($first: Int, $after: String, $last: Int, $before: String,
                       $filter: CustomerFilter, $search: String, $orderBy: [CustomerOrder!]) {
  customers(first: $first, after: $after, last: $last, before: $before,
            filter: $filter, search: $search, orderBy: $orderBy) {
    edges { cursor node { firstName } }
    nodes { firstName }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""


def _window(crowd: Crowd, **variables: Any) -> dict[str, Any]:
    found: dict[str, Any] = crowd.gateway.data(_WINDOW, **variables)["customers"]
    assert [edge["node"] for edge in found["edges"]] == found["nodes"]
    return found


def _names(window: dict[str, Any]) -> list[str]:
    return [node["firstName"] for node in window["nodes"]]


def _problem(crowd: Crowd, query: str, **variables: Any) -> tuple[int, str, str]:
    answer = crowd.gateway.graphql(query, **variables)
    (error,) = answer["errors"]
    extensions = error["extensions"]
    return extensions["status"], extensions["type"].rpartition("/")[2], error["message"]


# --- c083, c091: how many, and from where


def test_c083_without_first_and_last_a_window_has_25(crowd: Crowd) -> None:
    assert _names(_window(crowd)) == ALL
    query = crowd.gateway.data("{ explainCustomers { query } }")["explainCustomers"]["query"]
    assert '"limit": 26' in query


@pytest.mark.parametrize("argument", ["first", "last"])
@pytest.mark.parametrize("size", [0, -1, 101, 2147483647, -2147483648])
def test_c083_c091_a_size_outside_1_to_100_is_refused(crowd: Crowd, argument: str, size: int) -> None:
    status, slug, message = _problem(crowd, _WINDOW, **{argument: size})
    assert (status, slug, message) == (400, "invalid-parameter", f"{argument} must be from 1 to 100.")


@pytest.mark.parametrize("argument", ["first", "last"])
def test_c083_1_and_100_pass(crowd: Crowd, argument: str) -> None:
    assert _names(_window(crowd, **{argument: 100})) == ALL
    assert _names(_window(crowd, **{argument: 1})) == (ALL[:1] if argument == "first" else ALL[-1:])


TOGETHER = (
    {"first": 2, "last": 2},
    {"after": "x", "before": "x"},
    {"first": 2, "before": "x"},
    {"last": 2, "after": "x"},
    {"first": 2, "last": 2, "after": "x", "before": "x"},
)


@pytest.mark.parametrize("arguments", TOGETHER, ids=str)
def test_c083_arguments_of_both_directions_are_refused(crowd: Crowd, arguments: dict[str, Any]) -> None:
    assert _problem(crowd, _WINDOW, **arguments)[:2] == (400, "invalid-parameter")


def test_null_and_an_empty_cursor_are_as_if_left_out(crowd: Crowd) -> None:
    assert _names(_window(crowd, first=None, after=None, last=None, before=None)) == ALL
    assert _names(_window(crowd, first=2, after="")) == ALL[:2]
    assert _names(_window(crowd, last=2, before="")) == ALL[-2:]


def test_c091_page_info_is_right_in_all_four_corners(crowd: Crowd) -> None:
    def corner(**arguments: Any) -> tuple[list[str], bool, bool]:
        window = _window(crowd, **arguments)
        page = window["pageInfo"]
        assert (page["startCursor"], page["endCursor"]) == (window["edges"][0]["cursor"], window["edges"][-1]["cursor"])
        return _names(window), page["hasPreviousPage"], page["hasNextPage"]

    cursors = [edge["cursor"] for edge in _window(crowd)["edges"]]
    assert corner(first=5) == (ALL[:5], False, True)
    assert corner(first=5, after=cursors[4]) == (ALL[5:10], True, True)
    assert corner(first=5, after=cursors[9]) == (ALL[10:], True, False)
    assert corner(first=12) == (ALL, False, False)
    assert corner(last=5) == (ALL[7:], True, False)
    assert corner(last=5, before=cursors[7]) == (ALL[2:7], True, True)
    assert corner(last=5, before=cursors[2]) == (ALL[:2], False, True)
    assert corner(last=12) == (ALL, False, False)
    assert corner(after=cursors[4]) == (ALL[5:], True, False)
    assert corner(before=cursors[4]) == (ALL[:4], False, True)


def test_c091_an_empty_window_has_no_cursors(crowd: Crowd) -> None:
    page = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    nobody = {"email": {"eq": "nobody@example.com"}}
    assert _window(crowd, filter=nobody) == {"edges": [], "nodes": [], "pageInfo": page}
    last = _window(crowd)["pageInfo"]["endCursor"]
    beyond = _window(crowd, after=last)
    assert beyond == {"edges": [], "nodes": [], "pageInfo": {**page, "hasPreviousPage": True}}


def test_c072_a_cursor_of_another_list_and_one_of_nobody_are_refused(crowd: Crowd) -> None:
    cursor = _window(crowd, first=2)["pageInfo"]["endCursor"]
    others: tuple[dict[str, Any], ...] = (
        {"orderBy": [{"field": "LAST_NAME"}]},
        {"orderBy": [{"field": "CREATED_AT", "direction": "DESC"}]},
        {"filter": {"firstName": {"ge": ""}}},
        {"search": "name"},
    )
    for other in others:
        assert _problem(crowd, _WINDOW, after=cursor, **other)[:2] == (400, "invalid-cursor")
    for altered in ("x", cursor[:-1], cursor + "A", "~" + cursor, "é", cursor.swapcase()):
        assert _problem(crowd, _WINDOW, before=altered)[:2] == (400, "invalid-cursor")


def test_a_cursor_of_graphql_is_good_over_rest_and_back(crowd: Crowd) -> None:
    cursor = _window(crowd, first=5)["pageInfo"]["endCursor"]
    response = crowd.get(cursor=cursor, size=5)
    assert [customer["firstName"] for customer in response.json()["content"]] == ALL[5:10]
    assert _names(_window(crowd, after=response.headers["next-cursor"])) == ALL[10:]


# --- pages by number


_PAGE = """query Page($page: Int! = 1, $size: Int! = 25) {
  customerPage(page: $page, size: $size) { items { firstName } page { page size totalElements totalPages } } }"""


def test_a_page_by_number_has_the_numbers_of_rest(crowd: Crowd) -> None:
    page = crowd.gateway.data(_PAGE, page=2, size=5)["customerPage"]
    assert [item["firstName"] for item in page["items"]] == ALL[5:10]
    assert page["page"] == crowd.get(page=2, size=5).json()["page"]
    beyond = crowd.gateway.data(_PAGE, page=9)["customerPage"]
    assert beyond == {"items": [], "page": {"page": 9, "size": 25, "totalElements": 12, "totalPages": 1}}


@pytest.mark.parametrize("arguments", [{"page": 0}, {"page": -1}, {"size": 0}, {"size": 101}, {"page": 2147483647}])
def test_a_page_or_size_out_of_range_is_refused(crowd: Crowd, arguments: dict[str, int]) -> None:
    assert _problem(crowd, _PAGE, **arguments)[:2] == (400, "invalid-parameter")


def test_a_page_without_totals_shows_no_customer_too_many(crowd: Crowd) -> None:
    page = crowd.gateway.data("{ customerPage(size: 5) { items { firstName } page { page size } } }")["customerPage"]
    assert ([item["firstName"] for item in page["items"]], page["page"]) == (ALL[:5], {"page": 1, "size": 5})


# --- what the store is asked for


COUNTED = (
    ("{ customers { nodes { id } } }", ["find"]),
    ("{ customers { pageInfo { hasNextPage } } }", ["find"]),
    ("{ customers { totalCount } }", ["find", "count"]),
    ("{ customers { ...Total } } fragment Total on CustomerConnection { totalCount }", ["find", "count"]),
    ("{ customers { totalCount @skip(if: true) nodes { id } } }", ["find"]),
    ('{ customers(search: "name") { totalCount } }', ["find", "aggregate"]),
    ('{ customers(filter: {city: {eq: "x"}}) { nodes { id } } }', None),
    ("{ customerPage { items { id } } }", ["find"]),
    ("{ customerPage { items { id } page { page size } } }", ["find"]),
    ("{ customerPage { page { totalPages } } }", ["find", "count"]),
    ('{ customerPage(search: "name") { p: page { total: totalElements } } }', ["find", "aggregate"]),
    ("{ customerPage { ... on CustomerPage { page { ...N } } } } fragment N on PageNumbers { totalPages }",
     ["find", "count"]),
)  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), COUNTED, ids=[query for query, _ in COUNTED])
def test_a_total_is_counted_only_where_it_is_selected(crowd: Crowd, query: str, expected: list[str] | None) -> None:
    crowd.gateway.data("{ customers { totalCount } }")  # now the collection's own count is trusted
    with recorder().recording(crowd.gateway.database) as commands:
        answer = crowd.gateway.graphql(query)
    asked = [next(iter(command)) for command in commands if next(iter(command.values())) == "customers"]
    if expected is None:
        assert "errors" in answer, "a city is asked of some address"
    assert asked == (expected or [])


def test_c089_a_page_with_all_its_parts_is_one_command(crowd: Crowd) -> None:
    query = """{ customers { nodes { id addresses { id city } phoneNumbers { id number }
      notificationPreferences { sms } etag version } } }"""
    with recorder().recording(crowd.gateway.database) as commands:
        crowd.gateway.data(query)
    assert [next(iter(command)) for command in commands if "customers" in command.values()] == ["find"]


def test_only_what_is_selected_is_read_from_the_store(crowd: Crowd) -> None:
    with recorder().recording(crowd.gateway.database) as commands:
        crowd.gateway.data("{ customers { nodes { firstName } } }")
    (find,) = [command for command in commands if command.get("find") == "customers"]
    assert find["projection"] == {"_id": 0, "id": 1, "version": 1, "firstName": 1, "createdAt": 1}


# --- filters and orders


NULLS: tuple[dict[str, Any], ...] = (
    {"firstName": None},
    {"firstName": {"eq": None}},
    {"firstName": {"ne": None}},
    {"middleName": {"gt": None}},
    {"middleName": {"startsWith": None}},
    {"middleName": {"in": None}},
    {"and": None},
    {"or": None},
    {"not": None},
    {"addresses": None},
    {"addresses": {"some": None}},
    {"addresses": {"none": None}},
    {"addresses": {"some": {"city": None}}},
    {"addresses": {"some": {"city": {"eq": None}}}},
    {"addresses": {"some": {"not": None}}},
    {"phoneNumbers": {"some": {"and": None}}},
    {"notificationPreferences": None},
    {"notificationPreferences": {"sms": None}},
    {"notificationPreferences": {"sms": {"eq": None}}},
    {"createdAt": {"gt": None}},
    {"id": {"eq": None}},
    {"phone": {"eq": None}},
    {"addresses": {"some": {"type": {"eq": None}}}},
)


@pytest.mark.parametrize("asked", NULLS, ids=str)
def test_a_condition_that_is_null_is_refused_not_ignored(crowd: Crowd, asked: dict[str, Any]) -> None:
    assert _problem(crowd, _WINDOW, filter=asked)[:2] == (400, "invalid-filter")


def test_null_is_asked_for_where_a_field_can_be_empty(crowd: Crowd) -> None:
    without = [name for number, name in enumerate(ALL) if number % 3]
    assert _names(_window(crowd, filter={"middleName": {"eq": None}})) == without
    assert _names(_window(crowd, filter={"middleName": {"ne": None}})) == ALL[::3]
    assert _names(_window(crowd, filter={"addresses": {"none": {"street2": {"ne": None}}}})) == ALL


FILTERS: tuple[tuple[dict[str, Any], list[str]], ...] = (
    ({}, ALL),
    ({"firstName": {}}, ALL),
    ({"and": []}, ALL),
    ({"or": []}, []),
    ({"not": {}}, []),
    ({"addresses": {}}, ALL),
    ({"addresses": {"some": {}}}, ALL),
    ({"addresses": {"none": {}}}, []),
    ({"addresses": {"some": {"or": []}}}, []),
    ({"firstName": {"ge": "name010", "lt": "NAME011"}}, ["Name010"]),
    ({"firstName": {"in": ["name001", "x", "NAME003"]}}, ["Name001", "Name003"]),
    ({"firstName": {"startsWith": "name01"}}, ["Name010", "Name011"]),
    ({"firstName": {"contains": "e00"}, "lastName": {"eq": "ng"}}, ["Name003", "Name008"]),
    ({"addresses": {"some": {"city": {"eq": "berlin"}, "type": {"eq": "HOME"}}}}, ALL[1::2]),
    ({"addresses": {"some": {"city": {"eq": "berlin"}, "type": {"eq": "WORK"}}}}, []),
    ({"addresses": {"some": {"type": {"in": ["WORK", "BILLING"]}}}}, ALL),
    ({"addresses": {"some": {"city": {"eq": "berlin"}}, "none": {"city": {"eq": "paris"}}}}, []),
    ({"phoneNumbers": {"some": {"number": {"eq": "555-0107"}}}}, ["Name007"]),
    ({"phone": {"in": ["5550107", "+49 555-0101"]}}, ["Name001", "Name007"]),
    ({"notificationPreferences": {"sms": {"ne": True}, "push": {"eq": True}}}, ALL[1::2]),
    ({"createdAt": {"gt": "2026-03-01T12:00:09"}, "updatedAt": {"gt": "2026-03-01T12:16:29.000Z"}}, ["Name010"]),
    ({"or": [{"firstName": {"eq": "name001"}}, {"not": {"firstName": {"lt": "name011"}}}]}, ["Name001", "Name011"]),
)


@pytest.mark.parametrize(("asked", "found"), FILTERS, ids=[str(asked) for asked, _ in FILTERS])
def test_a_filter_by_variables_finds_what_it_says(crowd: Crowd, asked: dict[str, Any], found: list[str]) -> None:
    assert _names(_window(crowd, filter=asked)) == found


BAD_VALUES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"firstName": {"contains": "ab"}}, "at least 3 characters"),
    ({"firstName": {"in": []}}, "1 to 100 values"),
    ({"firstName": {"in": ["x"] * 101}}, "1 to 100 values"),
    ({"firstName": {"startsWith": "x" * 40_000}}, "more than 256 characters"),
    ({"firstName": {"contains": "ΐ" * 20_000}}, "more than 256 characters"),
    ({"id": {"in": ["x"]}}, "UUID"),
    ({"createdAt": {"gt": "soon"}}, "timestamp like"),
    ({"phone": {"eq": ""}}, "by its digits"),
    ({"or": [{"firstName": {"eq": "x"}}] * 100}, "100 parts"),
    ({"or": [{"firstName": {"contains": "xyz"}}] * 6}, "at most 5 contains"),
)


@pytest.mark.parametrize(("asked", "says"), BAD_VALUES, ids=[f"{str(asked)[:50]} {says}" for asked, says in BAD_VALUES])
def test_a_value_that_a_filter_does_not_take_is_refused(crowd: Crowd, asked: dict[str, Any], says: str) -> None:
    status, slug, message = _problem(crowd, _WINDOW, filter=asked)
    assert (status, slug) == (400, "invalid-filter")
    assert says in message


def test_a_search_of_60_000_digits_is_refused_at_once(crowd: Crowd) -> None:
    assert _problem(crowd, _WINDOW, search="1" * 60_000 + "x")[:2] == (400, "invalid-filter")


WRONG_TYPES: tuple[dict[str, Any], ...] = (
    {"firstName": {"$gt": ""}},
    {"firstName": {"eq": {"$gt": ""}}},
    {"$where": "1"},
    {"firstName": "x"},
    {"addresses": {"some": {"type": {"eq": "CASTLE"}}}},
    {"addresses": {"some": {"type": {"eq": "home"}}}},
    {"notificationPreferences": {"sms": {"eq": "true"}}},
    {"firstName": {"in": [None]}},
    {"createdAt": {"startsWith": "2"}},
)


@pytest.mark.parametrize("asked", WRONG_TYPES, ids=str)
def test_c117_what_the_schema_does_not_know_is_refused_before_anything_runs(
    crowd: Crowd, asked: dict[str, Any]
) -> None:
    with recorder().recording(crowd.gateway.database) as commands:
        answer = crowd.gateway.graphql(_WINDOW, filter=asked)
    assert answer["errors"]
    assert "data" not in answer
    assert not [command for command in commands if "customers" in command.values()]


ORDERS: tuple[tuple[list[dict[str, str]], list[str]], ...] = (
    ([], ALL),
    ([{}], ALL),
    ([{"direction": "DESC"}], ALL[::-1]),
    ([{"field": "UPDATED_AT"}], ALL[::-1]),
    ([{"field": "FIRST_NAME", "direction": "DESC"}], ALL[::-1]),
    ([{"field": "LAST_NAME"}, {"field": "FIRST_NAME", "direction": "DESC"}],
     [ALL[number] for number in (10, 5, 0, 11, 6, 1, 8, 3, 7, 2, 9, 4)]),
    ([{"field": "MIDDLE_NAME"}, {"field": "CREATED_AT"}],
     [name for number, name in enumerate(ALL) if number % 3] + ALL[::6] + ALL[3::6]),
)  # fmt: skip


@pytest.mark.parametrize(("terms", "expected"), ORDERS, ids=[str(terms) for terms, _ in ORDERS])
def test_an_order_by_enums_sorts(crowd: Crowd, terms: list[dict[str, str]], expected: list[str]) -> None:
    assert _names(_window(crowd, orderBy=terms)) == expected


def test_an_order_that_is_not_clear_is_refused(crowd: Crowd) -> None:
    twice = [{"field": "LAST_NAME"}, {"field": "LAST_NAME", "direction": "DESC"}]
    assert _problem(crowd, _WINDOW, orderBy=twice)[:2] == (400, "invalid-parameter")
    for term in ({"field": "lastName"}, {"field": "CITY"}, {"direction": "UP"}, {"field": None}):
        assert "data" not in crowd.gateway.graphql(_WINDOW, orderBy=[term])


def test_filters_and_orders_can_be_written_in_the_document(crowd: Crowd) -> None:
    query = """{ customers(filter: {lastName: {eq: "NG"}, addresses: {some: {type: {eq: WORK}}}},
                          orderBy: [{field: FIRST_NAME, direction: DESC}]) { nodes { firstName } } }"""
    assert _names(crowd.gateway.data(query)["customers"]) == ["Name008", "Name003"]


def test_explain_needs_the_admin_scope(crowd: Crowd) -> None:
    query = '{ explainCustomers(filter: {lastName: {eq: "Ng"}}) { indexes sorts scansCollection returned query } }'
    plan = crowd.gateway.data(query)["explainCustomers"]
    assert (plan["indexes"], plan["sorts"], plan["scansCollection"], plan["returned"]) == (["terms"], False, False, 2)
    assert "ln:ng" in plan["query"]
    with crowd.gateway.with_scopes("customers:read") as reader:
        answer = reader.post("/graphql", json={"query": query}).json()
    assert answer["errors"][0]["extensions"]["type"].endswith("/forbidden")
