"""GraphQL over HTTP beyond the audits: media types, statuses, limits, and no body that breaks the door.

A number in a name is that of the statement that the test is about.
"""

from __future__ import annotations

import json
import time
import unicodedata
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests import factories
from tests.contract.asking import ASKED, JSON, RESPONSE, VIEWER, ask, refused, slug, well_answered
from tests.harness import Gateway


class TestMediaTypes:
    def test_c073_a_post_of_json_is_answered_with_and_without_its_charset(self, door: httpx2.Client) -> None:
        for kind in (JSON, f"{JSON}; charset=utf-8", f"{JSON};charset=UTF-8", "Application/JSON"):
            well_answered(door.post("/graphql", content=ASKED, headers={"Content-Type": kind}))

    def test_c073_a_post_without_content_type_is_415(self, gateway: Gateway) -> None:
        with gateway.client(**{"X-API-Key": gateway.key}) as client:
            assert client.post("/graphql", content=ASKED).status_code == 415

    @pytest.mark.parametrize(
        ("accept", "kind"),
        [
            ("", RESPONSE),
            (RESPONSE, RESPONSE),
            (RESPONSE.upper(), RESPONSE),
            (JSON, JSON),
            ("*/*", JSON),
            ("application/*", JSON),
            (f"{RESPONSE}, {JSON};q=0.9", RESPONSE),
            (f"{JSON}, {RESPONSE}", RESPONSE),
            (f"{JSON};q=0.9, {RESPONSE};q=0.1", JSON),
            (f"{RESPONSE};q=0, {JSON};q=0.1", JSON),
            (f"{RESPONSE};q=0.5, */*;q=0.4", RESPONSE),
            ("text/html;q=0.1, */*;q=0.8", JSON),
            (f"{JSON}; charset=utf-8", JSON),
        ],
    )
    def test_c074_the_answer_has_the_media_type_that_is_wanted_most(
        self, accept: str, kind: str, door: httpx2.Client
    ) -> None:
        response = door.post("/graphql", content=ASKED, headers={"Accept": accept})
        well_answered(response)
        assert response.headers["Content-Type"] == f"{kind}; charset=utf-8"
        assert response.headers["Vary"] == "Accept"

    def test_c074_without_accept_the_answer_is_graphql_response_json(self, door: httpx2.Client) -> None:
        request = door.build_request("POST", "/graphql", content=ASKED)
        del request.headers["Accept"]
        assert door.send(request).headers["Content-Type"].startswith(RESPONSE)

    def test_c074_several_accept_headers_are_one_list(self, door: httpx2.Client) -> None:
        headers = [("Accept", "text/plain"), ("Accept", JSON), ("Content-Type", JSON)]
        well_answered(door.post("/graphql", content=ASKED, headers=headers))

    @pytest.mark.parametrize(
        "accept",
        ["text/plain", "image/*", "*/*;q=0", f"{JSON};q=0", f"{JSON};q=x", "json", f"{JSON};q=0, {RESPONSE};q=0.0"],
    )
    def test_c078_an_accept_of_other_types_is_406(self, accept: str, door: httpx2.Client) -> None:
        refused(door.post("/graphql", content=ASKED, headers={"Accept": accept}), 406, "not-acceptable")

    @pytest.mark.parametrize(
        "kind",
        [
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "text/plain",
            "application/graphql",
            "text/json",
            "application/json-patch+json",
            f"{JSON}, text/plain",
            f"{JSON}; charset=latin-1",
        ],
    )
    def test_c079_bodies_of_other_types_are_415_and_the_answer_says_which_is_read(
        self, kind: str, door: httpx2.Client
    ) -> None:
        response = door.post("/graphql", content=ASKED, headers={"Content-Type": kind})
        refused(response, 415, "unsupported-media-type")
        assert response.headers["Accept"] == JSON

    def test_c020_a_compressed_body_is_415(self, door: httpx2.Client) -> None:
        response = door.post("/graphql", content=ASKED, headers={"Content-Encoding": "gzip"})
        refused(response, 415, "unsupported-media-type")


