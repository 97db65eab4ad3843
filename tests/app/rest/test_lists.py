"""GET /customers and POST /customers:search: every parameter, every envelope, every refusal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator

from app.rest.list_parameters import LIST_PARAMETERS
from app.rest.openapi import openapi
from app.rest.parameters import parse_parameters
from app.rest.questions import where_of
from storage.query import CUSTOMER_FIELDS, And, Compare
from tests.crowd import LIST, SEARCH, Crowd, crowded, links, member, names, problem
from tests.wiretap import recorder

COUNT = 60
ALL = [f"Name{number:03}" for number in range(COUNT)]
ENVELOPED = {"Accept": "application/json;profile=enveloped"}


@pytest.fixture(scope="module")
def crowd(mongod_url: str) -> Iterator[Crowd]:
    recorder()
    with crowded(mongod_url, [member(number) for number in range(COUNT)]) as made:
        yield made


# --- page and size


def test_a_list_without_parameters_is_the_first_25_by_creation(crowd: Crowd) -> None:
    response = crowd.get()
    assert names(response) == ALL[:25]
    assert response.json()["page"] == {"page": 1, "size": 25, "totalElements": 60, "totalPages": 3}


@pytest.mark.parametrize("name", ["size", "page_size", "pageSize"])
def test_the_size_has_every_name_of_the_guidelines(crowd: Crowd, name: str) -> None:
    assert crowd.names(**{name: 7, "page": 2}) == ALL[7:14]
    assert crowd.names(**{name: 100}) == ALL


def test_two_names_of_one_parameter_are_refused(crowd: Crowd) -> None:
    assert crowd.problem(size=5, page_size=5) == (400, "invalid-parameter", "size may be sent only once.")
    assert problem(crowd.search(size=5, page_size=5)) == (400, "invalid-parameter", "size may be sent only once.")
    assert crowd.problem(lastName="a", last_name="a")[1] == "invalid-parameter"
    assert crowd.gateway.http.get(f"{LIST}?page=1&page=1").status_code == 400


@pytest.mark.parametrize("size", ["0", "101", "-1", "1.5", "1e1", "ten", "", " 5", "99999999999", "٣", "+5", "0x5"])
def test_a_size_outside_1_to_100_is_refused(crowd: Crowd, size: str) -> None:
    status, slug, detail = crowd.problem(size=size)
    assert (status, slug) == (400, "invalid-parameter")
    assert "1 to 100" in detail


@pytest.mark.parametrize("page", ["0", "-1", "1.5", "one", "", "2147483648", "99999999999999999999"])
def test_a_page_that_is_no_number_from_1_is_refused(crowd: Crowd, page: str) -> None:
    assert crowd.problem(page=page)[:2] == (400, "invalid-parameter")


def test_a_page_too_deep_for_an_offset_points_to_the_cursor(crowd: Crowd) -> None:
    status, slug, detail = crowd.problem(page=2147483647)
    assert (status, slug) == (400, "invalid-parameter")
    assert "cursor" in detail


def test_a_page_beyond_the_end_is_empty_and_still_counts(crowd: Crowd) -> None:
    body = crowd.get(page=9).json()
    assert body == {"content": [], "page": {"page": 9, "size": 25, "totalElements": 60, "totalPages": 3}}


def test_a_list_shows_each_customer_as_it_is_shown_alone_to_the_letter(crowd: Crowd) -> None:
    for customer in crowd.get(size=3).json()["content"]:
        assert json.dumps(customer) == json.dumps(crowd.gateway.http.get(f"{LIST}/{customer['id']}").json())


def test_nothing_is_read_for_a_list_but_what_it_shows_and_what_its_order_needs(crowd: Crowd) -> None:
    def read(**parameters: Any) -> set[str]:
        with recorder().recording(crowd.gateway.database) as commands:
            crowd.get(**parameters)
        (find,) = [command for command in commands if command.get("find") == "customers"]
        assert set(find["projection"].values()) == {0, 1}
        return {path for path, kept in find["projection"].items() if kept}

    every = {
        "id", "firstName", "middleName", "lastName", "email", "notificationPreferences", "createdAt", "updatedAt",
    }  # fmt: skip
    whole = read(fields=",".join([*sorted(every), "addresses", "phoneNumbers"]))
    assert {path for path in whole if "." not in path} == every
    assert whole.isdisjoint({"version", "addresses.id", "phoneNumbers.id"})
    assert whole >= {"addresses.city", "phoneNumbers.number"}
    assert read(fields="addresses") == {"id", "createdAt", *(path for path in whole if path.startswith("addresses."))}
    assert read(fields="email", sort="lastName") == {"id", "email", "lastName"}


# --- counting


def test_count_none_leaves_the_totals_out(crowd: Crowd) -> None:
    response = crowd.get(count="none")
    assert response.json()["page"] == {"page": 1, "size": 25}
    assert len(names(response)) == 25


def test_count_exact_counts(crowd: Crowd) -> None:
    assert crowd.get(count="exact").json()["page"]["totalElements"] == COUNT
    assert crowd.get(count="exact", city="berlin").json()["page"]["totalElements"] == 30


@pytest.mark.parametrize("count", ["", "all", "EXACT", "auto"])
def test_another_count_is_refused(crowd: Crowd, count: str) -> None:
    assert crowd.problem(count=count) == (400, "invalid-parameter", "count must be one of exact, none.")


# --- envelopes


def _enveloped(crowd: Crowd, **parameters: Any) -> dict[str, Any]:
    response = crowd.gateway.http.get(LIST, params=parameters, headers=ENVELOPED)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    assert list(body) == ["customers", "metadata"]
    return body


def test_the_enveloped_list_has_the_guidelines_names(crowd: Crowd) -> None:
    body = _enveloped(crowd, page=2, size=7)
    assert [customer["firstName"] for customer in body["customers"]] == ALL[7:14]
    assert body["metadata"] == {"pagination": {"page": 2, "page_size": 7, "total_count": COUNT}}


def test_the_enveloped_list_without_a_count_has_none(crowd: Crowd) -> None:
    assert _enveloped(crowd, count="none")["metadata"] == {"pagination": {"page": 1, "page_size": 25}}


def test_a_list_by_cursor_has_a_size_and_totals_only_where_they_are_wanted(crowd: Crowd) -> None:
    assert crowd.get(cursor="", size=5).json()["page"] == {"size": 5}
    exact = {"size": 5, "totalElements": COUNT, "totalPages": 12}
    assert crowd.get(cursor="", size=5, count="exact").json()["page"] == exact
    assert crowd.get(cursor="", size=5, count="none").json()["page"] == {"size": 5}
    assert _enveloped(crowd, cursor="", size=5)["metadata"] == {"pagination": {"page_size": 5}}
    counted = _enveloped(crowd, cursor="", size=5, count="exact")["metadata"]
    assert counted == {"pagination": {"page_size": 5, "total_count": COUNT}}


def test_an_empty_list_is_empty_in_both_envelopes(crowd: Crowd) -> None:
    body = crowd.get(email="nobody@example.com").json()
    assert body == {"content": [], "page": {"page": 1, "size": 25, "totalElements": 0, "totalPages": 0}}
    enveloped = _enveloped(crowd, email="nobody@example.com")
    assert enveloped == {"customers": [], "metadata": {"pagination": {"page": 1, "page_size": 25, "total_count": 0}}}


# --- order


DESCENDING = (
    "sort=createdAt,desc",
    "sort=created_at,DESC",
    "sort_by=-createdAt",
    "sortBy=-created_at",
    "sort_by=createdAt:desc",
    "sort_fields=createdAt&sort=desc",
    "sortFields=created_at&sort=desc",
    "sort_field=createdAt&sort=desc",
    "sortField=createdAt&sort=desc",
    "sort=updatedAt",
    "sort=updated_at,asc",
    "sort_by=updatedAt",
    "sort_by=+updatedAt",
    "sort_by=%2BupdatedAt",
    "sort_by=%20updatedAt:asc",
    "sort_fields=updatedAt",
    "sort_fields=updatedAt&sort=asc",
    "sort=firstName,desc",
)


@pytest.mark.parametrize("query", DESCENDING)
def test_every_dialect_sorts_and_a_plus_may_arrive_as_a_blank(crowd: Crowd, query: str) -> None:
    assert names(crowd.gateway.http.get(f"{LIST}?{query}&size=3")) == ["Name059", "Name058", "Name057"]


@pytest.mark.parametrize(
    "query",
    [
        "sort=lastName&sort=firstName,desc",
        "sort_by=+lastName,-firstName",
        "sort_by=lastName:asc,firstName:desc",
        "sort_by=last_name,-first_name",
    ],
)
def test_an_order_of_several_fields_ignores_case_and_accents_first(crowd: Crowd, query: str) -> None:
    found = names(crowd.gateway.http.get(f"{LIST}?{query}&size=100"))
    assert found[:2] == ["Name055", "Name050"], "Müller stands before muller, and their first names descend"
    assert found[12] == "Name056"
    assert found[-1] == "Name004"


REFUSED_SORTS = (
    ("sort=createdAt,desc&sort_by=-createdAt", "sort_by alone"),
    ("sort_fields=createdAt&sort_by=-createdAt", "sort_by alone"),
    ("sort_fields=createdAt&sort=lastName,desc", "asc or desc, once"),
    ("sort_fields=createdAt&sort=asc&sort=desc", "asc or desc, once"),
    ("sort=desc", "need sort_fields"),
    ("sort=lastName&sort=last_name,desc", "only once by each field"),
    ("sort_by=lastName,-lastName", "only once by each field"),
    ("sort_fields=lastName,lastName", "only once by each field"),
    ("sort=lastname", "Did you mean lastName?"),
    ("sort_by=-created", "Did you mean createdAt?"),
    ("sort=city", "It takes id, firstName"),
    ("sort=version", "cannot be ordered by 'version'"),
    ("sort=lastName,up", "neither asc nor desc"),
    ("sort=lastName,desc,firstName", "neither asc nor desc"),
    ("sort_by=lastName:down", "neither asc nor desc"),
    ("sort=", "no name of a field"),
    ("sort_by=", "no name of a field"),
    ("sort_by=lastName,", "no name of a field"),
    ("sort_fields=", "no name of a field"),
    ("sort=-lastName", "no name of a field"),
    ("sort=addresses.city", "no name of a field"),
    ("sort=$natural", "no name of a field"),
    ("sort_by=--lastName", "no name of a field"),
    ("sort=" + "x" * 33, "no name of a field"),
)


@pytest.mark.parametrize(("query", "says"), REFUSED_SORTS, ids=[query for query, _ in REFUSED_SORTS])
def test_an_order_that_is_not_clear_is_refused(crowd: Crowd, query: str, says: str) -> None:
    status, slug, detail = problem(crowd.gateway.http.get(f"{LIST}?{query}"))
    assert (status, slug) == (400, "invalid-parameter")
    assert says in detail


# --- simple filters


def _some(crowd: Crowd, **parameters: Any) -> list[str]:
    return crowd.names(size=100, **parameters)


SIMPLE: tuple[tuple[tuple[str, ...], str, list[str]], ...] = (
    (("firstName", "first_name"), "NAME007", ["Name007"]),
    (("middleName", "middle_name"), "mid1", ALL[3::6]),
    (("lastName", "last_name"), "REIGER", ALL[2::5]),
    (("name",), "mid0", ALL[0::6]),
    (("city",), "BERLIN", ALL[1::2]),
    (("state",), "ca", ALL),
    (("postalCode", "postal_code"), "94105", ALL),
    (("country",), "fr", ALL),
    (("addressType", "address_type"), "work", ALL),
    (("addressType", "address_type"), "billing", []),
    (("phoneType", "phone_type"), "MOBILE", ALL),
    (("phone",), "555-0107", ["Name007"]),
    (("phone",), "+49 (555) 0107", ["Name007"]),
    (("phone",), "0049 555 0107", ["Name007"]),
    (("phone",), "5550", []),
    (("createdAfter", "created_after"), "2026-03-01T12:00:57Z", ALL[58:]),
    (("createdAfter", "created_after"), "2026-03-01T14:00:57+02:00", ALL[58:]),
    (("createdBefore", "created_before"), "2026-03-01T12:00:02:000", ALL[:2]),
    (("updatedAfter", "updated_after"), "2026-03-01T12:16:38", ALL[:2]),
    (("updatedBefore", "updated_before"), "2026-03-01T12:15:42.000Z", ALL[59:]),
    (("notify",), "sms", ALL[0::2]),
    (("notify",), "sms,push", ALL[0::2]),
    (("notify",), "mail", []),
    (("firstName",), " Name007", []),
    (("firstName",), "Name00", []),
    (("lastName",), "mueller", []),
    (("lastName",), "MÜLLER", ALL[0::5]),
    (("lastName",), "MU\u0308LLER", ALL[0::5]),
)
CASES = [(name, value, found) for aliases, value, found in SIMPLE for name in aliases]


@pytest.mark.parametrize(("name", "value", "found"), CASES, ids=[f"{name}={value}" for name, value, _ in CASES])
def test_a_simple_filter_finds_in_both_cases(crowd: Crowd, name: str, value: str, found: list[str]) -> None:
    assert _some(crowd, **{name: value}) == found


def test_simple_filters_must_all_hold_with_q_and_filter(crowd: Crowd) -> None:
    found = _some(crowd, city="Berlin", notify="push", q="name00", filter="lastName eq 'Reiger'")
    assert found == ["Name007"]


def test_an_id_may_stand_several_times(crowd: Crowd) -> None:
    ids = [crowd.customers[number]["id"] for number in (3, 1)]
    assert _some(crowd, id=ids) == ["Name001", "Name003"]
    assert _some(crowd, id=ids[0].upper()) == ["Name003"]


def test_an_email_is_compared_without_case(crowd: Crowd) -> None:
    assert _some(crowd, email=crowd.customers[5]["email"].upper()) == ["Name005"]


@pytest.mark.parametrize(
    "query",
    [
        "createdAfter=2026-03-01T14:00:57+02:00",
        "created_after=2026-03-01T14:00:57.000+02:00",
    ],
)
def test_the_plus_of_a_zone_may_arrive_as_a_blank(crowd: Crowd, query: str) -> None:
    assert names(crowd.gateway.http.get(f"{LIST}?size=100&{query}")) == ALL[58:]


def test_the_plus_of_an_email_may_arrive_as_a_blank_and_other_blanks_stay() -> None:
    given = parse_parameters(b"email=ann+news@example.com&lastName=van+Dyk", LIST_PARAMETERS)
    assert where_of(given) == And(
        (
            Compare(CUSTOMER_FIELDS["lastName"], "eq", "van Dyk"),
            Compare(CUSTOMER_FIELDS["email"], "eq", "ann+news@example.com"),
        )
    )


@pytest.mark.parametrize("field", ["created", "updated"])
@pytest.mark.parametrize("year", ["0001", "0999", "1000", "9998"])
def test_any_year_from_1_to_9998_can_be_compared_with(crowd: Crowd, field: str, year: str) -> None:
    before, after = ([], ALL) if year < "2026" else (ALL, [])
    assert _some(crowd, **{f"{field}After": f"{year}-01-01"}) == after
    assert _some(crowd, **{f"{field}Before": f"{year}-01-01"}) == before


def test_notify_may_stand_several_times(crowd: Crowd) -> None:
    assert names(crowd.gateway.http.get(f"{LIST}?notify=sms&notify=email&size=100")) == ALL[0::2]


BAD_FILTERS = (
    ("addressType", "castle", "billing, shipping, home, work"),
    ("phoneType", "", "mobile, home, work, other"),
    ("phone", "none", "by its digits"),
    ("createdAfter", "yesterday", "timestamp like"),
    ("updatedBefore", "9999-01-01", "a year up to 9998"),
    ("notify", "fax", "notificationPreferences.fax"),
    ("notify", "", "no field"),
    ("notify", "emial", "Did you mean notificationPreferences.email?"),
    ("lastName", "x" * 257, "more than 256 characters"),
    ("q", " ".join("abcdefghijk"), "at most 10 words"),
    ("q", "x" * 1001, "at most 1000 characters"),
)


@pytest.mark.parametrize(("name", "value", "says"), BAD_FILTERS, ids=[f"{n}={v[:20]}" for n, v, _ in BAD_FILTERS])
def test_a_value_that_a_filter_does_not_take_is_refused(crowd: Crowd, name: str, value: str, says: str) -> None:
    status, slug, detail = crowd.problem(**{name: value})
    assert (status, slug) == (400, "invalid-filter")
    assert says in detail


UNKNOWN = (
    ("lastname", "Did you mean last_name?"),
    ("frist_name", "Did you mean first_name?"),
    ("limit", "There is no parameter 'limit' here."),
    ("offset", "There is no parameter 'offset' here."),
    ("zzzz", "Known: addressType, city"),
    ("dryRun", "There is no parameter 'dryRun' here."),
    ("$where", "There is no parameter '$where' here."),
    ("lastName[$ne]", "There is no parameter 'lastName[$ne]' here."),
)


@pytest.mark.parametrize(("name", "says"), UNKNOWN, ids=[name for name, _ in UNKNOWN])
def test_an_unknown_parameter_is_refused_with_the_nearest_known_one(crowd: Crowd, name: str, says: str) -> None:
    status, slug, detail = crowd.problem(**{name: "1"})
    assert (status, slug) == (400, "unknown-parameter")
    assert says in detail


@pytest.mark.parametrize("query", ["q=%ff", "lastName=%ED%A0%80", "lastName=%00", "q=%0a", "lastName=a%7f"])
def test_what_is_no_plain_utf8_is_refused(crowd: Crowd, query: str) -> None:
    assert problem(crowd.gateway.http.get(f"{LIST}?{query}"))[:2] == (400, "malformed-request")


# --- q


WORDS: tuple[tuple[str, list[str]], ...] = (
    ("name00", ALL[:10]),
    ("NAME007", ["Name007"]),
    ("name007 köl", []),
    ("name006 kol", ["Name006"]),
    ("muller", sorted(ALL[0::5] + ALL[1::5])),
    ("MÜLLER name00", ["Name000", "Name001", "Name005", "Name006"]),
    ("zak name00", ["Name004", "Name009"]),
    ("555-0107", ["Name007"]),
    ("555 01", ALL),
    ("+49 555 0107", ["Name007"]),
    ("0107", []),
    ("example.com name007", ["Name007"]),
    ("ame007", []),
    ("", []),
    ("  ", []),
    ("!?-_", []),
    ("$ne", []),
    ("🦊", []),
    (" ".join(["name007"] * 10), ["Name007"]),
)


@pytest.mark.parametrize(("text", "found"), WORDS, ids=[text for text, _ in WORDS])
def test_q_finds_words_by_their_beginnings_and_without_a_word_nothing(
    crowd: Crowd, text: str, found: list[str]
) -> None:
    assert _some(crowd, q=text) == found
    assert names(crowd.search(q=text, size=100)) == found


# --- the alias, and the search with a body


def test_the_alias_lists_too_and_says_where_the_list_really_is(crowd: Crowd) -> None:
    response = crowd.gateway.http.get("/customers?size=2&sort=firstName,desc&cursor=")
    assert names(response) == ["Name059", "Name058"]
    found = links(response)
    assert found["canonical"] == f"{LIST}?size=2&sort=firstName,desc&cursor="
    assert found["next"].startswith("/customers?")
    assert names(crowd.gateway.http.get(found["next"])) == ["Name057", "Name056"]


SEARCHES: tuple[dict[str, Any], ...] = (
    {},
    {"size": 3, "page": 2},
    {"page_size": 3, "sort_by": "-lastName,firstName"},
    {"sort": ["lastName,desc", "firstName"], "count": "none"},
    {"sort_fields": "lastName,firstName", "sort": "desc", "size": 3},
    {"sort": "firstName,desc", "filter": "city eq 'Berlin'"},
    {"q": "name00", "fields": "id,last_name"},
    {"q": "name00", "fields": ["id", "addresses.city"]},
    {"cursor": "", "size": 4, "count": "exact"},
    {"size": "4"},
    {"q": None, "size": 2},
)


@pytest.mark.parametrize("body", SEARCHES, ids=str)
def test_a_search_equals_the_list(crowd: Crowd, body: dict[str, Any]) -> None:
    parameters = {name: value for name, value in body.items() if value is not None}
    if isinstance(parameters.get("fields"), list):
        parameters["fields"] = ",".join(parameters["fields"])
    assert crowd.search(**body).json() == crowd.get(**parameters).json()


def test_a_search_is_enveloped_where_that_is_asked_for(crowd: Crowd) -> None:
    response = crowd.gateway.http.post(SEARCH, json={"size": 1}, headers=ENVELOPED)
    assert response.json()["metadata"] == {"pagination": {"page": 1, "page_size": 1, "total_count": COUNT}}


def test_a_search_is_walked_by_the_cursor_and_has_no_links(crowd: Crowd) -> None:
    body: dict[str, Any] = {"cursor": "", "size": 25, "sort": ["lastName", "firstName,desc"]}
    seen: list[str] = []
    while True:
        response = crowd.search(**body)
        seen += names(response)
        assert "link" not in response.headers
        if "next-cursor" not in response.headers:
            break
        body["cursor"] = response.headers["next-cursor"]
    assert seen == names(crowd.search(size=100, sort=body["sort"]))


BAD_BODIES: tuple[tuple[Any, str, str], ...] = (
    ({"lastName": "x"}, "unknown-parameter", "There is no parameter 'lastName' here."),
    ({"sortt": "x"}, "unknown-parameter", "Did you mean sort?"),
    ({"id": []}, "unknown-parameter", "There is no parameter 'id' here."),
    ({"$where": "1"}, "unknown-parameter", "There is no parameter '$where' here."),
    ({"filter": {"$gt": ""}}, "invalid-parameter", "filter must be text"),
    ({"q": {"$regex": ".*"}}, "invalid-parameter", "q must be text"),
    ({"q": [["x"]]}, "invalid-parameter", "q must be text"),
    ({"size": 1.5}, "invalid-parameter", "size must be text, a whole number"),
    ({"size": True}, "invalid-parameter", "1 to 100"),
    ({"size": 0}, "invalid-parameter", "1 to 100"),
    ({"size": [1, 2]}, "invalid-parameter", "1 to 100"),
    ({"page": -1}, "invalid-parameter", "page must be"),
    ({"sort": [1]}, "invalid-parameter", "no name of a field"),
    ({"sort": [None]}, "invalid-parameter", "sort must be text"),
    ({"fields": 5}, "invalid-parameter", "no field '5'"),
    ({"filter": 5}, "invalid-filter", "position 1"),
    ({"cursor": 5}, "invalid-cursor", "does not belong"),
    ({"explain": "maybe"}, "invalid-parameter", "true or false"),
    ({"cursor": "", "page": 1}, "invalid-parameter", "page or cursor"),
    ([], "wrong-top-level", "JSON object"),
    ("x", "wrong-top-level", "JSON object"),
    (None, "wrong-top-level", "JSON object"),
)


@pytest.mark.parametrize(("body", "slug", "says"), BAD_BODIES, ids=[str(body) for body, _, _ in BAD_BODIES])
def test_a_search_with_unknown_members_or_wrong_types_is_refused(crowd: Crowd, body: Any, slug: str, says: str) -> None:
    content = json.dumps(body).encode()
    response = crowd.gateway.http.post(SEARCH, content=content, headers={"Content-Type": "application/json"})
    status, found, detail = problem(response)
    assert (status, found) == (400, slug)
    assert says in detail


def test_a_filter_too_long_for_a_uri_is_searched(crowd: Crowd) -> None:
    wanted = " or ".join(f"firstName eq 'name{number:03}'" for number in range(98))
    assert len(wanted) > 2000
    assert names(crowd.search(filter=wanted, size=100)) == ALL
    assert problem(crowd.get(filter=wanted))[:2] == (414, "uri-too-long")


# --- explain


def test_explain_needs_the_admin_scope(crowd: Crowd) -> None:
    with crowd.gateway.with_scopes("customers:read") as reader:
        assert problem(reader.get(f"{LIST}?explain=true"))[:2] == (403, "forbidden")
        assert problem(reader.post(SEARCH, json={"explain": True}))[:2] == (403, "forbidden")
        assert reader.get(f"{LIST}?explain=false&size=1").status_code == 200


def test_explain_shows_query_index_and_what_was_examined(crowd: Crowd) -> None:
    plan = crowd.get(explain="true", filter="lastName eq 'Reiger'", size=5).json()["explain"]
    assert plan["query"]["filter"] == {"keys.terms": {"$eq": "ln:reiger"}}
    assert plan["query"]["sort"] == {"keys.place": 1}
    assert plan["indexes"] == ["terms"]
    assert (plan["scansCollection"], plan["sorts"]) == (False, False)
    assert (plan["keysExamined"], plan["documentsExamined"], plan["returned"]) == (5, 5, 5)
    assert plan["milliseconds"] >= 0


@pytest.mark.parametrize("form", ["application/json", "application/json;profile=enveloped"])
@pytest.mark.parametrize("question", [{"page": 2, "size": 3}, {"cursor": "", "size": 3, "fields": "lastName"}])
def test_explain_is_a_list_without_customers_as_openapi_describes_it(
    crowd: Crowd, form: str, question: dict[str, Any]
) -> None:
    schemas = openapi()["components"]
    name = "EnvelopedCustomerPage" if "profile" in form else "CustomerPage"
    described = {"components": schemas, "$ref": f"#/components/schemas/{name}"}
    asked = {"explain": True, "filter": "city eq 'Berlin' and createdAt gt 2026-01-01T00:00:00Z", **question}
    for answer in (
        crowd.gateway.http.get(LIST, params=asked, headers={"Accept": form}),
        crowd.gateway.http.post(SEARCH, json=asked, headers={"Accept": form}),
    ):
        assert answer.status_code == 200, answer.text
        Draft202012Validator(described).validate(answer.json())
        assert answer.json().keys() > {"explain"}
        assert [] in answer.json().values()
    assert "explain" not in crowd.gateway.http.get(LIST, headers={"Accept": form}).json()


def test_explain_of_a_search_and_of_a_cursor_shows_them(crowd: Crowd) -> None:
    cursor = crowd.get(cursor="", size=1).headers["next-cursor"]
    plan = crowd.search(explain=True, cursor=cursor, size=1).json()["explain"]
    assert plan["indexes"] == ["place"]
    assert list(plan["query"]["filter"]) == ["keys.place"]
    assert plan["returned"] == 2, "one more, to see whether more follow"


def test_explain_refuses_what_the_list_refuses(crowd: Crowd) -> None:
    assert crowd.problem(explain="true", filter="x")[1] == "invalid-filter"
    assert crowd.problem(explain="true", cursor="x")[1] == "invalid-cursor"
    assert crowd.problem(explain="maybe") == (400, "invalid-parameter", "explain must be true or false.")


# --- links of pages by number


def test_c093_the_links_of_a_page_lead_around_it_and_end_at_the_ends(crowd: Crowd) -> None:
    query = f"{LIST}?size=20&filter={quote('createdAt ge 2026-03-01 and not (phone eq 1)')}"
    seen: list[str] = []
    uri: str | None = f"{query}&page=1"
    while uri:
        response = crowd.gateway.http.get(uri)
        seen += names(response)
        found = links(response)
        assert ("prev" in found) == (len(seen) > 20)
        assert names(crowd.gateway.http.get(found["first"])) == ALL[:20]
        if "prev" in found:
            assert names(crowd.gateway.http.get(found["prev"])) == seen[-40:-20]
        uri = found.get("next")
    assert seen == ALL


@pytest.mark.parametrize("size", [20, 25, 60, 59])
def test_c093_the_last_page_has_no_next_also_where_nothing_is_counted(crowd: Crowd, size: int) -> None:
    last = -(-COUNT // size)
    assert "next" not in links(crowd.get(size=size, page=last, count="none"))
    assert len(names(crowd.get(size=size, page=last, count="none"))) == COUNT - size * (last - 1)
    if last > 1:
        assert "next" in links(crowd.get(size=size, page=last - 1, count="none"))


def test_links_that_a_get_could_not_use_are_refused_and_not_left_out(crowd: Crowd) -> None:
    wanted = "createdAt ge 2026-03-01".ljust(1900)
    response = crowd.get(filter=wanted, cursor="", size=10)
    assert problem(response)[:2] == (414, "uri-too-long")
    assert "customers:search" in response.json()["detail"]
    assert crowd.get(filter=wanted, cursor="", size=100).status_code == 200, "nothing follows, so there is no such link"
    assert crowd.get(filter=wanted, size=10).status_code == 200, "the number of a page is short"
    assert len(names(crowd.search(filter=wanted, cursor="", size=10))) == 10
