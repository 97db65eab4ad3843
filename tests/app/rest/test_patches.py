"""PATCH over REST: JSON Merge Patch (RFC 7396) and JSON Patch (RFC 6902)."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx2
import pytest

from tests import factories
from tests.harness import Gateway

CUSTOMERS = "/api/v1/customers"
MERGE, PATCH = "application/merge-patch+json", "application/json-patch+json"


def slug(response: httpx2.Response) -> str:
    return str(response.json()["type"]).rsplit("/", 1)[-1]


def patched(gateway: Gateway, patch: Any, media_type: str = PATCH, **headers: str) -> httpx2.Response:
    """Patch a new customer and return the answer."""
    body, tag = gateway.created(middleName="Quentin", addresses=[factories.address(), factories.address(city="Bonn")])
    return again(gateway, body["id"], patch, media_type, **{"If-Match": tag, **headers})


def again(gateway: Gateway, customer_id: str, patch: Any, media_type: str, **headers: str) -> httpx2.Response:
    return gateway.http.patch(
        f"{CUSTOMERS}/{customer_id}", content=json.dumps(patch), headers={"Content-Type": media_type, **headers}
    )


@pytest.mark.parametrize("media_type", [MERGE, "application/json", "Application/Merge-Patch+JSON; charset=UTF-8"])
def test_merge_patch_changes_what_it_names_and_leaves_the_rest(gateway: Gateway, media_type: str) -> None:
    body, tag = gateway.created(middleName="Quentin")
    response = again(gateway, body["id"], {"firstName": "Bea"}, media_type, **{"If-Match": tag})
    assert response.status_code == 200
    assert response.json() == {**body, "firstName": "Bea", "updatedAt": response.json()["updatedAt"]}


MERGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"middleName": None}, {"middleName": None}),
    ({"middleName": "Q"}, {"middleName": "Q"}),
    ({"notificationPreferences": {"sms": True}}, {"notificationPreferences": factories.preferences(sms=True)}),
    ({"notificationPreferences": {}}, {"notificationPreferences": factories.preferences()}),
    ({"addresses": [factories.address(city="Ulm")]}, {"addresses": [factories.address(city="Ulm")]}),
    ({"unknown": {"deep": None}}, {}),
    ({"unknown": None}, {}),
    ({}, {}),
]


@pytest.mark.parametrize(("patch", "expected"), MERGES, ids=str)
def test_merge_patch_as_rfc_7396_has_it(gateway: Gateway, patch: dict[str, Any], expected: dict[str, Any]) -> None:
    response = patched(gateway, patch, MERGE)
    assert response.status_code == 200, response.text
    body = response.json()
    assert {name: body[name] for name in expected} == expected
    assert "unknown" not in body


@pytest.mark.parametrize("name", ["firstName", "lastName", "email", "addresses", "phoneNumbers"])
def test_a_required_field_cannot_be_taken_away(gateway: Gateway, name: str) -> None:
    response = patched(gateway, {name: None}, MERGE)
    assert (response.status_code, slug(response)) == (422, "validation-error")
    assert [(fault["field"], fault["pointer"]) for fault in response.json()["errors"]] == [(name, f"/{name}")]


def test_merge_patch_takes_nulls_away_in_new_objects_too(gateway: Gateway) -> None:
    response = patched(gateway, {"notificationPreferences": {"sms": None}}, MERGE)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/notificationPreferences/sms"


@pytest.mark.parametrize("sent", [[], ["a"], None, 1, "text", True])
def test_a_merge_patch_that_is_no_object_is_400(gateway: Gateway, sent: Any) -> None:
    response = patched(gateway, sent, MERGE)
    assert (response.status_code, slug(response)) == (400, "wrong-top-level")


def op(kind: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": kind, "path": path, **({"from": more.pop("source")} if "source" in more else {}), **more}


GOOD_PATCHES: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
    ([], {}),
    ([op("replace", "/firstName", value="Bea")], {"firstName": "Bea"}),
    ([op("add", "/firstName", value="Bea")], {"firstName": "Bea"}),
    ([op("remove", "/middleName")], {"middleName": None}),
    ([op("replace", "/middleName", value=None)], {"middleName": None}),
    ([op("copy", "/firstName", source="/lastName")], {"firstName": "Reiger"}),
    ([op("move", "/firstName", source="/middleName")], {"firstName": "Quentin", "middleName": None}),
    ([op("test", "/lastName", value="Reiger"), op("replace", "/lastName", value="Nardo")], {"lastName": "Nardo"}),
    ([op("test", "/notificationPreferences/sms", value=False)], {}),
    ([op("test", "/notificationPreferences", value=factories.preferences())], {}),
    ([op("remove", "/addresses/0")], {"addresses": [factories.address(city="Bonn")]}),
    ([op("move", "/addresses/0", source="/addresses/1")],
     {"addresses": [factories.address(city="Bonn"), factories.address()]}),
    ([op("add", "/addresses/-", value=factories.address(city="Ulm"))],
     {"addresses": [factories.address(), factories.address(city="Bonn"), factories.address(city="Ulm")]}),
    ([op("add", "/addresses/1", value=factories.address(city="Ulm"))],
     {"addresses": [factories.address(), factories.address(city="Ulm"), factories.address(city="Bonn")]}),
    ([op("add", "/addresses/2", value=factories.address(city="Ulm"))],
     {"addresses": [factories.address(), factories.address(city="Bonn"), factories.address(city="Ulm")]}),
    ([op("add", "/a~1b", value=1), op("test", "/a~1b", value=1), op("remove", "/a~1b")], {}),
    ([op("add", "/a~0b", value=1), op("test", "/a~0b", value=1)], {}),
    ([op("add", "/~01", value=7), op("test", "/~01", value=7)], {}),
    ([op("add", "/", value=7), op("test", "/", value=7)], {}),
    ([op("add", "/é", value={"x": 1}), op("test", "/é/x", value=1)], {}),
    ([op("replace", "/firstName", value="Bea", unknown="ignored")], {"firstName": "Bea"}),
    ([op("copy", "/notificationPreferences/sms", source="/notificationPreferences/email")],
     {"notificationPreferences": factories.preferences(sms=True)}),
]  # fmt: skip


@pytest.mark.parametrize(("patch", "expected"), GOOD_PATCHES, ids=lambda value: str(value)[:60])
def test_json_patch_as_rfc_6902_has_it(gateway: Gateway, patch: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    response = patched(gateway, patch)
    assert response.status_code == 200, response.text
    body = response.json()
    assert {name: body[name] for name in expected} == expected
    assert len(body) == 10


def test_a_json_patch_may_replace_the_whole_document(gateway: Gateway) -> None:
    sent = factories.customer(firstName="Bea")
    response = patched(gateway, [op("replace", "", value=sent)])
    assert response.status_code == 200
    assert {name: response.json()[name] for name in sent} == sent


CONFLICTS = [
    op("test", "/lastName", value="Nardo"),
    op("test", "/nothing", value=None),
    op("test", "/notificationPreferences/sms", value=0),
    op("test", "/notificationPreferences/email", value=1),
    op("test", "/addresses/0", value={}),
    op("remove", "/nothing"),
    op("remove", "/addresses/2"),
    op("remove", "/addresses/-"),
    op("remove", "/addresses/01"),
    op("remove", "/addresses/-1"),
    op("remove", "/addresses/one"),
    op("remove", "/firstName/0"),
    op("remove", ""),
    op("replace", "/nothing", value=1),
    op("replace", "/addresses/9", value={}),
    op("replace", "/addresses/-", value={}),
    op("add", "/addresses/9", value={}),
    op("add", "/addresses/01", value={}),
    op("add", "/nothing/below", value=1),
    op("add", "/firstName/below", value=1),
    op("add", "/middleName/0/x", value=1),
    op("move", "/firstName", source="/nothing"),
    op("copy", "/firstName", source="/addresses/7"),
    op("move", "/addresses/0", source="/addresses"),
    op("copy", "/firstName", source="/addresses/-"),
]


@pytest.mark.parametrize("step", CONFLICTS, ids=str)
def test_a_json_patch_that_does_not_fit_is_409_and_changes_nothing(gateway: Gateway, step: dict[str, Any]) -> None:
    body, tag = gateway.created()
    patch = [op("replace", "/lastName", value="Nardo"), op("replace", "/lastName", value=body["lastName"]), step]
    response = again(gateway, body["id"], patch, PATCH, **{"If-Match": tag})
    assert (response.status_code, slug(response)) == (409, "patch-conflict"), response.text
    assert gateway.http.get(f"{CUSTOMERS}/{body['id']}").headers["ETag"] == tag


MALFORMED: list[Any] = [
    None,
    {},
    op("remove", "/middleName"),
    "remove",
    7,
    [None],
    [7],
    ["remove"],
    [[]],
    [{}],
    [{"op": "remove"}],
    [{"path": "/middleName"}],
    [{"op": "erase", "path": "/middleName"}],
    [{"op": "REMOVE", "path": "/middleName"}],
    [{"op": 7, "path": "/middleName"}],
    [{"op": None, "path": "/middleName"}],
    [{"op": ["remove"], "path": "/middleName"}],
    [{"op": {}, "path": "/middleName"}],
    [{"op": "remove", "path": 7}],
    [{"op": "remove", "path": None}],
    [{"op": "remove", "path": ["middleName"]}],
    [{"op": "remove", "path": "middleName"}],
    [{"op": "remove", "path": "#/middleName"}],
    [{"op": "remove", "path": "/middle~Name"}],
    [{"op": "remove", "path": "/middleName~"}],
    [{"op": "remove", "path": "/middle~2Name"}],
    [{"op": "add", "path": "/firstName"}],
    [{"op": "replace", "path": "/firstName"}],
    [{"op": "test", "path": "/firstName"}],
    [{"op": "move", "path": "/firstName"}],
    [{"op": "copy", "path": "/firstName"}],
    [{"op": "move", "path": "/firstName", "from": 7}],
    [{"op": "copy", "path": "/firstName", "from": None}],
    [{"op": "copy", "path": "/firstName", "from": "lastName"}],
    [{"op": "copy", "path": "/firstName", "from": "/~"}],
    [op("remove", "/nothing"), {"op": "erase"}],
    [op("test", "/middleName", value="Quentin")] * 101,
]


@pytest.mark.parametrize("patch", MALFORMED, ids=lambda value: str(value)[:60])
def test_a_json_patch_without_its_form_is_400(gateway: Gateway, patch: Any) -> None:
    response = patched(gateway, patch)
    assert (response.status_code, slug(response)) == (400, "invalid-patch"), response.text


def test_a_json_patch_may_have_a_hundred_operations(gateway: Gateway) -> None:
    assert patched(gateway, [op("test", "/middleName", value="Quentin")] * 100).status_code == 200


@pytest.mark.parametrize(
    "patch",
    [
        [op("add", "/x", value="y" * 1000), *[op("copy", "/x", source="")] * 90],
        [op("add", "/x", value=["y" * 1000]), *[op("copy", "/x/-", source="/x")] * 40],
        [op("add", "/x", value="y" * 600_000), *[op("copy", f"/z{number}", source="/x") for number in range(90)]],
    ],
    ids=["the whole into itself", "a list into itself", "a large text often"],
)
def test_growth_by_copy_is_413_before_it_costs_anything(gateway: Gateway, patch: list[dict[str, Any]]) -> None:
    began = time.monotonic()
    response = patched(gateway, patch)
    assert (response.status_code, slug(response)) == (413, "body-too-large")
    print(f"refused in {(time.monotonic() - began) * 1000:.0f} ms")


@pytest.mark.parametrize("name", ["id", "createdAt", "updatedAt", "version", "_id", "etag"])
@pytest.mark.parametrize("kind", ["add", "replace", "remove"])
def test_c068_a_json_patch_into_what_the_server_makes_changes_nothing(gateway: Gateway, name: str, kind: str) -> None:
    body, tag = gateway.created()
    more = {} if kind == "remove" else {"value": "1"}
    known = name in body
    response = again(gateway, body["id"], [op(kind, f"/{name}", **more)], PATCH, **{"If-Match": tag})
    assert response.status_code == (200 if known or kind == "add" else 409)
    read = gateway.http.get(f"{CUSTOMERS}/{body['id']}")
    assert (read.json(), read.headers["ETag"]) == (body, tag)


MADE_BY_SERVER = ["id", "createdAt", "updatedAt"]
FORMS = [(PATCH, "add"), (PATCH, "remove"), (MERGE, "value"), (MERGE, "null")]


@pytest.mark.parametrize(
    ("name", "media_type", "form"),
    [(name, *form) for name in MADE_BY_SERVER for form in FORMS]
    + [(name, *form) for name in ("version", "_id") for form in FORMS if form[1] in {"add", "value"}],
)
def test_c068_under_strict_handling_a_patch_of_what_the_server_makes_is_422(
    gateway: Gateway, name: str, media_type: str, form: str
) -> None:
    patch: Any = {
        "add": [op("add", f"/{name}", value="1")],
        "remove": [op("remove", f"/{name}")],
        "value": {name: "1"},
        "null": {name: None},
    }[form]
    response = patched(gateway, patch, media_type, Prefer="handling=strict")
    assert response.status_code == 422, response.text
    assert [fault["field"] for fault in response.json()["errors"]] == [name]


def resolved(document: Any, pointer: str) -> Any:
    """Return what a JSON Pointer names, by RFC 6901 itself."""
    for token in pointer.split("/")[1:]:
        step = token.replace("~1", "/").replace("~0", "~")
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


BAD_RESULTS: list[tuple[list[dict[str, Any]], str, str]] = [
    ([op("replace", "/firstName", value="")], "firstName", "/0/value"),
    ([op("test", "/firstName", value="Alex"), op("replace", "/firstName", value=7)], "firstName", "/1/value"),
    ([op("replace", "/firstName", value=7), op("test", "/firstName", value=7)], "firstName", "/0/value"),
    ([op("remove", "/lastName")], "lastName", "/0"),
    ([op("remove", "/addresses/0/city")], "addresses[0].city", "/0"),
    ([op("move", "/middleName", source="/lastName")], "lastName", "/0/from"),
    ([op("add", "/addresses/-", value=factories.address(postalCode="!"))],
     "addresses[2].postalCode", "/0/value/postalCode"),
    ([op("replace", "/addresses", value=[])], "addresses", "/0/value"),
    ([op("replace", "/addresses/1", value={})], "addresses[1].type", "/0/value"),
    ([op("replace", "/notificationPreferences/sms", value="no")], "notificationPreferences.sms", "/0/value"),
]  # fmt: skip


@pytest.mark.parametrize(("patch", "field", "pointer"), BAD_RESULTS, ids=lambda value: str(value)[:60])
def test_c004_faults_of_a_patched_document_point_into_the_patch(
    gateway: Gateway, patch: list[dict[str, Any]], field: str, pointer: str
) -> None:
    response = patched(gateway, patch)
    assert response.status_code == 422, response.text
    found = {fault["field"]: fault["pointer"] for fault in response.json()["errors"]}
    assert found[field] == pointer
    for where in found.values():
        resolved(patch, where)


def test_a_json_patch_whose_result_is_no_object_is_refused(gateway: Gateway) -> None:
    assert patched(gateway, [op("replace", "", value=[])]).status_code in {400, 422}


def test_accept_patch_names_the_three_types(gateway: Gateway) -> None:
    url = f"{CUSTOMERS}/{gateway.create()['id']}"
    wrong = gateway.http.patch(url, content=b"<x/>", headers={"Content-Type": "application/xml", "If-Match": "*"})
    assert (wrong.status_code, slug(wrong)) == (415, "unsupported-media-type")
    for response in (wrong, gateway.http.options(url)):
        assert set(response.headers["Accept-Patch"].split(", ")) == {MERGE, PATCH, "application/json"}


def test_equal_parts_keep_their_ids_through_every_kind_of_patch(gateway: Gateway) -> None:
    body, tag = gateway.created(addresses=[factories.address(city=city) for city in ("Ulm", "Bonn", "Köln")])
    url = f"{CUSTOMERS}/{body['id']}/addresses"
    before = {part["city"]: part["id"] for part in gateway.http.get(url).json()["content"]}
    patch = [op("move", "/addresses/0", source="/addresses/2"), op("remove", "/addresses/1")]
    response = again(gateway, body["id"], patch, PATCH, **{"If-Match": tag})
    assert response.status_code == 200
    after = {part["city"]: part["id"] for part in gateway.http.get(url).json()["content"]}
    assert after == {city: before[city] for city in ("Köln", "Bonn")}
