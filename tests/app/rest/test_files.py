"""Files of customers over REST: what goes out comes in again, and each line is told."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from pymongo import MongoClient

from app.transfer import importing
from app.transfer.importing import ImportJob
from resolvers import exports, jobs
from storage.bulk import Bulk
from storage.customers import Customers
from storage.errors import Unavailable
from storage.query import Question
from tests import factories
from tests.app.rest.test_operations import CUSTOMERS, OPERATIONS, ended
from tests.app.test_files import many, shown
from tests.commands import until
from tests.conftest import StartGateway
from tests.harness import Gateway, check_customer, running

NDJSON, CSV = "application/x-ndjson", "text/csv"


@pytest.fixture
def own(start_gateway: StartGateway) -> Gateway:
    """A gateway with nobody in it."""
    return start_gateway()


@pytest.fixture
def stored(own: Gateway) -> Iterator[Any]:
    """Its database, beside it."""
    with MongoClient[dict[str, Any]](own.store_url) as client:
        yield client[own.database]


def lines(*bodies: Any) -> bytes:
    """Return a file of NDJSON; text stands as it is."""
    texts = [body if isinstance(body, str) else json.dumps(body, ensure_ascii=False) for body in bodies]
    return "".join(f"{text}\n" for text in texts).encode()


def send(http: httpx2.Client, content: Any, kind: str = NDJSON, prefer: str = "", **params: Any) -> httpx2.Response:
    """Send a file."""
    headers = {"Content-Type": kind, **({"Prefer": prefer} if prefer else {})}
    return http.post(f"{CUSTOMERS}:import", content=content, headers=headers, params=params)


def imported(http: httpx2.Client, content: Any, kind: str = NDJSON, prefer: str = "", **params: Any) -> dict[str, Any]:
    """Send a file and return its operation once it has ended."""
    answer = send(http, content, kind, prefer, **params)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"{OPERATIONS}/{answer.json()['id']}"
    return ended(http, answer.json())


def refused(http: httpx2.Client, operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the report of an operation."""
    answer = http.get(f"{OPERATIONS}/{operation['id']}/refused-lines")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, NDJSON)
    return [json.loads(line) for line in answer.text.splitlines()]


class TestRoundTrips:
    @pytest.mark.parametrize("kind", [NDJSON, CSV])
    def test_what_was_exported_is_imported_the_same(self, own: Gateway, kind: str, monkeypatch: Any) -> None:
        monkeypatch.setattr(exports, "PAGE", 7)
        monkeypatch.setattr(importing, "_BATCH_LINES", 7)
        sent = many(30)
        done = imported(own.http, lines(*sent))
        assert (done["status"], done["counts"], done["done"], done["total"]) == ("succeeded", {"created": 30}, 30, 30)
        out = own.http.get(f"{CUSTOMERS}:export", headers={"Accept": kind})
        assert (out.status_code, out.headers["Content-Type"].partition(";")[0]) == (200, kind)
        assert "Content-Length" not in out.headers
        with running(own.store_url, f"test_{uuid4().hex[:16]}") as other:
            done = imported(other.http, out.content, kind)
            assert (done["counts"], done["done"], done["total"]) == ({"created": 30}, 30, 30)
            back = other.http.get(f"{CUSTOMERS}:export").text.splitlines()
        found = [shown(check_customer(json.loads(line))) for line in back]
        assert sorted(found, key=lambda one: one["email"]) == sorted(sent, key=lambda one: one["email"])

    def test_the_filters_of_the_list_choose_and_head_shows_the_head(self, own: Gateway) -> None:
        imported(own.http, lines(*[factories.customer(lastName=name) for name in ("Abel", "Baker", "Abel")]))
        url = f"{CUSTOMERS}:export"
        for params in ({"lastName": "abel"}, {"filter": "lastName eq 'abel'"}, {"q": "abe"}):
            found = own.http.get(url, params=params).text.splitlines()
            assert [json.loads(line)["lastName"] for line in found] == ["Abel", "Abel"]
        table = own.http.get(url, params={"format": "csv"})
        assert len(list(csv.DictReader(io.StringIO(table.text)))) == 3
        assert table.headers["Content-Disposition"] == 'attachment; filename="customers.csv"'
        head = own.http.head(url, params={"format": "csv"})
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Type"] == table.headers["Content-Type"]
        assert own.http.get(url, params={"lastName": "Nobody"}).content == b""
        assert own.http.get(url, headers={"Accept": "application/json"}).status_code == 406
        assert own.http.get(url, params={"format": "xml"}).status_code == 400


