"""Batches over REST: their form, their limits, their price, what they answer."""

from __future__ import annotations

import itertools
import json
from typing import Any

import httpx2
import pytest

from app.rest.bulk import MAX_BODY
from resolvers.batches import MAX_ITEMS
from storage.staging import StagedCustomers
from tests import factories
from tests.conftest import StartGateway
from tests.harness import Gateway, check_customer

BATCH, COLLECTION = "/api/v1/customers:batch", "/api/v1/customers"
Json = dict[str, Any]
create: Json = {"op": "create"}


def made(**changes: Any) -> Json:
    return {"op": "create", "customer": factories.customer(**changes)}


def sent(http: httpx2.Client, *operations: Any, atomic: bool = False, **headers: str) -> httpx2.Response:
    return http.post(BATCH, json={"operations": operations, "atomic": atomic}, headers=headers)


def results(response: httpx2.Response) -> list[Json]:
    assert response.status_code == 200, response.text
    found: list[Json] = response.json()["results"]
    return found


def problems(response: httpx2.Response) -> list[tuple[int, str, list[tuple[str, str]]]]:
    """Return of each refused operation its place, its slug, and where its faults are."""
    return [
        (index, one["problem"]["type"].rpartition("/")[2], _faults(one["problem"]))
        for index, one in enumerate(results(response))
        if "problem" in one
    ]


def _faults(problem: Json) -> list[tuple[str, str]]:
    return [(fault["field"], fault["pointer"]) for fault in problem.get("errors", ())]


def test_c120_results_have_status_and_etag_in_the_order_of_the_operations(gateway: Gateway) -> None:
    (one, tag), (two, _) = gateway.created(), gateway.created()
    answer = sent(
        gateway.http,
        made(),
        {"op": "update", "id": one["id"], "ifMatch": tag, "patch": {"middleName": "Q"}},
        {"op": "update", "id": one["id"], "ifMatch": "*", "patch": [{"op": "remove", "path": "/middleName"}]},
        {"op": "replace", "id": two["id"].upper(), "ifMatch": '"v1-00000000", "v1-' + two["id"][:8] + '-e"',
         "customer": factories.customer()},
        {"op": "delete", "id": two["id"], "ifMatch": f'"v2-{two["id"][:8]}"'},
    )  # fmt: skip
    found = results(answer)
    new = gateway.http.get(f"{COLLECTION}/{found[0]['id']}")
    assert found == [
        {"op": "create", "id": new.json()["id"], "status": 201, "etag": new.headers["ETag"]},
        {"op": "update", "id": one["id"], "status": 200, "etag": tag.replace("v1", "v2")},
        {"op": "update", "id": one["id"], "status": 200, "etag": tag.replace("v1", "v3")},
        {"op": "replace", "id": two["id"], "status": 200, "etag": f'"v2-{two["id"][:8]}"'},
        {"op": "delete", "id": two["id"], "status": 204},
    ]
    assert gateway.http.get(f"{COLLECTION}/{one['id']}").headers["ETag"] == found[2]["etag"]
    assert gateway.http.get(f"{COLLECTION}/{two['id']}").status_code == 410


def test_what_is_wrong_with_the_form_of_an_operation_is_its_own_problem(gateway: Gateway) -> None:
    one, tag = gateway.created()
    known = {"id": one["id"], "ifMatch": tag}
    answer = sent(
        gateway.http,
        3,
        {},
        {"op": ["create"]},
        {"op": "upsert"},
        {"op": "create"},
        {"op": "update", "patch": 3},
        {"op": "update", "id": 7, "ifMatch": 8, "patch": {}},
        {"op": "delete", "id": "1"},
        {"op": "update", **known, "patch": 3},
        {"op": "update", "id": one["id"], "patch": {}},
        {"op": "replace", **known, "customer": factories.customer(addresses=[factories.address(postalCode="?")])},
        {"op": "create", "customer": "Alex"},
        made(),
    )
    assert problems(answer) == [
        (0, "validation-error", [("", "/operations/0")]),
        (1, "validation-error", [("op", "/operations/1")]),
        (2, "validation-error", [("op", "/operations/2/op")]),
        (3, "validation-error", [("op", "/operations/3/op")]),
        (4, "validation-error", [("customer", "/operations/4")]),
        (5, "validation-error", [("id", "/operations/5")]),
        (6, "validation-error", [("id", "/operations/6/id"), ("ifMatch", "/operations/6/ifMatch")]),
        (7, "invalid-id", []),
        (8, "wrong-top-level", []),
        (9, "precondition-missing", []),
        (10, "validation-error",
         [("addresses[0].postalCode", "/operations/10/customer/addresses/0/postalCode")]),
        (11, "wrong-top-level", []),
    ]  # fmt: skip
    refused = results(answer)
    assert [one["status"] for one in refused[7:10]] == [400, 400, 412]
    assert refused[9]["problem"]["currentETag"] == tag
    assert refused[12]["status"] == 201


