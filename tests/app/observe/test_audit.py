"""The audit: one line for each change, whoever makes it, by whichever door; names and ids only."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from app.observe.audit import AuditLog
from app.observe.logs import AccessLog
from resolvers import deletions
from resolvers.audit import Entry
from resolvers.commands import CreateCustomer
from resolvers.context import ALL_SCOPES, Caller, Context, Services
from resolvers.cursors import CursorCipher
from resolvers.customers import create_customer
from resolvers.operations import OPERATIONS
from resolvers.problem import Problem
from resolvers.problems import FORBIDDEN, PRECONDITION_FAILED, VALIDATION_ERROR
from storage.customers import Customers
from storage.errors import Unavailable
from storage.store import StoreOptions, open_store
from tests import factories
from tests.conftest import StartGateway
from tests.contract.calls import call_of, is_of_others, store, with_webhook
from tests.harness import Gateway
from tests.inprocess import run_here
from tests.resolvers.conftest import Hands
from tests.streams import socket

CUSTOMERS = "/api/v1/customers"
MARK = "Qanary"
BATCHES = {
    "batchCustomers": ["createCustomer", "updateCustomer"],
    "replaceCustomers": ["replaceCustomer"],
    "updateCustomers": ["updateCustomer"],
}
"""The operations that a batch is made of: each has a line of its own."""


def person() -> dict[str, Any]:
    """Return a customer whose e-mail address is nobody else's, and whose texts are nowhere else."""
    email = f"qanary.{factories.customer()['email']}"
    return factories.customer(firstName="Qanaryfirst", lastName="Qanarylast", email=email)


class Audited:
    """A gateway with the file of its audit."""

    def __init__(self, gateway: Gateway, path: Path) -> None:
        self.gateway, self.path = gateway, path
        self._told = 0

    def since(self) -> list[dict[str, Any]]:
        """Return the lines that came since the last time; they are whole, and short.

        They are written at the end of the loop's turn: what is answered after that has them before it.
        """
        assert self.gateway.http.get("/health/live").status_code == 200
        lines = self.path.read_bytes().splitlines(keepends=True) if self.path.exists() else []
        fresh, self._told = lines[self._told :], len(lines)
        assert all(line.endswith(b"\n") and len(line) <= 2000 for line in fresh)
        return [json.loads(line) for line in fresh]


@pytest.fixture
def audited(start_gateway: StartGateway, tmp_path: Path) -> Audited:
    """A gateway that writes its audit into a file, though its log is silent."""
    path = tmp_path / "audit.log"
    return Audited(start_gateway(audit_log=path, log_level="error"), path)


def test_each_change_by_either_door_is_one_line_and_no_read_is_any(audited: Audited) -> None:
    http, seen = audited.gateway.http, 0
    for operation in OPERATIONS:
        for name in (*operation.rest, *operation.graphql):
            stored = with_webhook(name, http, store(http, person()))
            audited.since()
            call = call_of(name, stored, _other())
            response = call.send(http, **{"X-Request-Id": "mine"})
            lines = audited.since()
            if is_of_others(call):
                assert {line["problem"] for line in lines} <= {"not-found"}
                continue
            asked = next(one.name for one in OPERATIONS if name in (*one.rest, *one.graphql))
            changes = operation.changes and "dryRun" not in call.url
            told = BATCHES.get(asked, [asked] * changes)
            assert len(lines) == len(told), (name, response.text, lines)
            for line, named in zip(lines, told, strict=True):
                seen += 1
                _check(line, named, "graphql" if "." in name else "rest", stored.id)
    assert seen > 30
    assert MARK.lower() not in audited.path.read_text().lower()


def test_a_change_on_a_socket_is_one_of_graphql(audited: Audited) -> None:
    with socket(audited.gateway, **{"X-Request-Id": "mine"}) as ws:
        ws.greet(**{"X-API-Key": audited.gateway.key})
        ws.subscribe("1", 'mutation { deleteCustomer(id: "0d047d80-eb69-4665-9395-6df5a5e569a4") { id } }')
        assert ws.receive()["payload"]["errors"][0]["extensions"]["status"] == 404
    (line,) = audited.since()
    assert (line["operation"], line["door"], line["requestId"]) == ("deleteCustomer", "graphql", "mine")


def _other() -> dict[str, Any]:
    """Return a customer who differs from `person` in every part."""
    phone = factories.phone_number(number="5550199")
    changes = {"addresses": [factories.address(city="Qanarycity")], "phoneNumbers": [phone]}
    flags = dict.fromkeys(("email", "sms", "push", "mail"), True)
    return {**person(), **changes, "notificationPreferences": flags}


