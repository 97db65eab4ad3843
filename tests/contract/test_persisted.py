"""Persisted documents: kept as clients send them, shared through Redis, or listed by the operator.

A number in a name is that of the statement that the test is about.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, cast

import httpx2
import pytest
from redis import Redis

from app.graphql.persisted import BadDocuments, read_trusted
from tests.conftest import StartGateway
from tests.contract.asking import JSON, RESPONSE, VIEWER, refused, well_answered
from tests.harness import Gateway
from tests.redis_server import RedisServer

NOT_FOUND: Final = "persisted-query-not-found"
Send = Callable[[httpx2.Client, dict[str, Any]], httpx2.Response]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def persisted(text: str) -> dict[str, Any]:
    """Return the member that Apollo Client sends."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest(text)}}}


def by_post(client: httpx2.Client, body: dict[str, Any]) -> httpx2.Response:
    return client.post("/graphql", content=json.dumps(body))


def by_get(client: httpx2.Client, body: dict[str, Any]) -> httpx2.Response:
    return client.get("/graphql", params={k: v if isinstance(v, str) else json.dumps(v) for k, v in body.items()})


WAYS: Final = pytest.mark.parametrize("send", [by_post, by_get], ids=["POST", "GET"])


def asking(gateway: Gateway) -> httpx2.Client:
    """Return a client of GraphQL over HTTP."""
    return gateway.client(**{"X-API-Key": gateway.key, "Accept": RESPONSE, "Content-Type": JSON})


@pytest.fixture
def client(start_gateway: StartGateway) -> Iterator[httpx2.Client]:
    """A client of a gateway that knows no document yet."""
    with asking(start_gateway()) as opened:
        yield opened


