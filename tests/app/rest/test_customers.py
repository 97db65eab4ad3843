"""Customers over REST: create, read, replace, erase, as the contract has it."""

from __future__ import annotations

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from tests import factories
from tests.harness import Gateway

CUSTOMERS = "/api/v1/customers"
READ_ONLY = {
    "id": str(uuid.uuid4()),
    "createdAt": "2001-01-01T00:00:00.000Z",
    "updatedAt": "2001-01-01T00:00:00.000Z",
}


def fields_at_fault(problem: dict[str, Any]) -> set[str]:
    return {fault["field"] for fault in problem["errors"]}


def test_create_answers_201_with_location_etag_and_the_customer(gateway: Gateway) -> None:
    sent = factories.customer()
    response = gateway.http.post(CUSTOMERS, json=sent)
    body = response.json()
    assert response.status_code == 201
    assert response.headers["Location"] == f"{CUSTOMERS}/{body['id']}"
    assert response.headers["ETag"].startswith('"')
    assert {name: body[name] for name in sent} == sent
    assert set(body) == {*sent, "id", "createdAt", "updatedAt"}


def test_the_location_of_a_new_customer_is_where_it_is(gateway: Gateway) -> None:
    created = gateway.http.post(CUSTOMERS, json=factories.customer())
    read = gateway.http.get(created.headers["Location"])
    assert read.status_code == 200
    assert read.json() == created.json()
    assert read.headers["ETag"] == created.headers["ETag"]


def test_the_id_is_a_random_uuid_and_times_are_utc_to_the_millisecond(gateway: Gateway) -> None:
    body = gateway.create()
    assert uuid.UUID(body["id"]).version == 4
    for name in ("createdAt", "updatedAt"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body[name])
        assert datetime.fromisoformat(body[name]).tzinfo is not None
    assert body["createdAt"] == body["updatedAt"]


def test_what_the_server_makes_is_not_taken_from_a_client(gateway: Gateway) -> None:
    body = gateway.http.post(CUSTOMERS, json={**factories.customer(), **READ_ONLY}).json()
    assert not {body[name] for name in READ_ONLY} & set(READ_ONLY.values())


@pytest.mark.parametrize("name", READ_ONLY)
def test_what_the_server_makes_is_refused_under_strict_handling(gateway: Gateway, name: str) -> None:
    sent = {**factories.customer(), name: READ_ONLY[name]}
    response = gateway.http.post(CUSTOMERS, json=sent, headers={"Prefer": "handling=strict"})
    assert response.status_code == 422
    assert fields_at_fault(response.json()) == {name}


@pytest.mark.parametrize("name", ["version", "_id", "role", "$set", "__proto__", "a.b", "keys", "etag", "constructor"])
def test_c068_unknown_properties_are_ignored_and_nothing_of_them_is_stored(gateway: Gateway, name: str) -> None:
    sent = factories.customer(addresses=[{**factories.address(), name: "x"}])
    response = gateway.http.post(CUSTOMERS, json={**sent, name: {"$set": {"firstName": "Mallory"}}})
    assert response.status_code == 201
    read = gateway.http.get(response.headers["Location"]).json()
    assert name not in read
    assert name not in read["addresses"][0]
    assert read["firstName"] == sent["firstName"]


@pytest.mark.parametrize("name", ["version", "_id", "$set", "a.b"])
def test_c068_unknown_properties_are_422_under_strict_handling_at_any_depth(gateway: Gateway, name: str) -> None:
    sent = factories.customer(
        addresses=[{**factories.address(), name: 1}],
        phoneNumbers=[{**factories.phone_number(), name: 1}],
        notificationPreferences={**factories.preferences(), name: True},
    )
    response = gateway.http.post(CUSTOMERS, json={**sent, name: 1}, headers={"Prefer": "handling=strict"})
    assert response.status_code == 422
    assert fields_at_fault(response.json()) == {
        name, f"addresses[0].{name}", f"phoneNumbers[0].{name}", f"notificationPreferences.{name}",
    }  # fmt: skip


