"""What all commands share: help, examples, `--json`, exit codes, completion; and what check and demo do."""

from __future__ import annotations

import re
import shlex
import signal
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.cli.check_store import _indexes, _keys, check_server
from app.cli.check_transport import check_transport
from app.cli.command_page import commands
from app.cli.demo import demo_customers
from app.cli.demo_countries import COUNTRIES, LATIN
from app.cli.finding import Finding
from app.cli.main import app
from app.cli.session import with_store
from app.settings import Settings
from storage.documents import Instant
from storage.facts import ServerFacts
from storage.keys import KeyId, KeyRecord
from storage.model import CustomerInput
from storage.store import Store
from tests.commands import COMMAND, started, until
from tests.inprocess import run_here

COMMANDS = {one.words: one for one in commands(app)}
SILENT = {"gateway serve", "gateway dev", "gateway template"}
"""Those that print no facts: two serve, and one prints a file."""


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_has_help_and_examples_that_can_be_read(words: str) -> None:
    one = COMMANDS[words]
    assert one.command.help
    assert one.examples
    ended = run_here(*words.split()[1:], "--help")
    assert (ended.code, ended.err) == (0, "")
    for example in one.examples:
        name, *given = shlex.split(re.split(r" [|>] ", example)[0])
        assert name == "gateway"
        assert given[: len(words.split()) - 1] == words.split()[1:]
        one.command.make_context(words, given[len(words.split()) - 1 :]).close()


@pytest.mark.parametrize("words", sorted(COMMANDS.keys() - SILENT))
def test_every_command_that_prints_facts_prints_them_as_json_too(words: str) -> None:
    assert "--json" in {name for param in COMMANDS[words].command.params for name in param.opts}


def test_commands_without_a_store_print_json_alone() -> None:
    assert run_here("version", "--json").json().keys() == {"product", "api"}
    assert "__schema" in run_here("schema", "--json").json()["data"]
    assert run_here("openapi", "--json").json() == run_here("openapi").json()


def test_every_option_tells_what_it_does() -> None:
    options = [(words, param.name, param.help) for words, one in COMMANDS.items() for param in one.command.params]
    assert [(words, name) for words, name, told in options if not told and name != "help"] == []


@pytest.mark.parametrize(
    ("words", "env"),
    [
        (("demo", "--count", "0"), {}),
        (("keys", "revoke"), {}),
        (("exprt",), {}),
        (("import", "customers.xlsx"), {}),
        (("export", "customers.json"), {}),
        (("version", "--jsn"), {}),
        (("indexes",), {"GATEWAY_PORT": "http"}),
    ],
)
def test_wrong_use_ends_with_2_and_names_the_word_that_is_wrong(words: tuple[str, ...], env: dict[str, str]) -> None:
    ended = run_here(*words, env=env)
    assert (ended.code, ended.out) == (2, "")
    assert "Traceback" not in ended.err
    assert any(word in ended.err for word in (*words[-2:], "ID", "GATEWAY_PORT"))


def test_the_help_of_all_tells_the_exit_codes() -> None:
    told = " ".join(re.sub("[│╭╮╰╯─]", " ", run_here("--help").out).split())
    assert all(word in told for word in ("0 when it did", "1 when it failed", "2 when it was used", "3 when", "130"))


def test_ctrl_c_ends_a_command_with_130_and_no_trace(tmp_path: Path, mongod_url: str, database: str) -> None:
    words = ("demo", "--count", "1000000")
    with started(tmp_path, *words, command=COMMAND, mongodb_url=mongod_url, mongodb_database=database) as one:
        until(lambda: one.ended() or _has_customers(mongod_url, database), 30, "the first customers")
        assert one.stop(signal.SIGINT) == 130
        assert b"Traceback" not in one.err


def _has_customers(url: str, database: str) -> bool:
    from pymongo import MongoClient

    with MongoClient[dict[str, Any]](url) as client:
        return client[database]["customers"].find_one() is not None


