"""The command line, as people and scripts run it, over a real store; in processes of its own where they matter."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema
from pymongo import MongoClient

from storage.indexes import INDEXES
from tests.app.auth.issuer import issuing
from tests.commands import Ended, environment, gateway, until
from tests.harness import Gateway
from tests.inprocess import run_here

ALL = ("customers:admin", "customers:delete", "customers:read", "customers:write")
LIMITS = ("rateLimit", "dailyQuota")
NOWHERE = "mongodb://127.0.0.1:1"
Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path, mongod_url: str, database: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `gateway …` on an empty database of the shared store; in a process of its own what needs one."""
    settings = {"mongodb_url": mongod_url, "mongodb_database": database}
    monkeypatch.chdir(tmp_path)

    def command(*words: str, env: dict[str, str] | None = None) -> Ended:
        if words[0] == "serve" or "COLUMNS" in (env or {}):
            return gateway(tmp_path, *words, env=env, **settings)
        return run_here(*words, env={**environment(tmp_path, **settings), **(env or {})})

    return command


def create_key(run: Run, *scopes: str, expires: str | None = None) -> dict[str, Any]:
    words = [word for scope in scopes or ("customers:read",) for word in ("--scope", scope)]
    ends = ("--expires", expires) if expires else ()
    made: dict[str, Any] = run("keys", "create", "--name", "till", *words, *ends, "--json").json()
    return made


def dump(url: str, database: str) -> str:
    """Everything that a database holds, as text."""
    with MongoClient[dict[str, Any]](url) as client:
        opened = client[database]
        return repr([list(opened[name].find()) for name in opened.list_collection_names()])


def assert_plain(ended: Ended, *codes: int) -> None:
    """One sentence for people on standard error, nothing on standard output, and a failure's exit code."""
    assert ended.code in codes, ended
    assert ended.out == ""
    assert "Traceback" not in ended.err
    assert len(ended.err.strip().splitlines()) == 1, ended.err
    assert ended.err.startswith("gateway: ")