def test_middle_name_street2_and_extension_may_be_left_out_and_are_null_then(gateway: Gateway) -> None:
    sent = factories.customer()
    del sent["middleName"], sent["addresses"][0]["street2"], sent["phoneNumbers"][0]["extension"]
    body = gateway.http.post(CUSTOMERS, json=sent).json()
    assert (body["middleName"], body["addresses"][0]["street2"], body["phoneNumbers"][0]["extension"]) == (
        None, None, None,
    )  # fmt: skip


BAD_CUSTOMERS: list[tuple[dict[str, Any], str]] = [
    ({"firstName": ""}, "firstName"),
    ({"firstName": "   "}, "firstName"),
    ({"firstName": None}, "firstName"),
    ({"firstName": 7}, "firstName"),
    ({"firstName": ["Alex"]}, "firstName"),
    ({"firstName": {"$ne": None}}, "firstName"),
    ({"firstName": "x" * 257}, "firstName"),
    ({"firstName": "A\u0000B"}, "firstName"),
    ({"firstName": "A\u0007B"}, "firstName"),
    ({"firstName": "A\u009fB"}, "firstName"),
    ({"firstName": "Alex\n"}, "firstName"),
    ({"middleName": ""}, "middleName"),
    ({"lastName": "\t"}, "lastName"),
    ({"lastName": True}, "lastName"),
    ({"email": "nobody"}, "email"),
    ({"email": "a@b"}, "email"),
    ({"email": "a@@example.com"}, "email"),
    ({"email": "a b@example.com"}, "email"),
    ({"email": "@example.com"}, "email"),
    ({"email": "a@example.com\n"}, "email"),
    ({"email": None}, "email"),
    ({"email": {"$gt": ""}}, "email"),
    ({"email": f"{'x' * 250}@example.com"}, "email"),
    ({"addresses": []}, "addresses"),
    ({"addresses": None}, "addresses"),
    ({"addresses": {}}, "addresses"),
    ({"addresses": "home"}, "addresses"),
    ({"addresses": [None]}, "addresses[0]"),
    ({"addresses": [[]]}, "addresses[0]"),
    ({"addresses": [factories.address()] * 51}, "addresses"),
    ({"addresses": [factories.address(type="HOME")]}, "addresses[0].type"),
    ({"addresses": [factories.address(type="castle")]}, "addresses[0].type"),
    ({"addresses": [factories.address(type=None)]}, "addresses[0].type"),
    ({"addresses": [factories.address(street1=None)]}, "addresses[0].street1"),
    ({"addresses": [factories.address(street2=5)]}, "addresses[0].street2"),
    ({"addresses": [factories.address(postalCode="94105!")]}, "addresses[0].postalCode"),
    ({"addresses": [factories.address(postalCode="")]}, "addresses[0].postalCode"),
    ({"addresses": [factories.address(postalCode="   ")]}, "addresses[0].postalCode"),
    ({"addresses": [factories.address(postalCode="12345\n")]}, "addresses[0].postalCode"),
    ({"addresses": [factories.address(postalCode="١٢٣٤٥")]}, "addresses[0].postalCode"),
    ({"addresses": [factories.address(postalCode=94105)]}, "addresses[0].postalCode"),
    ({"addresses": [factories.address(), factories.address(country="x" * 257)]}, "addresses[1].country"),
    ({"phoneNumbers": []}, "phoneNumbers"),
    ({"phoneNumbers": [factories.phone_number()] * 51}, "phoneNumbers"),
    ({"phoneNumbers": [factories.phone_number(type="billing")]}, "phoneNumbers[0].type"),
    ({"phoneNumbers": [factories.phone_number(countryCode="")]}, "phoneNumbers[0].countryCode"),
    ({"phoneNumbers": [factories.phone_number(countryCode="++1")]}, "phoneNumbers[0].countryCode"),
    ({"phoneNumbers": [factories.phone_number(countryCode="+")]}, "phoneNumbers[0].countryCode"),
    ({"phoneNumbers": [factories.phone_number(number="(202) 5")]}, "phoneNumbers[0].number"),
    ({"phoneNumbers": [factories.phone_number(number="202\n")]}, "phoneNumbers[0].number"),
    ({"phoneNumbers": [factories.phone_number(number="٢٠٢")]}, "phoneNumbers[0].number"),
    ({"notificationPreferences": None}, "notificationPreferences"),
    ({"notificationPreferences": []}, "notificationPreferences"),
    ({"notificationPreferences": {"email": True, "sms": True, "push": True}}, "notificationPreferences.mail"),
    ({"notificationPreferences": {**factories.preferences(), "sms": 1}}, "notificationPreferences.sms"),
    ({"notificationPreferences": {**factories.preferences(), "sms": "true"}}, "notificationPreferences.sms"),
    ({"notificationPreferences": {**factories.preferences(), "sms": None}}, "notificationPreferences.sms"),
]


