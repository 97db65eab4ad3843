"""OpenAPI says the truth about the running gateway, and its examples are valid."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker

from app.auth.token_form import FORM
from app.http.event_source import EVENT_STREAM
from app.main import create_app
from app.rest.call import JSON
from app.rest.customers import PREFIX
from app.rest.endpoints import ENDPOINTS
from app.rest.list_parameters import LIST_PARAMETERS
from app.rest.openapi import openapi
from app.rest.routes import ALIAS
from app.settings import Settings
from resolvers.operations import OPERATIONS
from resolvers.problems import PROBLEM_TYPES, RETIRED
from tests import factories
from tests.harness import Gateway
from tests.operations import store_operation
from tests.streams import events

DOCUMENT = openapi()
METHODS = ("get", "put", "post", "delete", "patch")
OPERATIONS_OF = {
    f"{method.upper()} {path}": operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method in METHODS
}
REST = [name for name in OPERATIONS_OF if PREFIX in name or name.endswith(f" {ALIAS}")]
STREAMS = {name for name in REST if EVENT_STREAM in OPERATIONS_OF[name]["responses"].get("200", {}).get("content", ())}
"""Operations whose answer does not end."""
ENVELOPED = "application/json;profile=enveloped"
FILES = {("200", "customers:export"), ("200", "refused-lines")}
"""The answers that are files."""
PAGES = {"/", "/docs", "/assets/{path}", "/guide", "/guide/{path}"}
"""What `make setup` and `make docs` build; without them they answer 404 with a problem of their own."""


def resolved(value: dict[str, Any]) -> dict[str, Any]:
    """Return what a reference refers to."""
    if "$ref" not in value:
        return value
    found: Any = DOCUMENT
    for step in value["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Return a validator for a schema of the document."""
    whole = {"$id": "urn:openapi", "components": DOCUMENT["components"], **schema}
    return Draft202012Validator(whole, format_checker=FormatChecker())