class TestKeys:
    def test_create_prints_just_json_with_both_secrets_once(self, run: Run) -> None:
        made = create_key(run, "customers:read", "customers:write", "customers:read")
        assert list(made) == ["id", "name", "key", "clientId", "clientSecret", "scopes", "expiresAt"]
        assert made["scopes"] == ["customers:read", "customers:write"]
        assert made["key"].startswith("cgw_")
        assert made["clientSecret"].startswith("cgs_")
        assert (made["name"], made["expiresAt"]) == ("till", None)

    def test_create_for_people_says_that_the_secrets_are_shown_once(self, run: Run) -> None:
        ended = run("keys", "create", "--name", "[bold]till", "--scope", "customers:read", env={"COLUMNS": "20"})
        lines = ended.out.splitlines()
        assert "only" in ended.out.partition("id: ")[0]
        assert "name: [bold]till" in lines
        assert [line for line in lines if line.startswith("key: cgw_") and len(line) == 5 + 51]

    def test_secrets_are_in_no_list_and_nowhere_in_the_store(self, run: Run, mongod_url: str, database: str) -> None:
        made = create_key(run, *ALL)
        shown = run("keys", "list").out + run("keys", "list", "--json").out + dump(mongod_url, database)
        assert made["id"] in shown
        assert made["key"] not in shown
        assert made["key"][4:] not in shown
        assert made["clientSecret"] not in shown

    def test_the_list_has_exactly_the_promised_members(self, run: Run) -> None:
        assert run("keys", "list", "--json").json() == []
        made = create_key(run, expires="90d")
        (listed,) = run("keys", "list", "--json").json()
        assert list(listed) == ["id", "name", "scopes", "createdAt", "expiresAt", "lastUsedAt", "revokedAt", *LIMITS]
        assert {name: listed[name] for name in ("id", "name", "scopes", "expiresAt")} == {
            name: made[name] for name in ("id", "name", "scopes", "expiresAt")
        }
        assert (listed["lastUsedAt"], listed["revokedAt"]) == (None, None)
        ends = datetime.fromisoformat(listed["expiresAt"])
        assert timedelta(days=89) < ends - datetime.now(UTC) < timedelta(days=91)

    def test_a_key_may_have_limits_of_its_own(self, run: Run) -> None:
        words = ("--name", "till", "--scope", "customers:read", "--rate-limit", "50/10second", "--daily-quota", "5000")
        made = run("keys", "create", *words, "--json").json()
        create_key(run)
        own, plain = run("keys", "list", "--json").json()
        assert [own[name] for name in LIMITS] == [made[name] for name in LIMITS] == ["50/10second", 5000]
        assert [plain[name] for name in LIMITS] == [None, None]

    def test_the_list_for_scripts_has_a_whole_line_for_each_key(self, run: Run) -> None:
        made = [create_key(run, *ALL)["id"] for _ in range(2)]
        lines = run("keys", "list", env={"COLUMNS": "20"}).out.splitlines()
        assert [line.split("\t")[0] for line in lines] == ["id", *made]
        assert all(len(line.split("\t")) == 7 for line in lines)

    def test_a_revoked_key_is_refused_within_5_seconds(self, run: Run, start_gateway: Callable[..., Gateway]) -> None:
        made = create_key(run)
        with start_gateway().client(**{"X-API-Key": made["key"]}) as client:
            assert client.get("/api/v1/customers").status_code == 200
            assert run("keys", "revoke", made["id"]).code == 0
            until(lambda: client.get("/api/v1/customers").status_code == 401, 5, "the refusal")
        (listed,) = [key for key in run("keys", "list", "--json").json() if key["id"] == made["id"]]
        assert listed["revokedAt"] > listed["createdAt"]
        assert listed["lastUsedAt"] >= listed["createdAt"]

    def test_an_expired_key_is_refused(self, run: Run, start_gateway: Callable[..., Gateway]) -> None:
        with start_gateway().client(**{"X-API-Key": create_key(run, expires="1s")["key"]}) as client:
            until(lambda: client.get("/api/v1/customers").status_code == 401, 5, "the refusal")
            assert client.get("/api/v1/customers").json()["detail"] == "The API key has expired."

    def test_a_key_may_do_no_more_than_its_scopes(self, run: Run, start_gateway: Callable[..., Gateway]) -> None:
        with start_gateway().client(**{"X-API-Key": create_key(run, "customers:write")["key"]}) as client:
            assert client.get("/api/v1/customers").status_code == 403

    def test_revoking_twice_keeps_the_first_moment(self, run: Run) -> None:
        made = create_key(run)
        first, second = (
            (run("keys", "revoke", made["id"]).code, run("keys", "list", "--json").json()) for _ in range(2)
        )
        assert first == second
        assert first[0] == 0

    def test_revoking_a_key_that_is_not_there_says_so(self, run: Run) -> None:
        assert_plain(run("keys", "revoke", "d68825b3-830c-44f8-953e-a8b5cd943aa8"), 1)

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (("--name", "n", "--scope", "customers:rule"), "there is no scope customers:rule"),
            (("--name", " ", "--scope", "customers:read"), "1 to 100 characters"),
            (("--name", "n" * 101, "--scope", "customers:read"), "1 to 100 characters"),
            (("--name", "n", "--scope", "customers:read", "--expires", "soon"), "90d or 12h"),
            (("--name", "n", "--scope", "customers:read", "--expires", "2020-01-31"), "in the past"),
            (("--name", "n", "--scope", "customers:read", "--rate-limit", "100"), "100/minute"),
            (("--name", "n", "--scope", "customers:read", "--rate-limit", ""), "100/minute"),
            (("--name", "n", "--scope", "customers:read", "--rate-limit", "0/minute"), "100/minute"),
            (("--name", "n", "--scope", "customers:read", "--rate-limit", "off"), "100/minute"),
        ],
    )
    def test_a_key_that_cannot_be_made_is_refused_in_one_sentence(
        self, run: Run, words: tuple[str, ...], told: str
    ) -> None:
        ended = run("keys", "create", *words)
        assert_plain(ended, 2)
        assert told in ended.err