@pytest.mark.parametrize(("changes", "field"), BAD_CUSTOMERS, ids=lambda value: str(value)[:40])
def test_a_customer_with_one_fault_is_422_and_the_fault_is_named(
    gateway: Gateway, changes: dict[str, Any], field: str
) -> None:
    response = gateway.http.post(CUSTOMERS, json=factories.customer(**changes))
    assert response.status_code == 422, response.text
    assert fields_at_fault(response.json()) == {field}


@pytest.mark.parametrize(
    "name", ["firstName", "lastName", "email", "addresses", "phoneNumbers", "notificationPreferences"]
)
def test_a_required_field_that_is_missing_is_422(gateway: Gateway, name: str) -> None:
    sent = factories.customer()
    del sent[name]
    response = gateway.http.post(CUSTOMERS, json=sent)
    assert response.status_code == 422
    assert [(fault["field"], fault["pointer"]) for fault in response.json()["errors"]] == [(name, "")]


GOOD_CUSTOMERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"firstName": "  Alex  "}, {"firstName": "Alex"}),
    ({"firstName": "x" * 256}, {"firstName": "x" * 256}),
    ({"firstName": " " + "x" * 256 + " "}, {"firstName": "x" * 256}),
    ({"firstName": "😀" * 256}, {"firstName": "😀" * 256}),
    ({"firstName": "王"}, {"firstName": "王"}),
    ({"lastName": "O'Brien-Müller, Jr."}, {"lastName": "O'Brien-Müller, Jr."}),
    ({"lastName": "$ne"}, {"lastName": "$ne"}),
    ({"lastName": "$$ROOT"}, {"lastName": "$$ROOT"}),
    ({"lastName": "a.b"}, {"lastName": "a.b"}),
    ({"lastName": "<script>"}, {"lastName": "<script>"}),
    ({"middleName": "Zo\u0065\u0308"}, {"middleName": "Zoë"}),
    ({"addresses": [factories.address(street1="")]}, {"addresses": [factories.address(street1="")]}),
    ({"addresses": [factories.address(postalCode=" SW1A 1AA ")]},
     {"addresses": [factories.address(postalCode="SW1A 1AA")]}),
    ({"addresses": [factories.address()] * 50}, {"addresses": [factories.address()] * 50}),
    ({"phoneNumbers": [factories.phone_number(countryCode="49")]},
     {"phoneNumbers": [factories.phone_number(countryCode="49")]}),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "stored"), GOOD_CUSTOMERS, ids=lambda value: str(value)[:40])
def test_text_is_trimmed_and_kept_in_nfc_and_a_dollar_is_only_text(
    gateway: Gateway, changes: dict[str, Any], stored: dict[str, Any]
) -> None:
    response = gateway.http.post(CUSTOMERS, json=factories.customer(**changes))
    assert response.status_code == 201, response.text
    read = gateway.http.get(response.headers["Location"]).json()
    assert {name: read[name] for name in stored} == stored


def test_an_email_address_that_another_customer_has_in_any_case_is_409(gateway: Gateway) -> None:
    taken = gateway.create()["email"]
    response = gateway.http.post(CUSTOMERS, json=factories.customer(email=taken.upper()))
    assert response.status_code == 409
    assert response.json()["type"].endswith("/problems/conflict")


