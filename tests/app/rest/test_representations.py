"""Plain and enveloped answers, short answers, preferences, dry runs."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests import factories
from tests.conftest import StartGateway
from tests.harness import Gateway

CUSTOMERS = "/api/v1/customers"
ENVELOPED = {"Accept": "application/json;profile=enveloped"}
JSON = "application/json; charset=utf-8"


def vary(response: httpx2.Response) -> set[str]:
    return {name.strip() for name in response.headers["Vary"].split(",")}


def test_plain_is_the_default_and_shows_the_bare_customer(gateway: Gateway) -> None:
    body = gateway.create()
    for accept in ("*/*", "application/*", "application/json", "application/json;profile=plain"):
        response = gateway.http.get(f"{CUSTOMERS}/{body['id']}", headers={"Accept": accept})
        assert (response.json(), response.headers["Content-Type"]) == (body, JSON)


def test_enveloped_shows_the_customer_under_its_name(gateway: Gateway) -> None:
    body = gateway.create()
    response = gateway.http.get(f"{CUSTOMERS}/{body['id']}", headers=ENVELOPED)
    assert response.json() == {"customer": body}
    assert response.headers["Content-Type"].startswith("application/json")


def test_every_answer_of_a_change_is_enveloped_too(gateway: Gateway) -> None:
    created = gateway.http.post(CUSTOMERS, json=factories.customer(), headers=ENVELOPED)
    body = created.json()["customer"]
    url = f"{CUSTOMERS}/{body['id']}"
    headers = {**ENVELOPED, "If-Match": "*"}
    assert gateway.http.put(url, json=body, headers=headers).json() == {"customer": body}
    assert set(gateway.http.patch(url, json={}, headers=headers).json()) == {"customer"}
    added = gateway.http.post(f"{url}/addresses", json=factories.address(), headers=ENVELOPED)
    assert set(added.json()) == {"address"}
    phone = gateway.http.post(f"{url}/phone-numbers", json=factories.phone_number(), headers=ENVELOPED)
    assert set(phone.json()) == {"phoneNumber"}
    preferences = gateway.http.get(f"{url}/notification-preferences", headers=ENVELOPED)
    assert preferences.json() == {"notificationPreferences": factories.preferences()}


def test_an_enveloped_list_has_pagination_as_the_design_guidelines_have_it(gateway: Gateway) -> None:
    body = gateway.create()
    response = gateway.http.get(CUSTOMERS, params={"id": body["id"]}, headers=ENVELOPED)
    assert response.json() == {
        "customers": [body],
        "metadata": {"pagination": {"page": 1, "page_size": 25, "total_count": 1}},
    }


def test_enveloped_errors_have_the_form_of_the_design_guidelines(gateway: Gateway) -> None:
    url = f"{CUSTOMERS}/{uuid.uuid4()}"
    response = gateway.http.get(url, headers={**ENVELOPED, "X-Request-Id": "my-request"})
    assert response.status_code == 404
    assert response.headers["Content-Type"] == JSON
    (entry,) = response.json()["errors"]
    assert set(entry) == {"httpStatus", "request_id", "code", "resource", "title", "message"}
    assert (entry["httpStatus"], entry["request_id"], entry["resource"]) == (404, "my-request", "customers")
    assert isinstance(entry["code"], int)


def test_enveloped_validation_errors_tell_every_fault(gateway: Gateway) -> None:
    sent = factories.customer(firstName="", email="nobody")
    response = gateway.http.post(CUSTOMERS, json=sent, headers=ENVELOPED)
    messages = [entry["message"] for entry in response.json()["errors"]]
    assert response.status_code == 422
    assert len(messages) == 2
    assert {message.split(" ")[0] for message in messages} == {"firstName", "email"}


@pytest.mark.parametrize(
    ("accept", "enveloped"),
    [
        ("application/json;profile=enveloped", True),
        ('application/json; profile="enveloped"', True),
        ("application/json;charset=utf-8;profile=enveloped", True),
        ("Application/JSON;Profile=Enveloped", True),
        ("application/json;profile=enveloped, */*;q=0.1", True),
        ("application/json;profile=enveloped;q=0.5, application/json", False),
        ("application/json;profile=enveloped;q=0.5, application/json;profile=plain;q=0.9", False),
        ("application/json;profile=enveloped;q=0, */*", False),
        ("application/json;profile=other", False),
        ("text/html;profile=enveloped, */*", False),
    ],
)
def test_the_profile_that_the_client_wants_most_is_taken(gateway: Gateway, accept: str, enveloped: bool) -> None:
    body = gateway.create()
    response = gateway.http.get(f"{CUSTOMERS}/{body['id']}", headers={"Accept": accept})
    assert ("customer" in response.json()) is enveloped


def test_the_setting_makes_enveloped_the_default(start_gateway: StartGateway) -> None:
    gateway = start_gateway(rest_profile="enveloped")
    created = gateway.http.post(CUSTOMERS, json=factories.customer())
    body = created.json()["customer"]
    url = f"{CUSTOMERS}/{body['id']}"
    assert gateway.http.get(url, headers={"Accept": "application/json;profile=plain"}).json() == body
    assert gateway.http.get(f"{CUSTOMERS}/{uuid.uuid4()}").json()["errors"][0]["httpStatus"] == 404
    assert gateway.http.get("/nowhere").json()["errors"][0]["httpStatus"] == 404


def test_answers_vary_by_accept_and_prefer(gateway: Gateway) -> None:
    body, tag = gateway.created()
    url = f"{CUSTOMERS}/{body['id']}"
    answers = [
        gateway.http.get(url),
        gateway.http.get(url, headers=ENVELOPED),
        gateway.http.get(url, headers={"If-None-Match": tag}),
        gateway.http.get(f"{CUSTOMERS}/{uuid.uuid4()}"),
        gateway.http.patch(url, json={}, headers={"If-Match": tag}),
        gateway.http.post(CUSTOMERS, json={}),
    ]
    for response in answers:
        assert vary(response) >= {"Accept", "Prefer"}


CHANGES: list[tuple[str, str, Any]] = [
    ("PUT", "", factories.customer()),
    ("PATCH", "", {"firstName": "Bea"}),
    ("PUT", "/addresses", [factories.address(city="Ulm")]),
    ("PATCH", "/phone-numbers", [factories.phone_number(number="7")]),
    ("PUT", "/addresses/{address}", factories.address(city="Ulm")),
    ("PATCH", "/phone-numbers/{phone}", {"number": "7"}),
    ("PUT", "/notification-preferences", factories.preferences(sms=True)),
    ("PATCH", "/notification-preferences", {"sms": True}),
]
each_change = pytest.mark.parametrize(("method", "below", "sent"), CHANGES, ids=lambda value: str(value)[:24])


@dataclass(frozen=True)
class Subject:
    """A customer to be changed."""

    gateway: Gateway
    body: dict[str, Any]
    tag: str

    @property
    def url(self) -> str:
        return f"{CUSTOMERS}/{self.body['id']}"

    def part(self, name: str) -> str:
        found: str = self.gateway.http.get(f"{self.url}/{name}").json()["content"][0]["id"]
        return found

    def at(self, below: str) -> str:
        return self.url + below.format(address=self.part("addresses"), phone=self.part("phone-numbers"))

    def unchanged(self) -> bool:
        read = self.gateway.http.get(self.url)
        return bool((read.json(), read.headers["ETag"]) == (self.body, self.tag))


def subject(gateway: Gateway) -> Subject:
    return Subject(gateway, *gateway.created())


def own(sent: Any) -> Any:
    return factories.customer() if isinstance(sent, dict) and "email" in sent and "addresses" in sent else sent


@each_change
@pytest.mark.parametrize(
    ("query", "prefer"), [("?resource=false", ""), ("", "return=minimal"), ("?resource=0", "return=representation")]
)
def test_c094_a_short_answer_is_id_and_time_and_etag(
    gateway: Gateway, method: str, below: str, sent: Any, query: str, prefer: str
) -> None:
    of = subject(gateway)
    headers = {"If-Match": of.tag, "Prefer": prefer}
    url = of.at(below)
    response = gateway.http.request(method, url + query, json=own(sent), headers=headers)
    assert response.status_code == 200, response.text
    body, read = response.json(), gateway.http.get(of.url)
    assert set(body) == {"id", "updatedAt"}
    assert body["id"] == (url.rsplit("/", 1)[-1] if "{" in below else of.body["id"])
    assert body["updatedAt"] == read.json()["updatedAt"]
    assert response.headers["ETag"] == read.headers["ETag"] != of.tag
    assert response.headers.get("Preference-Applied") == ("return=minimal" if prefer == "return=minimal" else None)


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [
        ("return=representation", "return=representation"),
        ("handling=strict", "handling=strict"),
        ("handling=lenient", "handling=lenient"),
        ("return=minimal, handling=strict", "handling=strict, return=minimal"),
        ("respond-async, wait=10, foo=bar", None),
        ("return=everything", None),
    ],
)
def test_c094_preference_applied_names_what_was_kept(gateway: Gateway, prefer: str, applied: str | None) -> None:
    of = subject(gateway)
    response = gateway.http.patch(of.url, json={}, headers={"If-Match": of.tag, "Prefer": prefer})
    assert response.status_code == 200
    assert response.headers.get("Preference-Applied") == applied


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_c094_a_preference_that_means_nothing_here_is_not_said_to_be_kept(gateway: Gateway, method: str) -> None:
    of = subject(gateway)
    response = gateway.http.request(method, of.url, headers={"Prefer": "return=minimal, handling=strict"})
    assert response.is_success
    assert "preference-applied" not in response.headers
    if method == "GET":
        assert response.json() == of.body


def test_a_create_is_always_answered_by_the_customer(gateway: Gateway) -> None:
    response = gateway.http.post(CUSTOMERS, json=factories.customer(), headers={"Prefer": "return=minimal"})
    assert response.status_code == 201
    assert "firstName" in response.json()
    assert "preference-applied" not in response.headers


@pytest.mark.parametrize("query", ["resource=maybe", "resource=", "dryRun=2", "dryRun=yes", "dry_run="])
@each_change
def test_a_bad_flag_is_400_and_nothing_is_changed(
    gateway: Gateway, method: str, below: str, sent: Any, query: str
) -> None:
    of = subject(gateway)
    response = gateway.http.request(method, f"{of.at(below)}?{query}", json=own(sent), headers={"If-Match": of.tag})
    assert response.status_code == 400
    assert response.json()["type"].endswith("/problems/invalid-parameter")
    assert of.unchanged()


@each_change
@pytest.mark.parametrize("query", ["dryRun=true", "dry_run=TRUE", "dryRun=1"])
def test_a_dry_run_of_a_change_shows_what_would_be_and_stores_nothing(
    gateway: Gateway, method: str, below: str, sent: Any, query: str
) -> None:
    of = subject(gateway)
    url, body = of.at(below), own(sent)
    dry = gateway.http.request(method, f"{url}?{query}", json=body, headers={"If-Match": of.tag})
    assert (dry.status_code, dry.headers["Dry-Run"]) == (200, "true")
    assert "etag" not in dry.headers
    assert of.unchanged()
    real = gateway.http.request(method, url, json=body, headers={"If-Match": of.tag})
    assert untimed(real.json()) == untimed(dry.json())


def untimed(body: Any) -> Any:
    """Return a body without what differs by the moment: times, and ids that were made on the way."""
    if isinstance(body, dict):
        return {name: untimed(value) for name, value in body.items() if name not in {"updatedAt", "createdAt", "id"}}
    return [untimed(item) for item in body] if isinstance(body, list) else body


def test_a_dry_run_of_a_create_stores_nothing(gateway: Gateway) -> None:
    sent = factories.customer()
    dry = gateway.http.post(f"{CUSTOMERS}?dryRun=true", json=sent)
    assert (dry.status_code, dry.headers["Dry-Run"]) == (200, "true")
    assert "location" not in dry.headers
    assert "etag" not in dry.headers
    assert gateway.http.get(f"{CUSTOMERS}/{dry.json()['id']}").status_code == 404
    assert gateway.http.get(CUSTOMERS, params={"email": sent["email"]}).json()["content"] == []


@pytest.mark.parametrize("kind", ["addresses", "phone-numbers"])
def test_a_dry_run_of_an_addition_or_a_removal_stores_nothing(gateway: Gateway, kind: str) -> None:
    make = factories.address if kind == "addresses" else factories.phone_number
    of = Subject(
        gateway, *gateway.created(addresses=[factories.address()] * 2, phoneNumbers=[factories.phone_number()] * 2)
    )
    added = gateway.http.post(f"{of.url}/{kind}?dryRun=true", json=make())
    assert added.status_code == 200
    assert "location" not in added.headers
    removed = gateway.http.delete(f"{of.url}/{kind}/{of.part(kind)}?dryRun=true")
    assert (removed.status_code, removed.headers["Dry-Run"]) == (204, "true")
    assert "etag" not in removed.headers
    assert of.unchanged()


def test_a_dry_run_of_a_deletion_stores_nothing(gateway: Gateway) -> None:
    of = subject(gateway)
    assert gateway.http.delete(f"{of.url}?dryRun=true").status_code == 204
    assert of.unchanged()


FAILING: list[tuple[str, Callable[[Subject], dict[str, Any]], int]] = [
    ("POST", lambda of: {"url": CUSTOMERS, "json": of.body}, 409),
    ("POST", lambda _: {"url": CUSTOMERS, "json": {}}, 422),
    ("PUT", lambda of: {"url": of.url, "json": of.body}, 412),
    ("PUT", lambda of: {"url": of.url, "json": of.body, "headers": {"If-Match": '"stale"'}}, 412),
    ("PUT", lambda of: {"url": of.url, "json": {}, "headers": {"If-Match": "*"}}, 422),
    (
        "PATCH",
        lambda of: {"url": of.url, "json": {"email": of.gateway.create()["email"]}, "headers": {"If-Match": "*"}},
        409,
    ),
    ("PUT", lambda of: {"url": f"{CUSTOMERS}/{uuid.uuid4()}", "json": of.body, "headers": {"If-Match": "*"}}, 404),
    ("DELETE", lambda of: {"url": of.url, "headers": {"If-Match": '"stale"'}}, 412),
    ("DELETE", lambda _: {"url": f"{CUSTOMERS}/{uuid.uuid4()}"}, 404),
    ("DELETE", lambda of: {"url": f"{of.url}/addresses/{of.part('addresses')}"}, 422),
    ("DELETE", lambda of: {"url": f"{of.url}/addresses"}, 422),
    ("POST", lambda of: {"url": f"{of.url}/addresses", "json": {}}, 422),
]


@pytest.mark.parametrize("dry", ["false", "true"])
@pytest.mark.parametrize(("method", "options", "status"), FAILING, ids=[str(number) for number in range(len(FAILING))])
def test_a_dry_run_makes_every_check(
    gateway: Gateway, method: str, options: Callable[[Subject], dict[str, Any]], status: int, dry: str
) -> None:
    of = subject(gateway)
    response = gateway.http.request(method, **options(of), params={"dryRun": dry})
    assert response.status_code == status, response.text
    assert of.unchanged()


def test_a_dry_run_may_change_the_case_of_the_own_email_address(gateway: Gateway) -> None:
    of = subject(gateway)
    response = gateway.http.patch(
        f"{of.url}?dryRun=true", json={"email": of.body["email"].upper()}, headers={"If-Match": of.tag}
    )
    assert response.status_code == 200


def test_content_type_is_json_in_utf_8_and_problems_are_problem_json(gateway: Gateway) -> None:
    created = gateway.http.post(CUSTOMERS, json=factories.customer())
    assert created.headers["Content-Type"] == JSON
    assert gateway.http.post(CUSTOMERS, json={}).headers["Content-Type"] == "application/problem+json"


def test_location_is_a_path_below_the_api(gateway: Gateway) -> None:
    created = gateway.http.post(CUSTOMERS, json=factories.customer())
    assert re.fullmatch(rf"{CUSTOMERS}/[0-9a-f-]{{36}}", created.headers["Location"])
