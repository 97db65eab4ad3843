"""What a registry of deprecations says is told by both doors, their documents, the headers and the metrics."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx2
import pytest

from app.cli.documents import versions
from app.main import create_app
from app.observe.metrics import MOST_USES, OTHERS, Metrics
from app.rest.openapi import openapi
from app.settings import Settings
from resolvers.deprecation import DEPRECATIONS, Deprecation, Deprecations
from schema.build import SchemaOptions, build_schema
from tests.app.observe.reading import grown, scrape
from tests.harness import Gateway, running
from tests.streams import socket

SINCE: Final = datetime(2026, 1, 1, tzinfo=UTC)
STREET2: Final = datetime(2025, 6, 1, tzinfo=UTC)
SUNSET: Final = datetime(2199, 1, 1, tzinfo=UTC)
PAST: Final = datetime(2026, 2, 1, tzinfo=UTC)
PAGE: Final = "https://api.example.com/docs/versions"
CUSTOMERS: Final = "/api/v1/customers"
ADDRESS: Final = f"{CUSTOMERS}/{{customerId}}/addresses/{{addressId}}"
PHONES: Final = f"{CUSTOMERS}/{{customerId}}/phone-numbers"
METHODS: Final = {"get", "put", "post", "delete", "patch"}
NOTHING: Final = (None, None, set[str]())
MARK: Final = f"@{int(SINCE.timestamp())}"
UNTIL: Final = "Tue, 01 Jan 2199 00:00:00 GMT"


def one(name: str, **where: Any) -> Deprecation:
    """Return a deprecation that goes on for long."""
    said = {"what": f"The {name}", "instead": f"Use what is not {name}.", "since": SINCE, "link": PAGE}
    return Deprecation(name, **{**said, "sunset": SUNSET, **where})


REGISTRY: Final = Deprecations(
    (
        one("old-address", rest=("/customers",), successor=CUSTOMERS),
        one("get-address", operations=("getAddress",), sunset=None),
        one("page-size", rest=(f"GET {CUSTOMERS}?page_size",), graphql=("Query.customerPage(size:)",)),
        one(
            "middle-name",
            fields=("middleName",),
            graphql=(
                "Customer.middleName",
                "CreateCustomerInput.middleName",
                "CustomerFilter.middleName",
                "CustomerOrderField.MIDDLE_NAME",
            ),
        ),
        one("street2", fields=("addresses.street2",), since=STREET2),
        one("phones", rest=(f"GET {PHONES}",), graphql=("Query.customerByEmail",), sunset=PAST),
        one("city", rest=(f"GET {CUSTOMERS}?city", f"POST {CUSTOMERS}:search?count"), sunset=PAST),
    )
)


@pytest.fixture(scope="module")
def old(mongod_url: str) -> Iterator[Gateway]:
    """A gateway where much is deprecated, and some of it has ended."""
    with running(mongod_url, f"test_{uuid.uuid4().hex[:16]}", deprecations=REGISTRY) as started:
        yield started


def heads(answer: httpx2.Response) -> tuple[str | None, str | None, set[str]]:
    """Return what an answer tells: Deprecation, Sunset, and the relations of its links that belong to them."""
    links = answer.headers.get("Link", "")
    relations = {name for name in ("deprecation", "sunset", "successor-version") if f'rel="{name}"' in links}
    return answer.headers.get("Deprecation"), answer.headers.get("Sunset"), relations


@contextmanager
def counting(gateway: Gateway) -> Iterator[dict[str, float]]:
    """Give how often the requests within the block have named what, known at its end; all had the same caller."""
    found: dict[str, float] = {}
    before = scrape(gateway.http)
    yield found
    grew = grown(before, scrape(gateway.http), "gateway_deprecated_uses_total")
    caller = gateway.http.get("/api/v1/viewer").json()["id"]
    assert all(dict(labels)["caller"] == caller for labels in grew)
    found |= {dict(labels)["name"]: count for labels, count in grew.items()}


class TestRest:
    def test_c096_an_address_an_operation_and_a_parameter_tell_and_count_and_others_do_not(self, old: Gateway) -> None:
        customer = old.create()
        part = old.http.get(f"{CUSTOMERS}/{customer['id']}/addresses").json()["content"][0]["id"]
        with counting(old) as named:
            plain = old.http.get(CUSTOMERS, params={"size": 1, "fields": "email"})
            alias = old.http.get("/customers", params={"fields": "email"})
            sized = old.http.get(CUSTOMERS, params={"page_size": 1, "fields": "email"})
            address = old.http.get(ADDRESS.format(customerId=customer["id"], addressId=part))
        assert heads(plain) == NOTHING
        assert heads(alias) == (MARK, UNTIL, {"deprecation", "sunset", "successor-version"})
        assert f'<{CUSTOMERS}>; rel="successor-version"' in alias.headers["Link"]
        assert f'<{CUSTOMERS}?fields=email>; rel="canonical"' in alias.headers["Link"]
        assert heads(sized) == (MARK, UNTIL, {"deprecation", "sunset"})
        assert heads(address)[0] == f"@{int(STREET2.timestamp())}", "the earliest of the operation's and the field's"
        assert named == {"old-address": 1, "page-size": 1, "get-address": 1}

    def test_a_field_that_is_shown_is_told_and_one_that_is_named_is_counted(self, old: Gateway) -> None:
        address = f"{CUSTOMERS}/{old.create()['id']}"
        with counting(old) as named:
            shown = [old.http.get(address), old.http.get(address, params={"fields": "addresses"})]
            hidden = old.http.get(address, params={"fields": "email"})
            asked = old.http.get(address, params={"fields": "middle_name,addresses.street2,middleName"})
        assert all("Deprecation" in answer.headers for answer in [*shown, asked])
        assert heads(hidden) == NOTHING
        assert named == {"middle-name": 1, "street2": 1}

    @pytest.mark.parametrize(
        ("kind", "body", "expected"),
        [
            ("merge-patch", {"lastName": "Other"}, {}),
            ("merge-patch", {"middleName": None}, {"middle-name": 1}),
            ("json-patch", [{"op": "test", "path": "/lastName", "value": "middleName"}], {}),
            ("json-patch", [{"op": "add", "path": "/middleName", "value": "B."}], {"middle-name": 1}),
            ("json-patch", [{"op": "add", "path": "/addresses/0/street2", "value": "x"}], {"street2": 1}),
        ],
    )
    def test_what_a_body_names_is_counted(self, kind: str, body: Any, expected: dict[str, float], old: Gateway) -> None:
        customer = old.create(lastName="middleName")
        headers = {"Content-Type": f"application/{kind}+json", "If-Match": "*"}
        with counting(old) as named:
            answer = old.http.patch(f"{CUSTOMERS}/{customer['id']}", json=body, headers=headers)
        assert answer.status_code == 200
        assert named == expected

    def test_c097_from_the_sunset_on_it_is_410(self, old: Gateway) -> None:
        address = PHONES.format(customerId=old.create()["id"])
        with counting(old) as named:
            answers = {
                CUSTOMERS: old.http.get(CUSTOMERS, params={"city": "Berlin"}),
                f"{CUSTOMERS}:search": old.http.post(f"{CUSTOMERS}:search", json={"count": "none"}),
                PHONES: old.http.get(address),
            }
            enveloped = old.http.get(address, headers={"Accept": "application/json;profile=enveloped"})
        described = openapi(None, REGISTRY)["paths"]
        for place, answer in answers.items():
            body = answer.json()
            assert (answer.status_code, body["type"], body["code"]) == (410, f"{old.url}/problems/retired", 1204)
            assert body["detail"].endswith(("Use what is not city.", "Use what is not phones."))
            assert parsedate_to_datetime(answer.headers["Sunset"]) == PAST
            operation = described[place]["post" if place.endswith("search") else "get"]
            assert "retired" in operation["responses"]["410"]["content"]["application/problem+json"]["examples"]
        assert enveloped.json()["errors"][0]["code"] == 1204
        assert named == {"city": 2, "phones": 2}

    def test_a_stranger_is_not_counted(self, old: Gateway) -> None:
        with counting(old) as named, old.client() as stranger:
            assert stranger.get("/customers").status_code == 401
        assert named == {}


FRAGMENTS: Final = "fragment A on Customer { ...B } fragment B on Customer { middleName }"
FILTERED: Final = "query($f: CustomerFilter) { customers(filter: $f) { nodes { id } } }"
ORDERED: Final = "query($o: [CustomerOrder!]) { customers(orderBy: $o) { nodes { id } } }"
ENDED: Final = '{ customerByEmail(email: "a@example.com") { id } }'


class TestGraphQL:
    @pytest.mark.parametrize(
        ("query", "variables", "expected"),
        [
            ("{ customers { nodes { lastName } } }", {}, set()),
            ("{ customers { nodes { ...A } } } " + FRAGMENTS, {}, {"middle-name"}),
            ("{ customerPage(size: 2) { items { id } } }", {}, {"page-size"}),
            (FILTERED, {"f": {"lastName": {"eq": "middleName"}}}, set()),
            (FILTERED, {"f": {"or": [{"not": {"middleName": {"eq": "x"}}}]}}, {"middle-name"}),
            ('{ customers(filter: {middleName: {eq: "x"}}) { nodes { id } } }', {}, {"middle-name"}),
            ("{ customers(orderBy: [{field: MIDDLE_NAME}]) { nodes { id } } }", {}, {"middle-name"}),
            (ORDERED, {"o": {"field": "MIDDLE_NAME"}}, {"middle-name"}),
        ],
    )
    def test_what_a_document_or_its_variables_name_is_told_and_counted(
        self, query: str, variables: dict[str, Any], expected: set[str], old: Gateway
    ) -> None:
        with counting(old) as named:
            answers = [old.http.post("/graphql", json={"query": query, "variables": variables}) for _ in range(2)]
        for answer in answers:
            assert "errors" not in answer.json()
            assert heads(answer) == ((MARK, UNTIL, {"deprecation", "sunset"}) if expected else NOTHING)
        assert named == dict.fromkeys(expected, 2)

    def test_only_the_operation_that_runs_counts(self, old: Gateway) -> None:
        document = "query A { customers { nodes { middleName } } } query B { customers { nodes { id } } }"
        with counting(old) as named:
            answer = old.http.post("/graphql", json={"query": document, "operationName": "B"})
        assert (heads(answer), named) == (NOTHING, {})

    @pytest.mark.parametrize("kind", ["application/json", "application/graphql-response+json"])
    def test_c097_from_the_sunset_on_it_is_410(self, kind: str, old: Gateway) -> None:
        answer = old.http.post("/graphql", json={"query": ENDED}, headers={"Accept": kind})
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (410, 1204)
        assert "Sunset" in answer.headers

    def test_what_is_named_on_a_socket_is_counted_and_refused_with_each_operation(self, old: Gateway) -> None:
        named_twice = "{ one: customers { nodes { middleName } } two: customers { nodes { middleName } } }"
        with counting(old) as named, socket(old) as ws:
            ws.greet(**{"X-API-Key": old.key})
            for _ in range(2):
                ws.subscribe("1", ENDED)
                assert ws.receive()["payload"][0]["extensions"]["code"] == 1204
                ws.subscribe("2", named_twice)
                assert [ws.receive()["type"], ws.receive()["type"]] == ["next", "complete"]
        assert named == {"phones": 2, "middle-name": 2}

    def test_the_schema_says_it_in_its_text_and_to_introspection(self, old: Gateway) -> None:
        text = build_schema(SchemaOptions(deprecations=REGISTRY)).as_str()
        assert len(re.findall(r"^  middleName: .* @deprecated\(", text, re.MULTILINE)) == 3
        assert text.count("@deprecated(reason: ") == 7
        asked = '{ __type(name: "Customer") { fields(includeDeprecated: true) { name deprecationReason } } }'
        fields = old.graphql(asked)["data"]["__type"]["fields"]
        reasons = {field["name"]: field["deprecationReason"] for field in fields}
        assert reasons["middleName"] == "Deprecated since 2026-01-01, ends on 2199-01-01: Use what is not middle-name."
        assert reasons["lastName"] is None


class TestDocuments:
    def test_openapi_marks_what_is_deprecated_and_nothing_else(self, old: Gateway) -> None:
        document = old.http.get("/openapi.json").json()
        operations = {
            (method, path): value
            for path, item in document["paths"].items()
            for method, value in item.items()
            if method in METHODS
        }
        whole = {place for place, operation in operations.items() if operation.get("deprecated")}
        assert whole == {("get", "/customers"), ("post", "/customers"), ("get", ADDRESS), ("get", PHONES)}
        listed = {one["name"]: one for one in operations["get", CUSTOMERS]["parameters"] if "name" in one}
        assert [name for name, one in listed.items() if one.get("deprecated")] == ["city"]
        assert "`page_size`: Deprecated since 2026-01-01" in listed["size"]["description"]
        answer = operations["get", "/customers"]["responses"]["200"]
        assert {"Deprecation", "Sunset", "Link"} <= answer["headers"].keys()
        assert {"Deprecation", "Sunset"} <= document["components"]["headers"].keys()

    def test_openapi_marks_deprecated_properties_of_all_that_is_sent_and_shown(self) -> None:
        marked = {
            (name, key)
            for name, schema in openapi(None, REGISTRY)["components"]["schemas"].items()
            for key, value in schema.get("properties", {}).items()
            if value.get("deprecated")
        }
        whole = {(name, "middleName") for name in ("Customer", "CustomerInput", "CustomerPatch")}
        parts = {(name, "street2") for name in ("CustomerAddress", "Address", "AddressInput", "AddressPatch")}
        assert marked == whole | parts

    def test_openapi_and_the_page_have_the_table(self, old: Gateway) -> None:
        row = f"| The street2 | 2025-06-01 | 2199-01-01 | Use what is not street2. | [street2]({PAGE}) |"
        assert row in old.http.get("/openapi.json").json()["info"]["description"]
        assert row in versions(REGISTRY)

    def test_nothing_is_deprecated_today_and_nothing_says_so(self) -> None:
        assert not DEPRECATIONS
        assert '"deprecated"' not in json.dumps(openapi())
        assert "Deprecation" not in openapi()["components"]["headers"]
        assert "@deprecated(" not in build_schema(SchemaOptions()).as_str()
        assert "Nothing is deprecated." in versions()


class TestRegistry:
    @pytest.mark.parametrize(
        "where",
        [
            {"operations": ("getCustomers2",)},
            {"rest": ("/api/v2",)},
            {"rest": ("PUT /api/v1/viewer",)},
            {"rest": (f"GET {CUSTOMERS}?colour",)},
            {"rest": (f"POST {CUSTOMERS}:search?colour",)},
            {"fields": ("addresses.colour",)},
        ],
    )
    def test_what_is_nowhere_keeps_the_gateway_from_starting(self, where: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="nowhere to be found"):
            create_app(Settings(_env_file=None), Deprecations((one("x", **where),)))

    @pytest.mark.parametrize("place", ["Customer.colour", "Query.customer(id:)", "AddressInput.city"])
    def test_a_coordinate_that_is_nowhere_or_must_be_sent_keeps_the_schema_from_being_built(self, place: str) -> None:
        with pytest.raises(ValueError, match=r"nowhere to be found|must be sent"):
            build_schema(SchemaOptions(deprecations=Deprecations((one("x", graphql=(place,)),))))

    @pytest.mark.parametrize(
        "bad",
        [
            {"since": datetime(2026, 1, 1)},  # noqa: DTZ001 - that is the fault
            {"sunset": datetime(2025, 1, 1, tzinfo=UTC)},
            {"rest": ()},
            {"name": "Two Words"},
        ],
    )
    def test_an_entry_that_does_not_fit_is_refused(self, bad: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=r"zone|before|where|name"):
            replace(REGISTRY.entries[0], **bad)

    def test_a_field_that_another_operation_has_too_stays(self) -> None:
        registry = Deprecations((one("x", operations=("updateAddresses",)),))
        assert "@deprecated(" not in build_schema(SchemaOptions(deprecations=registry)).as_str()

    def test_a_version_is_everything_below_its_address(self) -> None:
        document = openapi(None, Deprecations((one("v1", rest=("/api/v1",)),)))
        for path, item in document["paths"].items():
            marked = {value.get("deprecated", False) for method, value in item.items() if method in METHODS}
            assert marked == {path.startswith("/api/v1/")}

    def test_so_many_callers_are_told_apart_and_no_more(self) -> None:
        metrics = Metrics()
        for number in range(MOST_USES + 5):
            metrics.used("x", str(number))
        metrics.used("x", "0")
        assert len(metrics.uses) == MOST_USES + 1
        assert (metrics.uses["x", OTHERS], metrics.uses["x", "0"]) == (5, 2)
