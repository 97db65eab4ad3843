"""`fields=`: what a list or one customer shows, and the ETags of selections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests import factories
from tests.crowd import LIST, Crowd, crowded, member, problem

ADDRESS = {"type", "street1", "street2", "city", "state", "postalCode", "country"}
WHOLE = {
    "id", "firstName", "middleName", "lastName", "email", "addresses", "phoneNumbers", "notificationPreferences",
    "createdAt", "updatedAt",
}  # fmt: skip


@pytest.fixture(scope="module")
def crowd(mongod_url: str) -> Iterator[Crowd]:
    with crowded(mongod_url, [member(number) for number in range(3)]) as made:
        yield made


SELECTIONS: tuple[tuple[str, set[str]], ...] = (
    ("firstName", {"id", "firstName"}),
    ("first_name,last_name", {"id", "firstName", "lastName"}),
    ("id", {"id"}),
    ("id,id", {"id"}),
    (" firstName , email", {"id", "firstName", "email"}),
    ("firstName,first_name", {"id", "firstName"}),
    ("addresses", {"id", "addresses"}),
    ("phone_numbers,notification_preferences", {"id", "phoneNumbers", "notificationPreferences"}),
    ("createdAt,updated_at", {"id", "createdAt", "updatedAt"}),
    (",".join(sorted(WHOLE)), WHOLE),
)


@pytest.mark.parametrize(("fields", "shown"), SELECTIONS, ids=[fields[:40] for fields, _ in SELECTIONS])
def test_only_the_selected_fields_are_shown_and_always_the_id(crowd: Crowd, fields: str, shown: set[str]) -> None:
    listed = crowd.get(fields=fields).json()["content"]
    assert len(listed) == 3
    assert all(set(customer) == shown for customer in listed)
    assert listed == crowd.search(fields=fields).json()["content"]
    one = crowd.gateway.http.get(f"{LIST}/{listed[0]['id']}", params={"fields": fields}).json()
    assert one == listed[0]
    walked = crowd.get(fields=fields, cursor="", sort="lastName").json()["content"]
    assert all(set(customer) == shown for customer in walked)


NESTED: tuple[tuple[str, str, set[str]], ...] = (
    ("addresses.city", "addresses", {"city"}),
    ("addresses/postal_code,addresses.city", "addresses", {"postalCode", "city"}),
    ("addresses.city,addresses", "addresses", ADDRESS),
    ("phone_numbers.country_code", "phoneNumbers", {"countryCode"}),
    ("phoneNumbers/number", "phoneNumbers", {"number"}),
)


@pytest.mark.parametrize(("fields", "name", "shown"), NESTED, ids=[fields for fields, _, _ in NESTED])
def test_nested_fields_are_selected_of_every_element(crowd: Crowd, fields: str, name: str, shown: set[str]) -> None:
    for customer in crowd.get(fields=fields).json()["content"]:
        assert set(customer) == {"id", name}
        assert customer[name]
        assert all(set(element) == shown for element in customer[name])


def test_single_preferences_are_selected(crowd: Crowd) -> None:
    customer = crowd.get(fields="notification_preferences.sms,notificationPreferences/push").json()["content"][0]
    assert customer == {"id": customer["id"], "notificationPreferences": {"sms": True, "push": True}}


def test_the_selected_values_are_those_of_the_whole(crowd: Crowd) -> None:
    whole = crowd.get().json()["content"][1]
    part = crowd.get(fields="lastName,addresses.city,phoneNumbers.number").json()["content"][1]
    assert part == {
        "id": whole["id"],
        "lastName": whole["lastName"],
        "addresses": [{"city": address["city"]} for address in whole["addresses"]],
        "phoneNumbers": [{"number": phone["number"]} for phone in whole["phoneNumbers"]],
    }


UNKNOWN = (
    ("", "''"),
    ("firstName,", "''"),
    ("frstName", "Did you mean firstName?"),
    ("firstname", "Did you mean firstName?"),
    ("addresses.zity", "Did you mean addresses.city?"),
    ("addresses.id", "no field 'addresses.id'"),
    ("version", "no field 'version'"),
    ("_id", "no field '_id'"),
    ("keys", "no field 'keys'"),
    ("keys.terms", "no field 'keys.terms'"),
    ("addresses.city.x", "no field 'addresses.city.x'"),
    ("$where", "no field '$where'"),
    ("addresses.$", "no field 'addresses.$'"),
    ("*", "no field '*'"),
)


@pytest.mark.parametrize(("fields", "says"), UNKNOWN, ids=[fields for fields, _ in UNKNOWN])
def test_an_unknown_field_is_refused_with_the_nearest_known_one(crowd: Crowd, fields: str, says: str) -> None:
    for response in (
        crowd.get(fields=fields),
        crowd.search(fields=fields),
        crowd.gateway.http.get(f"{LIST}/{crowd.customers[0]['id']}", params={"fields": fields}),
    ):
        status, slug, detail = problem(response)
        assert (status, slug) == (400, "invalid-parameter")
        assert says in detail


def _one(crowd: Crowd, identifier: str, headers: dict[str, str] | None = None, **parameters: Any) -> Any:
    return crowd.gateway.http.get(f"{LIST}/{identifier}", params=parameters, headers=headers or {})


def test_c030_each_selection_has_its_own_etag_whatever_its_order(crowd: Crowd) -> None:
    identifier = crowd.gateway.create()["id"]
    selections = ("firstName", "lastName", "firstName,lastName", "addresses.city")
    tags = [_one(crowd, identifier, fields=fields).headers["etag"] for fields in selections]
    tags.append(_one(crowd, identifier).headers["etag"])
    enveloped = _one(crowd, identifier, {"Accept": "application/json;profile=enveloped"}, fields="firstName")
    assert len({*tags, enveloped.headers["etag"]}) == 6
    assert _one(crowd, identifier, fields="last_name,firstName").headers["etag"] == tags[2]


def test_c022_a_selection_known_by_its_etag_is_304(crowd: Crowd) -> None:
    identifier = crowd.gateway.create()["id"]
    tag = _one(crowd, identifier, fields="firstName").headers["etag"]
    same = _one(crowd, identifier, {"If-None-Match": tag}, fields="first_name")
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert _one(crowd, identifier, {"If-None-Match": tag}, fields="lastName").status_code == 200
    assert _one(crowd, identifier, {"If-None-Match": tag}).status_code == 200


def test_c030_the_etag_of_a_selection_is_good_for_if_match_until_the_next_change(crowd: Crowd) -> None:
    identifier = crowd.gateway.create()["id"]
    tag = _one(crowd, identifier, fields="addresses.city").headers["etag"]
    path, change = f"{LIST}/{identifier}", {"firstName": "Changed"}
    assert crowd.gateway.http.patch(path, json=change, headers={"If-Match": tag}).status_code == 200
    assert crowd.gateway.http.patch(path, json=change, headers={"If-Match": tag}).status_code == 412
    body = factories.customer()
    fresh = _one(crowd, identifier, fields="id").headers["etag"]
    assert crowd.gateway.http.put(path, json=body, headers={"If-Match": fresh}).status_code == 200