def test_a_deletion_whose_if_match_is_empty_erases_nobody(gateway: Gateway) -> None:
    one, tag = gateway.created()
    answer = sent(gateway.http, {"op": "delete", "id": one["id"], "ifMatch": ""})
    assert problems(answer) == [(0, "precondition-failed", [])]
    assert gateway.http.get(f"{COLLECTION}/{one['id']}").headers["ETag"] == tag


@pytest.mark.parametrize(
    ("body", "slug", "pointers"),
    [
        ([], "wrong-top-level", []),
        ({}, "validation-error", [""]),
        ({"operations": {}, "atomic": 1}, "validation-error", ["/operations", "/atomic"]),
        ({"operations": []}, "validation-error", ["/operations"]),
        ({"operations": [create] * (MAX_ITEMS + 1)}, "validation-error", ["/operations"]),
    ],
)
def test_what_is_wrong_with_the_batch_is_the_problem_of_all(
    gateway: Gateway, body: Any, slug: str, pointers: list[str]
) -> None:
    response = gateway.http.post(BATCH, json=body)
    assert response.status_code == (400 if slug == "wrong-top-level" else 422)
    assert response.json()["type"].endswith(f"/problems/{slug}")
    assert [fault["pointer"] for fault in response.json().get("errors", ())] == pointers


@pytest.mark.parametrize(("size", "told"), [(1, 301), (20, 301), (50, 200), (1000, 10)])
def test_a_flood_of_faults_is_counted_and_told_up_to_what_an_answer_holds(
    gateway: Gateway, size: int, told: int
) -> None:
    """Of a batch of a few, all that can be wrong with a customer is told; six things with each of 50 addresses."""
    empty = made(addresses=[{}] * 50, phoneNumbers=[])
    refused = results(sent(gateway.http, *[empty] * size))
    assert [len(one["problem"]["errors"]) for one in refused] == [told] * size
    assert all(one["problem"]["detail"].startswith("301 fields are not valid: ") for one in refused)
    whole = sent(gateway.http, *[empty] * size, atomic=True)
    assert [len(one["problem"]["errors"]) for one in whole.json()["failures"]] == [told] * size


def test_of_a_body_with_thousands_of_faults_a_thousand_are_told_and_all_counted(gateway: Gateway) -> None:
    body = factories.customer() | {f"n{number}": None for number in range(5000)}
    refused = gateway.http.post(COLLECTION, json=body, headers={"Prefer": "handling=strict"}).json()
    assert refused["detail"].startswith("5000 fields are not valid: ")
    assert len(refused["errors"]) == 1000


