"""No personal data and no secret is where it does not belong: logs, answers, commands, command lines, the store.

A number in a name is that of the statement that the test is about.
"""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from resolvers.context import ALL_SCOPES
from storage.mongod import acquire
from tests.commands import Started, children_of, command_line, gateway, processes_of, serving, until
from tests.contract.calls import Call, Stored
from tests.contract.canaries import BAD_BASIC, BAD_KEY, CUSTOMERS, DIGITS, JWT, MARK, Sender, send_everything
from tests.wire import exchange

LONGEST_LINE = 2000
INTERNALS = re.compile(r'Traceback|File "/|site-packages|\.py\b|pymongo|bson|mongodb|E11000|\w+Error\b|starlette')
SEEN = {200, 201, 204, 400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 414, 415, 422, 431, 500}
DAMAGES: dict[str, dict[str, Any]] = {
    "no last name": {"$unset": {"lastName": ""}},
    "addresses are text": {"$set": {"addresses": "Qanarydamage"}},
    "phone numbers are half": {"$set": {"phoneNumbers": [{"number": "Qanarydamage"}]}},
    "version is text": {"$set": {"version": "Qanarydamage"}},
    "preferences are gone": {"$unset": {"notificationPreferences": ""}},
}
"""What another hand may do to a document in the store."""


@dataclass(frozen=True)
class Aftermath:
    """All that a gateway left behind after every request was sent to it."""

    secrets: list[str]
    answers: dict[str, tuple[Call, httpx2.Response]]
    damaged: list[httpx2.Response]
    log: bytes
    mongod_log: str
    command_lines: str
    commands: str
    metrics: str
    dump: dict[str, str]