class TestStatuses:
    @pytest.mark.parametrize(
        ("query", "members", "kind"),
        [
            ("{", {}, "graphql-syntax"),
            ('{ a(b: "', {}, "graphql-syntax"),
            ("{ nothing }", {}, "graphql-validation"),
            ("{ viewer }", {}, "graphql-validation"),
            ("query($id: ID!) { customer(id: $id) { id } }", {}, "graphql-validation"),
            ("query($id: ID!) { customer(id: $id) { id } }", {"variables": {"id": True}}, "graphql-validation"),
            (
                "query($n: Int) { customers(first: $n) { nodes { id } } }",
                {"variables": {"n": "5"}},
                "graphql-validation",
            ),
            ("query A { viewer { name } }", {"operationName": "B"}, "graphql-validation"),
            ("query A { viewer { name } } query B { viewer { id } }", {}, "graphql-validation"),
            ("fragment A on Viewer { name }", {}, "graphql-validation"),
            ("type A { a: Int }", {}, "graphql-validation"),
            ("subscription { customerChanged { id } }", {}, "graphql-request"),
            ("", {}, "graphql-request"),
        ],
    )
    def test_c075_a_request_that_is_not_executed_is_400_without_data(
        self, query: str, members: dict[str, Any], kind: str, door: httpx2.Client
    ) -> None:
        refused(ask(door, query, **members), 400, kind)

    def test_c075_an_answer_with_data_is_200_also_with_errors_of_fields(self, door: httpx2.Client) -> None:
        response = ask(door, '{ viewer { name } customer(id: "no") { id } }')
        assert response.status_code == 200
        body = response.json()
        assert body["data"] == {"viewer": {"name": "test"}, "customer": None}
        assert (body["errors"][0]["path"], slug(response)) == (["customer"], "invalid-id")

    def test_c075_data_that_is_null_through_a_field_is_still_200(self, door: httpx2.Client) -> None:
        response = ask(door, "{ customers(first: 0) { nodes { id } } }")
        assert (response.status_code, response.json()["data"], slug(response)) == (200, None, "invalid-parameter")

    @pytest.mark.parametrize(
        "query", ["{", "{ nothing }", "{ viewer }", "query A { viewer { name } } query A { viewer { id } }"]
    )
    def test_c076_plain_json_answers_a_well_formed_request_with_200(self, query: str, door: httpx2.Client) -> None:
        response = door.post("/graphql", content=json.dumps({"query": query}), headers={"Accept": JSON})
        assert response.status_code == 200
        assert "data" not in response.json()

    @pytest.mark.parametrize("body", ["{", "[]", "{}", '{"query": 5}', '{"query": "{a}", "variables": 5}'])
    def test_c076_plain_json_answers_what_is_no_request_with_400(self, body: str, door: httpx2.Client) -> None:
        assert door.post("/graphql", content=body, headers={"Accept": JSON}).status_code == 400

    def test_c076_of_several_operations_the_named_one_runs(self, door: httpx2.Client) -> None:
        query = 'query A { viewer { name } } mutation B { deleteCustomer(id: "no") { id } } fragment C on Viewer { id }'
        assert "data" not in ask(door, query).json()
        both = "query A { viewer { name } } query B { viewer { scopes } }"
        assert ask(door, both, operationName="A").json()["data"] == {"viewer": {"name": "test"}}


