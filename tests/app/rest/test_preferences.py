"""Notification preferences as a resource, and the preferences of the Prefer header."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.rest.preferences import parse_prefer
from tests import factories
from tests.harness import Gateway


def url_of(customer_id: str) -> str:
    return f"/api/v1/customers/{customer_id}/notification-preferences"


def test_get_shows_all_four_preferences_with_the_etag_of_the_customer(gateway: Gateway) -> None:
    body, tag = gateway.created()
    response = gateway.http.get(url_of(body["id"]))
    assert (response.status_code, response.json()) == (200, factories.preferences())
    assert response.headers["ETag"] == tag


def test_put_sets_all_four(gateway: Gateway) -> None:
    body, tag = gateway.created()
    sent = factories.preferences(email=False, sms=True)
    response = gateway.http.put(url_of(body["id"]), json=sent, headers={"If-Match": tag})
    assert (response.status_code, response.json()) == (200, sent)
    assert response.headers["ETag"] != tag
    assert gateway.http.get(f"/api/v1/customers/{body['id']}").json()["notificationPreferences"] == sent


def test_patch_sets_one(gateway: Gateway) -> None:
    body, tag = gateway.created()
    response = gateway.http.patch(url_of(body["id"]), json={"sms": True}, headers={"If-Match": tag})
    assert (response.status_code, response.json()) == (200, factories.preferences(sms=True))


def test_json_patch_sets_one(gateway: Gateway) -> None:
    body, tag = gateway.created()
    response = gateway.http.patch(
        url_of(body["id"]),
        json=[{"op": "replace", "path": "/sms", "value": True}],
        headers={"If-Match": tag, "Content-Type": "application/json-patch+json"},
    )
    assert (response.status_code, response.json()) == (200, factories.preferences(sms=True))


@pytest.mark.parametrize("sent", [{}, {"email": True}, {**factories.preferences(), "sms": 1}])
def test_put_needs_all_four_as_booleans(gateway: Gateway, sent: dict[str, Any]) -> None:
    body, tag = gateway.created()
    response = gateway.http.put(url_of(body["id"]), json=sent, headers={"If-Match": tag})
    assert response.status_code == 422


@pytest.mark.parametrize(("sent", "field"), [({"sms": None}, "sms"), ({"sms": "yes"}, "sms"), ({"push": 0}, "push")])
def test_patch_keeps_four_booleans(gateway: Gateway, sent: dict[str, Any], field: str) -> None:
    body, tag = gateway.created()
    response = gateway.http.patch(url_of(body["id"]), json=sent, headers={"If-Match": tag})
    assert response.status_code == 422
    assert [(one["field"], one["pointer"]) for one in response.json()["errors"]] == [(field, f"/{field}")]


def test_an_unknown_channel_is_ignored_and_422_under_strict_handling(gateway: Gateway) -> None:
    body, tag = gateway.created()
    headers = {"If-Match": tag, "Prefer": "handling=strict"}
    assert gateway.http.patch(url_of(body["id"]), json={"fax": True}, headers=headers).status_code == 422
    lenient = gateway.http.patch(url_of(body["id"]), json={"fax": True}, headers={"If-Match": tag})
    assert (lenient.status_code, lenient.json(), lenient.headers["ETag"]) == (200, factories.preferences(), tag)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_c024_a_change_without_if_match_is_412(gateway: Gateway, method: str) -> None:
    response = gateway.http.request(method, url_of(gateway.create()["id"]), json=factories.preferences())
    assert response.status_code == 412


def test_preferences_cannot_be_deleted_or_added(gateway: Gateway) -> None:
    url = url_of(gateway.create()["id"])
    for method in ("POST", "DELETE"):
        response = gateway.http.request(method, url)
        assert response.status_code == 405
        assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "PUT", "PATCH", "OPTIONS"}


def test_preferences_of_nobody_are_404_and_of_the_deleted_410(gateway: Gateway) -> None:
    assert gateway.http.get(url_of(str(uuid.uuid4()))).status_code == 404
    body = gateway.create()
    gateway.http.delete(f"/api/v1/customers/{body['id']}")
    assert gateway.http.get(url_of(body["id"])).status_code == 410


@pytest.mark.parametrize(
    ("headers", "handling", "returns"),
    [
        ([], None, None),
        (["return=minimal"], None, "minimal"),
        (["Return=Minimal"], None, "minimal"),
        (['return="minimal"'], None, "minimal"),
        (["return = minimal"], None, "minimal"),
        (["return=minimal;foo=bar"], None, "minimal"),
        (["respond-async, return=minimal; x, handling=strict"], "strict", "minimal"),
        (["return=minimal", "handling=strict"], "strict", "minimal"),
        (["return=minimal, return=representation"], None, "minimal"),
        (["return=everything"], None, None),
        (["handling=lenient"], "lenient", None),
        (["return"], None, None),
        (['note="a, return=minimal, b"'], None, None),
        (['note="a, b", return=minimal'], None, "minimal"),
        (['note="a \\" b", return=minimal'], None, "minimal"),
        ([",,return=minimal,,"], None, "minimal"),
        (["=;,\x00"], None, None),
        (["wait=10" * 500 + ", return=minimal"], None, None),
        (["a" + " " * 5000], None, None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_prefer_is_read_as_rfc_7240_has_it(headers: list[str], handling: str | None, returns: str | None) -> None:
    found = parse_prefer(", ".join(headers))
    assert (found.handling, found.returns) == (handling, returns)