def test_of_many_creates_with_one_email_address_one_wins(gateway: Gateway) -> None:
    sent = [factories.customer(email="One.Of.Many@example.com") for _ in range(16)]
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda body: gateway.http.post(CUSTOMERS, json=body).status_code, sent))
    assert sorted(statuses) == [201, *[409] * 15]


def test_an_email_address_may_change_its_case(gateway: Gateway) -> None:
    body, tag = gateway.created()
    email = body["email"].replace("person", "Person")
    response = gateway.http.put(f"{CUSTOMERS}/{body['id']}", json={**body, "email": email}, headers={"If-Match": tag})
    assert response.status_code == 200
    assert response.json()["email"] == email
    assert response.headers["ETag"] != tag


def test_replacing_by_anothers_email_address_is_409_and_changes_nothing(gateway: Gateway) -> None:
    other, (body, tag) = gateway.create(), gateway.created()
    url = f"{CUSTOMERS}/{body['id']}"
    response = gateway.http.put(url, json={**body, "email": other["email"]}, headers={"If-Match": tag})
    assert response.status_code == 409
    assert gateway.http.get(url).headers["ETag"] == tag


def test_an_email_address_is_free_again_when_its_customer_is_erased(gateway: Gateway) -> None:
    body = gateway.create()
    assert gateway.http.delete(f"{CUSTOMERS}/{body['id']}").status_code == 204
    assert gateway.http.post(CUSTOMERS, json=factories.customer(email=body["email"])).status_code == 201


def test_put_replaces_every_field_and_keeps_id_and_creation(gateway: Gateway) -> None:
    before, tag = gateway.created(middleName="Quentin")
    sent = factories.customer(firstName="Bea")
    del sent["middleName"]
    response = gateway.http.put(f"{CUSTOMERS}/{before['id']}", json=sent, headers={"If-Match": tag})
    after = response.json()
    assert response.status_code == 200
    assert after["middleName"] is None
    assert {name: after[name] for name in sent} == sent
    assert (after["id"], after["createdAt"]) == (before["id"], before["createdAt"])
    assert after["updatedAt"] >= before["updatedAt"]


@pytest.mark.parametrize("prefer", ["", "handling=strict"])
def test_what_get_answered_may_be_put_as_it_is_and_changes_nothing(gateway: Gateway, prefer: str) -> None:
    body, tag = gateway.created()
    url = f"{CUSTOMERS}/{body['id']}"
    response = gateway.http.put(url, json=body, headers={"If-Match": tag, "Prefer": prefer})
    assert response.status_code == 200, response.text
    assert response.json() == body
    assert response.headers["ETag"] == tag


@pytest.mark.parametrize("name", READ_ONLY)
def test_put_of_another_id_or_time_is_ignored_and_422_under_strict_handling(gateway: Gateway, name: str) -> None:
    body, tag = gateway.created()
    url, sent = f"{CUSTOMERS}/{body['id']}", {**body, name: READ_ONLY[name]}
    strict = gateway.http.put(url, json=sent, headers={"If-Match": tag, "Prefer": "handling=strict"})
    assert (strict.status_code, fields_at_fault(strict.json())) == (422, {name})
    assert strict.json()["errors"][0]["pointer"] == f"/{name}"
    lenient = gateway.http.put(url, json=sent, headers={"If-Match": tag})
    assert (lenient.status_code, lenient.json()) == (200, body)


def test_put_needs_every_required_field(gateway: Gateway) -> None:
    body, tag = gateway.created()
    response = gateway.http.put(f"{CUSTOMERS}/{body['id']}", json={"firstName": "Bea"}, headers={"If-Match": tag})
    assert response.status_code == 422
    assert fields_at_fault(response.json()) == {
        "lastName", "email", "addresses", "phoneNumbers", "notificationPreferences",
    }  # fmt: skip


def test_an_enveloped_body_is_not_a_customer(gateway: Gateway) -> None:
    response = gateway.http.post(CUSTOMERS, json={"customer": factories.customer()})
    assert response.status_code == 422
    assert "firstName" in fields_at_fault(response.json())