class TestGet:
    def test_c073_a_query_by_get_is_answered_with_its_variables(self, door: httpx2.Client) -> None:
        well_answered(door.get("/graphql", params={"query": VIEWER}))
        asked = {"query": "query($i: ID!) { customer(id: $i) { id } }", "variables": json.dumps({"i": str(uuid4())})}
        assert door.get("/graphql", params=asked).json()["data"] == {"customer": None}

    def test_c077_a_mutation_by_get_is_405_with_allow_and_nothing_is_executed(
        self, gateway: Gateway, door: httpx2.Client
    ) -> None:
        customer = gateway.create()
        mutation = f'mutation Erase {{ deleteCustomer(id: "{customer["id"]}") {{ id }} }}'
        for params in ({"query": mutation}, {"query": f"query Look {VIEWER} {mutation}", "operationName": "Erase"}):
            response = door.get("/graphql", params=params)
            refused(response, 405, "method-not-allowed")
            assert response.headers["Allow"] == "POST"
        assert gateway.http.get(f"/api/v1/customers/{customer['id']}").status_code == 200

    @pytest.mark.parametrize(
        ("query", "kind"),
        [
            ("", "graphql-request"),
            ("?query=", "graphql-request"),
            ("?query=%ff", "graphql-request"),
            ("?query={viewer{name}}&query={viewer{id}}", "graphql-request"),
            ("?query={viewer{name}}&variables=5", "graphql-request"),
            ("?query={viewer{name}}&variables={", "json-syntax"),
            ('?query={viewer{name}}&variables={"a":"\\ud800"}', "json-surrogate"),
            ("?query={viewer{name}}&extensions=[]", "graphql-request"),
            ("?query=%00", "graphql-syntax"),
        ],
    )
    def test_c076_a_get_that_is_no_request_is_400(self, query: str, kind: str, door: httpx2.Client) -> None:
        refused(door.get(f"/graphql{query}"), 400, kind)

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    def test_c006_other_methods_are_405_with_the_methods_that_options_names(
        self, method: str, door: httpx2.Client
    ) -> None:
        response = door.request(method, "/graphql", content=ASKED)
        refused(response, 405, "method-not-allowed")
        assert response.headers["Allow"] == door.options("/graphql").headers["Allow"] == "GET, HEAD, POST, OPTIONS"

    def test_a_browser_gets_the_page_and_a_program_gets_data(self, door: httpx2.Client) -> None:
        page = door.get("/graphql", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert page.headers["Content-Type"].startswith(("text/html", "application/problem+json"))
        both = door.get("/graphql", params={"query": VIEWER}, headers={"Accept": f"text/html;q=0.5, {JSON}"})
        well_answered(both)


class TestCredentials:
    @pytest.mark.parametrize("accept", [RESPONSE, JSON])
    @pytest.mark.parametrize(
        "headers",
        [{}, {"X-API-Key": "cgw_unknown"}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer x"}],
        ids=["none", "unknown key", "unknown client", "unknown token"],
    )
    def test_missing_and_unknown_credentials_are_401_with_a_challenge(
        self, headers: dict[str, str], accept: str, gateway: Gateway
    ) -> None:
        with gateway.client(**headers) as stranger:
            response = stranger.post("/graphql", content=ASKED, headers={"Content-Type": JSON, "Accept": accept})
        refused(response, 401, "unauthorized")
        assert response.headers["WWW-Authenticate"].startswith("Bearer ")

    def test_c009_a_scope_that_is_lacking_is_told_in_the_errors_as_rest_tells_it(self, gateway: Gateway) -> None:
        with gateway.with_scopes("customers:write") as writer:
            rest = writer.get(f"/api/v1/customers/{uuid4()}").json()
            error = writer.post("/graphql", json={"query": f'{{ customer(id: "{uuid4()}") {{ id }} }}'}).json()[
                "errors"
            ][0]
        shared = ("type", "title", "status", "code", "scope", "resource")
        assert {name: rest[name] for name in shared} == {name: error["extensions"][name] for name in shared}
        assert (error["message"], rest["scope"]) == (rest["detail"], "customers:read")


MALFORMED: dict[str, tuple[bytes, int, str]] = {
    "number": (b"5", 400, "graphql-request"),
    "null": (b"null", 400, "graphql-request"),
    "true": (b"true", 400, "graphql-request"),
    "string": (b'"{ viewer { name } }"', 400, "graphql-request"),
    "empty array": (b"[]", 400, "graphql-request"),
    "batch": (f"[{ASKED},{ASKED}]".encode(), 400, "graphql-request"),
    "empty object": (b"{}", 400, "graphql-request"),
    "query is a number": (b'{"query": 5}', 400, "graphql-request"),
    "variables are a list": (b'{"query": "{a}", "variables": []}', 400, "graphql-request"),
    "operationName is a number": (b'{"query": "{a}", "operationName": 5}', 400, "graphql-request"),
    "extensions are text": (b'{"query": "{a}", "extensions": "x"}', 400, "graphql-request"),
    "no body": (b"", 400, "empty-body"),
    "blank body": (b" \r\n\t", 400, "empty-body"),
    "not JSON": (b"query=x", 400, "json-syntax"),
    "half of it": (ASKED.encode()[:-3], 400, "json-syntax"),
    "something behind it": (ASKED.encode() + b" x", 400, "json-trailing-data"),
    "invalid UTF-8": (b'{"query": "\xff"}', 400, "json-encoding"),
    "UTF-16": (ASKED.encode("utf-16"), 400, "json-encoding"),
    "UTF-16 without mark": (ASKED.encode("utf-16-le"), 400, "json-encoding"),
    "byte order mark": (b"\xef\xbb\xbf" + ASKED.encode(), 400, "json-encoding"),
    "100,000 brackets": (b"[" * 100_000, 400, "json-too-deep"),
    "20,000 objects": (b'{"a":' * 20_000, 400, "json-too-deep"),
    "NaN": (b'{"query": "{a}", "variables": {"a": NaN}}', 400, "json-number"),
    "Infinity": (b'{"query": "{a}", "variables": {"a": -Infinity}}', 400, "json-number"),
    "5,000 digits": (b'{"query": "{a}", "variables": {"a": ' + b"9" * 5000 + b"}}", 400, "json-number"),
    "1e999": (b'{"query": "{a}", "variables": {"a": 1e999}}', 400, "json-number"),
    "duplicate key": (b'{"query": "{a}", "query": "{b}"}', 400, "json-duplicate-key"),
    "duplicate key below": (b'{"query": "{a}", "variables": {"a": 1, "a": 2}}', 400, "json-duplicate-key"),
    "lone surrogate": (b'{"query": "{a}", "variables": {"a": "\\ud800"}}', 400, "json-surrogate"),
    "lone surrogate in a key": (b'{"query": "{a}", "variables": {"\\udfff": 1}}', 400, "json-surrogate"),
    "2 MB": (b'{"query": "' + b" " * 2_000_000 + b'"}', 413, "body-too-large"),
}


class TestBodies:
    @pytest.mark.parametrize("name", MALFORMED)
    def test_c014_a_body_that_is_no_request_is_refused_by_kind_and_at_once(
        self, name: str, door: httpx2.Client
    ) -> None:
        body, status, kind = MALFORMED[name]
        began = time.perf_counter()
        response = door.post("/graphql", content=body)
        print(f"answered in {(time.perf_counter() - began) * 1000:.0f} ms")
        refused(response, status, kind)

    @pytest.mark.parametrize("text", [r"\ud800", r"\udfff\ud800", r"\u{D800}", r"\u{110000}", r"\u{}", r"\x", "\n"])
    def test_c014_a_string_of_the_document_that_is_no_text_is_a_syntax_error(
        self, text: str, door: httpx2.Client
    ) -> None:
        refused(ask(door, f'{{ customerByEmail(email: "{text}") {{ id }} }}'), 400, "graphql-syntax")

    @pytest.mark.parametrize("text", ["ü", "Müller", "王", "😀", "a\u0301"])
    def test_c015_text_of_any_script_comes_back_in_nfc(self, text: str, door: httpx2.Client) -> None:
        mutation = "mutation($i: CreateCustomerInput!) { createCustomer(input: $i, dryRun: true) { lastName } }"
        asked = {"i": factories.graphql_customer(lastName=text)}
        answer = ask(door, mutation, variables=asked).json()
        assert answer["data"]["createCustomer"]["lastName"] == unicodedata.normalize("NFC", text)

    @pytest.mark.parametrize("control", ["\0", "\x1b", "\x7f", "\u0085"])
    def test_c015_control_characters_in_what_would_be_stored_are_a_validation_error(
        self, control: str, door: httpx2.Client
    ) -> None:
        mutation = "mutation($i: CreateCustomerInput!) { createCustomer(input: $i) { id } }"
        response = ask(door, mutation, variables={"i": factories.graphql_customer(firstName=f"A{control}")})
        assert slug(response) == "validation-error"

    @pytest.mark.parametrize("identifier", ["", "\0", "a\0b", "x" * 60_000, "../x", "{$ne: 1}", "😀", "0" * 36])
    def test_c015_an_id_that_is_no_uuid_is_an_invalid_id_whatever_is_in_it(
        self, identifier: str, door: httpx2.Client
    ) -> None:
        for query in ("customer(id: $id) { id }", "node(id: $id) { id }", "nodes(ids: [$id]) { id }"):
            response = ask(door, f"query($id: ID!) {{ {query} }}", variables={"id": identifier})
            assert (response.status_code, slug(response)) == (200, "invalid-id")

    @pytest.mark.parametrize("cursor", ["", "\0", "x" * 60_000, "é", "AAAA", "{}"])
    def test_c072_a_cursor_that_is_not_ours_is_never_more_than_a_refusal(
        self, cursor: str, door: httpx2.Client
    ) -> None:
        response = ask(door, "query($c: String) { customers(after: $c) { nodes { id } } }", variables={"c": cursor})
        assert response.status_code == 200
        assert cursor == "" or slug(response) == "invalid-cursor"
