"""What an argument with a default means when its client sends null, as clients do for a variable without a value."""

from __future__ import annotations

from app.cli.documents import graphql_schema
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


WEBHOOK = """mutation Webhook($dryRun: Boolean) {
  createWebhook(input: {url: "https://hooks.example.com/", enabled: false}, dryRun: $dryRun) { id }
}"""
CHANGES = """mutation Changes($id: ID!, $dryRun: Boolean) {
  updateWebhook(id: $id, patch: {types: ["customer.deleted"]}, dryRun: $dryRun) { types }
  rotateWebhookSecret(id: $id, dryRun: $dryRun) { previousSecretUntil }
  testWebhook(id: $id, dryRun: $dryRun) { id }
  replayWebhookDeliveries(webhookId: $id, input: {since: "2026-01-01T00:00:00Z"}, dryRun: $dryRun) { replayed }
}"""
LOG = """query Log($id: ID!, $size: Int) {
  webhook(id: $id) { types previousSecretUntil }
  webhookDeliveries(webhookId: $id, size: $size) { deliveries { id } }
}"""
REPLAY = """mutation Replay($id: ID!, $delivery: ID!, $dryRun: Boolean) {
  replayWebhookDelivery(webhookId: $id, id: $delivery, dryRun: $dryRun) { state }
}"""
GONE = "mutation Gone($id: ID!, $dryRun: Boolean) { deleteWebhook(id: $id, dryRun: $dryRun) { id } }"


def test_changes_of_webhooks_whose_dry_run_is_null_are_made_and_a_size_of_null_is_25(gateway: Gateway) -> None:
    made = gateway.data(WEBHOOK, dryRun=None)["createWebhook"]["id"]
    gateway.data(CHANGES, id=made, dryRun=None)
    test = "mutation ($id: ID!) { testWebhook(id: $id) { id } }"
    (*_, delivery) = [gateway.data(test, id=made)["testWebhook"]["id"] for _ in range(25)]
    log = gateway.data(LOG, id=made, size=None)
    assert (log["webhook"]["types"], len(log["webhookDeliveries"]["deliveries"])) == (["customer.deleted"], 25)
    assert log["webhook"]["previousSecretUntil"] is not None
    assert gateway.data(REPLAY, id=made, delivery=delivery, dryRun=None)["replayWebhookDelivery"]["state"] == "WAITING"
    gateway.data(GONE, id=made, dryRun=None)
    assert gateway.data("query ($id: ID!) { webhook(id: $id) { id } }", id=made) == {"webhook": None}


def test_every_argument_with_a_default_is_nullable(gateway: Gateway) -> None:
    query = "{ __schema { types { fields { name args { name type { name } defaultValue } } } } }"
    kinds = gateway.data(query)["__schema"]["types"]
    arguments = [one for kind in kinds for field in kind["fields"] or () for one in field["args"]]
    ours = [
        (one["name"], one["type"]["name"], one["defaultValue"])
        for one in arguments
        if one["defaultValue"] not in {None, "null"} and one["name"] != "includeDeprecated"  # which is GraphQL's own
    ]
    assert set(ours) == {(name, *said) for name, said in DEFAULTS.items()}
    assert len([one for one in ours if one[0] == "dryRun"]) == graphql_schema().count("dryRun: Boolean = false")