class TestAutomatic:
    @WAYS
    def test_c090_an_unknown_hash_is_400_in_apollos_words(self, send: Send, client: httpx2.Client) -> None:
        answer = send(client, persisted("{ viewer { id } }"))
        refused(answer, 400, NOT_FOUND)
        assert answer.json()["errors"][0]["message"] == "PersistedQueryNotFound"

    @pytest.mark.parametrize("register", [by_post, by_get], ids=["by POST", "by GET"])
    def test_c090_a_document_sent_with_its_hash_is_found_by_it(self, register: Send, client: httpx2.Client) -> None:
        well_answered(register(client, {"query": VIEWER, **persisted(VIEWER)}))
        for send in (by_post, by_get):
            well_answered(send(client, persisted(VIEWER)))
            well_answered(send(client, {"documentId": digest(VIEWER)}))
            well_answered(send(client, {"documentId": f"sha256:{digest(VIEWER).upper()}"}))

    def test_c090_it_runs_with_variables_and_by_the_name_of_an_operation(self, client: httpx2.Client) -> None:
        text = "query A($yes: Boolean!) { viewer { name @include(if: $yes) } } query B { viewer { id } }"
        asked = {"operationName": "A", "variables": {"yes": True}, **persisted(text)}
        well_answered(by_post(client, {"query": text, **asked}))
        for send in (by_post, by_get):
            well_answered(send(client, asked))

    @WAYS
    def test_c090_a_hash_of_another_document_is_400_and_nothing_is_kept(
        self, send: Send, client: httpx2.Client
    ) -> None:
        refused(send(client, {"query": VIEWER, **persisted("{ viewer { id } }")}), 400, "graphql-request")
        refused(send(client, persisted("{ viewer { id } }")), 400, NOT_FOUND)
        refused(send(client, persisted(VIEWER)), 400, NOT_FOUND)

    @pytest.mark.parametrize("text", ["{ viewer {", "{ nothing }", "{ a: viewer { id } " * 21 + "}" * 21])
    def test_c090_only_what_is_good_to_run_is_kept(self, text: str, client: httpx2.Client) -> None:
        assert by_post(client, {"query": text, **persisted(text)}).status_code == 400
        refused(by_post(client, persisted(text)), 400, NOT_FOUND)

    @pytest.mark.parametrize(
        "members",
        [
            {"documentId": "abc"},
            {"documentId": 5},
            {"documentId": f"md5:{digest(VIEWER)}"},
            {"documentId": digest(VIEWER), **persisted("{ viewer { id } }")},
            {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": digest(VIEWER)}}},
            {"extensions": {"persistedQuery": {"version": 1}}},
            {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": {"$ne": 1}}}},
            {"extensions": {"persistedQuery": digest(VIEWER)}},
            {"query": "", **persisted(VIEWER)},
            {"query": 5, **persisted(VIEWER)},
        ],
    )
    def test_c090_what_is_no_hash_is_400(self, members: dict[str, Any], client: httpx2.Client) -> None:
        refused(by_post(client, members), 400, "graphql-request")

    def test_c077_a_kept_mutation_is_not_run_by_get(self, client: httpx2.Client) -> None:
        text = 'mutation { deleteCustomer(id: "no") { id } }'
        by_post(client, {"query": text, **persisted(text)})
        refused(by_get(client, persisted(text)), 405, "method-not-allowed")

    def test_null_members_are_absent_ones(self, client: httpx2.Client) -> None:
        nothing = {"variables": None, "operationName": None, "extensions": None, "documentId": None}
        well_answered(by_post(client, {"query": VIEWER, **nothing}))
        well_answered(by_post(client, {"query": VIEWER, "extensions": {"persistedQuery": None}, "operationName": ""}))
        empty = {"variables": "", "operationName": "", "extensions": "", "documentId": ""}
        well_answered(by_get(client, {"query": VIEWER, **empty}))

    def test_c019_head_answers_as_get_does_and_without_body(self, client: httpx2.Client) -> None:
        get, head = client.get("/graphql", params={"query": VIEWER}), client.head("/graphql", params={"query": VIEWER})
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == get.headers["Content-Length"]
        refused(client.get("/graphql", params={"query": "{ no }"}), 400, "graphql-validation")
        assert client.head("/graphql", params={"query": "{ no }"}).status_code == 400


class TestRedis:
    def test_c090_what_one_worker_was_sent_another_one_finds(
        self, start_gateway: StartGateway, redis_server: RedisServer
    ) -> None:
        with ExitStack() as stack:
            clients = [asking(start_gateway(redis_url=redis_server.url)) for _ in range(2)]
            one, other = map(stack.enter_context, clients)
            refused(by_post(other, persisted(VIEWER)), 400, NOT_FOUND)
            well_answered(by_post(one, {"query": VIEWER, **persisted(VIEWER)}))
            well_answered(by_get(other, persisted(VIEWER)))

    @pytest.mark.parametrize("outage", ["kill", "pause"])
    def test_c090_without_redis_a_hash_is_not_found_and_all_else_works(
        self, outage: str, start_gateway: StartGateway, redis_server: RedisServer
    ) -> None:
        with asking(start_gateway(redis_url=redis_server.url)) as client:
            well_answered(by_post(client, {"query": VIEWER, **persisted(VIEWER)}))
            redis_server.kill() if outage == "kill" else redis_server.pause()
            refused(by_post(client, persisted(VIEWER)), 400, NOT_FOUND)
            well_answered(by_post(client, {"query": VIEWER, **persisted(VIEWER)}))
            well_answered(by_post(client, {"query": VIEWER}))

    @pytest.mark.parametrize("entry", [b"\xff\xfe", b"garbled", b"[" * 100_000, b"null", b'"{ viewer { id } }"'])
    def test_c090_an_entry_that_is_not_the_document_is_not_found_and_the_document_takes_its_place(
        self, entry: bytes, start_gateway: StartGateway, redis_server: RedisServer
    ) -> None:
        with (
            asking(start_gateway(redis_url=redis_server.url)) as client,
            Redis.from_url(redis_server.url) as redis,
        ):
            well_answered(by_post(client, {"query": VIEWER, **persisted(VIEWER)}))
            (kept,) = cast("list[bytes]", redis.keys("*document*"))
            redis.set(kept, entry)
            refused(by_post(client, persisted(VIEWER)), 400, NOT_FOUND)
            well_answered(by_post(client, {"query": VIEWER, **persisted(VIEWER)}))
            well_answered(by_get(client, persisted(VIEWER)))


LISTED: Final = ("query Who { viewer { name } }", "query Page($n: Int) { customers(first: $n) { totalCount } }")


def listed(folder: Path, content: object) -> Path:
    """Write a file of trusted documents."""
    path = folder / "trusted.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


BY_HASH: Final = {digest(text): text for text in LISTED}
MANIFEST: Final = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [{"id": digest(text), "name": "x", "type": "query", "body": text} for text in LISTED],
}


class TestTrusted:
    @pytest.fixture(params=[BY_HASH, MANIFEST], ids=["by hash", "manifest"])
    def trusting(
        self, start_gateway: StartGateway, tmp_path: Path, request: pytest.FixtureRequest
    ) -> Iterator[httpx2.Client]:
        """A client of a gateway on which only listed documents run."""
        with asking(start_gateway(trusted_documents=listed(tmp_path, request.param))) as opened:
            yield opened

    @WAYS
    def test_c090_free_text_is_403_and_a_listed_document_runs(self, send: Send, trusting: httpx2.Client) -> None:
        refused(send(trusting, {"query": VIEWER}), 403, "document-not-trusted")
        refused(send(trusting, {"query": VIEWER, **persisted(VIEWER)}), 403, "document-not-trusted")
        refused(send(trusting, persisted(VIEWER)), 400, NOT_FOUND)
        for members in (persisted(LISTED[0]), {"documentId": digest(LISTED[0])}, {"query": LISTED[0]}):
            well_answered(send(trusting, members))
        page = send(trusting, {"variables": {"n": 1}, **persisted(LISTED[1])})
        assert page.json()["data"] == {"customers": {"totalCount": 0}}

    def test_c090_a_blank_more_makes_it_another_document(self, trusting: httpx2.Client) -> None:
        refused(by_post(trusting, {"query": f"{LISTED[0]} "}), 403, "document-not-trusted")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('{"a": ' + "9" * 5000 + "}", "is not JSON"),
        ([], "must hold"),
        ({}, "must hold"),
        ("null", "must hold"),
        ({digest(VIEWER): 5}, "must hold"),
        ({"operations": []}, "must hold"),
        ({"operations": [5, {"id": digest(VIEWER), "body": VIEWER}]}, "must hold"),
        ({"operations": [{"id": digest(VIEWER)}]}, "must hold"),
        ({"0" * 64: VIEWER}, "SHA-256 is not 0000"),
        ({"operations": [{"id": "x", "body": VIEWER}]}, "SHA-256 is not x"),
    ],
    ids=str,
)
def test_c090_a_bad_list_of_documents_says_what_is_wrong(content: object, told: str, tmp_path: Path) -> None:
    with pytest.raises(BadDocuments, match=told):
        read_trusted(listed(tmp_path, content))


def test_c090_a_list_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(BadDocuments, match="cannot be read"):
            read_trusted(path)
