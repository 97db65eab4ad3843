"""Each operation, told as a scenario that runs through both doors with the same steps and the same outcome."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from resolvers.operations import OPERATIONS
from tests import factories
from tests.conftest import StartGateway
from tests.harness import Gateway
from tests.operations import store_operation
from tests.parity import webhook_scenarios
from tests.parity.doors import Door, GraphQLDoor, Json, Kind, Outcome, RestDoor, Step, Token, token_of
from tests.streams import events

Steps = Callable[[Gateway, Door], Iterator[Outcome]]
SCENARIOS: dict[str, Steps] = {**webhook_scenarios.SCENARIOS}
DOORS: tuple[type[RestDoor | GraphQLDoor], ...] = (RestDoor, GraphQLDoor)


def scenario(*operations: str) -> Callable[[Steps], Steps]:
    """Declare the scenario of some operations."""

    def declare(steps: Steps) -> Steps:
        SCENARIOS.update(dict.fromkeys(operations, steps))
        return steps

    return declare


def plain(value: Any, known: dict[str, str]) -> Any:
    """Return a document without what differs from run to run: ids, times and addresses get names in their order."""
    if isinstance(value, dict):
        shown = {name: item for name, item in value.items() if name not in {"createdAt", "updatedAt"}}
        return {name: plain(item, known) for name, item in shown.items()}
    if isinstance(value, list):
        return [plain(item, known) for item in value]
    if isinstance(value, str) and ("@" in value or _is_uuid(value)):
        return known.setdefault(value, f"name {len(known)}")
    return value


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def made(gateway: Gateway, **changes: Any) -> Token:
    return token_of(gateway, gateway.create(**changes)["id"])


def stale(token: Token) -> Token:
    return replace(token, etag='"v99-00000000"', version=99)


def nobody() -> Token:
    return Token(str(uuid.uuid4()), '"v1-00000000"', 1)


@scenario("createCustomer")
def create(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    body = factories.customer(middleName="Q")
    yield door.create(body, dry=True)
    yield door.by_email(body["email"])
    yield door.create(body)
    yield door.by_email(body["email"])
    yield door.create(factories.customer(email=body["email"].upper()))
    yield door.create(factories.customer(email=body["email"]), dry=True)
    yield door.create(factories.customer(firstName=" ", email="nobody"))
    yield door.create(factories.customer(firstName=" Zoe\u0308 "))


@scenario("getCustomer")
def get(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    token = made(gateway)
    yield door.customer(token.id)
    yield door.customer(token.id.upper())
    yield door.customer(nobody().id)
    yield door.customer("1")
    gateway.http.delete(f"/api/v1/customers/{token.id}")
    yield door.customer(token.id)


@scenario("getCustomers")
def several(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    one, two = made(gateway), made(gateway)
    found = door.several([two.id, nobody().id, one.id])
    yield replace(found, document=[one.id in found.document, two.id in found.document, len(found.document)])
    yield door.several([one.id, "1"])


@scenario("getCustomerByEmail")
def by_email(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    body = gateway.create()
    yield door.by_email(body["email"])
    yield door.by_email(body["email"].upper())
    yield door.by_email("nobody@example.com")


@scenario("replaceCustomer")
def replace_one(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    token, other = made(gateway, middleName="Q"), gateway.create()
    body = factories.customer(firstName="Bea", addresses=[factories.address(), factories.address(city="Ulm")])
    yield door.replace(token, body, dry=True)
    yield door.replace(token, body)
    yield door.replace(token, body)
    now = token_of(gateway, token.id)
    yield door.replace(now, body)
    yield door.replace(now, {**body, "email": other["email"]})
    yield door.replace(now, {**body, "lastName": ""})
    yield door.replace(stale(now), {**body, "lastName": ""})
    yield door.replace(nobody(), body)
    yield door.customer(token.id)


@scenario("updateCustomer")
def update(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    token, other = made(gateway, middleName="Q"), gateway.create()
    yield door.update(token, {"firstName": "Bea"}, dry=True)
    yield door.update(token, {"firstName": "Bea", "middleName": None})
    yield door.update(token, {"firstName": "Cy"})
    now = token_of(gateway, token.id)
    yield door.update(now, {})
    yield door.update(now, {"notificationPreferences": {"sms": True}})
    now = token_of(gateway, token.id)
    yield door.update(now, {"email": other["email"]})
    yield door.update(now, {"lastName": None})
    yield door.update(now, {"email": "nobody", "firstName": ""})
    yield door.update(nobody(), {"firstName": "Cy"})
    yield door.customer(token.id)


@scenario("batchCustomers")
def batch(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    one, two, third = made(gateway), made(gateway), made(gateway)
    new = factories.customer()
    steps = [
        Step("create", body=new),
        Step("update", one, {"firstName": "Bea"}),
        Step("replace", two, factories.customer(lastName="Dee")),
        Step("delete", third, loose=True),
    ]
    yield door.batch(steps, dry=True)
    yield door.by_email(new["email"])
    wrong = [
        Step("create", body=factories.customer(firstName="", email="nobody")),
        Step("update", stale(two), {"firstName": "Cy"}),
        Step("update", nobody(), {"firstName": "Cy"}),
        Step("create", body=factories.customer(email=new["email"].upper())),
    ]
    yield door.batch([*steps, *wrong])
    yield from (door.customer(token.id) for token in (one, two, third))
    yield door.batch(steps)
    yield from (door.customer(token.id) for token in (one, two, third))
    yield door.by_email(new["email"])
    again = [
        Step("delete", third),
        Step("update", third, {"firstName": "Cy"}),
        Step("update", one, {"email": new["email"]}),
        Step("update", token_of(gateway, one.id), {"email": factories.unique_email()}),
        Step("update", token_of(gateway, one.id), {"firstName": "Twice"}),
        Step("replace", Token("1", '"v1-00000000"', 1), new),
    ]
    yield door.batch(again, atomic=False, dry=True)
    yield door.batch(again, atomic=False)
    yield door.customer(one.id)
    yield door.batch([])


@scenario("replaceCustomers")
def replace_many(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    one, two = made(gateway), made(gateway)
    body = factories.customer(firstName="Bea")
    steps = [Step("replace", one, body), Step("replace", stale(two), factories.customer())]
    yield door.replace_many([*steps, Step("replace", two, {**body, "email": body["email"].upper()})])
    yield from (door.customer(token.id) for token in (one, two))


@scenario("updateCustomers")
def update_many(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    one, two = made(gateway), made(gateway)
    steps = [Step("update", one, {"firstName": "Bea"}), Step("update", nobody(), {"firstName": "Bea"})]
    yield door.update_many([*steps, Step("update", two, {"lastName": " "}), Step("update", two, {})])
    yield from (door.customer(token.id) for token in (one, two))


@scenario("deleteCustomer")
def delete(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    token = made(gateway)
    yield door.delete(token.id, stale(token))
    yield door.delete(token.id, None, dry=True)
    yield door.delete(token.id, token)
    yield door.delete(token.id, token)
    yield door.delete(token.id, None)
    yield door.delete(nobody().id, None)
    yield door.delete("1", None)
    yield door.update(token, {})
    yield door.replace(token, factories.customer())
    yield door.add_part("addresses", token.id, None, factories.address())


def make(kind: Kind, **changes: Any) -> Json:
    return factories.address(**changes) if kind == "addresses" else factories.phone_number(**changes)


def other(kind: Kind) -> Json:
    return make(kind, **({"city": "Ulm"} if kind == "addresses" else {"extension": "7"}))


def bad(kind: Kind) -> Json:
    return make(kind, **({"postalCode": "!"} if kind == "addresses" else {"number": "x"}))


def _part_scenarios(kind: Kind, one: str, many: str) -> None:
    @scenario(f"list{many}", f"get{one}")
    def read(gateway: Gateway, door: Door) -> Iterator[Outcome]:
        token = made(gateway, **{kind: [make(kind), other(kind)]})
        listed = door.parts(kind, token.id)
        yield listed
        yield door.parts(kind, nobody().id)
        yield door.part(kind, token.id, listed.document[1]["id"])
        yield door.part(kind, token.id, str(uuid.uuid4()))
        yield door.part(kind, token.id, "1")

    @scenario(f"add{one}")
    def add(gateway: Gateway, door: Door) -> Iterator[Outcome]:
        token = made(gateway)
        yield door.add_part(kind, token.id, token, other(kind))
        yield door.add_part(kind, token.id, token, other(kind))
        yield door.add_part(kind, token.id, None, make(kind))
        yield door.add_part(kind, token.id, None, bad(kind))
        yield door.add_part(kind, nobody().id, None, make(kind))
        full = made(gateway, **{kind: [make(kind)] * 50})
        yield door.add_part(kind, full.id, None, make(kind))

    def change(gateway: Gateway, door: Door, name: str, sent: Json, wrong: Json) -> Iterator[Outcome]:
        token = made(gateway, **{kind: [make(kind), make(kind)]})
        part_id = door.parts(kind, token.id).document[1]["id"]
        act = getattr(door, name)
        yield act(kind, token, part_id, sent)
        yield act(kind, token, part_id, sent)
        now = token_of(gateway, token.id)
        yield act(kind, now, part_id, wrong)
        yield act(kind, now, str(uuid.uuid4()), sent)
        yield act(kind, now, "1", sent)
        yield act(kind, nobody(), part_id, sent)
        yield door.customer(token.id)

    @scenario(f"replace{one}")
    def replace_part(gateway: Gateway, door: Door) -> Iterator[Outcome]:
        yield from change(gateway, door, "replace_part", other(kind), bad(kind))

    @scenario(f"update{one}")
    def update_part(gateway: Gateway, door: Door) -> Iterator[Outcome]:
        field, wrong = ("city", {"state": None}) if kind == "addresses" else ("extension", {"number": None})
        yield from change(gateway, door, "update_part", {field: "7"}, wrong)

    @scenario(f"remove{one}")
    def remove_part(gateway: Gateway, door: Door) -> Iterator[Outcome]:
        token = made(gateway, **{kind: [make(kind), other(kind)]})
        first, second = (part["id"] for part in door.parts(kind, token.id).document)
        yield door.remove_part(kind, token.id, stale(token), first)
        yield door.remove_part(kind, token.id, token, first)
        yield door.remove_part(kind, token.id, None, first)
        yield door.remove_part(kind, token.id, None, second)
        yield door.remove_part(kind, token.id, None, "1")
        yield door.remove_part(kind, nobody().id, None, first)

    def change_all(gateway: Gateway, door: Door, name: str) -> Iterator[Outcome]:
        token = made(gateway, **{kind: [make(kind), other(kind)]})
        yield door.customer(token.id)
        act = getattr(door, name)
        yield act(kind, token, [other(kind), make(kind), make(kind)])
        yield act(kind, token, [make(kind)])
        now = token_of(gateway, token.id)
        yield act(kind, now, [other(kind), make(kind), make(kind)])
        yield act(kind, nobody(), [make(kind)])
        yield door.customer(token.id)

    @scenario(f"replace{many}")
    def replace_parts(gateway: Gateway, door: Door) -> Iterator[Outcome]:
        yield from change_all(gateway, door, "replace_parts")
        token = made(gateway)
        yield door.replace_parts(kind, token, [])
        yield door.replace_parts(kind, token, [make(kind)] * 51)
        yield door.replace_parts(kind, token, [bad(kind), make(kind), bad(kind)])

    @scenario(f"update{many}")
    def update_parts(gateway: Gateway, door: Door) -> Iterator[Outcome]:
        yield from change_all(gateway, door, "update_parts")


_part_scenarios("addresses", "Address", "Addresses")
_part_scenarios("phoneNumbers", "PhoneNumber", "PhoneNumbers")


@scenario("getNotificationPreferences")
def get_preferences(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    token = made(gateway, notificationPreferences=factories.preferences(sms=True))
    yield door.preferences(token.id)
    yield door.preferences(nobody().id)


@scenario("replaceNotificationPreferences")
def replace_preferences(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    token = made(gateway)
    yield door.replace_preferences(token, factories.preferences(sms=True, email=False))
    yield door.replace_preferences(token, factories.preferences())
    yield door.replace_preferences(nobody(), factories.preferences())


@scenario("setNotificationPreferences")
def set_preferences(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    token = made(gateway)
    yield door.set_preferences(token, {"sms": True})
    yield door.set_preferences(token, {"sms": False})
    now = token_of(gateway, token.id)
    yield door.set_preferences(now, {})
    yield door.set_preferences(now, {"push": None})
    yield door.set_preferences(nobody(), {})


@scenario("getViewer")
def viewer(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    yield door.viewer()


@scenario("deleteCustomers", "getOperation", "listOperations", "cancelOperation")
def delete_many(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    name = f"Many{uuid.uuid4().hex}"
    tokens = [made(gateway, lastName=name) for _ in range(2)]
    yield door.delete_many(name, dry=True)
    yield door.delete_many(None)
    yield door.delete_many(name, everything=True)
    yield door.delete_many(name)
    yield door.delete_many(name)
    yield door.customer(tokens[0].id)
    with gateway.with_scopes("customers:admin") as client:
        begun = store_operation(gateway, client)
        mine = door.asked_by(client)
        yield mine.operation(begun)
        yield mine.operations()
        yield mine.cancel(begun)
    yield door.operation(begun)
    yield door.operation("1")
    yield door.cancel(begun)


@scenario("searchCustomers")
def searched(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    token = made(gateway, lastName="Ørsted")
    yield door.search("ørst", "lastName", "Ørsted", token.id)
    yield door.search("ørst", "lastName", "Somebody", token.id)


@scenario("explainCustomers")
def explained(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    yield door.explain("Reiger")


@scenario("listCustomers", "walkCustomers", "countCustomers")
def lists(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    yield door.page(1, 2)
    yield door.page(2, 3)
    yield door.page(99, 10)
    yield door.page(0, 10)
    yield door.page(1, 0)
    yield door.page(1, 101)
    yield door.walk(3)
    yield door.walk(100)
    yield door.walk(0)
    yield door.walk(101)
    yield door.count()


@scenario("watchCustomers")
def watch(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    with events(gateway.http) as stream:
        start = stream.first.id
    token = made(gateway)
    gateway.http.patch(f"/api/v1/customers/{token.id}", json={"lastName": "Later"}, headers={"If-Match": token.etag})
    gateway.create()
    gateway.http.delete(f"/api/v1/customers/{token.id}")
    told = door.watch(start, [token.id], [], 3)
    yield replace(told, document=[event["data"] | {"type": event["type"]} for event in told.document])
    yield Outcome(told == RestDoor(gateway, gateway.http).watch(start, [token.id], [], 3))
    for after in told.document[:2]:
        yield Outcome(told.document.index(door.watch(after["id"], [token.id], [], 1).document[0]))
    yield Outcome(door.watch(start, [token.id], ["deleted"], 1).document == told.document[2:])
    yield door.watch("x", [], [], 0)
    yield door.watch(start, ["1"], [], 0)


def outcomes(gateway: Gateway, door: Door, steps: Steps) -> list[Outcome]:
    known: dict[str, str] = {}
    return [replace(outcome, document=plain(outcome.document, known)) for outcome in steps(gateway, door)]


LISTS = {"listCustomers", "walkCustomers", "countCustomers"}


@pytest.mark.parametrize("name", sorted({steps.__qualname__: name for name, steps in SCENARIOS.items()}.values()))
def test_both_doors_come_to_the_same_outcome(gateway: Gateway, start_gateway: StartGateway, name: str) -> None:
    alone = start_gateway() if name in LISTS else gateway
    if alone is not gateway:
        for _ in range(7):
            alone.create()
    rest, graphql = (outcomes(alone, door(alone, alone.http), SCENARIOS[name]) for door in DOORS)
    assert len(rest) == len(graphql) > 0
    for number, (one, other_one) in enumerate(zip(rest, graphql, strict=True)):
        assert one == other_one, f"step {number}"


def test_every_operation_has_a_scenario() -> None:
    assert {operation.name for operation in OPERATIONS if not operation.rest_alone} == set(SCENARIOS)


def test_every_operation_has_both_doors() -> None:
    for operation in OPERATIONS:
        assert operation.rest, operation.name
        assert operation.graphql or operation.rest_alone, operation.name


BAD: list[Json] = [
    {"firstName": ""},
    {"firstName": " "},
    {"firstName": "x" * 257},
    {"firstName": "a\u0000b"},
    {"firstName": "a\u0085b"},
    {"middleName": ""},
    {"lastName": "\n"},
    {"email": ""},
    {"email": "nobody"},
    {"email": "a@b"},
    {"email": "a@example.com\n"},
    {"addresses": []},
    {"phoneNumbers": []},
    {"addresses": [factories.address()] * 51},
    {"phoneNumbers": [factories.phone_number()] * 51},
    {"addresses": [factories.address(postalCode="!")]},
    {"addresses": [factories.address(), factories.address(postalCode="", city="x" * 300)]},
    {"phoneNumbers": [factories.phone_number(countryCode="x", number="y")]},
    {"firstName": "", "lastName": "", "email": "", "addresses": [factories.address(street1="\u0007")]},
]


@pytest.mark.parametrize("changes", BAD, ids=lambda value: str(value)[:40])
def test_c009_the_same_bad_customer_has_the_same_type_code_and_faults_at_both_doors(
    gateway: Gateway, changes: Json
) -> None:
    body, token = factories.customer(**changes), made(gateway)
    created = [door(gateway, gateway.http).create(body) for door in DOORS]
    replaced = [door(gateway, gateway.http).replace(token, body) for door in DOORS]
    patched = [door(gateway, gateway.http).update(token, changes) for door in DOORS]
    assert created[0].problem == ("validation-error", 1500, 422)
    assert created[0].faults
    for pair in (created, replaced, patched):
        assert pair[0] == pair[1]
    assert created[0].faults == replaced[0].faults


Ask = Callable[[Door, Token], Outcome]
ASKS: tuple[Ask, ...] = (
    lambda door, _: door.create(factories.customer(), dry=True),
    lambda door, token: door.update(token, {"lastName": "\n"}),
    lambda door, token: door.delete(token.id, stale(token)),
    lambda door, token: door.add_part("addresses", token.id, stale(token), factories.address()),
    lambda door, _: door.page(0, 1),
)


@pytest.mark.parametrize("scopes", [(), ("customers:read",), ("customers:write",), ("customers:delete",)], ids=str)
def test_c009_a_scope_that_lacks_is_the_same_problem_at_both_doors(gateway: Gateway, scopes: tuple[str, ...]) -> None:
    token = made(gateway)
    with gateway.with_scopes(*scopes) as http:
        doors = RestDoor(gateway, http), GraphQLDoor(gateway, http, shown="id version etag updatedAt")
        for ask in ASKS:
            rest, graphql = (ask(door, token) for door in doors)
            assert rest.problem == graphql.problem


def test_c009_bad_credentials_are_the_same_problem_at_both_doors(gateway: Gateway) -> None:
    for headers in ({}, {"X-API-Key": "wrong"}, {"Authorization": "Bearer wrong"}):
        with gateway.client(**headers) as http:
            rest, graphql = (door(gateway, http).viewer() for door in DOORS)
            assert rest.problem == graphql.problem == ("unauthorized", 1100, 401)


CHANGES: dict[str, Ask] = {
    "replace": lambda door, token: door.replace(token, factories.customer()),
    "update": lambda door, token: door.update(token, {"firstName": uuid.uuid4().hex}),
    "add_part": lambda door, token: door.add_part("addresses", token.id, token, factories.address()),
    "replace_parts": lambda door, token: door.replace_parts("phoneNumbers", token, [other("phoneNumbers")]),
    "set_preferences": lambda door, token: door.set_preferences(token, {"sms": True}),
}


@pytest.mark.parametrize("first", CHANGES)
def test_a_version_that_one_door_showed_is_good_at_the_other_and_only_once(gateway: Gateway, first: str) -> None:
    doors = [door(gateway, gateway.http) for door in DOORS]
    for one, two in (doors, doors[::-1]):
        token = made(gateway)
        assert CHANGES[first](one, token).version == 2
        assert CHANGES["update"](two, token).problem == ("precondition-failed", 1303, 412)
        assert CHANGES["update"](two, token_of(gateway, token.id)).version == 3


def test_an_etag_read_by_graphql_is_good_for_if_match_and_if_none_match_by_rest(gateway: Gateway) -> None:
    token = made(gateway)
    url = f"/api/v1/customers/{token.id}"
    found = gateway.data("query($id: ID!) { customer(id: $id) { etag } }", id=token.id)["customer"]["etag"]
    assert gateway.http.get(url, headers={"If-None-Match": found}).status_code == 304
    changed: httpx2.Response = gateway.http.patch(url, json={"firstName": "Bea"}, headers={"If-Match": found})
    assert changed.status_code == 200
    after = gateway.data("query($id: ID!) { customer(id: $id) { etag } }", id=token.id)["customer"]["etag"]
    assert after == changed.headers["ETag"]


def test_a_412_tells_the_same_at_both_doors(gateway: Gateway) -> None:
    token = made(gateway)
    rest = gateway.http.patch(
        f"/api/v1/customers/{token.id}", json={"firstName": "Bea"}, headers={"If-Match": '"stale"'}
    ).json()
    answer = gateway.graphql(
        'mutation($id: ID!) { updateCustomer(id: $id, patch: {firstName: "Bea"}, ifVersion: 99) { id } }', id=token.id
    )
    extensions = answer["errors"][0]["extensions"]
    for name in ("type", "title", "status", "code", "currentETag", "currentVersion", "differingFields"):
        assert rest[name] == extensions[name]
