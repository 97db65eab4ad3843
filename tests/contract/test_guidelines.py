"""Rules of the two guidelines that the whole of the OpenAPI document must keep: addresses, names, statuses, types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from graphql import is_required_argument

from app.rest.openapi import openapi
from app.rest.routes import ALIAS
from storage.query import CUSTOMER_FIELDS, PART_FIELDS
from tests import factories
from tests.contract.calls import SDL
from tests.corpus import ORDERS
from tests.harness import Gateway

DOCUMENT: Final[dict[str, Any]] = openapi()
METHODS: Final = {"get", "post", "put", "patch", "delete"}
API: Final = "/api/v1/"
FOREIGN: Final = re.compile(r"Enveloped|OAuthError|^Token|IssuerMetadata")
"""Schemas whose names others have fixed: the other guidelines, and the RFCs of OAuth."""
NOT_PLURAL: Final = {"content", "changed", "path", "quota"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give the path, the method and the description of every operation of REST."""
    for path, item in DOCUMENT["paths"].items():
        if path.startswith((API, ALIAS)):
            yield from ((path, method, one) for method, one in item.items() if method in METHODS)


def properties(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every property in a schema, at any depth, with what it must be."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {}).items()
        for value in schema.values():
            yield from properties(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from properties(value)


def own() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the properties of all schemas whose names are ours."""
    for name, schema in DOCUMENT["components"]["schemas"].items():
        if not FOREIGN.search(name):
            yield from properties(schema)


def words(path: str) -> list[str]:
    """Return the fixed parts of an address below the version."""
    return [part for part in path.removeprefix(API).strip("/").split("/") if not part.startswith("{")]


def test_every_address_has_the_version_but_for_the_old_one() -> None:
    assert {path for path, _, _ in operations() if not path.startswith(API)} == {ALIAS}


def test_addresses_are_plural_nouns_in_lower_case_with_hyphens_and_verbs_stand_behind_a_colon() -> None:
    nouns = {part.partition(":")[0] for path, _, _ in operations() for part in words(path)} - {""}
    assert [noun for noun in nouns if not re.fullmatch(r"[a-z]+(-[a-z]+)*", noun)] == []
    assert [noun for noun in nouns if not noun.endswith("s")] == ["viewer"]
    actions = {path.partition(":")[2] for path, _, _ in operations()} - {""}
    assert actions == {"import", "export", "search", "batch", "cancel", "rotateSecret", "test", "replay"}


def test_resources_are_nested_one_level_deep() -> None:
    assert max(len(words(path)) for path, _, _ in operations()) == 2


def test_no_address_ends_in_a_slash_or_an_extension() -> None:
    assert not [path for path, _, _ in operations() if re.search(r"/$|\.\w+$", path)]


def test_every_identifier_in_an_address_is_a_uuid_named_after_its_resource() -> None:
    named = {name for path, _, _ in operations() for name in re.findall(r"\{(\w+)\}", path)}
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)*Id", name) for name in named)
    kinds = {name: DOCUMENT["components"]["parameters"][name]["schema"]["format"] for name in named}
    assert set(kinds.values()) == {"uuid"}


def test_names_of_fields_and_parameters_are_camel_case() -> None:
    assert [name for name, _ in own() if not re.fullmatch(r"[a-z][a-zA-Z0-9]*", name)] == []
    queries = {one["name"] for _, _, operation in operations() for one in queried(operation)}
    assert len(queries) > 30
    assert [name for name in queries if not re.fullmatch(r"[a-z][a-zA-Z0-9]*", name)] == []


def queried(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the parameters of an operation's query."""
    yield from (one for one in operation.get("parameters", ()) if one.get("in") == "query")


def test_parameters_of_a_query_are_optional() -> None:
    assert not [one["name"] for _, _, operation in operations() for one in queried(operation) if one.get("required")]


def test_lists_have_names_in_the_plural() -> None:
    lists = {name for name, kind in own() if kind.get("type") == "array"}
    assert {"addresses", "phoneNumbers", "errors"} <= lists
    assert {name for name in lists if not name.endswith("s")} == NOT_PLURAL


def test_values_of_enumerations_are_words() -> None:
    given = [(name, value) for name, kind in own() for value in kind.get("enum", ())]
    assert len(given) > 20
    assert [one for one in given if not isinstance(one[1], str)] == []


def test_times_are_named_and_typed_as_the_schema_has_them() -> None:
    times = {name for name, kind in own() if kind.get("format") == "date-time" or name.endswith("At")}
    assert {"createdAt", "updatedAt"} <= times
    assert {name for name in times if not name.endswith("At")} <= {
        "at",
        "timestamp",
        "previousSecretUntil",
        "since",
        "until",
    }


def test_reading_and_deleting_take_no_body() -> None:
    assert not [path for path, method, one in operations() if method in {"get", "delete"} and "requestBody" in one]


def test_every_operation_tells_of_bad_requests_credentials_scopes_limits_and_our_own_failures() -> None:
    lacking = {
        (method, path): {"400", "401", "403", "429", "500"} - set(one["responses"])
        for path, method, one in operations()
    }
    assert {place: statuses for place, statuses in lacking.items() if statuses} == {}


def test_every_operation_with_a_body_tells_of_other_types_and_of_input_that_is_wrong() -> None:
    bodies = [one for _, _, one in operations() if "requestBody" in one]
    assert len(bodies) > 20
    assert not [one["operationId"] for one in bodies if not {"400", "415"} <= set(one["responses"])]
    assert [one["operationId"] for one in bodies if "413" not in one["responses"]] == ["importCustomers"]
    changing = [one for one in bodies if one["operationId"] not in {"importCustomers", "searchCustomers"}]
    assert not [one["operationId"] for one in changing if "422" not in one["responses"]]


def test_creating_is_201_with_its_place_and_long_work_is_202_with_its_own() -> None:
    created = {(path, method) for path, method, one in operations() if "201" in one["responses"]}
    assert created == {
        *((path, "post") for path in (f"{API}customers", ALIAS, f"{API}webhooks")),
        *((f"{API}customers/{{customerId}}/{part}", "post") for part in ("addresses", "phone-numbers")),
    }
    for _, _, one in operations():
        for status in {"201", "202"} & set(one["responses"]):
            assert "Location" in answer_of(one, status)["headers"]


def answer_of(operation: dict[str, Any], status: str) -> dict[str, Any]:
    """Return what is said of an answer, wherever it stands."""
    told: dict[str, Any] = operation["responses"][status]
    if "$ref" in told:
        told = DOCUMENT["components"]["responses"][told["$ref"].rpartition("/")[2]]
    return told


def test_only_the_statuses_of_the_guidelines_and_of_http_for_what_they_do_not_name_are_answered() -> None:
    named = {int(status) for _, _, one in operations() for status in one["responses"]}
    guidelines = {200, 201, 202, 204, 400, 401, 403, 404, 405, 409, 410, 412, 415, 422, 429, 500}
    assert guidelines - {405} <= named
    assert named - guidelines <= {304, 406, 408, 413, 414, 431, 503}


def test_every_operation_is_secured_in_each_way_of_authorization() -> None:
    schemes = DOCUMENT["components"]["securitySchemes"]
    kinds = {(one["type"], one.get("scheme", one.get("in", ""))) for one in schemes.values()}
    assert {("apiKey", "header"), ("http", "basic"), ("http", "bearer"), ("oauth2", "")} <= kinds
    assert all(one.get("security", DOCUMENT.get("security")) for _, _, one in operations())


def test_c032_no_operation_of_either_door_requires_an_idempotency_key(gateway: Gateway) -> None:
    """So no request is refused because it has none."""
    headers = [DOCUMENT["components"]["parameters"]["IdempotencyKey"]]
    headers += [one for _, _, operation in operations() for one in operation.get("parameters", ()) if "name" in one]
    assert not [one["name"] for one in headers if "Idempotency" in one["name"] and one.get("required")]
    fields = SDL.mutation_type.fields if SDL.mutation_type else {}
    keyed = [field.args["idempotencyKey"] for field in fields.values() if "idempotencyKey" in field.args]
    assert len(keyed) > 3
    assert not [one for one in keyed if is_required_argument(one)]
    assert gateway.http.post(f"{API}customers", json=factories.customer()).status_code == 201


@pytest.mark.parametrize("lacking", ["customers:write", "customers:delete", "customers:admin"])
def test_c070_who_may_not_read_customers_can_neither_filter_sort_nor_count_them(gateway: Gateway, lacking: str) -> None:
    gateway.create(lastName="Hidden")
    with gateway.with_scopes(lacking) as client:
        for question in (
            {"lastName": "Hidden"},
            {"filter": "lastName eq 'Hidden'"},
            {"sort": "lastName"},
            {"q": "hid"},
        ):
            answer = client.get(f"{API}customers", params={**question, "count": "exact"})
            assert (answer.status_code, set(answer.json()) & {"content", "page"}) == (403, set())


def test_c070_who_may_read_customers_sees_every_field_that_can_be_filtered_or_sorted_by(gateway: Gateway) -> None:
    gateway.create(lastName="Seen", middleName="M")
    with gateway.with_scopes("customers:read") as client:
        (shown,) = client.get(f"{API}customers", params={"lastName": "Seen", "size": 1}).json()["content"]
    for path in {**CUSTOMER_FIELDS, **dict.fromkeys(ORDERS, 0)}:
        if path != "phone":  # the digits of the numbers, which are below
            assert path_in(shown, path), path
    for name, fields in PART_FIELDS.items():
        assert set(fields) <= set(shown[name][0])


def path_in(value: Any, path: str) -> bool:
    """Tell whether a value has something at a path of names."""
    for name in path.split("."):
        if name not in value:
            return False
        value = value[name]
    return True
