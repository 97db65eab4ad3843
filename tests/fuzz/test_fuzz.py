"""A short fuzzing, with the same requests in every run; `make fuzz` sends a million others."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from resolvers.context import ALL_SCOPES
from tests.fuzz.judge import Verdicts, reasons
from tests.fuzz.requests import Sent, World, documents, requests
from tests.fuzz.run import Watch
from tests.fuzz.seeds import generated, graphql_seeds, rest_seeds
from tests.fuzz.wire import MISSED, Answer, Crew
from tests.fuzz.world import known
from tests.harness import Gateway, make_new_key, running

COUNT = 4000
DOCUMENTS = 40
ID = "d68825b3-830c-44f8-953e-a8b5cd943aa8"
ONE = Sent("bodies", "GET", f"/api/v1/customers/{ID}")
ASKED = Sent("GraphQL", "POST", "/graphql")
HEAD = {
    "content-type": ["application/json; charset=utf-8"],
    "x-request-id": ["a"],
    "x-content-type-options": ["nosniff"],
    "api-version": ["1.0.0"],
}
PROBLEM = {
    "type": "http://127.0.0.1/problems/not-found", "title": "Not found", "status": 404, "code": 1200, "detail": "No.",
    "requestId": "a", "resource": "customers", "instance": "/",
}  # fmt: skip
MASKED = {
    "type": "/problems/internal-error", "title": "Internal error", "status": 500, "code": 1900, "requestId": "a"
}  # fmt: skip


@pytest.fixture(scope="module")
def gateway(mongod_url: str) -> Iterator[Gateway]:
    """A gateway of its own, which does not give up where the machine is busy with other tests."""
    with running(mongod_url, f"fuzz_{uuid.uuid4().hex[:16]}", request_timeout=120) as started:
        yield started


@pytest.fixture(scope="module")
def world(gateway: Gateway) -> World:
    """What there is at the shared gateway."""
    return known(gateway.url, make_new_key(gateway.store_url, gateway.database, ALL_SCOPES))


def verdicts(gateway: Gateway, sent: list[Sent]) -> Verdicts:
    """Return what is to be said of the answers."""
    found, address = Verdicts(), urlsplit(gateway.url)
    asyncio.run(Crew(str(address.hostname), address.port or 80, found.judge).send(sent))
    return found


@pytest.mark.slow
def test_c010_nothing_that_is_sent_breaks_the_gateway_or_makes_it_tell(gateway: Gateway, world: World) -> None:
    found = verdicts(gateway, list(islice(requests(world, seed=1), COUNT)))
    assert not found.faults, found.faults[0]
    assert found.customers > 50
    kinds = {kind for kind, _ in found.counts}
    assert kinds == {"addresses", "bodies", "credentials", "cursors", "filters", "GraphQL", "headers", "HTTP"}
    taken = sum(count for (_, status), count in found.counts.items() if 200 <= status < 300)
    assert COUNT / 10 < taken < COUNT / 2
    assert gateway.http.get("/health/ready").status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("good", [True, False])
def test_c010_no_document_that_is_made_of_the_schema_breaks_it(gateway: Gateway, world: World, good: bool) -> None:
    found = verdicts(gateway, list(documents(world.key, generated(DOCUMENTS, seed=1, good=good))))
    assert not found.faults, found.faults[0]
    assert found.counts.total() >= DOCUMENTS


def test_requests_are_made_of_every_operation_of_both_doors_and_are_the_same_for_a_seed() -> None:
    assert len({(seed.method, seed.path) for seed in rest_seeds()}) > 60
    assert len(graphql_seeds()) > 30
    world = World("key", "client:secret", "a.b.c", '"1-a"', ({},), ("cursor",))
    first, again, other = (
        [sent.octets() for sent in islice(requests(world, seed), 200)] for seed in (1, 1, 2)
    )  # fmt: skip
    assert first == again != other


def answer(status: int, body: Any = None, **head: str | None) -> Answer:
    """Return an answer with the headers that all have, but for those that are named."""
    headers = {**HEAD, **{name.replace("_", "-"): [value] for name, value in head.items() if value is not None}}
    kept = {name: values for name, values in headers.items() if head.get(name.replace("-", "_"), "") is not None}
    return Answer(status, kept, b"" if body is None else json.dumps(body).encode())


def problem(status: int = 404, **changes: Any) -> Answer:
    """Return a problem with changes."""
    return answer(status, {**PROBLEM, **changes}, content_type="application/problem+json")


@pytest.mark.parametrize(
    ("sent", "came", "reason"),
    [
        (ONE, MISSED, "no answer"),
        (ONE, problem(500), "status 500"),
        (ONE, problem(detail='File "/srv/app.py"'), "tells of"),
        (ONE, problem(detail="E11000 duplicate key"), "tells of"),
        (ONE, problem(status=404, title="Gone"), "as its kind"),
        (ONE, problem(410), "as its kind"),
        (ONE, problem(type="http://127.0.0.1/problems/none"), "not of the promised form"),
        (ONE, problem(requestId="b"), "another request id"),
        (ONE, problem(no="x"), "odd names"),
        (ONE, problem(errors=[{"field": "a"}]), "faults without"),
        (ONE, answer(404, {"errors": [{"title": "Not found"}]}), "errors without"),
        (ONE, answer(404, {"detail": "Not Found"}), "not of the promised form"),
        (ONE, answer(200, {}), "without a strong ETag"),
        (ONE, answer(200, {}, etag='W/"1"'), "without a strong ETag"),
        (ONE, answer(200, {}, etag='"1"', x_request_id=None), "not one X-Request-Id"),
        (ONE, answer(200, {}, etag='"1"', api_version="1"), "without the version"),
        (ONE, answer(200, {}, etag='"1"', server="uvicorn"), "headers of security"),
        (ONE, answer(401, PROBLEM | {"status": 401}), "without a challenge"),
        (ONE, answer(405, None), "without Allow"),
        (ASKED, answer(200, {"data": None, "debug": 1}), "no answer of GraphQL"),
        (ASKED, answer(200, {"errors": [{"message": "x", "extensions": MASKED}]}), "with status 500"),
        (ASKED, answer(200, {"errors": [{"message": "x"}]}), "not of the promised form"),
    ],
)
def test_an_answer_that_breaks_a_promise_is_found(sent: Sent, came: Answer, reason: str) -> None:
    assert any(reason in told for told in reasons(sent, came)), reasons(sent, came)


def test_an_answer_that_keeps_them_is_not_and_what_was_said_may_be_said_again() -> None:
    said = Sent("bodies", "GET", "/api/v1/customers?q=mongodb://")
    assert reasons(said, problem(detail="There is no mongodb:// here.")) == []
    assert reasons(ONE, problem()) == reasons(ONE, answer(200, {}, etag='"1"')) == []


def test_a_customer_that_is_none_is_found() -> None:
    found = Verdicts()
    found.judge(ONE, answer(200, {"firstName": "A", "_id": 1}, etag='"1"'))
    assert [fault.reason[:14] for fault in found.faults] == ["not a Customer"]


def test_errors_in_the_log_and_memory_that_grows_are_seen(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text('{"level":"info"}\n{"level":"error","message":"a"}\nTraceback\n', encoding="utf-8")
    watch = Watch(1, log)
    watch.look()
    assert (len(watch.errors), log.read_text(encoding="utf-8")) == (2, "")
    watch.memory = [50.0, 80.0, 100.0, 101.0] * 5
    assert not watch.grown()
    watch.memory = [float(100 + number * 2) for number in range(40)]
    assert watch.grown()
