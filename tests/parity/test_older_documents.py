"""Customers that were stored before a field was there: it is empty at both doors, and they change like any other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pymongo import MongoClient

from tests.crowd import LIST, Crowd, crowded, member
from tests.selections import CUSTOMER

OWN = ("middleName", "keys.order.middleName")
PARTS = (
    *("addresses.$[].street2", "keys.addresses.$[].street2"),
    *("phoneNumbers.$[].extension", "keys.phoneNumbers.$[].extension"),
)


@contextmanager
def older(mongod_url: str, gone: tuple[str, ...]) -> Iterator[Crowd]:
    """Run a gateway over three customers as they were stored when nobody could say these fields."""
    members = [member(number) for number in range(3)]
    with crowded(mongod_url, members) as made, MongoClient[dict[str, Any]](mongod_url) as client:
        customers = client[made.gateway.database].customers
        assert customers.update_many({}, {"$unset": dict.fromkeys(gone, "")}).modified_count == 3
        yield made


@pytest.fixture
def crowd(mongod_url: str) -> Iterator[Crowd]:
    with older(mongod_url, OWN) as made:
        yield made


@pytest.fixture
def bare(mongod_url: str) -> Iterator[Crowd]:
    """Customers of whose parts fields are lacking as well."""
    with older(mongod_url, (*OWN, *PARTS)) as made:
        yield made


def test_they_are_read_alone_and_in_lists(bare: Crowd) -> None:
    one, *_ = bare.customers
    path = f"{LIST}/{one['id']}"
    assert bare.gateway.http.get(path).json()["lastName"] == one["lastName"]
    assert bare.names(size=10) == ["Name000", "Name001", "Name002"]
    assert sorted(bare.names(filter="middleName eq null", sort="middleName,asc")) == ["Name000", "Name001", "Name002"]
    assert bare.get(fields="middleName,addresses.street2").status_code == 200
    shown = bare.gateway.data(f'{{ customer(id: "{one["id"]}") {{ {CUSTOMER} }} }}')["customer"]
    listed = bare.gateway.data(f"{{ customers(first: 3) {{ nodes {{ {CUSTOMER} }} }} }}")["customers"]["nodes"]
    for found in (shown, *listed):
        assert (found["middleName"], found["addresses"][0]["street2"], found["phoneNumbers"][0]["extension"]) == (
            None,
        ) * 3


@pytest.mark.parametrize("media", ["application/x-ndjson", "text/csv"])
def test_they_are_exported(bare: Crowd, media: str) -> None:
    exported = bare.gateway.http.get(f"{LIST}:export", headers={"Accept": media})
    assert (exported.status_code, exported.text.count("Name00")) == (200, 3)


def test_they_are_changed_through_either_door(crowd: Crowd) -> None:
    first, second, third = (str(one["id"]) for one in crowd.customers)
    path = f"{LIST}/{first}"
    changed = crowd.gateway.http.patch(path, json={"lastName": "New"}, headers={"If-Match": "*"})
    assert (changed.status_code, changed.json()["lastName"], changed.json()["middleName"]) == (200, "New", None)
    stale = crowd.gateway.http.patch(
        f"{LIST}/{second}", json={"lastName": "New"}, headers={"If-Match": '"v9-00000000"'}
    )
    assert (stale.status_code, stale.json()["differingFields"]) == (412, ["lastName"])
    patched = f'updateCustomer(id: "{third}", patch: {{firstName: "G"}}, ifVersion: 1) {{ {CUSTOMER} }}'
    assert crowd.gateway.data(f"mutation {{ {patched} }}")["updateCustomer"]["firstName"] == "G"


def test_what_was_empty_all_along_is_no_change(crowd: Crowd) -> None:
    path = f"{LIST}/{crowd.customers[0]['id']}"
    before = crowd.gateway.http.get(path)
    same = crowd.gateway.http.patch(path, json={"middleName": None}, headers={"If-Match": before.headers["etag"]})
    assert (same.status_code, same.headers["etag"]) == (200, before.headers["etag"])