def test_the_shell_can_complete_commands_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    def completed(line: str) -> set[str]:
        monkeypatch.setenv("_GATEWAY_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        return _completions()

    assert completed("gateway ex") == {"export"}
    assert "--on-conflict" in completed("gateway import --on")
    assert completed("gateway import --on-conflict s") == {"skip"}


def _completions() -> set[str]:
    from typer.testing import CliRunner

    return set(CliRunner().invoke(app, [], prog_name="gateway").stdout.split())


GIB = 1024**3
FACTS = ServerFacts((8, 0, 4), "rs0", 0.01, 80 * GIB, 100 * GIB)


@pytest.mark.parametrize(
    ("changes", "subject", "state", "told"),
    [
        ({}, "store", "good", "a primary answers"),
        ({}, "version", "good", "MongoDB 8.0.4"),
        ({"version": (5, 0, 9)}, "version", "bad", "upgrade"),
        ({}, "replica set", "good", "rs0"),
        ({"replica_set": None}, "replica set", "bad", "rs.initiate()"),
        ({}, "clock", "good", "as the store's"),
        ({"ahead": 5.0}, "clock", "warning", "5 s ahead"),
        ({"ahead": -75.0}, "clock", "bad", "75 s behind"),
        ({}, "store's disk", "good", "free"),
        ({"free": 2 * GIB}, "store's disk", "warning", "more soon"),
        ({"free": GIB - 1}, "store's disk", "bad", "stops taking writes"),
    ],
)
def test_check_judges_what_the_server_says(changes: dict[str, Any], subject: str, state: str, told: str) -> None:
    (found,) = [one for one in check_server(replace(FACTS, **changes)) if one.subject == subject]
    assert found.state == state
    assert told in f"{found.found} {found.cure}"


def test_check_names_a_few_of_many_missing_indexes_and_says_why_no_key_works() -> None:
    made = Instant("2026-01-01T00:00:00.000Z")
    old = KeyRecord(KeyId("1"), "old", "c", ("customers:read",), made, made, None, None)
    assert (_indexes(list("abcdefg")).found, _indexes(["a"]).found) == (
        "missing: a, b, c, d, e and 2 more",
        "missing: a",
    )
    assert _keys([old]).found == "none of 1 works: they have expired or were revoked"
    assert _keys([]).found == "there is none"


async def call_seconds(store: Store) -> float | None:
    """For how long a command waits for one call of the store."""
    found: float | None = store.client.options.timeout
    return found


@pytest.mark.parametrize(("seconds", "told"), [(5.0, 5), (61.0, 30), (None, 30)])
def test_work_that_may_take_long_waits_longer_for_one_call(mongod_url: str, seconds: float | None, told: float) -> None:
    where = settings(mongodb_url=mongod_url)
    assert with_store(where, call_seconds, seconds, indexed=False) == told


def settings(**changes: Any) -> Settings:
    return Settings(_env_file=None, **{"port": 0, **changes})


def certificate(folder: Path, days: float, *, names: tuple[str, ...] = ("gateway.example.com",)) -> dict[str, Path]:
    """Write a certificate that ends in so many days, and its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        subject, subject, private.public_key(), x509.random_serial_number(), now - timedelta(days=90),
        now + timedelta(days=days, minutes=1),
    )  # fmt: skip
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    paths = {"tls_cert": folder / "cert.pem", "tls_key": folder / "key.pem"}
    paths["tls_cert"].write_bytes(builder.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    paths["tls_key"].write_bytes(private.private_bytes(serialization.Encoding.PEM, *form))
    return paths


def found(subject: str, **changes: Any) -> Finding:
    """Return what check finds of one subject."""
    (one,) = [finding for finding in check_transport(settings(**changes)) if finding.subject == subject]
    return one


class TestCertificates:
    @pytest.mark.parametrize(
        ("days", "names", "public_url", "state", "told"),
        [
            (90, ("gateway.example.com",), None, "good", "for gateway.example.com, until"),
            (90, ("*.example.com",), "https://api.example.com", "good", "until"),
            (90, ("gateway.example.com",), "https://api.example.com", "bad", "not for api.example.com"),
            (90, (), None, "bad", "names no host"),
            (20, ("gateway.example.com",), None, "warning", "expires in 20 days"),
            (-1, ("gateway.example.com",), None, "bad", "it expired on"),
        ],
    )
    def test_time_and_names(
        self, tmp_path: Path, days: float, names: tuple[str, ...], public_url: str | None, state: str, told: str
    ) -> None:
        paths = certificate(tmp_path, days, names=names)
        one = found("certificate", **paths, public_url=public_url)
        assert (one.state, told in one.found) == (state, True), one

    def test_a_key_of_another_certificate(self, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        paths = certificate(tmp_path, 90) | {"tls_key": certificate(tmp_path / "other", 90)["tls_key"]}
        assert "is not the key of" in found("certificate", **paths).found

    @pytest.mark.parametrize("text", [None, "no certificate"])
    def test_files_that_cannot_be_used(self, tmp_path: Path, text: str | None) -> None:
        paths = certificate(tmp_path, 90)
        paths["tls_cert"].unlink() if text is None else paths["tls_cert"].write_text(text)
        one = found("certificate", **paths)
        assert (one.state, "cert.pem" in one.found, "GATEWAY_TLS_CERT" in one.cure) == ("bad", True, True)


class TestPorts:
    def test_a_port_that_something_else_has(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            one = found("port", port=taken.getsockname()[1])
        assert (one.state, one.cure) == ("warning", "stop it or set GATEWAY_PORT")

    def test_a_server_that_finds_its_port_taken_says_so_in_one_plain_sentence(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            ended = run_here("dev", env={"GATEWAY_PORT": str(port)})
        cure = "choose another --port or GATEWAY_PORT, or another --host or GATEWAY_HOST"
        told = f"gateway: cannot listen at 127.0.0.1:{port} (address already in use): {cure}.\n"
        assert (ended.code, ended.err) == (1, told)

    def test_a_port_at_which_a_gateway_answers(self, gateway: Any) -> None:
        assert "a gateway answers" in found("port", port=int(gateway.url.rpartition(":")[2])).found

    def test_an_address_that_is_not_of_this_machine(self) -> None:
        one = found("port", host="192.0.2.1", trusted_proxies=("10.0.0.1",))
        assert (one.state, "GATEWAY_HOST" in one.cure) == ("bad", True)


class TestDemo:
    def test_the_same_seed_makes_the_same_customers_and_another_one_others(self) -> None:
        assert list(demo_customers(50, 7)) == list(demo_customers(50, 7))
        ids = [{one["id"] for one in demo_customers(50, seed)} for seed in (7, 8)]
        assert not ids[0] & ids[1]

    def test_adding_the_same_again_adds_nobody(self, mongod_url: str, database: str) -> None:
        env = {"GATEWAY_MONGODB_URL": mongod_url, "GATEWAY_MONGODB_DATABASE": database}
        words = ("demo", "--seed", "7", "--json", "--count")
        assert run_here(*words, "20", env=env).json() == {"added": 20, "present": 0, "seed": 7}
        assert run_here(*words, "30", env=env).json() == {"added": 10, "present": 20, "seed": 7}

    def test_customers_are_valid_and_their_phones_and_mails_fit_their_country(self) -> None:
        countries = {country.code: country for group in COUNTRIES for country in group}
        assert len(countries) == 30
        seen = set()
        for customer in demo_customers(3000):
            fields = CustomerInput.model_validate(customer).fields()
            assert fields["lastName"] == customer["lastName"], "stored as it is written"
            country = countries[customer["addresses"][0]["country"]]
            seen.add(country.code)
            for phone in customer["phoneNumbers"]:
                form = country.mobile if phone["type"] == "mobile" else country.line
                assert phone["countryCode"] == country.dialing
                assert re.fullmatch(form.replace("#", "[0-9]"), phone["number"]), phone
            assert re.fullmatch(r"[a-z0-9]{2,}\.[a-z0-9]{2,}\.[0-9a-f]{11}@example\.com", customer["email"])
        assert seen == countries.keys()

    def test_middle_names_are_others_than_first_names_and_stand_only_where_people_have_them(self) -> None:
        named = [one for one in demo_customers(3000) if one["middleName"]]
        assert len(named) > 200
        assert [one for one in named if one["middleName"] == one["firstName"]] == []
        assert {"JP", "KR", "CN", "VN"} & {one["addresses"][0]["country"] for one in named} == set()

    def test_every_name_in_other_letters_has_its_latin_form(self) -> None:
        names = {name for group in COUNTRIES for country in group for name in (*country.first, *country.last)}
        assert LATIN.keys() <= names