def _check(line: dict[str, Any], operation: str, door: str, customer: str) -> None:
    assert (line["event"], line["operation"], line["door"], line["requestId"]) == ("audit", operation, door, "mine")
    assert line["callerKind"] == "api-key"
    assert len(line["userId"]) == 36
    if "Webhook" in operation:  # it is about no customer
        assert (line["outcome"], "customerId" in line, "changed" in line) == ("done", False, False)
        return
    if operation.startswith("create"):
        assert (line["version"], len(line["customerId"]), "changed" in line) == (1, 36, False)
        assert line["customerId"] != customer
    elif line["outcome"] == "refused":  # what a DELETE of all parts always is
        assert (line["customerId"], line["problem"]) == (customer, VALIDATION_ERROR.slug)
    else:
        assert (line["customerId"], line["version"], line["outcome"]) == (customer, 2, "done")
        assert ("changed" in line) == (operation not in {"deleteCustomer", "deleteCustomers"})


def test_each_customer_that_an_operation_stores_or_erases_is_a_line_of_its_owner(
    audited: Audited, monkeypatch: pytest.MonkeyPatch
) -> None:
    http, told = audited.gateway.http, {"X-Request-Id": "mine"}
    people = [person() for _ in range(3)]
    old = http.post(CUSTOMERS, json=people[0]).json()
    changed = [{**people[0], "firstName": "Qanaryother"}, *people[1:], people[1], {}]
    body = "".join(f"{json.dumps(one)}\n" for one in changed).encode()
    audited.since()
    kind = {"Content-Type": "application/x-ndjson", **told}
    begun = http.post(f"{CUSTOMERS}:import?onConflict=update", content=body, headers=kind)
    _ended(http, begun.headers["Location"])
    lines = audited.since()
    assert {(line["operation"], line["door"], line["requestId"]) for line in lines} == {
        ("importCustomers", "rest", "mine")
    }
    assert sorted((line["version"], line.get("changed")) for line in lines if line["customerId"] != old["id"]) == [
        (1, None), (1, None)
    ]  # fmt: skip
    assert [(line["version"], line["changed"]) for line in lines if line["customerId"] == old["id"]] == [
        (2, ["firstName"])
    ]
    owner = {line["userId"] for line in lines}
    monkeypatch.setattr(deletions, "AT_ONCE", 1)
    asked = "mutation { deleteCustomers(confirm: ALL) { operation { id } } }"
    answer = http.post("/graphql", json={"query": asked}, headers=told).json()["data"]
    _ended(http, f"/api/v1/operations/{answer['deleteCustomers']['operation']['id']}")
    erased = audited.since()
    assert {(line["operation"], line["door"], line["requestId"], line["outcome"]) for line in erased} == {
        ("deleteCustomers", "graphql", "mine", "done")
    }
    assert {line["customerId"]: line["version"] for line in erased} == {
        line["customerId"]: line["version"] + 1 for line in lines
    }
    assert {line["userId"] for line in erased} == owner
    assert len(erased) == 3


def _ended(http: Any, url: str) -> None:
    """Wait until an operation has ended."""
    for _ in range(500):
        status = http.get(url).json()["status"]
        if status != "running":
            assert status == "succeeded"
            return
        time.sleep(0.02)
    pytest.fail("The operation does not end.")


def test_the_parts_of_a_change_are_named_in_the_order_of_the_document(audited: Audited) -> None:
    customer, etag = audited.gateway.created()
    patch = {"lastName": "Other", "notificationPreferences": {"sms": True}, "firstName": customer["firstName"]}
    url = f"{CUSTOMERS}/{customer['id']}"
    assert audited.gateway.http.patch(url, json=patch, headers={"If-Match": etag}).status_code == 200
    assert audited.since()[-1]["changed"] == ["lastName", "notificationPreferences"]


def test_what_is_refused_is_told_with_its_reason_and_a_dry_run_or_an_equal_change_is_not(audited: Audited) -> None:
    customer, etag = audited.gateway.created()
    url = f"{CUSTOMERS}/{customer['id']}"
    http = audited.gateway.http
    audited.since()
    http.put(url, json=customer, headers={"If-Match": etag})
    http.delete(f"{url}?dryRun=true")
    http.post(f"{CUSTOMERS}?dryRun=true", json={})
    http.post(f"{CUSTOMERS}?dryRun=true", json=person())
    assert audited.since() == []
    http.put(url, json=customer, headers={"If-Match": '"v9-no"'})
    with audited.gateway.with_scopes("customers:read") as reader:
        reader.post(CUSTOMERS, json=person())
    found = [(line["outcome"], line["problem"], line.get("customerId")) for line in audited.since()]
    assert found == [
        ("refused", PRECONDITION_FAILED.slug, customer["id"]),
        ("refused", FORBIDDEN.slug, None),
    ]