def test_an_atomic_batch_that_fails_names_the_failing_operations_and_changes_nothing(gateway: Gateway) -> None:
    one, tag = gateway.created()
    operations = [
        made(),
        {"op": "update", "id": one["id"], "ifMatch": tag, "patch": {"firstName": "No"}},
        made(email="nobody"),
        {"op": "delete", "id": one["id"], "ifMatch": tag},
    ]
    response = sent(gateway.http, *operations, atomic=True)
    assert response.status_code == 422
    assert response.json()["type"].endswith("/problems/batch-failed")
    failures = response.json()["failures"]
    assert [(one["index"], one["op"], one["status"]) for one in failures] == [(2, "create", 422), (3, "delete", 412)]
    assert _faults(failures[0]["problem"]) == [("email", "/operations/2/customer/email")]
    email = operations[0]["customer"]["email"]
    assert gateway.http.get(COLLECTION, params={"email": email}).json()["content"] == []
    assert gateway.http.get(f"{COLLECTION}/{one['id']}").headers["ETag"] == tag
    enveloped = sent(gateway.http, *operations, atomic=True, Accept="application/json;profile=enveloped")
    assert [error["message"].partition(":")[0] for error in enveloped.json()["errors"]] == [
        "operation 2",
        "operation 3",
    ]
    assert gateway.http.post(BATCH, json={"operations": operations}).status_code == 422  # atomic is what is not said


def test_put_and_patch_of_the_collection_change_each_customer_for_itself(gateway: Gateway) -> None:
    (one, tag), (two, second) = gateway.created(), gateway.created()
    whole, inline = factories.customer(lastName="Whole"), factories.customer(lastName="Inline")
    items = [
        {"id": one["id"], "ifMatch": tag, "customer": whole},
        {**inline, "id": two["id"], "ifMatch": second},
        {"id": two["id"], "ifMatch": second, **factories.customer(firstName="")},
        {"id": two["id"], "ifMatch": "*", **factories.customer(firstName="")},
    ]
    answer = gateway.http.put(COLLECTION, json=items)
    assert [one["status"] for one in results(answer)] == [200, 200, 412, 422]
    assert problems(answer)[1] == (3, "validation-error", [("firstName", "/3/firstName")])
    patches = [{"id": one["id"], "ifMatch": "*", "patch": {"firstName": "Bea"}}, {"id": one["id"], "ifMatch": tag}, "x"]
    answer = gateway.http.patch(COLLECTION, json=patches)
    assert problems(answer) == [
        (1, "validation-error", [("patch", "/1")]),
        (2, "validation-error", [("", "/2")]),
    ]
    names = [gateway.http.get(f"{COLLECTION}/{found['id']}").json()["lastName"] for found in (one, two)]
    assert names == ["Whole", "Inline"]
    assert gateway.http.put(COLLECTION, json={}).status_code == 400
    assert gateway.http.patch(COLLECTION, json=[]).status_code == 422
    refused = gateway.http.patch(COLLECTION, content=b"[]", headers={"Content-Type": "application/json-patch+json"})
    assert (refused.status_code, refused.headers["Accept-Patch"]) == (415, "application/json")


def test_preferences_forms_and_dry_runs_are_those_of_single_requests(gateway: Gateway) -> None:
    one = gateway.create()
    update = {"op": "update", "id": one["id"], "ifMatch": "*", "patch": {"lastName": "Shown", "colour": "red"}}
    strict = sent(gateway.http, {**update, "note": 1}, update, {**made(), "id": "1"}, Prefer="handling=strict")
    assert problems(strict) == [
        (0, "validation-error", [("note", "/operations/0/note")]),
        (1, "validation-error", [("colour", "/operations/1/patch/colour")]),
        (2, "validation-error", [("id", "/operations/2/id")]),
    ]
    assert strict.headers["Preference-Applied"] == "handling=strict"
    envelope = gateway.http.post(BATCH, json={"operations": [update], "x": 1}, headers={"Prefer": "handling=strict"})
    assert [fault["pointer"] for fault in envelope.json()["errors"]] == ["/x"]

    shown = sent(gateway.http, update, Prefer="return=representation")
    assert check_customer(results(shown)[0]["customer"])["lastName"] == "Shown"
    assert shown.headers["Preference-Applied"] == "return=representation"
    minimal = sent(gateway.http, update, Prefer="return=minimal")
    assert (set(results(minimal)[0]), minimal.headers["Preference-Applied"]) == (
        {"op", "id", "status", "etag"},
        "return=minimal",
    )

    enveloped = sent(gateway.http, update, {"op": "delete", "id": "1"}, Accept="application/json;profile=enveloped")
    assert enveloped.json()["metadata"] == {"pagination": {"page": 1, "page_size": 2, "total_count": 2}}
    done, refused = enveloped.json()["results"]
    assert done["etag"] == f'"v2-{one["id"][:8]}-e"'
    assert refused["errors"][0]["code"] == 1010

    new = made()
    body = {"operations": [new, {**update, "patch": {"lastName": "Dry"}}, {"op": "delete", "id": one["id"]}]}
    dry = gateway.http.post(BATCH, params={"dryRun": "true"}, json=body)
    assert [found["status"] for found in results(dry)] == [201, 200, 204]
    assert (dry.headers["Dry-Run"], "etag" in results(dry)[0]) == ("true", False)
    assert gateway.http.get(f"{COLLECTION}/{one['id']}").json()["lastName"] == "Shown"