class TestRefusals:
    def test_each_line_is_told_with_field_and_reason_and_the_others_are_stored(
        self, own: Gateway, stored: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(importing, "_BATCH_LINES", 3)
        good = many(2)
        long = json.dumps({**factories.customer(), "firstName": "x" * (1024 * 1024)})
        content = lines(
            good[0], factories.customer(email="no", addresses=[factories.address(postalCode="?")]),
            "", "{", "[1]", long, {**good[0], "email": good[0]["email"].upper()}, good[1],
        )  # fmt: skip
        done = imported(own.http, content)
        assert (done["status"], done["counts"], done["failed"]) == ("succeeded", {"created": 2, "refused": 5}, 5)
        assert (done["done"], done["total"], stored.customers.count_documents({})) == (8, 8, 2)
        told = [(one["line"], one["problem"]["type"].rpartition("/")[2]) for one in done["errors"]]
        assert told == [
            (2, "validation-error"), (4, "json-syntax"), (5, "wrong-top-level"), (6, "body-too-large"), (7, "conflict"),
        ]  # fmt: skip
        first = done["errors"][0]["problem"]
        assert [fault["field"] for fault in first["errors"]] == ["email", "addresses[0].postalCode"]
        assert (first["status"], first["code"]) == (422, 1500)
        assert refused(own.http, done) == done["errors"]
        assert stored.operation_chunks.count_documents({"_id": {"$regex": "payload"}}) == 0
        with own.with_scopes("customers:admin") as other:
            assert other.get(f"{OPERATIONS}/{done['id']}/refused-lines").status_code == 404

    def test_the_operation_shows_the_first_errors_and_the_report_has_all(
        self, own: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(importing, "_BATCH_LINES", 30)
        name = "q" * 5000
        strange = {**factories.customer(), name: 1}
        done = imported(own.http, lines(*["[1]"] * 130, strange), prefer="handling=strict")
        assert (done["failed"], [one["line"] for one in done["errors"]]) == (131, list(range(1, 101)))
        report = refused(own.http, done)
        assert [one["line"] for one in report] == list(range(1, 132))
        assert len(json.dumps(report[-1])) < 3000

    @pytest.mark.parametrize(
        ("content", "kind", "status", "slug"),
        [
            (b"", NDJSON, 400, "empty-body"),
            (b"{}", "application/json", 415, "unsupported-media-type"),
            (b"{}", f"{NDJSON}; charset=latin-1", 415, "unsupported-media-type"),
            (b"firstName,colour\nA,b\n", CSV, 400, "malformed-request"),
            (b"\xff\xff\n", CSV, 400, "malformed-request"),
        ],
    )
    def test_what_is_no_such_file_is_refused_and_leaves_nothing(
        self, own: Gateway, stored: Any, content: bytes, kind: str, status: int, slug: str
    ) -> None:
        answer = send(own.http, content, kind)
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (status, slug)
        if status == 415:
            assert answer.headers["Accept"] == f"{NDJSON}, {CSV}"
        assert (stored.operations.count_documents({}), stored.operation_chunks.count_documents({})) == (0, 0)

    def test_who_has_too_many_under_way_waits(self, own: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(jobs, "MOST_RUNNING", 0)
        answer = send(own.http, lines(factories.customer()))
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")


class TestRules:
    def test_conflicts_dry_runs_and_strictness_are_those_of_the_command(self, own: Gateway, stored: Any) -> None:
        old = factories.customer(lastName="Old")
        own.http.post(CUSTOMERS, json=old)
        new = {**old, "lastName": "New", "colour": "red"}
        dry = imported(own.http, lines(new), onConflict="update", dryRun=True)
        assert (dry["counts"], dry["dryRun"]) == ({"updated": 1}, True)
        assert stored.customers.find_one()["lastName"] == "Old"
        strict = imported(own.http, lines(new), prefer="handling=strict", onConflict="update")
        assert strict["errors"][0]["problem"]["errors"][0]["field"] == "colour"
        assert imported(own.http, lines(new))["errors"][0]["problem"]["fields"] == ["email"]
        assert imported(own.http, lines(new), onConflict="skip")["counts"] == {"skipped": 1}
        assert imported(own.http, lines(new), onConflict="update")["counts"] == {"updated": 1}
        assert (stored.customers.find_one()["lastName"], stored.customers.find_one()["version"]) == ("New", 2)
        assert send(own.http, lines(new), onConflict="pray").status_code == 400

    def test_a_cancelled_import_tells_exactly_what_it_has_done(
        self, own: Gateway, stored: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(importing, "_BATCH_LINES", 5)
        at = ImportJob._store

        async def cancelling(self: ImportJob, batch: Any) -> None:
            await at(self, batch)
            stored.operations.update_many({}, {"$set": {"cancelRequested": True}})

        monkeypatch.setattr(ImportJob, "_store", cancelling)
        done = imported(own.http, lines(*many(20)))
        assert (done["status"], done["counts"], done["done"], done["total"]) == ("cancelled", {"created": 5}, 5, 20)
        assert stored.customers.count_documents({}) == 5
        assert stored.operation_chunks.count_documents({}) == 0

    def test_an_import_is_begun_again_where_the_store_or_a_worker_failed(
        self, own: Gateway, stored: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.jobs.runner._PAUSE_SECONDS", 0.0)
        monkeypatch.setattr("app.jobs.runner.POLL_SECONDS", 0.05)
        monkeypatch.setattr(importing, "_BATCH_LINES", 5)
        write, faults = Bulk.write, [Unavailable("unknown"), RuntimeError("a fault"), None, Unavailable("none")]

        async def failing(self: Bulk, *what: Any) -> bool:
            found = await write(self, *what)
            if faults and (fault := faults.pop(0)) is not None:
                name = stored.operations.find_one()["id"] + "/refused/0000000000000011"
                stored.operation_chunks.replace_one({"_id": name}, {"data": b"told, not kept\n"}, upsert=True)
                raise fault
            return found

        monkeypatch.setattr(Bulk, "write", failing)
        done = imported(own.http, lines(*many(12), "[1]"))
        assert (done["counts"], done["failed"], len(done["errors"])) == ({"created": 12, "refused": 1}, 1, 1)
        assert [one["line"] for one in refused(own.http, done)] == [13]
        assert (stored.customers.count_documents({}), faults) == (12, [])
        assert "a fault" not in own.log.getvalue()


class TestCost:
    def test_memory_does_not_grow_with_the_file(self, own: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(importing, "_BATCH_LINES", 20)
        monkeypatch.setattr(exports, "PAGE", 20)
        monkeypatch.setattr("resolvers.uploads.CHUNK", 4096)
        monkeypatch.setattr("app.jobs.payload.CHUNK", 4096)

        def peak(count: int) -> int:
            bodies = lines(*many(count))
            pieces = (bodies[start : start + 2048] for start in range(0, len(bodies), 2048))
            tracemalloc.start()
            done = imported(own.http, pieces)
            with own.http.stream("GET", f"{CUSTOMERS}:export") as answer:
                size = sum(map(len, answer.iter_raw()))
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert done["counts"] == {"created": count}
            assert size > len(bodies)
            return found

        peak(5)
        little, most = peak(100), peak(600)
        assert most < 1.5 * little, (little, most)


class TestBrokenOff:
    def test_an_export_that_fails_in_the_middle_is_cut_and_one_that_fails_before_is_a_problem(
        self, own: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        imported(own.http, lines(*many(6)))
        monkeypatch.setattr(exports, "PAGE", 2)
        find, good = Customers.find, [2]

        async def failing(self: Customers, question: Question) -> Any:
            if good[0] == 0:
                raise Unavailable("none")
            good[0] -= 1
            return await find(self, question)

        monkeypatch.setattr(Customers, "find", failing)
        with pytest.raises(httpx2.RemoteProtocolError, match="incomplete chunked read"):
            own.http.get(f"{CUSTOMERS}:export")
        answer = own.http.get(f"{CUSTOMERS}:export")
        assert (answer.status_code, answer.json()["outcome"]) == (503, "none")

    def test_an_upload_that_is_broken_off_leaves_nothing(
        self, own: Gateway, stored: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("resolvers.uploads.CHUNK", 256)

        def breaking() -> Iterator[bytes]:
            yield b"x" * 4096
            until(lambda: stored.operation_chunks.count_documents({}) > 0, 10, "the first pieces")
            raise OSError("the cable was pulled")

        with pytest.raises(OSError, match="cable"):
            send(own.http, breaking())
        until(lambda: stored.operation_chunks.count_documents({}) == 0, 10, "the end of the pieces")
        assert stored.operations.count_documents({}) == 0
