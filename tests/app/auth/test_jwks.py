"""An issuer's keys: read seldom, shared, rotated, and outliving the issuer's absence."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import RSAKey
from joserfc.util import urlsafe_b64encode

from app.auth import jwks
from app.auth.discovery import MAX_BYTES, Unreadable, _jwks_uri, read_document
from app.auth.jwks import (
    MAX_AGE,
    REFILL_SECONDS,
    REFRESH_AFTER,
    STALE_SECONDS,
    IssuerUnavailable,
    RemoteKeys,
    StaticKey,
)
from app.auth.public_keys import MAX_KEYS, from_jwk
from app.observe.logs import configure
from tests.app.auth.issuer import CONFIGURATION, JWKS, METADATA, TLS, Answer, IssuerServer, issuing, make_key, public

ED = "Ed25519"


class Timer:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def reading(
    issuer: IssuerServer, timer: Timer | None = None, *, name: str | None = None, jwks_url: str | None = None
) -> AsyncIterator[RemoteKeys]:
    """Give the keys of an issuer, found by discovery unless an address is given."""
    async with httpx2.AsyncClient(verify=TLS, timeout=None) as client:
        keys = RemoteKeys(client, name or issuer.url, jwks_url, timer or Timer())
        try:
            yield keys
        finally:
            await keys.aclose()


async def known(keys: RemoteKeys, kid: str, algorithm: str = ED) -> bool:
    return await keys.key(kid, algorithm) is not None


async def arrived(issuer: IssuerServer) -> None:
    assert await asyncio.to_thread(issuer.arrived.wait, 10)


async def settled(keys: RemoteKeys) -> None:
    """Wait for the fetch behind the requests."""
    assert keys._fetch is not None
    await asyncio.wait([keys._fetch])


async def test_keys_are_found_by_discovery_and_read_once(issuer: IssuerServer) -> None:
    async with reading(issuer) as keys:
        for _ in range(20):
            key = await keys.key("ed25519", ED)
            assert key is not None
            assert not key.is_private
            assert key.thumbprint() == make_key("ed25519").thumbprint()
    assert issuer.fetches == {CONFIGURATION: 1, JWKS: 1}


async def test_with_the_address_set_nothing_is_discovered(issuer: IssuerServer) -> None:
    async with reading(issuer, name="https://elsewhere.example", jwks_url=issuer.url + JWKS) as keys:
        assert await known(keys, "ed25519")
    assert issuer.fetches == {JWKS: 1}


async def test_c061_a_new_kid_works_at_the_first_request(issuer: IssuerServer) -> None:
    async with reading(issuer) as keys:
        assert await known(keys, "ed25519")
        for kid in ("ed25519-2", "ed25519-3", "ed25519-4"):
            issuer.publish(make_key("ed25519"), make_key(kid))
            assert await known(keys, kid)
        assert issuer.fetches[JWKS] == 4
        assert issuer.fetches[CONFIGURATION] == 1


async def test_c061_any_number_of_unknown_kids_costs_five_fetches_and_then_one_in_thirty_seconds(
    issuer: IssuerServer,
) -> None:
    timer = Timer()
    async with reading(issuer, timer) as keys:
        for number in range(1000):
            assert not await known(keys, f"unknown-{number}")
        assert issuer.fetches[JWKS] == 5
        for period in range(1, 11):
            timer.now += REFILL_SECONDS
            for number in range(100):
                assert not await known(keys, f"unknown-{period}-{number}")
            assert issuer.fetches[JWKS] == 5 + period
        assert await known(keys, "ed25519")
        timer.now += 100 * REFILL_SECONDS
        for number in range(100):
            assert not await known(keys, f"later-{number}")
        assert issuer.fetches[JWKS] == 5 + 10 + 5
    print("fetches for 2,100 unknown kids in 55 minutes:", issuer.fetches[JWKS])


async def test_unknown_kids_that_come_together_share_fetches(issuer: IssuerServer) -> None:
    async with reading(issuer) as keys:
        found = await asyncio.gather(*(known(keys, f"unknown-{number}") for number in range(500)))
    assert not any(found)
    assert issuer.fetches[JWKS] <= 5


async def test_an_unknown_kid_is_asked_for_once_in_thirty_seconds(issuer: IssuerServer) -> None:
    timer = Timer()
    async with reading(issuer, timer) as keys:
        assert await known(keys, "ed25519")
        for _ in range(50):
            assert not await known(keys, "ed25519-next")
        assert issuer.fetches[JWKS] == 2
        issuer.publish(make_key("ed25519"), make_key("ed25519-next"))
        timer.now += REFILL_SECONDS
        assert await known(keys, "ed25519-next")
        assert issuer.fetches[JWKS] == 3


async def test_a_kid_that_joined_a_fetch_begun_before_it_is_not_taken_for_unknown(issuer: IssuerServer) -> None:
    timer = Timer()
    async with reading(issuer, timer) as keys:
        assert await known(keys, "ed25519")
        issuer.hold()
        first = asyncio.create_task(known(keys, "unknown"))
        await arrived(issuer)
        timer.now += 1
        second = asyncio.create_task(known(keys, "ed25519-new"))
        await asyncio.sleep(0)
        issuer.release()
        assert not any(await asyncio.gather(first, second))
        issuer.publish(make_key("ed25519"), make_key("ed25519-new"))
        assert await known(keys, "ed25519-new")


async def test_a_known_kid_with_an_algorithm_that_does_not_suit_it_fetches_nothing(issuer: IssuerServer) -> None:
    async with reading(issuer) as keys:
        assert await known(keys, "ed25519")
        for algorithm in ("RS256", "ES256", "Ed448", "HS256", "none"):
            assert not await known(keys, "ed25519", algorithm)
        assert await known(keys, "ed25519", "EdDSA")
    assert issuer.fetches[JWKS] == 1


async def test_c061_a_removed_kid_ends_when_the_keys_are_ten_minutes_old_even_after_silence(
    issuer: IssuerServer,
) -> None:
    timer = Timer()
    async with reading(issuer, timer) as keys:
        assert await known(keys, "ed25519")
        issuer.publish(make_key("ed25519-new"))
        timer.now += REFRESH_AFTER - 1
        assert await known(keys, "ed25519")
        assert issuer.fetches[JWKS] == 1
        timer.now = 1000.0 + MAX_AGE
        assert not await known(keys, "ed25519")
        assert await known(keys, "ed25519-new")


async def test_keys_in_use_are_read_again_behind_the_requests(issuer: IssuerServer) -> None:
    timer = Timer()
    async with reading(issuer, timer) as keys:
        assert await known(keys, "ed25519")
        issuer.publish(make_key("ed25519-new"))
        timer.now += REFRESH_AFTER
        issuer.hold()
        for _ in range(100):
            assert await known(keys, "ed25519")  # though the issuer is held
        await arrived(issuer)
        issuer.release()
        await settled(keys)
        assert not await known(keys, "ed25519")
    assert issuer.fetches[JWKS] == 2 + 1  # the last one asked for what had just gone


OUTAGES: dict[str, Answer] = {
    "500": Answer(500),
    "404": Answer(404),
    "redirect": Answer(302, headers=((b"location", b"/elsewhere"),)),
    "no JSON": Answer(chunk=b"<html>maintenance</html>"),
    "empty": Answer(chunk=b""),
    "a number": Answer(chunk=b"5"),
    "null": Answer(chunk=b"null"),
    "a list": Answer(chunk=b"[]"),
    "no keys": Answer(chunk=b"{}"),
    "keys are a text": Answer(chunk=b'{"keys": "x"}'),
    "deep": Answer(chunk=b"[" * 100_000),
    "duplicate": Answer(chunk=b'{"keys": [], "keys": []}'),
    "not UTF-8": Answer(chunk=b'{"keys": "\xff"}'),
    "UTF-16": Answer(chunk='{"keys": []}'.encode("utf-16")),
    "huge number": Answer(chunk=b'{"keys": [], "x": ' + b"9" * 5000 + b"}"),
    "huge": Answer(chunk=b" " * 65536, times=16),
    "gzip": Answer(chunk=gzip.compress(b'{"keys": []}'), headers=((b"content-encoding", b"gzip"),)),
    "a gzip bomb": Answer(chunk=gzip.compress(b" " * 50_000_000), headers=((b"content-encoding", b"gzip"),)),
    "huge head": Answer(headers=((b"x-huge", b"x" * 200_000),)),
}


@pytest.mark.parametrize("name", OUTAGES)
async def test_c061_while_the_issuer_fails_known_kids_go_on_and_unknown_ones_cannot_be_told(
    issuer: IssuerServer, name: str
) -> None:
    timer = Timer()
    async with reading(issuer, timer) as keys:
        assert await known(keys, "ed25519")
        issuer.answers["*"] = OUTAGES[name]
        await outage(keys, timer, issuer)
    assert "/elsewhere" not in issuer.fetches


async def test_c061_while_the_issuer_refuses_connections_the_same_holds(issuer: IssuerServer) -> None:
    timer = Timer()
    async with reading(issuer, timer) as keys:
        assert await known(keys, "ed25519")
        with issuer.down():
            await outage(keys, timer, None)
        timer.now += REFILL_SECONDS
        assert await known(keys, "ed25519")
        await settled(keys)
        assert not await known(keys, "unknown")


async def outage(keys: RemoteKeys, timer: Timer, issuer: IssuerServer | None) -> None:
    for kid in ("unknown", "unknown", "another"):
        with pytest.raises(IssuerUnavailable):
            await keys.key(kid, ED)
    assert await known(keys, "ed25519")
    for later in (MAX_AGE, 3600.0, STALE_SECONDS - MAX_AGE - 3600 - 1):
        timer.now += later
        assert await known(keys, "ed25519")
        await settled(keys)
    if issuer is None:
        return
    timer.now += 1
    with pytest.raises(IssuerUnavailable):
        await keys.key("ed25519", ED)  # a day without its issuer is enough
    issuer.answers.clear()
    timer.now += REFILL_SECONDS
    assert await known(keys, "ed25519")
    assert not await known(keys, "unknown")


async def test_a_cold_start_without_the_issuer_is_an_outage_and_ends_with_it(issuer: IssuerServer) -> None:
    async with reading(issuer) as keys:
        with issuer.down():
            for _ in range(3):
                with pytest.raises(IssuerUnavailable):
                    await keys.key("ed25519", ED)
        assert await known(keys, "ed25519")


async def test_an_issuer_that_is_away_is_not_asked_without_end(issuer: IssuerServer) -> None:
    issuer.answers["*"] = Answer(500)
    async with reading(issuer) as keys:
        for _ in range(200):
            with pytest.raises(IssuerUnavailable):
                await keys.key("ed25519", ED)
    assert issuer.fetches[CONFIGURATION] == 5


async def test_a_slow_issuer_is_given_up(issuer: IssuerServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "FETCH_SECONDS", 0.2)
    configure("info", logged := io.StringIO())
    issuer.hold()
    async with reading(issuer) as keys:
        with pytest.raises(IssuerUnavailable):
            await keys.key("ed25519", ED)
        assert "no answer within 0.2 seconds" in logged.getvalue()
        issuer.release()
        assert await known(keys, "ed25519")


async def test_once_an_issuer_is_known_to_fail_nobody_waits_for_it(
    issuer: IssuerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "FETCH_SECONDS", 60)
    timer = Timer()
    async with reading(issuer, timer) as keys:
        assert await known(keys, "ed25519")
        timer.now += MAX_AGE
        issuer.answers["*"] = Answer(500)
        assert await known(keys, "ed25519")  # this one waited, and then took what there was
        issuer.hold()
        for _ in range(20):
            async with asyncio.timeout(30):
                assert await known(keys, "ed25519")
        await arrived(issuer)
        issuer.release()


async def test_many_waiters_share_one_fetch(issuer: IssuerServer) -> None:
    issuer.hold()
    async with reading(issuer) as keys:
        waiting = [asyncio.create_task(known(keys, "ed25519")) for _ in range(300)]
        await arrived(issuer)
        issuer.release()
        assert all(await asyncio.gather(*waiting))
    assert issuer.fetches == {CONFIGURATION: 1, JWKS: 1}


async def test_waiters_that_give_up_do_not_break_the_fetch_of_the_others(issuer: IssuerServer) -> None:
    issuer.hold()
    async with reading(issuer) as keys:
        waiting = [asyncio.create_task(known(keys, "ed25519")) for _ in range(10)]
        await arrived(issuer)
        for task in waiting[:9]:
            task.cancel()
        await asyncio.wait(waiting[:9])
        issuer.release()
        assert await waiting[9]
        assert all(task.cancelled() for task in waiting[:9])
    assert issuer.fetches[JWKS] == 1


async def test_a_fetch_that_everybody_left_still_serves_the_next(issuer: IssuerServer) -> None:
    issuer.hold()
    async with reading(issuer) as keys:
        task = asyncio.create_task(known(keys, "ed25519"))
        await arrived(issuer)
        task.cancel()
        await asyncio.wait([task])
        issuer.release()
        assert await known(keys, "ed25519")
    assert issuer.fetches[JWKS] == 1


async def test_closing_ends_the_fetch_and_leaves_no_task(issuer: IssuerServer) -> None:
    before = asyncio.all_tasks()
    issuer.hold()
    async with reading(issuer) as keys:
        waiting = asyncio.create_task(known(keys, "ed25519"))
        await arrived(issuer)
        await keys.aclose()
        with pytest.raises(IssuerUnavailable):
            await waiting
        with pytest.raises(IssuerUnavailable):
            await keys.key("ed25519", ED)
        assert keys._fetch is not None
        assert keys._fetch.cancelled()
    assert issuer.fetches == {CONFIGURATION: 1}
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("status", [201, 206, 302, 403, 500])
async def test_keys_count_only_with_status_200(issuer: IssuerServer, status: int) -> None:
    issuer.answers[JWKS] = Answer(status, json.dumps({"keys": issuer.published}).encode())
    async with reading(issuer) as keys:
        with pytest.raises(IssuerUnavailable):
            await keys.key("ed25519", ED)


async def refused(issuer: IssuerServer, why: str) -> None:
    """Assert that the metadata lead nowhere, and why."""
    async with httpx2.AsyncClient(verify=TLS) as client:
        with pytest.raises(Unreadable, match=why):
            _jwks_uri(await read_document(client, issuer.url + CONFIGURATION), issuer.url)
    async with reading(issuer) as keys:
        with pytest.raises(IssuerUnavailable):
            await keys.key("ed25519", ED)
    assert issuer.fetches[JWKS] == 0


@pytest.mark.parametrize("said", ["https://other.example", "", None, 5, "{url}/", "{url}/tenant"])
async def test_metadata_of_another_issuer_is_refused(issuer: IssuerServer, said: object) -> None:
    issuer.metadata["issuer"] = said.format(url=issuer.url) if isinstance(said, str) else said
    await refused(issuer, "another issuer")


@pytest.mark.parametrize(
    "said",
    [None, 5, "", "/jwks", "//127.0.0.1/jwks", "file:///etc/passwd", "ftp://127.0.0.1/", "http://keys.example/",
     "http://169.254.169.254/", "http://127.0.0.1.evil.example/", "http://[::1", "https:///jwks", "javascript:1"],
)  # fmt: skip
async def test_an_address_of_keys_that_is_not_secure_is_refused(issuer: IssuerServer, said: object) -> None:
    issuer.metadata["jwks_uri"] = said
    await refused(issuer, "not a secure address")


async def test_an_address_of_keys_that_is_none_is_an_outage(issuer: IssuerServer) -> None:
    issuer.metadata["jwks_uri"] = "http://127.0.0.1:x/"
    async with reading(issuer) as keys:
        with pytest.raises(IssuerUnavailable):
            await keys.key("ed25519", ED)


async def test_an_issuer_elsewhere_does_not_lead_to_this_machine(issuer: IssuerServer) -> None:
    elsewhere = "https://issuer.example"
    with pytest.raises(Unreadable, match="not a secure address"):
        _jwks_uri({"issuer": elsewhere, "jwks_uri": issuer.url + JWKS}, elsewhere)


@pytest.mark.parametrize("path", ["", "/tenant", "/a/b", "/tenant/"])
async def test_metadata_of_oauth_is_found_where_there_is_none_of_openid(issuer: IssuerServer, path: str) -> None:
    name = issuer.url + path
    metadata = {"issuer": name, "jwks_uri": issuer.url + JWKS}
    issuer.answers[path.rstrip("/") + CONFIGURATION] = Answer(404)
    issuer.answers[METADATA + path.rstrip("/")] = Answer(chunk=json.dumps(metadata).encode())
    async with reading(issuer, name=name) as keys:
        assert await known(keys, "ed25519")


async def test_an_answer_of_the_largest_size_is_read_and_one_byte_more_is_not(issuer: IssuerServer) -> None:
    body = json.dumps({"keys": issuer.published}).encode()
    issuer.answers[JWKS] = Answer(chunk=body.ljust(MAX_BYTES))
    async with reading(issuer) as keys:
        assert await known(keys, "ed25519")
    issuer.answers[JWKS] = Answer(chunk=body.ljust(MAX_BYTES + 1))
    async with reading(issuer) as keys:
        with pytest.raises(IssuerUnavailable):
            await keys.key("ed25519", ED)


async def test_of_many_keys_only_the_first_are_looked_at(issuer: IssuerServer) -> None:
    spare = public(make_key("ed25519-2"))
    issuer.published = [{**spare, "kid": f"spare-{number}"} for number in range(MAX_KEYS)]
    issuer.published += [public(make_key("ed25519"))]
    async with reading(issuer) as keys:
        assert await known(keys, f"spare-{MAX_KEYS - 1}")
        assert not await known(keys, "ed25519")


async def test_several_keys_of_one_kid_are_told_apart_by_the_algorithm(issuer: IssuerServer) -> None:
    kinds = {"rsa": "RS256", "p256": "ES256", "ed25519": "Ed25519"}
    issuer.published = [public(make_key(name), kid="same") for name in kinds]
    issuer.published += issuer.published
    async with reading(issuer) as keys:
        for name, algorithm in kinds.items():
            key = await keys.key("same", algorithm)
            assert key is not None
            assert key.thumbprint() == make_key(name).thumbprint()


async def test_a_token_without_kid_gets_the_key_of_a_set_of_one_and_none_of_several(issuer: IssuerServer) -> None:
    async with reading(issuer) as keys:
        assert await keys.key(None, ED) is not None
        assert await keys.key(None, "RS256") is None
    issuer.publish(make_key("ed25519"), make_key("p256"))
    async with reading(issuer) as keys:
        assert await keys.key(None, ED) is None


def weak() -> dict[str, Any]:
    """A public RSA key of 1024 bits; joserfc would make one only with a warning."""
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    raw = generate_private_key(65537, 1024).public_key()
    return {**RSAKey(raw, raw).as_dict(private=False), "kid": "bad"}


def padded(jwk: dict[str, Any]) -> dict[str, Any]:
    from joserfc.util import urlsafe_b64decode

    return {**jwk, "n": urlsafe_b64encode(bytes(200) + urlsafe_b64decode(jwk["n"].encode())).decode()}


def unusable_keys() -> dict[str, Any]:
    rsa, p256, ed = (public(make_key(name), kid="bad") for name in ("rsa", "p256", "ed25519"))
    return {
        "private RSA": {**make_key("rsa").as_dict(private=True), "kid": "bad"},
        "private EC": {**make_key("p256").as_dict(private=True), "kid": "bad"},
        "private OKP": {**make_key("ed25519").as_dict(private=True), "kid": "bad"},
        "symmetric": {**make_key("oct").as_dict(private=True), "kid": "bad"},
        "symmetric, said to be RSA": {**rsa, "k": "AAAA"},
        "for encryption": {**rsa, "use": "enc"},
        "use is a list": {**rsa, "use": ["sig"]},
        "for other operations": {**rsa, "key_ops": ["encrypt"]},
        "key_ops is a number": {**rsa, "key_ops": 5},
        "RSA of 1024 bits": weak(),
        "RSA of 1024 bits with zeros before": padded(weak()),
        "RSA of 16384 bits": {**rsa, "n": urlsafe_b64encode(b"\xff" * 2048).decode()},
        "RSA without n": {"kty": "RSA", "kid": "bad", "e": "AQAB"},
        "RSA with n 0": {**rsa, "n": ""},
        "RSA with e 1": {**rsa, "e": "AQ"},
        "RSA with even e": {**rsa, "e": "Ag"},
        "n is a number": {**rsa, "n": 5},
        "not base64": {**rsa, "n": "*" * 400},
        "EC not on its curve": {**p256, "x": p256["y"]},
        "EC of an unknown curve": {**p256, "crv": "P-255"},
        "curve is a list": {**p256, "crv": ["P-256"]},
        "OKP too short": {**ed, "x": "AAAA"},
        "OKP of an unknown curve": {**ed, "crv": "Ed1"},
        "unknown type": {**rsa, "kty": "AKP"},
        "type is a list": {**rsa, "kty": ["RSA"]},
        "no type": {"kid": "bad"},
        "kid is a number": {**rsa, "kid": 5},
        "a text": "bad",
        "null": None,
        "a list": [rsa],
    }


async def test_unusable_keys_are_ignored_and_hurt_no_other(issuer: IssuerServer) -> None:
    for name, bad in unusable_keys().items():
        issuer.published = [bad, public(make_key("ed25519"))]
        async with reading(issuer) as keys:
            assert await known(keys, "ed25519"), name
            for algorithm in ("RS256", "PS512", "ES256", "ES384", "EdDSA", "Ed25519", "HS256"):
                assert not await known(keys, "bad", algorithm), (name, algorithm)


async def test_a_key_that_names_its_algorithm_is_good_for_no_other(issuer: IssuerServer) -> None:
    issuer.published = [public(make_key("rsa"), alg="PS384", use="sig", key_ops=["verify"])]
    async with reading(issuer) as keys:
        assert await known(keys, "rsa", "PS384")
        assert not await known(keys, "rsa", "RS256")


ATOMS = st.sampled_from(
    [None, True, 0, -1, 1.5, 2**64, "", "sig", "RSA", "P-256", "AQAB", "verify", "\0", "ä", "a" * 400]
)
JSON = ATOMS | st.lists(ATOMS, max_size=2) | st.dictionaries(st.sampled_from(["kty", "n"]), ATOMS, max_size=2)
MEMBERS = ["kty", "use", "key_ops", "alg", "kid", "n", "e", "crv", "x", "y", "x5c", "x5u", "x5t"]


@settings(deadline=None, max_examples=500, derandomize=True, database=None)
@given(
    st.sampled_from(["rsa", "p256", "p521", "ed25519", "x25519", "secp256k1"]),
    st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=4),
)
def test_no_jwk_whatever_it_holds_is_more_than_ignored(name: str, changes: dict[str, Any]) -> None:
    key = from_jwk({**public(make_key(name)), **changes})
    assert key is None or not key.is_private


def pem(name: str) -> str:
    key = make_key(name)
    assert not hasattr(key, "k")
    return key.as_pem().decode()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [("rsa", "RS256"), ("rsa", "PS512"), ("p256", "ES256"), ("p384", "ES384"), ("p521", "ES512"),
     ("ed25519", "Ed25519"), ("ed25519", "EdDSA"), ("ed448", "Ed448")],
)  # fmt: skip
async def test_a_key_can_be_set_as_pem_or_as_jwk(name: str, algorithm: str) -> None:
    for text in (pem(name), f"\n  {pem(name)}\n", json.dumps(public(make_key(name)))):
        key = await StaticKey.parse(text).key(None, algorithm)
        assert key is not None
        assert key.thumbprint() == make_key(name).thumbprint()
        assert await StaticKey.parse(text).key(None, "ES384" if name != "p384" else "ES256") is None


async def test_a_set_key_with_a_kid_is_good_for_no_other_kid_and_one_without_for_any_plain_one() -> None:
    named, plain = StaticKey.parse(json.dumps(public(make_key("ed25519")))), StaticKey.parse(pem("ed25519"))
    assert await named.key("ed25519", ED) is not None
    assert await named.key("other", ED) is None
    for kid in ("other", "2026-01", "https://vault.example/keys/a#1", "abc+/=="):
        assert await plain.key(kid, ED) is not None
    for kid in ("../../dev/null", "a' OR '1'='1", "a;b", "x|/usr/bin/id", "a\0b"):
        assert await plain.key(kid, ED) is None


def no_keys() -> dict[str, str]:
    rsa = make_key("rsa")
    assert isinstance(rsa, RSAKey)
    return {
        "empty": "",
        "words": "secret",
        "half a PEM": pem("rsa")[:80],
        "private PEM": rsa.as_pem(private=True).decode(),
        "private JWK": json.dumps(rsa.as_dict(private=True)),
        "secret JWK": json.dumps(make_key("oct").as_dict(private=True)),
        "weak JWK": json.dumps(weak()),
        "not JSON": "{",
        "a JWKS": json.dumps({"keys": [public(rsa)]}),
        "X25519": pem("x25519"),
        "for encryption": json.dumps(public(rsa, use="enc")),
    }


@pytest.mark.parametrize("name", no_keys())
def test_what_is_no_public_key_cannot_be_set(name: str) -> None:
    with pytest.raises(ValueError, match="public key"):
        StaticKey.parse(no_keys()[name])


async def test_two_issuers_do_not_share_keys(issuer: IssuerServer) -> None:
    with issuing("p256") as other:
        async with reading(issuer) as keys, reading(other) as others:
            assert await known(keys, "ed25519")
            assert await known(others, "p256", "ES256")
            assert not await known(keys, "p256", "ES256")
            assert not await known(others, "ed25519")