def test_a_json_patch_means_the_same_when_it_is_decided_again(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, tries = StagedCustomers.store, itertools.count()

    async def at_the_second_try(staged: StagedCustomers) -> bool:
        return next(tries) > 0 and await store(staged)

    monkeypatch.setattr(StagedCustomers, "store", at_the_second_try)
    patch = [
        {"op": "add", "path": "/addresses/-", "value": factories.address(city="Ulm")},
        {"op": "test", "path": "/addresses/1/city", "value": "Ulm"},
        {"op": "replace", "path": "/addresses/1/city", "value": "Bonn"},
    ]
    one = gateway.create()
    answer = sent(gateway.http, {"op": "update", "id": one["id"], "ifMatch": "*", "patch": patch}, atomic=True)
    assert [found["status"] for found in results(answer)] == [200]
    assert gateway.http.get(f"{COLLECTION}/{one['id']}").json()["addresses"][1]["city"] == "Bonn"


def test_the_json_of_a_batch_is_as_strict_as_any_and_its_body_may_be_larger(gateway: Gateway) -> None:
    headers = {"Content-Type": "application/json"}
    for raw, slug in (
        (b'{"operations": [], "operations": []}', "json-duplicate-key"),
        (b'{"operations": [' + b"[" * 40 + b"]" * 40 + b"]}", "json-too-deep"),
        (b'{"operations": ', "json-syntax"),
        (b"", "empty-body"),
    ):
        refused = gateway.http.post(BATCH, content=raw, headers=headers)
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (400, slug)
    large = {**made(), "note": "x" * (2 * 1024 * 1024)}
    assert [one["status"] for one in results(sent(gateway.http, large))] == [201]
    over = json.dumps({"operations": [{**made(), "note": "x" * MAX_BODY}]}).encode()
    for path, method in ((BATCH, "POST"), (COLLECTION, "PUT"), (COLLECTION, "PATCH")):
        assert gateway.http.request(method, path, content=over, headers=headers).status_code == 413
    single = json.dumps({**factories.customer(), "note": "x" * (2 * 1024 * 1024)}).encode()
    assert gateway.http.post(COLLECTION, content=single, headers=headers).status_code == 413


def test_a_batch_costs_what_its_operations_cost_and_nothing_is_done_without_the_units(
    start_gateway: StartGateway,
) -> None:
    gateway = start_gateway(rate_limit="40/minute")
    answer = sent(gateway.http, *(made() for _ in range(30)))
    assert answer.headers["RateLimit"].startswith('"caller";r=10;')
    refused = sent(gateway.http, *(made() for _ in range(12)))
    assert (refused.status_code, "Retry-After" in refused.headers) == (429, True)
    assert sent(gateway.http, *(made() for _ in range(41))).status_code == 429
    document = "mutation($o: [CustomerOperation!]!) { batchCustomers(operations: $o) { results { status } } }"
    operations = [{"create": factories.graphql_customer()} for _ in range(5)]
    told = gateway.graphql(document, o=operations)["extensions"]["cost"]
    assert told["units"] == 5
    assert gateway.http.get("/api/v1/viewer").json()["quota"][0]["left"] == told["left"] - 1
    one = "mutation($c: CreateCustomerInput!) { batchCustomers(operations: {create: $c}) { results { status } } }"
    assert gateway.graphql(one, c=factories.graphql_customer())["extensions"]["cost"]["units"] == 1