def media(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield all bodies that an operation describes, with where they stand."""
    bodies = {"request": operation["requestBody"]} if "requestBody" in operation else {}
    for name, body in {**bodies, **operation["responses"]}.items():
        for kind, described in body.get("content", {}).items():
            yield f"{name} {kind}", described


class TestForm:
    def test_openapi_yaml_says_what_openapi_json_says(self, gateway: Gateway) -> None:
        as_json, as_yaml = gateway.http.get("/openapi.json"), gateway.http.get("/openapi.yaml")
        assert from_yaml(as_yaml.text) == as_json.json() == DOCUMENT
        assert as_yaml.headers["Content-Type"].startswith("application/yaml")
        assert (as_json.headers["Content-Encoding"], as_json.headers["Vary"]) == ("gzip", "Accept-Encoding")
        whole = gateway.http.get("/openapi.json", headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in whole.headers
        assert whole.content == as_json.content

    def test_c098_operation_ids_are_unique_and_those_of_the_declared_operations(self) -> None:
        ids = [operation["operationId"] for operation in OPERATIONS_OF.values()]
        assert max(Counter(ids).values()) == 1
        names = {operation.name for operation in OPERATIONS}
        for endpoint in ENDPOINTS:
            found = OPERATIONS_OF[f"{endpoint.method} {PREFIX}{endpoint.path}"]["operationId"]
            first = endpoint.operation.rest[0].startswith(f"{endpoint.method} ")
            assert found == endpoint.id
            assert (found in names) == first

    @pytest.mark.parametrize("name", OPERATIONS_OF)
    def test_every_operation_is_described_with_a_tag_and_an_error(self, name: str) -> None:
        operation = OPERATIONS_OF[name]
        tags = {tag["name"] for tag in DOCUMENT["tags"]}
        assert operation["summary"]
        assert operation["description"].endswith(".")
        assert operation["tags"]
        assert set(operation["tags"]) <= tags
        assert [status for status in operation["responses"] if status.startswith(("4", "5"))]
        assert all("example" in body or body.get("examples") for _, body in media(operation))

    @pytest.mark.parametrize("name", OPERATIONS_OF)
    def test_every_example_of_a_body_is_valid(self, name: str) -> None:
        for place, body in media(OPERATIONS_OF[name]):
            values = [example["value"] for example in body.get("examples", {}).values()]
            for value in [*values, *([body["example"]] if "example" in body else [])]:
                faults = [fault.message for fault in validator(body["schema"]).iter_errors(value)]
                assert faults == [], f"{place}: {value}"

    def test_every_example_of_a_parameter_is_valid(self) -> None:
        found = [resolved(one) for item in DOCUMENT["paths"].values() for one in item.get("parameters", ())]
        found += [resolved(one) for operation in OPERATIONS_OF.values() for one in operation.get("parameters", ())]
        for parameter in found:
            if "example" in parameter:
                assert validator(parameter["schema"]).is_valid(parameter["example"]), parameter["name"]

    def test_every_problem_has_an_example_in_each_form_where_it_can_be_answered(self) -> None:
        for name in REST:
            for status, answer in OPERATIONS_OF[name]["responses"].items():
                if status.startswith(("4", "5")):
                    kinds = ("application/problem+json", ENVELOPED)
                    plain, enveloped = (answer["content"][kind]["examples"] for kind in kinds)
                    assert set(plain) == set(enveloped)
                    assert {example["value"]["status"] for example in plain.values()} == {int(status)}
        bodies = [body for operation in OPERATIONS_OF.values() for _, body in media(operation)]
        shown = {slug for body in bodies for slug in body.get("examples", ())}
        assert {kind.slug for kind in PROBLEM_TYPES} - shown == {RETIRED.slug}, "nothing is deprecated today"

    def test_every_operation_and_parameter_says_enough(self) -> None:
        for name in REST:
            operation = OPERATIONS_OF[name]
            assert len(operation["description"]) > 100, name
            for parameter in map(resolved, operation.get("parameters", ())):
                assert parameter["description"].endswith((".", "`")), parameter["name"]
                assert "example" in parameter, parameter["name"]

    def test_servers_are_where_the_setting_says_and_here(self) -> None:
        public = "https://crm.example.org/gateway"
        assert [server["url"] for server in openapi(public)["servers"]] == [public, "/"]
        assert [server["url"] for server in DOCUMENT["servers"]] == ["/"]

    def test_links_lead_to_operations_and_their_parameters(self) -> None:
        by_id = {operation["operationId"]: name for name, operation in OPERATIONS_OF.items()}
        found = 0
        for operation in OPERATIONS_OF.values():
            answers = operation["responses"].values()
            for link in (link for answer in answers for link in answer.get("links", {}).values()):
                target = by_id[link["operationId"]]
                item = DOCUMENT["paths"][target.split(" ")[1]]
                known = {resolved(one)["name"] for one in (*item["parameters"], *OPERATIONS_OF[target]["parameters"])}
                assert {name.removeprefix("header.") for name in link["parameters"]} <= known
                found += 1
        assert found == 18

    def test_examples_of_addresses_are_those_of_this_version(self) -> None:
        for name in REST:
            for place, body in media(OPERATIONS_OF[name]):
                shown = [example["value"] for example in body["examples"].values() if "problem" in place]
                assert all(value["instance"].startswith(PREFIX) for value in shown)

    def test_every_status_that_an_endpoint_gives_has_both_representations(self) -> None:
        for name in REST:
            for status, answer in OPERATIONS_OF[name]["responses"].items():
                kinds = set(answer.get("content", ()))
                bodyless = status in {"204", "304"}
                plain = JSON if status.startswith("2") else "application/problem+json"
                files = {kind for kind in kinds if kind in {"application/x-ndjson", "text/csv"}}
                streamed = name in STREAMS and status == "200"
                assert kinds == (set() if bodyless else files or ({EVENT_STREAM} if streamed else {plain, ENVELOPED}))
                assert not files or (status, name.rpartition("/")[2]) in FILES


class TestRoutes:
    def test_c127_every_route_is_described_and_nothing_else_is(self) -> None:
        app = create_app(Settings(_env_file=None, mongodb_url="mongodb://127.0.0.1:1"))
        served = {re.sub(r":path\}", "}", route.path) for route in app.routes if hasattr(route, "path")}
        assert served == set(DOCUMENT["paths"])

    @pytest.mark.parametrize("path", DOCUMENT["paths"])
    def test_c006_the_methods_of_options_and_of_405_are_those_described(self, path: str, gateway: Gateway) -> None:
        described = {method.upper() for method in DOCUMENT["paths"][path] if method in METHODS}
        expected = described | ({"HEAD"} if "GET" in described else set())
        address = filled(path, gateway.create())
        wrong = gateway.http.request(next(m for m in ("PUT", "PATCH", "TRACE") if m not in described), address)
        assert wrong.status_code == 405
        assert methods_of(wrong.headers["Allow"]) - {"OPTIONS"} == expected
        if path.startswith((PREFIX, ALIAS, "/graphql")):
            assert methods_of(gateway.http.options(address).headers["Allow"]) == expected | {"OPTIONS"}

    @pytest.mark.parametrize("name", [name for name in OPERATIONS_OF if name not in STREAMS])
    def test_what_is_described_is_served(self, name: str, gateway: Gateway) -> None:
        method, path = name.split(" ")
        customer = gateway.create()
        response = gateway.http.request(method, filled(path, customer, gateway), **sent(OPERATIONS_OF[name]))
        described = OPERATIONS_OF[name]["responses"]
        assert str(response.status_code) in described
        assert response.status_code not in {405, 500}
        assert response.status_code != 404 or (path in PAGES and response.json()["resource"] != "routes")
        held_against_schema(described[str(response.status_code)], response)

    @pytest.mark.parametrize("name", [name for name in REST if name not in STREAMS])
    def test_the_enveloped_representation_is_as_described(self, name: str, gateway: Gateway) -> None:
        method, path = name.split(" ")
        address = filled(path, gateway.create(), gateway)
        response = gateway.http.request(method, address, **sent(OPERATIONS_OF[name], Accept=ENVELOPED))
        held_against_schema(OPERATIONS_OF[name]["responses"][str(response.status_code)], response, ENVELOPED)

    def test_c098_events_are_as_described(self, gateway: Gateway) -> None:
        (name,) = STREAMS
        described = OPERATIONS_OF[name]["responses"]["200"]
        with events(gateway.http, name.removeprefix("GET ")) as stream:
            gateway.create()
            faults = validator(described["content"][EVENT_STREAM]["schema"]).iter_errors(stream.next().json)
            assert [fault.message for fault in faults] == []
            assert {head for head in described["headers"] if head not in stream.response.headers} <= {
                "RateLimit",
                "RateLimit-Policy",
            }

    @pytest.mark.parametrize("name", REST)
    def test_problems_are_as_described_in_both_representations(self, name: str, gateway: Gateway) -> None:
        method, path = name.split(" ")
        described = OPERATIONS_OF[name]["responses"]
        with gateway.client() as stranger:
            for kind in ("application/problem+json", ENVELOPED):
                refused = stranger.request(method, filled(path, gateway.create()), headers={"Accept": f"{kind}, */*"})
                assert refused.status_code == 401
                held_against_schema(described["401"], refused, kind)

    def test_not_modified_is_as_described(self, gateway: Gateway) -> None:
        customer, tag = gateway.created()
        response = gateway.http.get(f"{PREFIX}/customers/{customer['id']}", headers={"If-None-Match": tag})
        assert response.status_code == 304
        answer = OPERATIONS_OF[f"GET {PREFIX}/customers/{{customerId}}"]["responses"]["304"]
        counted = {"RateLimit", "RateLimit-Policy"}  # nothing is, here
        assert {name for name in answer["headers"] if name not in response.headers} == counted
        assert response.content == b""

    @pytest.mark.parametrize("name", ["GET", "POST"])
    def test_the_old_address_answers_as_the_new_one_and_points_to_it(self, name: str, gateway: Gateway) -> None:
        response = gateway.http.request(name, ALIAS, json=factories.customer() if name == "POST" else None)
        assert response.is_success
        assert f'<{PREFIX}{ALIAS}>; rel="canonical"' in response.headers["Link"]


def from_yaml(text: str) -> Any:
    """Read YAML, or JSON as such; in C where that is there, which takes a tenth of the time."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def methods_of(header: str) -> set[str]:
    """Return the methods of an Allow header."""
    return set(header.split(", "))


def filled(path: str, customer: dict[str, Any], gateway: Gateway | None = None) -> str:
    """Return a path with real ids in the place of its names."""
    parts: dict[str, Any] = {}
    if gateway:
        query = "query($id: ID!) { customer(id: $id) { addresses { id } phoneNumbers { id } } }"
        found = gateway.data(query, id=customer["id"])["customer"]
        parts = _webhook(gateway) if "{webhookId}" in path else {}
        parts |= {"addressId": found["addresses"][0]["id"], "phoneNumberId": found["phoneNumbers"][0]["id"]}
        parts |= {"operationId": store_operation(gateway)} if "{operationId}" in path else {}
    known = {"customerId": customer["id"], "slug": "conflict", "path": "gateway.css", **parts}
    return re.sub(r"\{(\w+)\}", lambda name: str(known.get(name[1], uuid4())), path)


def _webhook(gateway: Gateway) -> dict[str, str]:
    """Return the ids of a webhook that is there, and of a delivery."""
    listed = gateway.http.get(f"{PREFIX}/webhooks").json()["content"]
    body = {"url": "https://hooks.example.com/", "enabled": False}
    webhook = listed[0] if listed else gateway.http.post(f"{PREFIX}/webhooks", json=body).json()
    delivery = gateway.http.post(f"{PREFIX}/webhooks/{webhook['id']}:test").json()
    return {"webhookId": webhook["id"], "deliveryId": delivery["id"]}


def sent(operation: dict[str, Any], **headers: str) -> dict[str, Any]:
    """Return what a good request of an operation sends, from its own examples."""
    parameters = [resolved(one) for one in operation.get("parameters", ())]
    query = {one["name"]: one["example"] for one in parameters if one["in"] == "query" and one.get("required")}
    demanded = {"If-Match": "*"} if any(one["name"] == "If-Match" for one in parameters) else {}
    request: dict[str, Any] = {"headers": {**demanded, **headers}, "params": query}
    if FORM in operation.get("requestBody", {}).get("content", {}):
        request["data"] = operation["requestBody"]["content"][FORM]["examples"]["example"]["value"]
    elif "application/x-ndjson" in operation.get("requestBody", {}).get("content", {}):
        request["content"] = operation["requestBody"]["content"]["application/x-ndjson"]["examples"]["example"]["value"]
        request["headers"] |= {"Content-Type": "application/x-ndjson"}
    elif "requestBody" in operation:
        example = operation["requestBody"]["content"][JSON]["examples"]["example"]["value"]
        unique = {"email": factories.unique_email()} if isinstance(example, dict) and "email" in example else {}
        request["json"] = {**example, **unique} if unique and "firstName" in example else example
    return request


def held_against_schema(answer: dict[str, Any], response: Any, kind: str | None = None) -> None:
    """Assert that an answer has a described media type, a body of that schema, and the headers it must have."""
    said = {name for name, header in answer["headers"].items() if resolved(header).get("required")}
    assert {name for name in said if name not in response.headers} == set()
    if "content" not in answer:
        assert response.content == b""
        return
    found = response.headers["Content-Type"].partition(";")[0]
    content = answer["content"]
    described = content[kind] if kind else content.get(found) or content["*/*"]
    assert kind != ENVELOPED or found == JSON
    value = response.text if found.startswith("text/") or "ndjson" in found else from_yaml(response.text)
    assert [fault.message for fault in validator(described["schema"]).iter_errors(value)] == []


class TestProfiles:
    """The representation that a client wants most is the one it gets (RFC 9110, Accept)."""

    @pytest.mark.parametrize(
        ("accept", "enveloped"),
        [
            ("application/json", False),
            ("*/*", False),
            (ENVELOPED, True),
            ('application/json; profile="enveloped"', True),
            ("Application/JSON;Profile=Enveloped", True),
            (f"{ENVELOPED}, */*", True),
            (f"{ENVELOPED}, application/problem+json", True),
            (f"application/json;profile=plain;q=0.1, {ENVELOPED};q=0.9", True),
            (f"{ENVELOPED};q=0.1, application/json;profile=plain;q=0.9", False),
            (f"application/json, {ENVELOPED};q=0.5", False),
            ("application/json;profile=other", False),
            ("text/html;profile=enveloped, application/json", False),
        ],
    )
    def test_accept_chooses_the_profile(self, accept: str, enveloped: bool, gateway: Gateway) -> None:
        body = gateway.http.get(f"{PREFIX}/viewer", headers={"Accept": accept}).json()
        assert ("viewer" in body) == enveloped

    @pytest.mark.parametrize(
        "accept", ["text/html", f"{ENVELOPED};q=0", "application/json;q=nan", "application/json;q=2"]
    )
    def test_c008_what_is_not_wanted_is_406(self, accept: str, gateway: Gateway) -> None:
        response = gateway.http.get(f"{PREFIX}/viewer", headers={"Accept": accept})
        assert (response.status_code, response.json()["type"].rsplit("/", 1)[-1]) == (406, "not-acceptable")


class TestParameters:
    """Each endpoint takes the parameters that are described, and no others."""

    def test_every_example_of_a_parameter_of_lists_is_taken(self, gateway: Gateway) -> None:
        listed = OPERATIONS_OF[f"GET {PREFIX}/customers"]["parameters"]
        for parameter in listed:
            answer = gateway.http.get(f"{PREFIX}/customers", params={parameter["name"]: parameter["example"]})
            assert answer.status_code == 200, answer.text
        assert len(listed) == len(LIST_PARAMETERS)

    @pytest.mark.parametrize("name", REST)
    def test_known_parameters_are_taken_and_all_others_refused(self, name: str, gateway: Gateway) -> None:
        method, path = name.split(" ")
        address = filled(path, gateway.create())
        parameters = [resolved(one) for one in OPERATIONS_OF[name].get("parameters", ())]
        described = {one["name"] for one in parameters if one["in"] == "query"}
        everywhere = {name for endpoint in ENDPOINTS for one in endpoint.parameters for name in one.names}
        aliases = {alias for one in all_parameters() if one.name in described for alias in one.names}
        for parameter in everywhere | described | {"colour"}:
            response = gateway.http.request(method, address, params={parameter: "?"})
            unknown = response.is_error and response.json()["type"].endswith("/unknown-parameter")
            assert unknown == (parameter not in aliases), parameter


def all_parameters() -> list[Any]:
    """Return every parameter of REST."""
    return [parameter for endpoint in ENDPOINTS for parameter in endpoint.parameters]
