"""What an argument with a default means when its client sends null, as clients do for a variable without a value."""

from __future__ import annotations

import pytest

from tests import factories
from tests.harness import Gateway

CREATE = """mutation Create($input: CreateCustomerInput!, $dryRun: Boolean) {
  createCustomer(input: $input, dryRun: $dryRun) { id }
}"""
DELETE = "mutation Delete($id: ID!, $dryRun: Boolean) { deleteCustomer(id: $id, dryRun: $dryRun) { id } }"
BATCH = """mutation Batch($operations: [CustomerOperation!]!, $atomic: Boolean) {
  batchCustomers(operations: $operations, atomic: $atomic) { results { status } }
}"""
PAGE = """query Page($page: Int, $size: Int) {
  customerPage(page: $page, size: $size) { items { id } page { page size } }
}"""
DEFAULTS = {
    "page": ("Int", "1"),
    "size": ("Int", "25"),
    "dryRun": ("Boolean", "false"),
    "atomic": ("Boolean", "true"),
}


def test_a_change_whose_dry_run_is_null_is_made(gateway: Gateway) -> None:
    made = gateway.data(CREATE, input=factories.graphql_customer(), dryRun=None)["createCustomer"]["id"]
    assert gateway.http.get(f"/api/v1/customers/{made}").status_code == 200
    gateway.data(DELETE, id=made, dryRun=None)
    assert gateway.http.get(f"/api/v1/customers/{made}").status_code == 410


def test_a_batch_whose_atomic_is_null_is_all_or_nothing(gateway: Gateway) -> None:
    operations = [{"create": factories.graphql_customer()}, {"create": factories.graphql_customer(firstName="")}]
    answer = gateway.graphql(BATCH, operations=operations, atomic=None)
    assert answer["errors"][0]["extensions"]["type"].endswith("/problems/batch-failed")


def test_a_page_whose_number_and_size_are_null_is_the_first_of_25(gateway: Gateway) -> None:
    found = gateway.data(PAGE, page=None, size=None)["customerPage"]
    assert found == gateway.data("{ customerPage { items { id } page { page size } } }")["customerPage"]
    assert found["page"] == {"page": 1, "size": 25}


@pytest.mark.parametrize("name", ["createCustomer", "deleteCustomers", "batchCustomers", "addAddress", "customerPage"])
def test_arguments_with_a_default_are_nullable(gateway: Gateway, name: str) -> None:
    query = "{ __type(name: %s) { fields { name args { name type { name } defaultValue } } } }"
    kind = gateway.data(query % ('"Query"' if name == "customerPage" else '"Mutation"'))["__type"]
    (arguments,) = (field["args"] for field in kind["fields"] if field["name"] == name)
    found = {one["name"]: (one["type"]["name"], one["defaultValue"]) for one in arguments if one["name"] in DEFAULTS}
    assert found
    assert found == {name: DEFAULTS[name] for name in found}
