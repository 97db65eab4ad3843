"""Operations that go on after their request: progress, end, owner; and what is erased by a filter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from pymongo import MongoClient

from app.settings import Settings
from resolvers import deletions
from resolvers.jobs import MOST_LISTED
from resolvers.webhooks import MOST as MOST_WEBHOOKS
from tests.commands import until
from tests.conftest import StartGateway
from tests.harness import Gateway
from tests.parity.doors import OPERATION

CUSTOMERS = "/api/v1/customers"
OPERATIONS = "/api/v1/operations"


@pytest.fixture
def own(start_gateway: StartGateway) -> Gateway:
    """A gateway with nobody in it."""
    return start_gateway()


@pytest.fixture
def stored(own: Gateway) -> Iterator[Any]:
    """Its database, beside it."""
    with MongoClient[dict[str, Any]](own.store_url) as client:
        yield client[own.database]


def filled(gateway: Gateway, **groups: int) -> dict[str, list[dict[str, Any]]]:
    """Create so many customers of each last name."""
    return {name: [gateway.create(lastName=name) for _ in range(count)] for name, count in groups.items()}


def ended(http: httpx2.Client, operation: dict[str, Any]) -> dict[str, Any]:
    """Return an operation once it has ended."""
    found: list[dict[str, Any]] = [operation]

    def look() -> bool:
        answer = http.get(f"{OPERATIONS}/{operation['id']}")
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        assert ("Retry-After" in answer.headers) == (found[-1]["status"] == "running")
        return bool(found[-1]["status"] != "running")

    until(look, 20, "the end of the operation")
    return found[-1]


class TestDeleting:
    def test_what_a_filter_finds_is_erased_each_with_its_tombstone(self, own: Gateway, stored: Any) -> None:
        made = filled(own, Abel=3, Baker=2)
        changed = made["Abel"][0]
        own.http.patch(f"{CUSTOMERS}/{changed['id']}", json={"middleName": "Q"}, headers={"If-Match": "*"})
        question = {"filter": "lastName eq 'abel'"}
        dry = own.http.delete(CUSTOMERS, params={**question, "dryRun": True})
        assert (dry.status_code, dry.json(), dry.headers["Dry-Run"]) == (200, {"deleted": 3}, "true")
        assert stored.customers.count_documents({}) == 5
        done = own.http.delete(CUSTOMERS, params=question)
        assert (done.status_code, done.json()) == (200, {"deleted": 3})
        assert {one["lastName"] for one in stored.customers.find()} == {"Baker"}
        stones = {one["id"]: one["version"] for one in stored.tombstones.find()}
        assert stones == {one["id"]: 3 if one is changed else 2 for one in made["Abel"]}
        assert {own.http.get(f"{CUSTOMERS}/{one['id']}").status_code for one in made["Abel"]} == {410}
        assert own.http.delete(CUSTOMERS, params=question).json() == {"deleted": 0}

    @pytest.mark.parametrize(
        "params",
        [
            {},
            {"dryRun": True},
            {"confirm": "all", "city": "Ulm"},
            {"confirm": "yes"},
            {"city": "Ulm", "size": 5},
            {"filter": "startswith(lastName,'')"},
            {"filter": "not (addresses/any(a: a/city lt ''))"},
        ],
    )
    def test_what_may_mean_more_than_it_says_erases_nobody(self, own: Gateway, params: Any, stored: Any) -> None:
        filled(own, Abel=1)
        refused = own.http.delete(CUSTOMERS, params=params)
        assert refused.status_code == 400
        assert refused.json()["type"].rpartition("/")[2] in {"invalid-parameter", "unknown-parameter"}
        assert stored.customers.count_documents({}) == 1

    def test_graphql_erases_by_the_same_rules(self, own: Gateway, stored: Any) -> None:
        filled(own, Abel=2, Baker=1)
        mutation = """mutation($f: CustomerFilter, $all: Confirmation, $dry: Boolean!) {
          deleteCustomers(filter: $f, confirm: $all, dryRun: $dry) { deleted operation { id } }
        }"""
        where = {"lastName": {"eq": "ABEL"}}
        for variables in ({"f": {}, "dry": False}, {"f": where, "all": "ALL", "dry": False}):
            (error,) = own.graphql(mutation, **variables)["errors"]
            assert error["extensions"]["type"].endswith("/invalid-parameter")
        for dry in (True, False):
            assert own.data(mutation, f=where, dry=dry) == {"deleteCustomers": {"deleted": 2, "operation": None}}
        assert own.data(mutation, all="ALL", dry=False)["deleteCustomers"]["deleted"] == 1
        assert stored.customers.count_documents({}) == 0

    @pytest.mark.parametrize(
        "empty",
        [
            {"and": [{}, {"lastName": {}}]},
            {"or": [{}, {"lastName": {"eq": "Nobody"}}]},
            {"not": {"or": []}},
            {"not": {"not": {}}},
            {"addresses": {"some": {}}},
            {"addresses": {"none": {"or": []}}},
            {"and": [{"phoneNumbers": {"some": {"and": [{}]}}}]},
            {"lastName": {"startsWith": ""}},
            {"name": {"startsWith": ""}},
            {"addresses": {"some": {"city": {"ge": ""}}}},
            {"not": {"firstName": {"lt": ""}}},
        ],
        ids=str,
    )
    def test_a_filter_of_empty_parts_means_all_and_so_needs_to_be_confirmed(
        self, own: Gateway, empty: Any, stored: Any
    ) -> None:
        filled(own, Abel=1)
        mutation = """mutation($f: CustomerFilter, $all: Confirmation) {
          deleteCustomers(filter: $f, confirm: $all) { deleted }
        }"""
        (error,) = own.graphql(mutation, f=empty)["errors"]
        assert error["extensions"]["type"].endswith("/invalid-parameter")
        assert stored.customers.count_documents({}) == 1
        assert own.data(mutation, f=empty, all="ALL")["deleteCustomers"]["deleted"] == 1

    def test_an_empty_text_asks_for_something_where_there_may_be_none(self, own: Gateway, stored: Any) -> None:
        own.create(middleName="Q")
        own.create(middleName=None)
        mutation = "mutation($f: CustomerFilter) { deleteCustomers(filter: $f) { deleted } }"
        assert own.data(mutation, f={"middleName": {"startsWith": ""}})["deleteCustomers"]["deleted"] == 1
        assert [one["middleName"] for one in stored.customers.find()] == [None]

    def test_a_filter_that_nobody_can_fulfil_erases_nobody(self, own: Gateway, stored: Any) -> None:
        filled(own, Abel=1)
        impossible: list[Any] = [{"or": []}, {"not": {}}, {"and": [{"or": []}, {"lastName": {"eq": "Abel"}}]}]
        for none in impossible:
            mutation = "mutation($f: CustomerFilter) { deleteCustomers(filter: $f) { deleted } }"
            assert own.data(mutation, f=none)["deleteCustomers"]["deleted"] == 0
        assert stored.customers.count_documents({}) == 1

    def test_an_operation_puts_each_customer_that_it_erases_into_the_audit(
        self, start_gateway: StartGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deletions, "AT_ONCE", 1)
        own = start_gateway(audit_log=tmp_path / "audit.log")
        made = filled(own, Abel=3)["Abel"]
        begun = own.http.delete(CUSTOMERS, params={"confirm": "all"}, headers={"X-Request-Id": "mine"})
        ended(own.http, begun.json())
        lines = [json.loads(line) for line in (tmp_path / "audit.log").read_text().splitlines()]
        told = {(line["customerId"], line["version"], line["requestId"]) for line in lines if line["version"] == 2}
        assert told == {(one["id"], 2, "mine") for one in made}

    def test_many_are_erased_by_an_operation(self, own: Gateway, stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(deletions, "AT_ONCE", 2)
        filled(own, Abel=3)
        begun = own.http.delete(CUSTOMERS, params={"confirm": "all"})
        body = begun.json()
        assert (begun.status_code, begun.headers["Location"]) == (202, f"{OPERATIONS}/{body['id']}")
        assert (body["kind"], body["status"], begun.headers["Retry-After"]) == ("delete", "running", "1")
        done = ended(own.http, body)
        assert {**body, "updatedAt": done["updatedAt"]} == {
            **done, "status": "running", "done": 0, "total": None, "counts": {"deleted": 0},
        }  # fmt: skip
        assert (done["status"], done["done"], done["total"]) == ("succeeded", 3, 3)
        assert stored.customers.count_documents({}) == 0
        assert stored.tombstones.count_documents({}) == 3
        (kept,) = stored.operations.find()
        assert kept.keys().isdisjoint({"task", "position", "lease"}), "what may hold a name is gone"
        assert "expires" in kept


class TestOwners:
    def test_c067_the_operation_of_another_is_as_if_it_were_not_there(
        self, own: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deletions, "AT_ONCE", 0)
        filled(own, Abel=1)
        mine = ended(own.http, own.http.delete(CUSTOMERS, params={"confirm": "all"}).json())
        nobodys = str(uuid4())
        with own.with_scopes("customers:admin", "customers:read") as other:
            answers = [
                (other.get(f"{OPERATIONS}/{one}"), other.post(f"{OPERATIONS}/{one}:cancel"))
                for one in (mine["id"], nobodys)
            ]
            assert {answer.status_code for pair in answers for answer in pair} == {404}
            told = [[{**answer.json(), "instance": "", "requestId": ""} for answer in pair] for pair in answers]
            assert told[0] == told[1]
            assert other.get(OPERATIONS).json() == {"content": []}
            query = f'{{ operations {{ id }} operation(id: "{mine["id"]}") {{ id }} }}'
            assert other.post("/graphql", json={"query": query}).json()["data"] == {"operations": [], "operation": None}
        assert own.http.get(OPERATIONS).json() == {"content": [mine]}
        assert own.http.get(f"{OPERATIONS}/{nobodys[:-1]}").status_code == 400

    def test_c084_a_list_of_operations_or_webhooks_costs_what_it_may_hold_and_fits_as_a_whole(
        self, own: Gateway
    ) -> None:
        def cost(selected: str) -> Any:
            return own.graphql(f"{{ {selected} }}")["extensions"]["cost"]["requested"]

        assert cost("operations { id }") == MOST_LISTED
        assert cost("webhooks { id }") == MOST_WEBHOOKS
        assert MOST_LISTED < cost(f"operations {{ {OPERATION} }}") <= Settings.model_fields["graphql_max_cost"].default

    def test_an_operation_that_has_ended_is_not_cancelled(self, own: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(deletions, "AT_ONCE", 0)
        filled(own, Abel=1)
        mine = ended(own.http, own.http.delete(CUSTOMERS, params={"confirm": "all"}).json())
        assert own.http.post(f"{OPERATIONS}/{mine['id']}:cancel").json() == mine
        mutation = "mutation($id: ID!) { cancelOperation(id: $id) { id kind status counts { outcome count } } }"
        assert own.data(mutation, id=mine["id"])["cancelOperation"] == {
            "id": mine["id"], "kind": "DELETE", "status": "SUCCEEDED", "counts": [{"outcome": "deleted", "count": 1}],
        }  # fmt: skip
