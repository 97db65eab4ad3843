"""Who may write and not read sees nothing of a customer that was there before, at either door.

A number in a name is that of the statement that the test is about.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import httpx2
import pytest

from resolvers.context import Scope
from resolvers.operations import OPERATIONS
from tests import factories
from tests.contract.asking import error_of, slug
from tests.contract.calls import SDL, Stored, graphql_call, rest_call, store
from tests.harness import Gateway

SECRETS: Final = ("Canaria", "Geheimgasse", "Kanarienburg", "5551740", "canary.")
"""What is in the customers that are there, and in nothing that these tests send."""
CHANGES: Final = [one for one in OPERATIONS if one.scope is Scope.WRITE and not one.name.startswith("create")]
ROUTES: Final = [
    route for one in CHANGES for route in one.rest if not route.startswith("DELETE ") and not one.name.startswith("add")
]
FIELDS: Final = sorted(
    {field for one in CHANGES for field in one.graphql}, key=lambda field: field.removeprefix("Mutation.")
)
OPEN: Final = "id version etag updatedAt __typename"


@pytest.fixture(scope="module")
def writer(gateway: Gateway) -> Iterator[httpx2.Client]:
    """A client whose key allows `customers:write` alone."""
    with gateway.with_scopes(Scope.WRITE) as client:
        yield client


@pytest.fixture
def stored(gateway: Gateway) -> Stored:
    """A customer full of words that must not be told."""
    address = factories.address(street1="Geheimgasse 1", city="Kanarienburg")
    number = factories.phone_number(number="5551740")
    email = f"canary.{factories.unique_email()}"
    return store(
        gateway.http,
        factories.customer(lastName="Canaria", email=email, addresses=[address], phoneNumbers=[number]),
    )


def tells_nothing(response: httpx2.Response) -> None:
    """Assert that an answer holds nothing of the customer."""
    told = response.text + str(response.headers)
    assert [word for word in SECRETS if word in told] == []


def version(gateway: Gateway, stored: Stored) -> int:
    data = gateway.data("query ($id: ID!) { customer(id: $id) { version } }", id=stored.id)
    return int(data["customer"]["version"])


def selecting(field: str, stored: Stored, customer: str) -> dict[str, Any]:
    """Return the mutation of a field, with this selected of each customer."""
    body: dict[str, Any] = graphql_call(field, stored, factories.customer()).body
    wanted = f"{{ results {{ status customer {{ {customer} }} }} }}" if is_batch(field) else f"{{ {customer} }}"
    return {**body, "query": body["query"].replace("{ __typename }", wanted)}


def is_batch(field: str) -> bool:
    return field == "Mutation.batchCustomers"


def test_every_operation_that_writes_is_here() -> None:
    assert {field.partition(".")[0] for field in FIELDS} == {"Mutation"}
    root = SDL.mutation_type
    assert root is not None
    answering = {f"Mutation.{name}" for name, field in root.fields.items() if str(field.type) == "Customer!"}
    assert set(FIELDS) == (answering - {"Mutation.createCustomer"}) | {"Mutation.batchCustomers"}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("prefer", ["", "return=representation"])
def test_c069_a_change_by_rest_is_answered_without_the_customer(
    route: str, prefer: str, writer: httpx2.Client, stored: Stored
) -> None:
    call = rest_call(route, stored, factories.customer())
    response = call.send(writer, **({"Prefer": prefer} if prefer else {}))
    assert response.status_code == 200, response.text
    tells_nothing(response)
    assert "Preference-Applied" not in response.headers
    if "results" not in response.json():
        assert response.json().keys() == {"id", "updatedAt"}
        assert response.headers["ETag"].startswith('"v')


@pytest.mark.parametrize("form", ["", "application/json;profile=enveloped"])
@pytest.mark.parametrize("route", ["PATCH /customers/{customerId}", "PATCH /customers/{customerId}/addresses"])
def test_c069_a_change_of_nothing_tells_nothing(route: str, form: str, writer: httpx2.Client, stored: Stored) -> None:
    url = rest_call(route, stored, factories.customer()).url
    sent: object = [] if url.endswith("addresses") else {}
    headers = {"If-Match": "*", "Content-Type": "application/json-patch+json" if sent == [] else "application/json"}
    response = writer.patch(url, content=json.dumps(sent), headers=headers | ({"Accept": form} if form else {}))
    assert (response.status_code, response.json().keys()) == (200, {"id", "updatedAt"})
    dry = writer.patch(url, content=json.dumps(sent), headers=headers, params={"dryRun": "true"})
    assert (dry.status_code, dry.json().keys()) == (200, {"id", "updatedAt"})
    tells_nothing(response)


def test_c069_what_is_added_or_created_is_shown_as_it_was_sent(writer: httpx2.Client, stored: Stored) -> None:
    sent = factories.customer()
    made = writer.post("/api/v1/customers", json=sent)
    assert (made.status_code, made.json()["email"]) == (201, sent["email"])
    url = f"/api/v1/customers/{stored.id}/addresses"
    added = writer.post(url, json=factories.address(city="Graz"))
    assert (added.status_code, added.json()["city"]) == (201, "Graz")
    tells_nothing(added)
    query = "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { email } }"
    person = factories.graphql_customer()
    answered = writer.post("/graphql", json={"query": query, "variables": {"input": person}})
    assert answered.json()["data"] == {"createCustomer": {"email": person["email"]}}


def test_c069_a_batch_shows_the_customers_that_it_creates_alone(writer: httpx2.Client, stored: Stored) -> None:
    sent = factories.customer()
    create = {"op": "create", "customer": sent}
    update = {"op": "update", "id": stored.id, "ifMatch": "*", "patch": {}}
    wish = {"Prefer": "return=representation"}
    both = writer.post("/api/v1/customers:batch", json={"operations": [create, update]}, headers=wish)
    made, changed = both.json()["results"]
    assert (made["customer"]["email"], changed.keys()) == (sent["email"], {"op", "id", "status", "etag"})
    tells_nothing(both)
    again = {"operations": [{"op": "create", "customer": factories.customer()}]}
    alone = writer.post("/api/v1/customers:batch", json=again, headers=wish)
    assert alone.headers["Preference-Applied"] == "return=representation"


@pytest.mark.parametrize("door", ["rest", "graphql"])
def test_c069_a_replay_tells_as_much_as_its_caller_may_see(
    door: str, gateway: Gateway, writer: httpx2.Client, stored: Stored
) -> None:
    """The same key of the ledger, asked for by a caller who may read, and then without that scope."""
    url, headers = f"/api/v1/customers/{stored.id}", {"If-Match": "*", "Idempotency-Key": f"key-{stored.id}"}
    first = writer.patch(url, json={"middleName": "M."}, headers=headers)
    if door == "rest":
        again = writer.patch(url, json={"middleName": "M."}, headers=headers)
        assert again.json() == first.json()
    else:
        query = 'mutation ($id: ID!) { updateCustomer(id: $id, patch: {middleName: "M."}, ifVersion: 1) { email } }'
        again = writer.post("/graphql", json={"query": query, "variables": {"id": stored.id}}, headers=headers)
        assert slug(again) == "forbidden"
    tells_nothing(again)
    assert version(gateway, stored) == 2


@pytest.mark.parametrize("field", FIELDS)
def test_c069_more_of_a_changed_customer_is_refused_in_graphql_before_anything_is_changed(
    field: str, gateway: Gateway, writer: httpx2.Client, stored: Stored
) -> None:
    answered = writer.post("/graphql", json=selecting(field, stored, f"{OPEN} name: email addresses {{ city }}"))
    (error,) = answered.json()["errors"]
    assert (slug(answered), error["path"]) == ("forbidden", [field.partition(".")[2]])
    told = error_of(answered)
    assert (told["status"], told["error"], told["scope"]) == (403, "insufficient_scope", Scope.READ)
    assert "addresses, email" in error["message"]
    tells_nothing(answered)
    assert version(gateway, stored) == 1


@pytest.mark.parametrize("field", FIELDS)
def test_c069_what_the_next_change_needs_is_answered_in_graphql(
    field: str, gateway: Gateway, writer: httpx2.Client, stored: Stored
) -> None:
    answered = writer.post("/graphql", json=selecting(field, stored, OPEN)).json()
    assert "errors" not in answered, answered
    root = answered["data"][field.partition(".")[2]]
    customer = root["results"][1]["customer"] if is_batch(field) else root
    assert (customer["id"], customer["version"]) == (stored.id, version(gateway, stored))


PATCH: Final = "updateCustomer(id: $id, patch: {}, ifVersion: 1)"
FORMS: Final = {
    "an alias": f"mutation ($id: ID!) {{ {PATCH} {{ id: email }} }}",
    "a fragment": f"mutation ($id: ID!) {{ {PATCH} {{ ...f }} }} fragment f on Customer {{ ... {{ email }} }}",
    "a fragment of the interface": f"mutation ($id: ID!) {{ {PATCH} {{ ... on Node {{ ...f }} }} }} "
    "fragment f on Customer { email }",
    "the same field again": f"mutation ($id: ID!) {{ {PATCH} {{ id }} {PATCH} {{ email }} }}",
    "a second change": f"mutation ($id: ID!) {{ viewed: {PATCH} {{ id }} {PATCH} {{ email }} }}",
    "an address by id": f"mutation ($id: ID!) {{ {PATCH} {{ address(id: $id) {{ city }} }} }}",
    "by a variable": f"mutation ($id: ID!, $yes: Boolean = true) {{ {PATCH} {{ id email @include(if: $yes) }} }}",
}


@pytest.mark.parametrize("form", FORMS)
def test_c069_it_is_refused_however_it_is_written(form: str, writer: httpx2.Client, stored: Stored) -> None:
    answered = writer.post("/graphql", json={"query": FORMS[form], "variables": {"id": stored.id}})
    assert (slug(answered), error_of(answered)["scope"]) == ("forbidden", Scope.READ)
    tells_nothing(answered)


@pytest.mark.parametrize("skipped", ["email @skip(if: $no)", "... @skip(if: $no) { email }", "...f @include(if: $yes)"])
def test_c069_what_is_left_out_of_the_answer_is_not_asked_for(
    skipped: str, writer: httpx2.Client, stored: Stored
) -> None:
    fragment = "fragment f on Customer { email }" if "...f" in skipped else ""
    flags = "$no: Boolean = true" if "$no" in skipped else "$yes: Boolean = false"
    query = f"mutation ($id: ID!, {flags}) {{ {PATCH} {{ id {skipped} }} }} {fragment}"
    for _ in range(2):
        answered = writer.post("/graphql", json={"query": query, "variables": {"id": stored.id}})
        assert answered.json()["data"] == {"updateCustomer": {"id": stored.id}}
    flag = {"no": False} if "$no" in skipped else {"yes": True}
    assert slug(writer.post("/graphql", json={"query": query, "variables": {"id": stored.id, **flag}})) == "forbidden"


def test_c069_who_may_read_is_answered_with_the_whole_customer(gateway: Gateway, stored: Stored) -> None:
    with gateway.with_scopes(Scope.READ, Scope.WRITE) as client:
        url = f"/api/v1/customers/{stored.id}"
        assert client.patch(url, json={}, headers={"If-Match": "*"}).json()["lastName"] == "Canaria"
        body = {"query": f"mutation ($id: ID!) {{ {PATCH} {{ lastName }} }}", "variables": {"id": stored.id}}
        assert client.post("/graphql", json=body).json()["data"] == {"updateCustomer": {"lastName": "Canaria"}}


def test_who_lacks_both_scopes_is_told_the_one_of_the_operation(gateway: Gateway, stored: Stored) -> None:
    with gateway.with_scopes(Scope.DELETE) as client:
        body = {"query": f"mutation ($id: ID!) {{ {PATCH} {{ email }} }}", "variables": {"id": stored.id}}
        assert error_of(client.post("/graphql", json=body))["scope"] == Scope.WRITE
