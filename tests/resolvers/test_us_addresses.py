"""The optional rules for addresses in the United States (REST API Design Guidelines, Addresses)."""

from __future__ import annotations

from typing import Any

import pytest

from resolvers.commands import CreateCustomer
from resolvers.customers import create_customer
from resolvers.problem import Problem
from resolvers.validation import check
from storage.model import AddressInput
from storage.us_addresses import STATES
from tests import factories
from tests.conftest import StartGateway
from tests.resolvers.conftest import NewContext


def faults(address: dict[str, Any], *, us: bool = True) -> set[str]:
    try:
        check(AddressInput, address, strict=False, us_address_rules=us)
    except Problem as problem:
        return {fault.field for fault in problem.faults}
    return set()


def test_there_are_fifty_states_and_the_capital() -> None:
    assert len(STATES) == 51


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, set()),
        ({"postalCode": "94105-1234"}, set()),
        ({"street1": "x" * 64, "street2": "y" * 64, "city": "z" * 200}, set()),
        ({"street1": "", "street2": "", "city": " "}, {"street1", "city"}),
        ({"postalCode": "9410"}, {"postalCode"}),
        ({"postalCode": "941051"}, {"postalCode"}),
        ({"postalCode": "94105-12"}, {"postalCode"}),
        ({"postalCode": "94105 1234"}, {"postalCode"}),
        ({"postalCode": "SW1A 1AA"}, {"postalCode"}),
        ({"state": "California"}, {"state"}),
        ({"state": "ca"}, {"state"}),
        ({"state": "ZZ"}, {"state"}),
        ({"state": ""}, {"state"}),
        ({"country": "US"}, {"country"}),
        ({"country": "United States"}, {"country"}),
        ({"country": "usa"}, {"country"}),
        ({"street1": "x" * 65}, {"street1"}),
        ({"street2": "x" * 65}, {"street2"}),
        ({"city": "x" * 201}, {"city"}),
        ({"state": "California", "postalCode": "1"}, {"state", "postalCode"}),
        ({"state": "California", "postalCode": "!"}, {"state", "postalCode"}),
        ({"state": "California", "type": "castle"}, {"state", "type"}),
        ({"state": "California", "street2": 7, "city": None}, {"state", "street2", "city"}),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value),
)
def test_under_the_setting_addresses_in_the_us_follow_the_rules_and_all_faults_are_told(
    changes: dict[str, Any], fields: set[str]
) -> None:
    assert faults(factories.address(**changes)) == fields


async def test_the_setting_of_the_services_brings_the_rules_into_every_change(context: NewContext) -> None:
    body = factories.customer(addresses=[factories.address(), factories.address(state="California", type="castle")])
    with pytest.raises(Problem) as raised:
        await create_customer(context(us=True), CreateCustomer(lambda: body))
    assert {fault.field for fault in raised.value.faults} == {"addresses[1].state", "addresses[1].type"}


@pytest.mark.parametrize(
    "changes", [{"postalCode": "1"}, {"state": "California"}, {"country": "us"}, {"street1": "x" * 256}], ids=str
)
def test_without_the_setting_every_address_is_free(changes: dict[str, Any]) -> None:
    assert faults(factories.address(**changes), us=False) == set()


@pytest.mark.parametrize("country", ["DE", "Germany", "CAN", "GBR", "", "USSR"])
def test_addresses_elsewhere_are_free_under_the_setting_too(country: str) -> None:
    free = factories.address(country=country, state="Bayern", postalCode="SW1A 1AA", street1="x" * 256)
    assert faults(free) == set()


def test_the_rules_hold_for_one_address_over_rest(start_gateway: StartGateway) -> None:
    gateway = start_gateway(us_address_rules=True)
    customer = gateway.create()
    url = f"/api/v1/customers/{customer['id']}/addresses"
    response = gateway.http.post(url, json=factories.address(state="California"))
    assert response.status_code == 422
    assert [fault["pointer"] for fault in response.json()["errors"]] == ["/state"]
    patch = gateway.http.patch(url, json=[factories.address(country="US")], headers={"If-Match": "*"})
    assert [fault["pointer"] for fault in patch.json()["errors"]] == ["/0/country"]