class TestSigningKeys:
    SECRET, OTHER = "a secret of thirty-two characters", "another secret of the same length"

    def kids(self, server: Gateway) -> list[str]:
        with server.client() as client:
            return [key["kid"] for key in client.get("/.well-known/jwks.json").json()["keys"]]

    def test_rotate_makes_a_key_that_signs_everywhere_within_5_seconds(
        self, run: Run, start_gateway: Callable[..., Gateway]
    ) -> None:
        server = start_gateway()
        (first,) = self.kids(server)
        ended = run("keys", "rotate")
        assert (ended.code, ended.err) == (0, "")
        made = ended.out.removeprefix("signing with ").strip()
        until(lambda: self.kids(server) == [made, first], 6, "the new key")

    def test_rotate_drop_ends_the_older_keys_everywhere(self, run: Run, start_gateway: Callable[..., Gateway]) -> None:
        server = start_gateway()
        self.kids(server)
        made = run("keys", "rotate", "--drop").out.removeprefix("signing with ").strip()
        until(lambda: self.kids(server) == [made], 6, "the end of the older key")

    @pytest.mark.parametrize(
        ("env", "told"),
        [
            ({}, "GATEWAY_STORE_SECRET is not set"),
            ({"GATEWAY_STORE_SECRET": OTHER}, "with another GATEWAY_STORE_SECRET"),
        ],
        ids=["none", "another"],
    )
    def test_without_their_secret_sealed_keys_are_said_to_be_so_and_can_only_be_dropped(
        self, run: Run, env: dict[str, str], told: str
    ) -> None:
        assert run("keys", "rotate", env={"GATEWAY_STORE_SECRET": self.SECRET}).code == 0
        refused = run("keys", "rotate", env=env)
        assert_plain(refused, 1)
        assert told in refused.err
        assert "gateway keys rotate --drop" in refused.err
        checked = run("check", "--json", env=env)
        assert checked.code == 1
        assert self.finding(checked)["state"] == "bad"
        assert told in self.finding(checked)["found"]
        served = run("serve", "--port", "0", env=env)
        assert served.code == 1
        assert told in served.err
        assert all(line.startswith("{") for line in served.err.splitlines())
        assert run("keys", "rotate", "--drop", env=env).code == 0
        assert self.finding(run("check", "--json", env=env))["state"] in {"good", "warning"}

    def finding(self, ended: Ended) -> dict[str, str]:
        (found,) = [finding for finding in json.loads(ended.out) if finding["subject"] == "signing keys"]
        return dict(found)

    def test_check_makes_no_key_and_warns_of_unsealed_ones(self, run: Run, mongod_url: str, database: str) -> None:
        assert self.finding(run("check", "--json"))["state"] == "warning"
        assert self.finding(run("check", "--json", env={"GATEWAY_STORE_SECRET": self.SECRET}))["state"] == "good"
        assert "kid" not in dump(mongod_url, database)

    def test_the_secret_and_the_private_key_are_printed_nowhere(self, run: Run, mongod_url: str, database: str) -> None:
        env = {"GATEWAY_STORE_SECRET": self.SECRET}
        printed = "".join(str(run(*words, env=env)) for words in (("keys", "rotate"), ("check",), ("keys", "list")))
        assert self.SECRET not in printed
        assert "'d'" not in printed
        assert self.SECRET not in dump(mongod_url, database)