async def test_a_create_of_which_the_store_does_not_tell_is_kept_as_unknown_with_its_id(
    mongod_url: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    async def lost(_self: Customers, customer: Any) -> None:
        sent.append(customer["id"])
        raise Unavailable("unknown")

    monkeypatch.setattr(Customers, "create", lost)
    entries: list[Entry] = []
    async with open_store(StoreOptions(mongod_url, database)) as opened:
        services = Services(opened, CursorCipher(bytes(32)), Hands(datetime.now(UTC)), audit=entries.append)
        ctx = Context(services, Caller("one", "One", frozenset(ALL_SCOPES), kind="token"), "request", "graphql")
        with pytest.raises(Problem):
            await create_customer(ctx, CreateCustomer(lambda: cast("Any", person())))
    assert entries == [
        Entry("one", "token", "graphql", "createCustomer", "unknown", "request", sent[0], problem="unavailable")
    ]


async def test_lines_for_which_the_file_has_no_place_go_to_the_log(tmp_path: Path, capsys: Any) -> None:
    log = io.StringIO()
    audit = AuditLog(AccessLog(log, enabled=False), tmp_path / "none" / "audit.log")
    for number in (1, 2):
        audit(Entry("one", "api-key", "rest", "createCustomer", "done", customer=str(number)))
    for _ in range(3):
        await asyncio.sleep(0)
    assert [json.loads(line)["customerId"] for line in log.getvalue().splitlines()] == ["1", "2"]


ROOT = Path(__file__).parents[3]
FULL = """
import asyncio, io, resource, sys
from pathlib import Path
from app.observe.audit import AuditLog
from app.observe.logs import AccessLog
from resolvers.audit import Entry

async def change(customer):
    audit(Entry("one", "api-key", "rest", "createCustomer", "done", customer=customer))
    for _ in range(3):
        await asyncio.sleep(0)

async def run():
    free = resource.getrlimit(resource.RLIMIT_FSIZE)
    await change("1")
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size * 3 // 2, free[1]))
    await change("2")
    await change("3")
    resource.setrlimit(resource.RLIMIT_FSIZE, free)
    await change("4")

log, path = io.StringIO(), Path(sys.argv[1])
audit = AuditLog(AccessLog(log, enabled=False), path)
asyncio.run(run())
sys.stderr.write(log.getvalue())
"""


def test_lines_that_a_full_disk_takes_by_half_go_to_the_log_whole_and_spoil_none_that_follow(tmp_path: Path) -> None:
    """The limit on the size of files stands for the disk, in a process of its own."""
    path = tmp_path / "audit.log"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert [json.loads(line)["customerId"] for line in done.stderr.splitlines()] == ["2", "3"]
    first, half, last = path.read_text().splitlines()
    assert (json.loads(first)["customerId"], json.loads(last)["customerId"]) == ("1", "4")
    assert 0 < len(half) < len(first)


def test_commands_leave_a_line_in_the_file_and_fail_before_they_begin_where_it_cannot_be_written(
    tmp_path: Path, mongod_url: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "audit.log"
    monkeypatch.chdir(tmp_path)
    env = {"GATEWAY_MONGODB_URL": mongod_url, "GATEWAY_MONGODB_DATABASE": database, "GATEWAY_AUDIT_LOG": str(path)}
    made = run_here("keys", "create", "--name", MARK, "--scope", "customers:read", "--json", env=env).json()
    run_here("keys", "revoke", made["id"], env=env)
    run_here("keys", "revoke", "none", env=env)
    run_here("keys", "rotate", env=env)
    run_here("demo", "--count", "2", env=env)
    Path("people.ndjson").write_text(json.dumps(person()) + "\n{}\n")
    run_here("import", "people.ndjson", "--dry-run", env=env)
    assert run_here("import", "people.ndjson", env=env).code == 3
    run_here("export", "all.ndjson", env=env)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["operation"] for line in lines] == [
        "createKey", "revokeKey", "revokeKey", "rotateSigningKey", "addDemoCustomers", "importCustomers",
        "exportCustomers",
    ]  # fmt: skip
    assert all(line["userId"].startswith("uid:") and line["callerKind"] == "command" for line in lines)
    assert (lines[0]["keyId"], lines[1]["keyId"], lines[2]["found"]) == (made["id"], made["id"], False)
    assert (lines[5]["counts"]["created"], lines[5]["counts"]["refused"]) == (1, 1)
    shown = path.read_text()
    assert all(word not in shown for word in (MARK, made["key"], made["clientSecret"]))
    nowhere = {**env, "GATEWAY_AUDIT_LOG": "/dev/null/audit"}
    ended = run_here("keys", "create", "--name", "late", "--scope", "customers:read", env=nowhere)
    assert (ended.code, "GATEWAY_AUDIT_LOG" in ended.err) == (1, True)
    assert "late" not in run_here("keys", "list", env=env).out
