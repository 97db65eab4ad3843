"""The limits of GraphQL documents and arguments, closed introspection, and what errors tell.

A number in a name is that of the statement that the test is about.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from pymongo import MongoClient

from storage.mongod import acquire
from tests.conftest import StartGateway
from tests.contract.asking import VIEWER, ask, error_of, refused, slug, well_answered
from tests.harness import Gateway, find_lost_sockets, running


class TestArguments:
    @pytest.mark.parametrize("name", ["first", "last"])
    @pytest.mark.parametrize("size", [-1, 0, 101, 2147483647])
    def test_c083_a_page_of_less_than_1_or_more_than_100_is_refused(
        self, name: str, size: int, door: httpx2.Client
    ) -> None:
        response = ask(door, f"query($n: Int) {{ customers({name}: $n) {{ nodes {{ id }} }} }}", variables={"n": size})
        assert slug(response) == "invalid-parameter"
        assert name in response.json()["errors"][0]["message"]

    @pytest.mark.parametrize("size", [2147483648, -2147483649, 2**53])
    def test_c083_what_is_beyond_int_is_a_fault_of_the_document(self, size: int, door: httpx2.Client) -> None:
        query = "query($n: Int) { customers(first: $n) { nodes { id } } }"
        refused(ask(door, query, variables={"n": size}), 400, "graphql-validation")
        refused(ask(door, query.replace("($n: Int)", "").replace("$n", str(size))), 400, "graphql-validation")

    @pytest.mark.parametrize(
        "arguments", ["first: 1, last: 1", 'after: "a", before: "b"', 'first: 1, before: "b"', 'last: 1, after: "a"']
    )
    def test_c083_arguments_that_contradict_each_other_are_refused(self, arguments: str, door: httpx2.Client) -> None:
        assert slug(ask(door, f"{{ customers({arguments}) {{ nodes {{ id }} }} }}")) == "invalid-parameter"

    @pytest.mark.parametrize("arguments", ["page: 0", "page: -1", "page: 2147483647", "size: 0", "size: 101"])
    def test_c083_page_numbers_out_of_range_are_refused(self, arguments: str, door: httpx2.Client) -> None:
        assert slug(ask(door, f"{{ customerPage({arguments}) {{ items {{ id }} }} }}")) == "invalid-parameter"


def tokens(count: int) -> str:
    """Return a valid document of so many tokens: a list of ids, which are none."""
    return f"{{ nodes(ids: [{'1 ' * (count - 12)}]) {{ id }} }}"


def doubled(times: int) -> str:
    """Return a document in which a fragment is spread 2 to the power of `times` times."""
    chain = " ".join(f"fragment f{n} on Viewer {{ ...f{n + 1} ...f{n + 1} }}" for n in range(times))
    return f"{{ viewer {{ ...f0 }} }} {chain} fragment f{times} on Viewer {{ name }}"


def nested(levels: int) -> str:
    """Return a document with so many levels of fields, which the schema does not have."""
    return "{ a " * levels + "}" * levels


class TestLimits:
    def test_c081_1000_tokens_pass_and_1001_do_not(self, door: httpx2.Client) -> None:
        assert ask(door, tokens(1000)).status_code == 200
        response = ask(door, tokens(1001))
        refused(response, 400, "graphql-tokens")
        limit = response.json()["errors"][0]["extensions"]
        assert slug(response) == "graphql-tokens"
        assert (limit["what"], limit["limit"], limit["found"]) == ("tokens", 1000, 1001)

    def test_c081_comments_and_commas_are_no_tokens(self, door: httpx2.Client) -> None:
        well_answered(ask(door, "{ viewer { name,,,, } }" + "# a b c\n" * 1000))

    def test_c081_10_levels_are_looked_up_and_11_are_not(self, door: httpx2.Client) -> None:
        refused(ask(door, nested(10)), 400, "graphql-validation")
        refused(ask(door, nested(11)), 400, "graphql-depth")

    def test_c081_the_limits_are_settings(self, start_gateway: StartGateway) -> None:
        query = "{ customers { edges { node { addresses { city } } } } }"
        five = start_gateway(graphql_max_depth=5, graphql_max_tokens=50)
        assert "errors" not in five.graphql(query)
        assert five.graphql(tokens(50))["errors"][0]["extensions"]["code"] == 1010
        assert five.graphql(tokens(51))["errors"][0]["extensions"]["what"] == "tokens"
        four = start_gateway(graphql_max_depth=4)
        assert four.graphql(query)["errors"][0]["extensions"]["what"] == "levels of fields"
        through = "query { ...q } fragment q on Query { customers { ...c } } fragment c on CustomerConnection {"
        assert "errors" in four.graphql(f"{through} edges {{ ... {{ node {{ addresses {{ city }} }} }} }} }}")

    def test_c081_introspection_is_not_measured_by_depth(self, door: httpx2.Client) -> None:
        kinds = "ofType { name " * 8 + "}" * 8
        response = ask(door, f"{{ __schema {{ types {{ fields {{ args {{ type {{ name {kinds} }} }} }} }} }} }}")
        assert "errors" not in response.json()

    def test_c081_16_kib_of_document_pass_and_20_do_not(self, door: httpx2.Client) -> None:
        well_answered(ask(door, VIEWER + " " * (16 * 1024 - len(VIEWER))))
        refused(ask(door, VIEWER + " " * 20_000), 400, "graphql-document-size")
        refused(ask(door, f'{{ customerByEmail(email: "{"a" * 20_000}") {{ id }} }}'), 400, "graphql-document-size")

    def test_c082_fragments_that_double_30_times_are_refused_at_once(self, door: httpx2.Client) -> None:
        began = time.perf_counter()
        refused(ask(door, doubled(30)), 400, "graphql-limit")
        print(f"answered in {(time.perf_counter() - began) * 1000:.0f} ms")
        well_answered(ask(door, doubled(9)))

    @pytest.mark.parametrize(
        ("query", "kind"),
        [
            ("{ viewer { ...a } } fragment a on Viewer { ...a }", "graphql-validation"),
            (
                "{ viewer { ...a } } fragment a on Viewer { ...b } fragment b on Viewer { name ...a }",
                "graphql-validation",
            ),
            (nested(5000), "graphql-document-size"),
            (nested(100), "graphql-limit"),
            (f"{{ customers(first: {'[' * 5000}{']' * 5000}) {{ nodes {{ id }} }} }}", "graphql-tokens"),
            (f"query($a: {'[' * 480}Int{']' * 480}) {{ viewer {{ name }} }}", "graphql-limit"),
            (f"{{ customers(first: {'{a: ' * 100}1{'}' * 100}) {{ nodes {{ id }} }} }}", "graphql-limit"),
            (f"{{ viewer {{ {'name ' * 990} }} }}", "graphql-limit"),
            (f"{{ viewer {{ name {'@x ' * 400} }} }}", "graphql-directives"),
            (" ".join(f"q{n}" for n in range(900)).join("{}"), "graphql-root-fields"),
        ],
        ids=["cycle of one", "cycle of two", "5000 levels", "100 levels", "5000 lists", "lists of types", "objects",
        "one field 990 times", "400 directives", "900 unknown fields"],
    )  # fmt: skip
    def test_c086_cycles_and_deep_or_wide_documents_are_refused_at_once(
        self, query: str, kind: str, door: httpx2.Client
    ) -> None:
        began = time.perf_counter()
        refused(ask(door, query), 400, kind)
        print(f"answered in {(time.perf_counter() - began) * 1000:.0f} ms")

    def test_c086_a_batch_is_refused_whatever_is_in_it(self, door: httpx2.Client) -> None:
        for batch in ([], [{"query": VIEWER}], [{"query": VIEWER}] * 10, [None]):
            refused(door.post("/graphql", content=json.dumps(batch)), 400, "graphql-request")


UNKNOWN = (
    "{ __schema { types { name } } }",
    '{ __type(name: "Query") { name } }',
    "{ custome { id } }",
    "{ viewer { nam } }",
    "{ customers(firs: 1) { nodes { id } } }",
    "{ viewer { ... on Viewr { name } } }",
    "query($i: Custome) { viewer { name } }",
    "{ viewer }",
    'mutation { createCustomer(input: { frstName: "x" }) { id } }',
    f'mutation {{ addPhoneNumber(customerId: "{uuid4()}", input: {{ type: MOBIL }}) {{ id }} }}',
)
"""Questions about the schema, open ones and ones by way of a near miss."""


def test_c087_where_introspection_is_closed_nothing_is_told_or_proposed(start_gateway: StartGateway) -> None:
    closed = start_gateway(introspection=False)
    for query in UNKNOWN:
        answer = closed.graphql(query)
        assert "data" not in answer
        assert all("Did you mean" not in error["message"] for error in answer["errors"])
    assert closed.data("{ viewer { __typename } }") == {"viewer": {"__typename": "Viewer"}}


def test_c087_where_introspection_is_open_the_nearest_name_is_proposed(gateway: Gateway) -> None:
    assert "Did you mean 'first'?" in gateway.graphql("{ customers(firs: 1) { nodes { id } } }")["errors"][0]["message"]


class TestErrors:
    def test_each_error_has_the_problem_and_its_type_is_a_page(self, door: httpx2.Client) -> None:
        response = ask(door, '{ customer(id: "no") { id } }')
        extensions = response.json()["errors"][0]["extensions"]
        assert (extensions["title"], extensions["status"], extensions["code"]) == (
            "Identifier is not a UUID",
            400,
            1010,
        )
        assert extensions["requestId"] == response.headers["X-Request-Id"]
        page = door.get(extensions["type"])
        assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")

    def test_the_request_id_of_the_client_is_kept(self, door: httpx2.Client) -> None:
        response = door.post("/graphql", content="{}", headers={"X-Request-Id": "mine-1"})
        assert response.json()["errors"][0]["extensions"]["requestId"] == "mine-1"

    def test_c088_what_goes_wrong_inside_is_masked(self, gateway: Gateway, door: httpx2.Client) -> None:
        customer = gateway.create()
        with MongoClient[dict[str, Any]](gateway.store_url) as client:  # another hand in the store
            customers = client[gateway.database].customers
            customers.update_one({"id": customer["id"]}, {"$unset": {"lastName": ""}})
            response = ask(door, f'{{ customer(id: "{customer["id"]}") {{ firstName lastName }} }}')
            customers.delete_one({"id": customer["id"]})  # other tests list what is there
        error = response.json()["errors"][0]
        assert (error["message"], slug(response)) == ("Something went wrong in the gateway.", "internal-error")
        assert (error["path"], response.json()["data"]) == (["customer", "lastName"], {"customer": None})
        assert all(word not in response.text for word in ("KeyError", "Traceback", "File ", ".py", "dict"))

    @pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
    def test_while_the_store_is_gone_every_answer_is_unavailable_and_soon_503(self, tmp_path: Path) -> None:
        with ExitStack() as store:
            url = store.enter_context(acquire(tmp_path / "mongod", timeout=60)).url
            with running(url, "gone", request_timeout=1.0) as gateway:
                store.close()
                answers = list(until_503(gateway))
        find_lost_sockets()
        failed = [answer for answer in answers if "errors" in answer.json()]
        assert {(slug(answer), error_of(answer)["outcome"]) for answer in failed} == {("unavailable", "none")}
        assert answers[-1].headers["Retry-After"] == "1"
        assert all("mongodb" not in answer.text.lower() for answer in failed)


def until_503(gateway: Gateway) -> Iterator[httpx2.Response]:
    """Ask again and again, and give every answer up to the first that is 503."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answer = gateway.http.post("/graphql", json={"query": "{ customers { nodes { id } } }"})
        yield answer
        if answer.status_code == 503:
            return
    raise AssertionError("the gateway did not notice that its store is gone")