class TestStoreCommands:
    def test_demo_adds_as_many_customers_as_asked_for(self, run: Run, mongod_url: str, database: str) -> None:
        assert [run("demo", "--count", count).out for count in ("7", "5")] == [
            "added 7 customers\n",
            "added 5 customers\n",
        ]
        with MongoClient[dict[str, Any]](mongod_url) as client:
            assert client[database]["customers"].count_documents({}) == 12

    def test_indexes_may_be_made_again_and_again(self, run: Run, mongod_url: str, database: str) -> None:
        first, second = run("indexes"), run("indexes")
        assert (first.code, second.code) == (0, 0)
        assert first.out == second.out
        assert len(first.out.splitlines()) == sum(map(len, INDEXES.values()))
        with MongoClient[dict[str, Any]](mongod_url) as client:
            made = {
                f"{collection}.{name}"
                for collection in INDEXES
                for name in client[database][collection].index_information()
            }
        assert set(first.out.splitlines()) <= made

    def test_check_finds_a_good_store_good_and_a_missing_key_worth_a_word(self, run: Run) -> None:
        before = {finding["subject"]: finding for finding in run("check", "--json").json()}
        assert before["store"]["state"] == "good"
        assert before["keys"]["state"] == "warning"
        create_key(run)
        found = run("check", "--json").json()
        assert all(list(finding) == ["subject", "state", "found", "cure"] for finding in found)
        assert {f["subject"]: f["state"] for f in found if f["subject"] in {"store", "indexes", "keys"}} == {
            "store": "good",
            "indexes": "good",
            "keys": "good",
        }

    def test_check_for_people_has_a_whole_line_for_each_finding(self, run: Run) -> None:
        ended = run("check", env={"COLUMNS": "20"})
        assert ended.code == 0
        assert all(line.split()[0] in {"good", "warning"} for line in ended.out.splitlines())

    def test_check_looks_at_the_trusted_documents(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "trusted.json"
        text = "{ viewer { id } }"
        for content, state in (({hashlib.sha256(text.encode()).hexdigest(): text}, "good"), ({"0" * 64: text}, "bad")):
            path.write_text(json.dumps(content))
            ended = run("check", "--json", env={"GATEWAY_TRUSTED_DOCUMENTS": str(path)})
            found = [one for one in json.loads(ended.out) if one["subject"] == "trusted documents"]
            assert [one["state"] for one in found] == [state]
            assert ended.code == (0 if state == "good" else 1)

    def test_check_warns_of_a_setting_that_is_not_one(self, run: Run) -> None:
        found = run("check", "--json", env={"GATEWAY_PROT": "80"}).json()
        (told,) = [finding for finding in found if "GATEWAY_PROT" in finding["found"]]
        assert (told["state"], told["cure"]) == ("warning", "did you mean GATEWAY_PORT?")

    def test_check_asks_the_issuer_and_redis(self, run: Run) -> None:
        with issuing("p256", "rsa") as server:
            env = {"GATEWAY_JWT_ISSUER": server.url, "GATEWAY_JWT_AUDIENCE": "crm"}
            good = {f["subject"]: f for f in run("check", "--json", env=env).json()}
        gone = run("check", "--json", env={**env, "GATEWAY_REDIS_URL": "redis://:secret@127.0.0.1:9"})
        bad = {f["subject"]: f for f in json.loads(gone.out)}
        assert (good["issuer"]["state"], good["issuer"]["found"]) == ("good", "it publishes 2 keys")
        assert (gone.code, bad["issuer"]["state"], bad["redis"]["state"]) == (1, "bad", "warning")
        assert "secret" not in gone.out + gone.err

    @pytest.mark.parametrize(
        "settings",
        [
            {"mongodb_url": NOWHERE},
            {"mongodb_url": "mongodb://store:99999"},
            {"data_dir": "/dev/null/data"},
        ],
    )
    def test_check_says_what_is_wrong_with_the_store(self, tmp_path: Path, settings: dict[str, Any]) -> None:
        ended = gateway(tmp_path, "check", **settings)
        assert ended.code == 1
        assert ended.err == ""
        (line,) = [line for line in ended.out.splitlines() if line.startswith("bad")]
        assert line.startswith("bad      store: ")
        assert "GATEWAY_" in line.partition(" → ")[2]

    def test_a_store_that_does_not_answer_is_named_in_one_sentence(self, tmp_path: Path) -> None:
        ended = gateway(tmp_path, "keys", "list", mongodb_url=f"{NOWHERE}/?serverSelectionTimeoutMS=300&timeoutMS=300")
        assert_plain(ended, 1)
        assert "the store does not answer" in ended.err


class TestDocuments:
    def test_schema_prints_the_graphql_schema(self) -> None:
        query = build_schema(run_here("schema").out).query_type
        assert query is not None
        assert "customers" in query.fields

    def test_openapi_prints_the_openapi_document(self) -> None:
        printed = run_here("openapi").json()
        assert printed["openapi"].startswith("3.")
        assert "/customers" in " ".join(printed["paths"])

    def test_version_prints_both_versions_on_one_line(self, tmp_path: Path) -> None:
        ended = gateway(tmp_path, "version")
        assert ended.code == 0
        assert ended.out.startswith("customer-gateway ")
        assert ", API 1." in ended.out
        assert ended.out.count("\n") == 1


class TestWrongSettings:
    @pytest.mark.parametrize(
        ("settings", "told"),
        [
            ({"port": "99999"}, "GATEWAY_PORT"),
            ({"port": "http"}, "GATEWAY_PORT"),
            ({"mongodb_driver": "sqlite"}, "GATEWAY_MONGODB_DRIVER"),
            ({"mongodb_url": "postgres://localhost"}, "GATEWAY_MONGODB_URL"),
            ({"mongodb_url": "mongodb://user:pass:word@store"}, "GATEWAY_MONGODB_URL"),
            ({"redis_url": "redis://user:pass/word@redis:6379"}, "GATEWAY_REDIS_URL"),
            ({"redis_url": "redis://[::1"}, "GATEWAY_REDIS_URL"),
            ({"host": "0.0.0.0", "mongodb_url": NOWHERE}, "HTTPS"),
            ({"host": "::", "mongodb_url": NOWHERE}, "HTTPS"),
            ({"host": "gateway.example", "mongodb_url": NOWHERE}, "HTTPS"),
            ({"tls_cert": "/etc/hostname", "mongodb_url": NOWHERE}, "both GATEWAY_TLS_CERT and GATEWAY_TLS_KEY"),
            ({"tls_key": "/etc/hostname", "mongodb_url": NOWHERE}, "both GATEWAY_TLS_CERT and GATEWAY_TLS_KEY"),
            ({"tls_key": "/none", "tls_cert": "/none", "mongodb_url": NOWHERE}, "there is no file /none"),
            ({"tls_key": "/etc/hostname", "tls_cert": "/etc/hostname", "mongodb_url": NOWHERE}, "in PEM"),
            ({"trusted_proxies": "proxy"}, "GATEWAY_TRUSTED_PROXIES"),
            ({"data_dir": "/dev/null/data"}, "GATEWAY_DATA_DIR"),
            ({"log_level": "loud"}, "GATEWAY_LOG_LEVEL"),
            ({"trusted_documents": "/none.json"}, "GATEWAY_TRUSTED_DOCUMENTS: the file /none.json cannot be read."),
            ({"trusted_documents": "/etc/hostname"}, "GATEWAY_TRUSTED_DOCUMENTS: the file /etc/hostname is not JSON."),
        ],
    )
    def test_serve_refuses_wrong_settings_in_one_sentence(
        self, tmp_path: Path, settings: dict[str, Any], told: str
    ) -> None:
        ended = gateway(tmp_path, "serve", **{"port": "0", **settings})
        assert_plain(ended, 1, 2)
        assert told in ended.err
        assert "pass:word" not in ended.err

    def test_dev_is_for_this_machine_only(self, tmp_path: Path) -> None:
        ended = gateway(tmp_path, "dev", "--host", "0.0.0.0")
        assert_plain(ended, 2)
        assert "gateway serve" in ended.err

    @pytest.mark.parametrize("command", ["serve", "dev"])
    def test_a_port_that_is_taken_is_named_before_anything_starts(self, tmp_path: Path, command: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            ended = gateway(tmp_path, command, "--port", str(port))
        assert_plain(ended, 1)
        assert f"127.0.0.1:{port}" in ended.err
        assert not (tmp_path / "data").exists()

    def test_an_option_of_the_wrong_kind_is_a_usage_error(self, tmp_path: Path) -> None:
        ended = gateway(tmp_path, "serve", "--port", "http")
        assert ended.code == 2
        assert "--port" in ended.err
        assert "Traceback" not in ended.err
