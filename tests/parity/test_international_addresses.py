"""An e-mail address is the same one in both forms of its domain, at both doors; what is shown is what was sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests import factories
from tests.commands import until
from tests.conftest import StartGateway
from tests.harness import Gateway

LIST = "/api/v1/customers"
READ, SENT = "Jürgen@Müller.example", "JÜRGEN@xn--mller-kva.EXAMPLE"
"""The same address, as people read it and as the DNS has it."""
OTHER = "jürgen@muller.example"
FORMS = pytest.mark.parametrize(("first", "second"), [(READ, SENT), (SENT, READ)], ids=["read", "dns"])
MALFORMED = (
    "a@xn--zzzz.example",
    "a@xn--a.example",
    "a@xn--.example",
    "a@-ü.example",
    "a@ü..example",
    "a@ü" + "é" * 200,
)
CREATE = "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { id email version } }"
UPDATE = """mutation ($id: ID!, $email: String!) {
  updateCustomer(id: $id, patch: {email: $email}, ifVersion: 1) { email version } }"""


@pytest.fixture
def own(start_gateway: StartGateway) -> Gateway:
    """A gateway with nobody in it."""
    return start_gateway()


def _input(email: str) -> dict[str, Any]:
    sent = factories.customer(email=email)
    parts = {
        name: [{**part, "type": part["type"].upper()} for part in sent[name]] for name in ("addresses", "phoneNumbers")
    }
    return {**sent, **parts}


def _status(answer: dict[str, Any]) -> int:
    return int(answer["errors"][0]["extensions"]["status"]) if "errors" in answer else 200


@FORMS
def test_the_second_is_409_at_both_doors_and_the_first_is_shown_as_it_was_sent(
    own: Gateway, first: str, second: str
) -> None:
    made = own.create(email=first)
    assert made["email"] == first
    assert own.http.post(LIST, json=factories.customer(email=second)).status_code == 409
    assert _status(own.graphql(CREATE, input=_input(second))) == 409
    assert own.create(email=OTHER)["email"] == OTHER
    assert own.http.get(f"{LIST}/{made['id']}").json()["email"] == first


@FORMS
def test_changing_to_it_is_409_and_changing_ones_own_form_is_not(own: Gateway, first: str, second: str) -> None:
    one, other = own.create(email=first), own.create(email=OTHER)
    for method in ("PATCH", "PUT"):
        body = {"email": second} if method == "PATCH" else factories.customer(email=second)
        taken = own.http.request(method, f"{LIST}/{other['id']}", json=body, headers={"If-Match": "*"})
        assert (taken.status_code, taken.json()["fields"]) == (409, ["email"])
    assert _status(own.graphql(UPDATE, id=other["id"], email=second)) == 409
    for customer, status in ((one, 200), (other, 409)):
        tried = own.http.patch(
            f"{LIST}/{customer['id']}", params={"dryRun": True}, json={"email": second}, headers={"If-Match": "*"}
        )
        assert tried.status_code == status
    assert own.data(UPDATE, id=one["id"], email=second)["updateCustomer"] == {"email": second, "version": 2}
    back = own.http.patch(f"{LIST}/{one['id']}", json={"email": first}, headers={"If-Match": "*"})
    assert (back.status_code, back.json()["email"]) == (200, first)


@FORMS
def test_it_is_found_in_either_form_at_both_doors(own: Gateway, first: str, second: str) -> None:
    made = own.create(email=first)
    own.create(email=OTHER)
    for asked in (first, second, first.lower(), second.lower()):
        by_email = own.data("query ($email: String!) { customerByEmail(email: $email) { id } }", email=asked)
        assert by_email["customerByEmail"] == {"id": made["id"]}
        assert _by_rest(own, {"email": asked}) == [made["id"]]
        for operator in ("eq", "ge", "le"):
            found = _by_rest(own, {"filter": f"email {operator} '{asked}'"})
            assert made["id"] in found
            assert found == _by_graphql(own, {"email": {operator: asked}})
        assert made["id"] not in _by_rest(own, {"filter": f"email ne '{asked}'"})
        assert made["id"] not in _by_rest(own, {"filter": f"email gt '{asked}' or email lt '{asked}'"})
        assert _by_rest(own, {"filter": f"email in ('a@b.example', '{asked}')"}) == [made["id"]]
        assert _by_graphql(own, {"email": {"in": [asked]}}) == [made["id"]]


@FORMS
def test_pieces_and_words_of_either_form_find_it(own: Gateway, first: str, second: str) -> None:
    made = own.create(email=first)
    own.create(email=OTHER)
    assert first != second
    for piece in ("Jürgen@Mü", "jürgen@xn--mller-kva.ex"):
        assert _by_rest(own, {"filter": f"startswith(email, '{piece}')"}) == [made["id"]]
        assert _by_graphql(own, {"email": {"startsWith": piece}}) == [made["id"]]
    for piece in ("MÜLLER", "mller-kva", "n@mül", "N@XN--M"):
        assert _by_rest(own, {"filter": f"contains(email, '{piece}')"}) == [made["id"]]
        assert _by_graphql(own, {"email": {"contains": piece}}) == [made["id"]]
    assert made["id"] in _by_rest(own, {"q": "jurgen muller"})
    assert _by_rest(own, {"q": "mller kva"}) == [made["id"]]


def test_a_domain_with_a_letter_that_only_case_makes_the_same_is_another_one(own: Gateway) -> None:
    sharp, double = own.create(email="a@straße.example"), own.create(email="a@strasse.example")
    assert _by_rest(own, {"email": "a@xn--strae-oqa.example"}) == [sharp["id"]]
    assert _by_rest(own, {"email": "A@STRASSE.example"}) == [double["id"]]
    assert _by_rest(own, {"email": "A@STRAẞE.example"}) == [sharp["id"]]
    assert _by_rest(own, {"filter": "contains(email, 'straße')"}) == [sharp["id"], double["id"]]
    assert _by_rest(own, {"filter": "startswith(email, 'a@straße')"}) == [sharp["id"]]


@FORMS
@pytest.mark.parametrize("atomic", [True, False])
def test_of_two_in_one_batch_the_second_is_refused(own: Gateway, first: str, second: str, *, atomic: bool) -> None:
    operations = [{"op": "create", "customer": factories.customer(email=email)} for email in (first, second)]
    sent = own.http.post(f"{LIST}:batch", json={"operations": operations, "atomic": atomic})
    if atomic:
        assert sent.status_code == 422
        assert own.http.get(LIST).json()["content"] == []
    else:
        assert [one["status"] for one in sent.json()["results"]] == [201, 409]


@FORMS
def test_an_import_finds_whom_it_meets(own: Gateway, first: str, second: str) -> None:
    made = own.create(email=first)
    line = json.dumps(factories.customer(email=second, firstName="Later"))
    twice = f"{line}\n{json.dumps(factories.customer(email=first, firstName='Last'))}\n"
    for rule, shown in (("fail", first), ("skip", first), ("update", second)):
        ended = _imported(own, f"{line}\n", rule)
        assert ended["failed"] == (rule == "fail")
        assert [one["email"] for one in own.http.get(LIST).json()["content"]] == [shown]
    assert _imported(own, twice, "update")["failed"] == 0
    (left,) = own.http.get(LIST).json()["content"]
    assert (left["id"], left["firstName"], left["email"]) == (made["id"], "Last", first)


@pytest.mark.parametrize("email", MALFORMED)
def test_a_malformed_domain_is_422_in_what_is_stored_and_finds_nobody(own: Gateway, email: str) -> None:
    own.create(email=READ)
    refused = own.http.post(LIST, json=factories.customer(email=email))
    assert (refused.status_code, [one["field"] for one in refused.json()["errors"]]) == (422, ["email"])
    assert _status(own.graphql(CREATE, input=_input(email))) == 422
    assert _by_rest(own, {"email": email}) == []
    assert own.data("query ($e: String!) { customerByEmail(email: $e) { id } }", e=email)["customerByEmail"] is None
    for operator in ("eq", "in", "startsWith", "contains", "lt"):
        answer = own.graphql(
            "query ($filter: CustomerFilter) { customers(filter: $filter) { totalCount } }",
            filter={"email": {operator: [email] if operator == "in" else email}},
        )
        assert "errors" not in answer


def _by_rest(own: Gateway, parameters: dict[str, str]) -> list[str]:
    answer = own.http.get(LIST, params=parameters)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["content"]]


def _by_graphql(own: Gateway, where: dict[str, Any]) -> list[str]:
    asked = "query ($filter: CustomerFilter) { customers(filter: $filter) { nodes { id } } }"
    return [one["id"] for one in own.data(asked, filter=where)["customers"]["nodes"]]


def _imported(own: Gateway, text: str, rule: str) -> dict[str, Any]:
    sent = own.http.post(
        f"{LIST}:import", params={"onConflict": rule}, content=text, headers={"Content-Type": "application/x-ndjson"}
    )
    assert sent.status_code == 202, sent.text
    ended: list[dict[str, Any]] = []

    def look() -> bool:
        ended.append(own.http.get(sent.headers["Location"]).json())
        return bool(ended[-1]["status"] != "running")

    until(look, 20, "the end of the import")
    return ended[-1]
