"""What goes wrong, told as RFC 9457 has it, and nothing internal with it."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from resolvers.problems import PROBLEM_TYPES
from tests import factories
from tests.conftest import StartGateway
from tests.harness import Gateway

CUSTOMERS = "/api/v1/customers"
INTERNAL = re.compile(r"Traceback|File \"/|\.py\b|pymongo|motor|bson|mongodb://|E11000|starlette|pydantic|jsonpatch")
JSON = {"Content-Type": "application/json"}

Ask = Callable[[Gateway, httpx2.Client], httpx2.Response]


def malformed(content: bytes) -> Ask:
    return lambda _, client: client.post(CUSTOMERS, content=content, headers=JSON)


FAILURES: dict[str, Ask] = {
    "json-syntax": malformed(b"{"),
    "json-encoding": malformed(b'{"a": "\xff"}'),
    "json-duplicate-key": malformed(b'{"a": 1, "a": 2}'),
    "json-too-deep": malformed(b"[" * 40 + b"]" * 40),
    "json-number": malformed(b"[NaN]"),
    "json-surrogate": malformed(b'["\\ud800"]'),
    "json-trailing-data": malformed(b"{} {}"),
    "empty-body": malformed(b""),
    "wrong-top-level": malformed(b"7"),
    "malformed-request": lambda _, client: client.get(f"{CUSTOMERS}?email=%FF"),
    "invalid-id": lambda _, client: client.get(f"{CUSTOMERS}/1"),
    "unknown-parameter": lambda _, client: client.get(f"{CUSTOMERS}?pages=1"),
    "invalid-parameter": lambda _, client: client.get(f"{CUSTOMERS}?page=0"),
    "invalid-cursor": lambda _, client: client.get(f"{CUSTOMERS}?cursor=abc"),
    "invalid-patch": lambda gateway, client: client.patch(
        f"{CUSTOMERS}/{gateway.create()['id']}",
        content=b"{}",
        headers={"Content-Type": "application/json-patch+json", "If-Match": "*"},
    ),
    "unauthorized": lambda _, client: client.get(CUSTOMERS, headers={"X-API-Key": "wrong"}),
    "not-found": lambda _, client: client.get(f"{CUSTOMERS}/{uuid.uuid4()}"),
    "method-not-allowed": lambda _, client: client.request("TRACE", CUSTOMERS),
    "not-acceptable": lambda _, client: client.get(CUSTOMERS, headers={"Accept": "text/html"}),
    "conflict": lambda gateway, client: client.post(
        CUSTOMERS, json=factories.customer(email=gateway.create()["email"])
    ),
    "precondition-missing": lambda gateway, client: client.put(f"{CUSTOMERS}/{gateway.create()['id']}", json={}),
    "precondition-failed": lambda gateway, client: client.put(
        f"{CUSTOMERS}/{gateway.create()['id']}", json={}, headers={"If-Match": '"v9"'}
    ),
    "body-too-large": malformed(b" " * (1024 * 1024 + 1)),
    "uri-too-long": lambda _, client: client.get(f"{CUSTOMERS}?email={'x' * 2000}"),
    "unsupported-media-type": lambda _, client: client.post(
        CUSTOMERS, content=b"<a/>", headers={"Content-Type": "application/xml"}
    ),
    "headers-too-large": lambda _, client: client.get(CUSTOMERS, headers={"X-Much": "x" * 17000}),
    "validation-error": malformed(b"{}"),
}


@pytest.mark.parametrize("slug", FAILURES)
def test_c001_c002_every_failure_is_a_problem_of_the_registry(gateway: Gateway, slug: str) -> None:
    response = FAILURES[slug](gateway, gateway.http)
    problem = response.json()
    kind = next(kind for kind in PROBLEM_TYPES if kind.slug == slug)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem["type"] == f"{gateway.url}/problems/{slug}"
    assert (response.status_code, problem["status"]) == (kind.status, kind.status)
    assert (problem["title"], problem["code"]) == (kind.title, kind.code)


@pytest.mark.parametrize("slug", FAILURES)
def test_c003_a_problem_tells_detail_path_and_request_id(gateway: Gateway, slug: str) -> None:
    response = FAILURES[slug](gateway, gateway.http)
    problem = response.json()
    assert problem["detail"].endswith((".", "?"))
    assert problem["instance"] == urlsplit(str(response.url)).path
    assert problem["requestId"] == response.headers["X-Request-Id"] == response.headers["Request-Id"]
    assert problem["resource"]


@pytest.mark.parametrize("slug", FAILURES)
def test_c004_extension_members_have_names_that_everyone_can_use(gateway: Gateway, slug: str) -> None:
    problem = FAILURES[slug](gateway, gateway.http).json()
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{2,}", name) for name in problem)


@pytest.mark.parametrize("slug", FAILURES)
def test_c005_no_problem_tells_of_what_is_inside(gateway: Gateway, slug: str) -> None:
    assert not INTERNAL.search(FAILURES[slug](gateway, gateway.http).text)


@pytest.mark.parametrize("slug", FAILURES)
def test_every_failure_has_the_enveloped_form_too(gateway: Gateway, slug: str) -> None:
    accept = {"Accept": "application/json;profile=enveloped"}
    with gateway.client(**accept, **{"X-API-Key": gateway.key}) as client:
        response = FAILURES[slug](gateway, client)
    if slug == "not-acceptable":
        return  # its Accept asks for no profile
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    for entry in response.json()["errors"]:
        assert (entry["httpStatus"], entry["request_id"]) == (response.status_code, response.headers["Request-Id"])


def resolved(document: Any, pointer: str) -> Any:
    """Return what a JSON Pointer names, by RFC 6901 itself; raises where it names nothing."""
    assert pointer == "" or pointer.startswith("/")
    for token in pointer.split("/")[1:]:
        step = token.replace("~1", "/").replace("~0", "~")
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


FAULTY: list[Any] = [
    {},
    {"firstName": 1},
    {"addresses": [{}]},
    {"addresses": [{"type": "x"}, 7, None, []]},
    {"addresses": {"0": {}}},
    {"phoneNumbers": [factories.phone_number(), {"number": "+"}]},
    {"notificationPreferences": {"email": None}},
    {"notificationPreferences": []},
    {"a/b": 1, "m~n": 1, "": 1},
    {"addresses": [{"a/b": 1, "m~n": 1}]},
    factories.customer(firstName="", lastName=None, email="x", addresses=[], phoneNumbers=[1]),
]


@pytest.mark.parametrize("prefer", ["", "handling=strict"])
@pytest.mark.parametrize("sent", FAULTY, ids=lambda value: str(value)[:40])
def test_c004_each_fault_has_a_pointer_that_resolves_in_the_sent_body(
    gateway: Gateway, sent: dict[str, Any], prefer: str
) -> None:
    response = gateway.http.post(CUSTOMERS, json=sent, headers={"Prefer": prefer})
    assert response.status_code == 422
    for fault in response.json()["errors"]:
        assert set(fault) == {"field", "pointer", "message"}
        assert fault["message"]
        resolved(sent, fault["pointer"])


def test_all_faults_are_told_at_once(gateway: Gateway) -> None:
    sent = {
        "firstName": "",
        "middleName": 5,
        "email": "nobody",
        "addresses": [factories.address(type="x", postalCode="!"), {"type": "home"}],
        "phoneNumbers": [factories.phone_number(countryCode="x", number="y")],
        "notificationPreferences": {"email": 1, "sms": True},
    }
    problem = gateway.http.post(CUSTOMERS, json=sent).json()
    assert {fault["field"] for fault in problem["errors"]} == {
        "firstName", "middleName", "lastName", "email",
        "addresses[0].type", "addresses[0].postalCode",
        "addresses[1].street1", "addresses[1].city", "addresses[1].state", "addresses[1].postalCode",
        "addresses[1].country",
        "phoneNumbers[0].countryCode", "phoneNumbers[0].number",
        "notificationPreferences.email", "notificationPreferences.push", "notificationPreferences.mail",
    }  # fmt: skip
    pointers = {fault["field"]: fault["pointer"] for fault in problem["errors"]}
    assert pointers["addresses[0].postalCode"] == "/addresses/0/postalCode"
    assert pointers["addresses[1].city"] == "/addresses/1"
    assert pointers["lastName"] == ""


@pytest.mark.parametrize("kind", PROBLEM_TYPES, ids=lambda kind: str(kind.slug))
def test_the_type_of_each_problem_is_a_page(gateway: Gateway, kind: Any) -> None:
    page = gateway.http.get(f"/problems/{kind.slug}")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    for text in (kind.slug, str(kind.code), str(kind.status)):
        assert text in page.text
    assert "`" not in page.text, "what is code is shown as code"


def test_problem_codes_and_slugs_are_unique_and_never_reused(gateway: Gateway) -> None:
    assert len({kind.code for kind in PROBLEM_TYPES}) == len(PROBLEM_TYPES)
    assert len({kind.slug for kind in PROBLEM_TYPES}) == len(PROBLEM_TYPES)
    index = gateway.http.get("/problems").text
    assert all(f"/problems/{kind.slug}" in index for kind in PROBLEM_TYPES)


def test_a_problem_that_is_none_is_404(gateway: Gateway) -> None:
    assert gateway.http.get("/problems/made-up").status_code == 404


def test_the_type_follows_the_public_url(start_gateway: StartGateway) -> None:
    gateway = start_gateway(public_url="https://api.example.com/crm/")
    problem = gateway.http.get(f"{CUSTOMERS}/1").json()
    assert problem["type"] == "https://api.example.com/crm/problems/invalid-id"


ALLOWED = {
    CUSTOMERS: {"GET", "HEAD", "POST", "OPTIONS"},
    f"{CUSTOMERS}/{{id}}": {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"},
    f"{CUSTOMERS}/{{id}}/addresses": {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"},
    f"{CUSTOMERS}/{{id}}/addresses/{{id}}": {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"},
    f"{CUSTOMERS}/{{id}}/phone-numbers": {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"},
    f"{CUSTOMERS}/{{id}}/phone-numbers/{{id}}": {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"},
    f"{CUSTOMERS}/{{id}}/notification-preferences": {"GET", "HEAD", "PUT", "PATCH", "OPTIONS"},
    "/api/v1/viewer": {"GET", "HEAD", "OPTIONS"},
    "/customers": {"GET", "HEAD", "POST", "OPTIONS"},
}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "PROPFIND"]


@pytest.mark.parametrize("template", ALLOWED)
def test_c006_a_method_works_or_is_405_with_allow_and_options_agrees(gateway: Gateway, template: str) -> None:
    url, allowed = template.replace("{id}", str(uuid.uuid4())), ALLOWED[template]
    options = gateway.http.options(url)
    assert (options.status_code, options.content) == (204, b"")
    assert set(options.headers["Allow"].split(", ")) >= allowed
    known = set(options.headers["Allow"].split(", "))
    for method in METHODS:
        response = gateway.http.request(method, url)
        assert (response.status_code == 405) is (method not in known), method
        if response.status_code == 405:
            assert set(response.headers["Allow"].split(", ")) == known
            assert response.json()["type"].endswith("/problems/method-not-allowed")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize(
    "url",
    ["/api", "/api/v1", "/api/v2/customers", "/api/v1/customer", "/api/v1/Customers", "/nowhere", "/api/v1//customers",
     "/api/v1/customers/",
     "/api/v1/customers/0d047d80-eb69-4665-9395-6df5a5e569a4/nothing"],
)  # fmt: skip
def test_c006_an_unknown_path_is_404_by_every_method(gateway: Gateway, method: str, url: str) -> None:
    response = gateway.http.request(method, url)
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["instance"] == url


@pytest.mark.parametrize("accept", ["application/json", "application/problem+json", "application/json, text/plain", ""])
def test_c008_errors_are_told_whatever_is_accepted(gateway: Gateway, accept: str) -> None:
    response = gateway.http.get(f"{CUSTOMERS}/{uuid.uuid4()}", headers={"Accept": accept})
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_problem_with_a_strange_path_has_an_instance_that_is_a_uri(gateway: Gateway) -> None:
    for path in ("/api/v1/a%3Fb", "/api/v1/a%23b", "/api/v1/%22%3Cx%3E", "/api/v1/%C3%A9"):
        problem = gateway.http.get(path).json()
        assert problem["instance"] == path


def test_head_of_a_failure_has_the_headers_of_get_and_no_body(gateway: Gateway) -> None:
    url = f"{CUSTOMERS}/{uuid.uuid4()}"
    got, head = gateway.http.get(url), gateway.http.head(url)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["Content-Type"] == got.headers["Content-Type"]
    assert head.headers["Content-Length"] == got.headers["Content-Length"]


def test_a_body_of_many_faults_stays_readable(gateway: Gateway) -> None:
    sent = factories.customer(addresses=[{}] * 50, phoneNumbers=[{}] * 50)
    response = gateway.http.post(CUSTOMERS, json=sent)
    assert response.status_code == 422
    assert len(response.json()["errors"]) == 50 * 6 + 50 * 3
    assert len(response.json()["detail"]) < 1000
    assert json.loads(response.text)