@pytest.fixture(scope="module", params=["debug", "info"])
def aftermath(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    """What is left when every operation was sent in every way, at the chattiest and at the usual level."""
    folder = tmp_path_factory.mktemp("canary")
    with serving(folder, log_level=request.param, rate_limit="off") as server:
        keys = [_key(server, *ALL_SCOPES), _key(server)]
        with _sender(server, keys) as sender, _database(folder) as database:
            stored = send_everything(sender)
            damaged = list(_damaged(sender, database.customers, stored))
            dump = {name: repr(list(database[name].find())) for name in database.list_collection_names()}
            secrets = [*_secrets(sender, keys), _password(database)]
            metrics = sender.maker.get("/metrics").text
        _spoken(server)
        words = (["check"], ["check", "--json"], ["keys", "list"], ["keys", "list", "--json"])
        commands = [server.run(*command) for command in words]
        lines = "\n".join(map(command_line, _family(server)))
        assert server.stop() == 0
        log = server.err
    printed = "".join(ended.out + ended.err for ended in commands)
    return Aftermath(secrets, sender.answers, damaged, log, _mongod_log(folder), lines, printed, metrics, dump)


@contextmanager
def _database(folder: Path) -> Iterator[Database[dict[str, Any]]]:
    """Open the embedded store of a gateway beside it."""
    with acquire(folder / "data" / "customer-gateway", timeout=60) as mongod:
        with MongoClient[dict[str, Any]](mongod.url) as client:
            yield client["gateway"]


def _password(database: Database[dict[str, Any]]) -> str:
    credentials = database.client.options.pool_options._credentials
    assert credentials is not None
    return str(credentials.password)


def _secrets(sender: Sender, keys: list[dict[str, Any]]) -> list[str]:
    own = [secret for key in keys for secret in (key["key"], key["key"][4:], key["clientSecret"])]
    return [*own, sender.basic.partition(" ")[2], JWT, *JWT.split("."), BAD_KEY, BAD_BASIC, *sender.tokens]


def _key(server: Started, *scopes: str) -> dict[str, Any]:
    words = [word for scope in scopes or ("customers:admin",) for word in ("--scope", scope)]
    made: dict[str, Any] = server.run("keys", "create", "--name", "till", *words, "--json").json()
    return made


@contextmanager
def _sender(server: Started, keys: list[dict[str, Any]]) -> Iterator[Sender]:
    pair = f"{keys[0]['clientId']}:{keys[0]['clientSecret']}"
    basic = "Basic " + base64.b64encode(pair.encode()).decode()
    with server.client() as client, server.client(keys[0]["key"]) as maker:
        yield Sender(client, maker, keys[0]["key"], keys[1]["key"], basic)


def _damaged(sender: Sender, customers: Any, stored: Stored) -> Iterator[httpx2.Response]:
    """Ask for a customer at both doors after each damage, and give the answers."""
    whole = customers.find_one({"id": stored.id})
    url = f"{CUSTOMERS}/{stored.id}"
    fields = "lastName version etag addresses { city } phoneNumbers { number id } notificationPreferences { sms }"
    for damage in DAMAGES.values():
        customers.replace_one({"id": stored.id}, whole)
        customers.update_one({"id": stored.id}, damage)
        for path in (url, f"{url}/addresses", f"{url}/phone-numbers", f"{url}/notification-preferences"):
            yield sender.raw("GET", path)
        yield sender.send(Call("update", "PATCH", url, {"firstName": "Qanaryother"}, {"If-Match": "*"}))
        yield sender.raw("GET", f"{CUSTOMERS}?email={whole['email']}")
        yield sender.graphql(f'{{ customer(id: "{stored.id}") {{ {fields} }} }}')
    customers.delete_one({"id": stored.id})


def _spoken(server: Started) -> None:
    """Send what is not HTTP."""
    for head in ("QANARY", "GET /qanary HTTP/9.9\r\nqanary", "POST / HTTP/1.1\r\nContent-Length: qanary"):
        exchange(server.url, f"{head}\r\n\r\n".encode(), seconds=1)


def _family(server: Started) -> list[int]:
    return [server.process.pid, *children_of(server.process.pid), *processes_of(server.folder)]


def _mongod_log(folder: Path) -> str:
    logs = [path for path in (folder / "data").rglob("*log*") if path.is_file() and path.suffix == ".log"]
    assert logs
    return "".join(path.read_text(errors="replace") for path in logs)


def found(words: list[str], text: str) -> list[str]:
    """Return those of the words that stand in a text, whatever their case."""
    lowered = text.lower()
    return [word for word in words if word.lower() in lowered]


def test_c122_every_refusal_was_met(aftermath: Aftermath) -> None:
    statuses = Counter(response.status_code for _, response in aftermath.answers.values())
    print(f"{len(aftermath.answers)} requests: {dict(sorted(statuses.items()))}")
    assert set(statuses) >= SEEN


def test_c122_no_canary_and_no_secret_is_in_the_log(aftermath: Aftermath) -> None:
    assert found([MARK, DIGITS, "whsec_", *aftermath.secrets], aftermath.log.decode()) == []


def test_c122_no_canary_and_no_secret_is_in_the_metrics(aftermath: Aftermath) -> None:
    assert 'operation="Mutation.updateCustomer"' in aftermath.metrics
    assert found([MARK, DIGITS, *aftermath.secrets], aftermath.metrics) == []


def test_the_log_in_which_nothing_was_found_holds_the_audit_of_each_change(aftermath: Aftermath) -> None:
    audit = [entry for line in aftermath.log.splitlines() if (entry := json.loads(line)).get("event") == "audit"]
    told = {(entry["operation"], entry["door"]) for entry in audit if entry["outcome"] == "done"}
    names = ("createCustomer", "replaceCustomer", "updateCustomer", "deleteCustomer")
    assert {(name, door) for name in names for door in ("rest", "graphql")} <= told
    assert {entry["outcome"] for entry in audit} >= {"done", "refused"}


def test_c121_c123_every_line_is_one_object_and_short(aftermath: Aftermath) -> None:
    lines = aftermath.log.splitlines()
    assert len(lines) == aftermath.log.count(b"\n") == len(aftermath.log.decode().splitlines())
    assert all(isinstance(json.loads(line), dict) for line in lines)
    print(f"{len(lines)} lines, the longest of {max(map(len, lines))} bytes")
    assert max(map(len, lines)) <= LONGEST_LINE


def test_each_request_has_exactly_one_access_line(aftermath: Aftermath) -> None:
    entries = [json.loads(line) for line in aftermath.log.splitlines()]
    counted = Counter(entry["requestId"] for entry in entries if "durationMs" in entry)
    assert {request_id: counted[request_id] for request_id in aftermath.answers} == dict.fromkeys(aftermath.answers, 1)


def test_c063_no_answer_shows_a_secret(aftermath: Aftermath) -> None:
    shown = [
        (call.name, response.status_code, word)
        for call, response in aftermath.answers.values()
        for word in found(aftermath.secrets, response.text + repr(response.headers.multi_items()))
    ]
    assert shown == []


def test_c005_no_refusal_tells_what_is_inside(aftermath: Aftermath) -> None:
    told = [
        (call.name, call.url, inside[0])
        for call, response in aftermath.answers.values()
        if response.is_error and (inside := INTERNALS.search(response.text))
    ]
    assert told == []


def test_c122_internal_errors_leave_their_kind_and_place_and_no_value(aftermath: Aftermath) -> None:
    failed = [response for response in aftermath.damaged if "internal-error" in response.text]
    assert {response.status_code for response in failed} == {200, 500}
    assert found([MARK, DIGITS], "".join(response.text for response in failed if response.status_code == 500)) == []
    entries = [json.loads(line) for line in aftermath.log.splitlines()]
    errors = [entry for entry in entries if entry["message"] == "Unexpected error"]
    assert len(errors) >= len(failed)
    assert all(re.fullmatch(r"\w+(\.\w+)*", entry["error"]) and entry["at"] for entry in errors)


def test_c122_the_log_of_the_embedded_mongod_knows_nobody(aftermath: Aftermath) -> None:
    assert found([MARK, DIGITS, *aftermath.secrets], aftermath.mongod_log) == []


def test_no_command_line_shows_a_secret(aftermath: Aftermath) -> None:
    assert "--dbpath" in aftermath.command_lines
    assert "serve" in aftermath.command_lines
    assert found([MARK, DIGITS, *aftermath.secrets], aftermath.command_lines) == []


def test_no_command_shows_a_secret_or_a_customer(aftermath: Aftermath) -> None:
    assert "till" in aftermath.commands
    assert found([MARK, DIGITS, *aftermath.secrets], aftermath.commands) == []


def test_c063_no_collection_holds_a_secret(aftermath: Aftermath) -> None:
    assert {"keys", "customers", "tombstones"} <= aftermath.dump.keys()
    assert {name: found(aftermath.secrets, kept) for name, kept in aftermath.dump.items()} == {
        name: [] for name in aftermath.dump
    }


def test_personal_data_is_in_customers_and_in_no_other_collection(aftermath: Aftermath) -> None:
    holding = [name for name, kept in aftermath.dump.items() if found([MARK, DIGITS], kept)]
    assert holding == ["customers"]


BAD_SETTINGS: dict[str, dict[str, str]] = {
    "nobody listens": {"mongodb_url": "mongodb://qanaryuser:qanarypass@127.0.0.1:1/?replicaSet=rs0"},
    "a reserved character": {"mongodb_url": "mongodb://qanaryuser:qanary:pass@127.0.0.1:1/"},
    "a port that is none": {"mongodb_url": "mongodb://qanaryuser:qanarypass@127.0.0.1:99999/"},
    "an option that is none": {"mongodb_url": "mongodb://qanaryuser:qanarypass@127.0.0.1:1/?qanary=qanary"},
    "an option of a wrong value": {"mongodb_url": "mongodb://qanaryuser:qanarypass@127.0.0.1:1/?tls=qanary"},
    "a question mark": {"mongodb_url": "mongodb://qanaryuser:qa?nary=pass@127.0.0.1:1/"},
    "another store": {"mongodb_url": "postgres://qanaryuser:qanarypass@127.0.0.1/qanary"},
    "a Redis that is none": {"redis_url": "http://:qanarypass@127.0.0.1:1"},
    "a short secret": {"store_secret": "qanarysecret"},
    "a short token for metrics": {"metrics_token": "qanarytoken"},
    "an issuer by plain HTTP": {"jwt_issuer": "http://qanaryuser:qanarypass@issuer.example", "jwt_audience": "a"},
    "a public key without an issuer": {"jwt_public_key": "qanarykey"},
}


@pytest.mark.parametrize("case", [*BAD_SETTINGS, "a wrong password"])
def test_c122_settings_that_do_not_work_are_not_repeated(case: str, tmp_path: Path, mongod_url: str) -> None:
    wrong = {"mongodb_url": re.sub(r"//[^@]*@", "//qanaryuser:qanarypass@", mongod_url)}
    settings: dict[str, Any] = {"log_level": "debug", "request_timeout": "0.6", **BAD_SETTINGS.get(case, wrong)}
    serve = [["serve", "--port", "0"]] if case != "nobody listens" else []  # which serve waits for
    for words in (["check"], *serve):
        ended = gateway(tmp_path, *words, **settings)
        assert ended.code != 0
        assert ended.out + ended.err
        assert found([MARK, "nary"], ended.out + ended.err) == []


def test_c122_a_redis_that_does_not_answer_is_told_without_its_password(
    tmp_path: Path, mongod_url: str, database: str
) -> None:
    settings: dict[str, Any] = {"mongodb_url": mongod_url, "mongodb_database": database, "log_level": "debug"}
    with serving(tmp_path, redis_url="redis://:qanarypass@127.0.0.1:1/0", **settings) as server:
        key = server.run("keys", "create", "--name", "till", "--scope", "customers:read", "--json").json()["key"]
        with server.client(key) as client:
            persisted = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}}
            assert client.post("/graphql", json=persisted).status_code == 400
        until(lambda: b"POST /graphql 400" in server.err, 10, "the access line")
        assert server.stop() == 0
    assert b"Persisted queries are not to be had" in server.err
    assert found([MARK], server.err.decode() + server.out) == []
