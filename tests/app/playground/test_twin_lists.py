"""A list of REST, in each of its dialects, and its twins have the same customers."""

from __future__ import annotations

from typing import Any

import pytest

from tests import factories
from tests.app.playground.twins import Twins, ask_rest, common, content
from tests.harness import Gateway

LISTS = [
    "?size=3&sort=lastName,desc&sort=createdAt",
    "?page=2&page_size=2&sort_by=-created_at,%2Blast_name&count=none",
    "?sort_fields=lastName,firstName&sort=desc&size=4&fields=lastName,addresses.city",
    "?cursor=&size=2&sort=email&count=exact",
    "?cursor=~&size=2",
    "?last_name=O'Neil&city=Cork&country=DE",
    "?addressType=home&phoneType=mobile&notify=email,mail&createdAfter=2025-01-01",
    "?name=ada&q=ada",
    "?phone=123-4567",
    "?filter=not (lastName eq 'O''Neil' or startswith(email, 'x')) and createdAt ge 2025-01-01T00:20:00",
    "?filter=addresses/any(a: a/city eq 'Cork' and a/country eq 'DE')&size=5",
    "?filter=not addresses/any(a: a/city eq 'Cork') and notificationPreferences/email",
    "?filter=city ne 'Cork'",
    "?filter=not (id in (d68825b3-830c-44f8-953e-a8b5cd943aa8, 0d047d80-eb69-4665-9395-6df5a5e569a4))",
    "?filter=addresses.city ne 'Cork' and addresses.city ne 'Rome'",
    "?filter=last_name in ('O''Neil', 'Lovelace') or middleName eq null",
    "?filter=contains(phone, '4567') and notificationPreferences/sms eq false",
    "?filter=addresses/any(a: a/type in ('home', 'work') and not (a/state eq 'x' or a/postalCode lt '1'))",
    "?filter=(createdAt gt 2025-01-01 and createdAt lt '2125-01-01') and phoneNumbers/any(p: p/countryCode eq '%2B1')",
]


def ids_of(body: Any) -> list[str]:
    return [one["id"] for one in content(body)]


@pytest.mark.parametrize("query", LISTS)
def test_a_list_and_its_twins_have_the_same_customers(gateway: Gateway, twins: Twins, query: str) -> None:
    gateway.create(lastName="O'Neil", addresses=[factories.address(city="Cork", country="DE")])
    gateway.create(firstName="Ada", phoneNumbers=[factories.phone_number(number="123-4567")])
    address = f"/api/v1/customers{query}"
    answer = gateway.http.get(address)
    assert answer.is_success, answer.text
    twin = twins.to_graphql(f"GET http://gateway.test{address}")
    assert "query" in twin, twin
    asked = gateway.data(twin["query"], **twin["variables"])
    assert ids_of(asked) == ids_of(answer.json())
    assert common(content(asked), content(answer.json())) >= len(ids_of(asked))
    (back,) = twins.to_rest(twin["query"], twin["variables"])
    assert ids_of(ask_rest(gateway, back)) == ids_of(asked)


def test_what_is_too_long_for_an_address_goes_to_search(gateway: Gateway, twins: Twins) -> None:
    made = gateway.create(lastName="Longfellow")
    names = ["Longfellow", *(f"Nobody{number:04}" for number in range(90))]
    filter_ = {"lastName": {"in": names}, "id": {"eq": made["id"]}}
    (twin,) = twins.to_rest("query($f: CustomerFilter) { customerPage(filter: $f) { items { id } } }", {"f": filter_})
    assert twin["request"]["path"].endswith(":search")
    assert ids_of(ask_rest(gateway, twin)) == [made["id"]]
    back = twins.to_graphql(twin["curl"])
    assert ids_of(gateway.data(back["query"], **back["variables"])) == [made["id"]]