def test_a_deleted_customer_is_gone_and_deleting_again_is_404(gateway: Gateway) -> None:
    body, tag = gateway.created()
    url = f"{CUSTOMERS}/{body['id']}"
    first = gateway.http.delete(url)
    assert (first.status_code, first.content) == (204, b"")
    assert "content-length" not in first.headers
    for _ in range(2):
        again = gateway.http.delete(url)
        assert (again.status_code, again.json()["type"].rsplit("/", 1)[-1]) == (404, "not-found")
    read = gateway.http.get(url)
    assert (read.status_code, read.json()["type"].rsplit("/", 1)[-1]) == (410, "gone")
    assert gateway.http.head(url).status_code == 410
    put = gateway.http.put(url, json=body, headers={"If-Match": tag})
    patch = gateway.http.patch(url, json={}, headers={"If-Match": tag})
    assert (put.status_code, patch.status_code) == (410, 410)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_an_id_never_seen_is_404(gateway: Gateway, method: str) -> None:
    url = f"{CUSTOMERS}/{uuid.uuid4()}"
    body = factories.customer() if method in {"PUT", "PATCH"} else None
    response = gateway.http.request(method, url, json=body, headers={"If-Match": "*"})
    assert response.status_code == 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "identifier", ["1", "me", "{0}", "0d047d80-eb69-4665-9395-6df5a5e569a", "0d047d80eb6946659395"]
)
def test_an_id_that_is_no_uuid_is_400(gateway: Gateway, method: str, identifier: str) -> None:
    body = factories.customer() if method in {"PUT", "PATCH"} else None
    response = gateway.http.request(method, f"{CUSTOMERS}/{identifier}", json=body, headers={"If-Match": "*"})
    assert response.status_code == 400
    if method != "HEAD":
        assert response.json()["type"].endswith("/problems/invalid-id")


def test_an_id_is_read_in_either_case(gateway: Gateway) -> None:
    body = gateway.create()
    assert gateway.http.get(f"{CUSTOMERS}/{body['id'].upper()}").json() == body


def test_the_alias_of_the_customer_management_api_has_the_same_handlers(gateway: Gateway) -> None:
    created = gateway.http.post("/customers", json=factories.customer())
    listed = gateway.http.get("/customers", params={"id": created.json()["id"]})
    assert (created.status_code, listed.status_code) == (201, 200)
    assert created.headers["Location"] == f"{CUSTOMERS}/{created.json()['id']}"
    assert listed.json()["content"] == [created.json()]
    for response in (created, listed):
        assert 'rel="canonical"' in response.headers["Link"]
        assert f"<{CUSTOMERS}" in response.headers["Link"]


def test_problems_of_the_alias_link_to_the_address_itself(gateway: Gateway) -> None:
    form = {"Accept": "application/json;profile=enveloped"}
    with gateway.client() as stranger:
        unknown = stranger.get("/customers")
    refused = [
        (gateway.http.get("/customers?size=0"), 400, f"{CUSTOMERS}?size=0"),
        (gateway.http.get("/customers?nonsense=1", headers=form), 400, f"{CUSTOMERS}?nonsense=1"),
        (gateway.http.post("/customers", json={}), 422, CUSTOMERS),
        (gateway.http.delete("/customers"), 405, CUSTOMERS),
        (unknown, 401, CUSTOMERS),
        (gateway.http.options("/customers"), 204, CUSTOMERS),
    ]
    for response, status, address in refused:
        told = (response.status_code, response.headers.get_list("Link"))
        assert told == (status, [f'<{address}>; rel="canonical"'])
    assert "Link" not in gateway.http.get(CUSTOMERS, params={"size": 0}).headers


def test_the_alias_links_to_an_address_that_works_unchanged(gateway: Gateway) -> None:
    email = gateway.create()["email"]
    response = gateway.http.get(f"/customers?email={email}&count=none")
    address = re.findall(r'<([^>]*)>; rel="canonical"', response.headers["Link"])[0]
    assert gateway.http.get(address).json() == response.json()


def test_the_alias_has_no_other_methods_and_no_items(gateway: Gateway) -> None:
    assert gateway.http.delete("/customers").status_code == 405
    assert gateway.http.get(f"/customers/{gateway.create()['id']}").status_code == 404
