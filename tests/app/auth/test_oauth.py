"""The token endpoint keeps to RFC 6749, whatever is sent; its tokens verify by the keys that are served."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote_plus, urlencode

import httpx2
import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet

from app.auth.issuer import TokenIssuer
from app.auth.signing import SigningKeys
from app.observe.logs import configure
from resolvers.context import ALL_SCOPES
from resolvers.problem import Problem
from storage.keys import KeyId, NewKey, new_secret
from storage.mongod import acquire
from storage.store import Store, StoreOptions, open_store
from tests.commands import until
from tests.conftest import StartGateway
from tests.harness import Gateway, find_lost_sockets, running
from tests.wiretap import recorder

TOKEN = "/oauth/token"
JWKS = "/.well-known/jwks.json"
METADATA = "/.well-known/oauth-authorization-server"
GRANT = "client_credentials"
FORM = "application/x-www-form-urlencoded"
ResultT = TypeVar("ResultT")
recorder()


def in_store(gateway: Gateway, work: Callable[[Store], Awaitable[ResultT]]) -> ResultT:
    async def run() -> ResultT:
        async with open_store(StoreOptions(gateway.store_url, gateway.database)) as store:
            return await work(store)

    return asyncio.run(run())


def made(gateway: Gateway, *scopes: str, expires: datetime | None = None) -> NewKey:
    return in_store(gateway, lambda store: store.keys.create("test", scopes or ALL_SCOPES, datetime.now(UTC), expires))


def revoke(gateway: Gateway, key: NewKey) -> None:
    in_store(gateway, lambda store: store.keys.revoke(key.record.id, datetime.now(UTC)))


@pytest.fixture
def client(gateway: Gateway) -> Iterator[httpx2.Client]:
    """A client without credentials of its own."""
    with gateway.client() as stranger:
        yield stranger


@pytest.fixture
def key(gateway: Gateway) -> NewKey:
    """An API key that may read and write."""
    return made(gateway, "customers:read", "customers:write")


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def credentials(key: NewKey) -> dict[str, str]:
    return {"client_id": key.record.clientId, "client_secret": key.client_secret}


def ask(client: httpx2.Client, key: NewKey, **parameters: str) -> httpx2.Response:
    return client.post(TOKEN, data={"grant_type": GRANT, **credentials(key), **parameters})


def send(client: httpx2.Client, body: bytes, **headers: str) -> httpx2.Response:
    return client.post(TOKEN, content=body, headers={"Content-Type": FORM, **headers})


def assert_refused(response: httpx2.Response, error: str, status: int = 400) -> None:
    """An error in the form of RFC 6749 section 5.2, kept by no cache."""
    body = response.json()
    assert (response.status_code, body["error"]) == (status, error)
    assert set(body) <= {"error", "error_description"}
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*", body.get("error_description", ""))
    assert response.headers["Content-Type"].startswith("application/json")
    assert_not_kept(response)
    challenge = response.headers.get("WWW-Authenticate", "")
    assert challenge.startswith('Basic realm="') == (status == 401)


def assert_not_kept(response: httpx2.Response) -> None:
    assert (response.headers["Cache-Control"], response.headers["Pragma"]) == ("no-store", "no-cache")


def claims_of(client: httpx2.Client, token: str) -> dict[str, Any]:
    """Verify a token as anybody may who has the served keys."""
    keys = KeySet.import_key_set(client.get(JWKS).json())
    verified = jwt.decode(token, keys, algorithms=["ES256"])
    assert verified.header["typ"] == "at+jwt"
    jwt.JWTClaimsRegistry(iss={"essential": True}, aud={"essential": True, "value": "customer-gateway"}).validate(
        verified.claims
    )
    return dict(verified.claims)


class TestToken:
    def test_a_token_is_answered_as_the_rfc_shows_it(self, client: httpx2.Client, key: NewKey) -> None:
        response = ask(client, key)
        body = response.json()
        assert response.status_code == 200
        assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
        assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
        assert body["scope"] == "customers:read customers:write"
        assert response.headers["Content-Type"].startswith("application/json")
        assert_not_kept(response)

    def test_the_token_verifies_by_the_served_keys_and_says_who_may_what(
        self, client: httpx2.Client, key: NewKey, gateway: Gateway
    ) -> None:
        claims = claims_of(client, ask(client, key, scope="customers:read").json()["access_token"])
        assert set(claims) == {"iss", "aud", "sub", "client_id", "scope", "iat", "exp", "jti"}
        assert (claims["iss"], claims["aud"]) == (gateway.url, "customer-gateway")
        assert (claims["sub"], claims["client_id"]) == (key.record.id, key.record.clientId)
        assert claims["scope"] == "customers:read"
        assert claims["exp"] - claims["iat"] == 900
        assert abs(claims["iat"] - datetime.now(UTC).timestamp()) < 60

    def test_no_two_tokens_have_the_same_id(self, client: httpx2.Client, key: NewKey) -> None:
        ids = {claims_of(client, ask(client, key).json()["access_token"])["jti"] for _ in range(5)}
        assert len(ids) == 5

    def test_a_token_ends_no_later_than_its_key(self, client: httpx2.Client, gateway: Gateway) -> None:
        short = made(gateway, expires=datetime.now(UTC) + timedelta(seconds=300))
        body = ask(client, short).json()
        claims = claims_of(client, body["access_token"])
        assert body["expires_in"] == claims["exp"] - claims["iat"] <= 300

    def test_the_use_of_the_key_is_noted(self, client: httpx2.Client, key: NewKey, gateway: Gateway) -> None:
        ask(client, key)
        found = in_store(gateway, lambda store: store.keys.find(key.record.id))
        assert found is not None
        assert found.lastUsedAt is not None


class TestScope:
    @pytest.mark.parametrize(
        ("asked", "granted"),
        [
            ("customers:read", "customers:read"),
            ("customers:write customers:read", "customers:write customers:read"),
            ("customers:read customers:read", "customers:read"),
            ("", "customers:read customers:write"),
        ],
    )
    def test_what_the_key_has_is_granted(self, client: httpx2.Client, key: NewKey, asked: str, granted: str) -> None:
        assert ask(client, key, scope=asked).json()["scope"] == granted

    @pytest.mark.parametrize(
        "asked",
        [
            "customers:delete", "customers:read customers:delete", "customers:rule", "CUSTOMERS:READ", "openid", " ",
            "customers:read  customers:write", "customers:read\tcustomers:write", "customers:read,customers:write",
            "customers:read\0", "kunden:läsen", "customers:read\u00a0customers:write", '{"$ne": null}',
        ],
    )  # fmt: skip
    def test_anything_wider_unknown_or_malformed_is_invalid_scope(
        self, client: httpx2.Client, key: NewKey, asked: str
    ) -> None:
        assert_refused(ask(client, key, scope=asked), "invalid_scope")

    def test_a_key_without_scopes_gets_no_token(self, client: httpx2.Client, gateway: Gateway) -> None:
        empty = in_store(gateway, lambda store: store.keys.create("none", (), datetime.now(UTC), None))
        assert_refused(ask(client, empty), "invalid_scope")


class TestClient:
    @pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
    def test_basic_is_taken(self, client: httpx2.Client, key: NewKey, scheme: str) -> None:
        header = basic(key.record.clientId, key.client_secret)["Authorization"].replace("Basic", scheme)
        response = client.post(TOKEN, data={"grant_type": GRANT}, headers={"Authorization": header})
        assert response.status_code == 200

    def test_basic_is_percent_decoded(self, client: httpx2.Client, key: NewKey) -> None:
        encoded = "".join(f"%{byte:02X}" for byte in key.record.clientId.encode())
        secret = "".join(f"%{byte:02x}" for byte in key.client_secret.encode())
        response = client.post(TOKEN, data={"grant_type": GRANT}, headers=basic(encoded, secret))
        assert response.status_code == 200

    def test_the_api_key_stands_for_the_client_id_and_is_not_shown(self, client: httpx2.Client, key: NewKey) -> None:
        response = client.post(TOKEN, data={"grant_type": GRANT}, headers=basic(key.key, key.client_secret))
        claims = claims_of(client, response.json()["access_token"])
        assert claims["client_id"] == key.record.clientId

    def test_the_client_id_may_stand_in_the_body_too(self, client: httpx2.Client, key: NewKey) -> None:
        sent = {"grant_type": GRANT, "client_id": key.record.clientId}
        header = basic(key.record.clientId, key.client_secret)
        assert client.post(TOKEN, data=sent, headers=header).status_code == 200
        other = client.post(TOKEN, data={**sent, "client_id": "client_other"}, headers=header)
        assert_refused(other, "invalid_request")

    def test_two_ways_of_authentication_at_once_are_refused(self, client: httpx2.Client, key: NewKey) -> None:
        sent = {"grant_type": GRANT, **credentials(key)}
        header = basic(key.record.clientId, key.client_secret)
        assert_refused(client.post(TOKEN, data=sent, headers=header), "invalid_request")
        twice = [("Authorization", header["Authorization"])] * 2
        assert_refused(client.post(TOKEN, data={"grant_type": GRANT}, headers=twice), "invalid_request")

    @pytest.mark.parametrize(
        "case", ["unknown", "wrong", "other's", "short", "none", "key", "expired", "revoked", "swapped", "operator"]
    )
    @pytest.mark.parametrize("way", ["basic", "post"])
    def test_c065_a_client_that_is_not_good_is_invalid_client(
        self, client: httpx2.Client, gateway: Gateway, case: str, way: str
    ) -> None:
        name, secret = self.bad(gateway, case)
        if way == "basic":
            response = client.post(TOKEN, data={"grant_type": GRANT}, headers=basic(name, secret))
        else:
            response = client.post(TOKEN, data={"grant_type": GRANT, "client_id": name, "client_secret": secret})
        assert_refused(response, "invalid_client", 401)
        assert response.json()["error_description"] == "Client authentication failed."

    def bad(self, gateway: Gateway, case: str) -> tuple[str, str]:
        now = datetime.now(UTC)
        key = made(gateway, expires=now - timedelta(seconds=1) if case == "expired" else None)
        if case == "revoked":
            revoke(gateway, key)
        client, secret = key.record.clientId, key.client_secret
        return {
            "unknown": ("client_00000000000000000", secret),
            "wrong": (client, new_secret("cgs_")),
            "other's": (client, made(gateway).client_secret),
            "short": (client, secret[:-1]),
            "none": (client, ""),
            "key": (client, key.key),
            "swapped": (secret, client),
            "operator": ('{"$ne": null}', '{"$ne": null}'),
        }.get(case, (client, secret))

    @pytest.mark.parametrize(
        "header",
        [
            "Basic", "Basic ***", "Basic Og==", "Basic /zov", "Basic YQ==", "Bearer x", "Digest x", "", "é",
            "Basic JTo=", "Basic JXp6OiV6eg==", "Basic JUZGOiVGRg==", "Basic " + "QQ" * 4000,
        ],
    )  # fmt: skip
    def test_basic_that_cannot_be_read_is_invalid_client(self, client: httpx2.Client, header: str) -> None:
        headers = [(b"Authorization", header.encode("latin-1"))]
        assert_refused(client.post(TOKEN, data={"grant_type": GRANT}, headers=headers), "invalid_client", 401)

    @pytest.mark.parametrize("sent", [{}, {"client_id": "x"}, {"client_secret": "x"}], ids=["none", "id", "secret"])
    def test_no_credentials_are_invalid_client(self, client: httpx2.Client, sent: dict[str, str]) -> None:
        assert_refused(client.post(TOKEN, data={"grant_type": GRANT, **sent}), "invalid_client", 401)

    def test_c054_an_unknown_client_costs_the_same_questions_as_a_wrong_secret(
        self, start_gateway: StartGateway
    ) -> None:
        gateway = start_gateway()
        known, secret = made(gateway).record.clientId, new_secret("cgs_")
        asked = []
        with gateway.client() as client:
            for name in (known, "client_00000000000000000"):
                with recorder().recording(gateway.database) as commands:
                    response = client.post(TOKEN, data={"grant_type": GRANT}, headers=basic(name, secret))
                assert response.status_code == 401
                # Only those about keys: what the gateway does beside its requests may be asked at the same moment.
                about_keys = [command for command in commands if "keys" in command.values()]
                asked.append([(command["find"], set(command["filter"])) for command in about_keys])
        assert asked[0] == asked[1] == [("keys", {"clientId", "secretHash"})]


class TestRequest:
    @pytest.mark.parametrize("grant", ["password", "authorization_code", "refresh_token", "CLIENT_CREDENTIALS", "é"])
    def test_other_grants_are_unsupported(self, client: httpx2.Client, key: NewKey, grant: str) -> None:
        assert_refused(ask(client, key, grant_type=grant), "unsupported_grant_type")

    @pytest.mark.parametrize("grant", [{}, {"grant_type": ""}], ids=["absent", "empty"])
    def test_a_missing_grant_is_an_invalid_request(
        self, client: httpx2.Client, key: NewKey, grant: dict[str, str]
    ) -> None:
        assert_refused(client.post(TOKEN, data={**credentials(key), **grant}), "invalid_request")

    @pytest.mark.parametrize("name", ["grant_type", "scope", "client_id", "client_secret", "colour"])
    @pytest.mark.parametrize("value", ["same", "other", "empty"])
    def test_a_parameter_twice_is_an_invalid_request(
        self, client: httpx2.Client, key: NewKey, name: str, value: str
    ) -> None:
        sent = {"grant_type": GRANT, "scope": "customers:read", "colour": "red", **credentials(key)}
        again = {"same": sent[name], "other": "other", "empty": ""}[value]
        assert_refused(send(client, f"{urlencode(sent)}&{name}={quote_plus(again)}".encode()), "invalid_request")

    def test_unknown_parameters_are_ignored(self, client: httpx2.Client, key: NewKey) -> None:
        assert ask(client, key, colour="red", resource="https://api.example.com").status_code == 200

    @pytest.mark.parametrize(
        "body",
        [b"", b"&&&", b"=", b"grant_type", b"%", b"grant_type=%zz", b"grant_type=%FF", b"\xff=1", b"\0", b"{}",
         b"grant_type=client_credentials&scope=%C3%28", "grant_type=é".encode()],
    )  # fmt: skip
    def test_a_body_that_is_no_form_is_an_invalid_request(self, client: httpx2.Client, body: bytes) -> None:
        assert_refused(send(client, body), "invalid_request")

    def test_the_form_may_be_encoded_in_every_way_that_forms_are(self, client: httpx2.Client, key: NewKey) -> None:
        sent = "&".join(f"{name}={value}" for name, value in credentials(key).items())
        body = f"&grant%5Ftype=client%5fcredentials&{sent}&scope=customers%3Aread+customers:write&".encode()
        response = send(client, body, **{"Content-Type": f"{FORM}; charset=UTF-8"})
        assert response.json()["scope"] == "customers:read customers:write"

    def test_c065_parameters_in_the_address_are_refused(self, client: httpx2.Client, key: NewKey) -> None:
        sent = urlencode({"grant_type": GRANT, **credentials(key)})
        assert_refused(client.post(f"{TOKEN}?{sent}", data={"grant_type": GRANT}), "invalid_request")

    @pytest.mark.parametrize(
        "headers",
        [{"Content-Type": "application/json"}, {"Content-Type": "text/plain"}, {"Content-Type": ""},
         {"Content-Type": "multipart/form-data; boundary=x"}, {"Content-Type": f"{FORM}; charset=latin-1"},
         {"Content-Type": f"{FORM}, {FORM}"}, {"Content-Encoding": "gzip"}],
    )  # fmt: skip
    def test_other_types_are_415_and_the_right_one_is_named(
        self, client: httpx2.Client, headers: dict[str, str]
    ) -> None:
        response = send(client, b"grant_type=client_credentials", **headers)
        assert response.status_code == 415
        assert response.json()["type"].endswith("/problems/unsupported-media-type")
        assert response.headers["Accept"] == FORM
        assert_not_kept(response)

    def test_the_body_may_have_16_kib_by_count(self, client: httpx2.Client, key: NewKey) -> None:
        start = urlencode({"grant_type": GRANT, **credentials(key), "colour": ""}).encode()
        exactly = start + b"x" * (16 * 1024 - len(start))
        assert send(client, exactly).status_code == 200
        response = send(client, exactly + b"x")
        assert response.status_code == 413
        assert_not_kept(response)
        chunked = client.post(TOKEN, content=iter([exactly, b"x"]), headers={"Content-Type": FORM})
        assert chunked.status_code == 413

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
    def test_other_methods_are_405(self, client: httpx2.Client, method: str) -> None:
        response = client.request(method, TOKEN)
        assert (response.status_code, response.headers["Allow"]) == (405, "POST")

    def test_the_token_s_issuer_is_the_same_whatever_the_host(
        self, client: httpx2.Client, key: NewKey, gateway: Gateway
    ) -> None:
        for host in ("evil.example", "localhost"):
            sent = {"grant_type": GRANT, **credentials(key)}
            token = client.post(TOKEN, data=sent, headers={"Host": host}).json()["access_token"]
            assert claims_of(client, token)["iss"] == gateway.url
            assert client.get(METADATA, headers={"Host": host}).json()["issuer"] == gateway.url

    @pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
    def test_the_store_being_away_is_503(self, tmp_path: Path) -> None:
        with ExitStack() as store:
            url = store.enter_context(acquire(tmp_path / "mongod", timeout=60)).url
            with running(url, "gone", request_timeout=1.0) as gateway, gateway.client() as client:
                key = made(gateway)
                store.close()
                until(lambda: ask(client, key).status_code == 503, what="503")
                until(lambda: client.get(JWKS).status_code == 503, what="503")
                for response in (ask(client, key), client.get(JWKS)):
                    assert response.json()["type"].endswith("/problems/unavailable")
                    assert response.headers["Retry-After"] == "1"
                    assert response.headers["Cache-Control"] == "no-store"
        find_lost_sockets()


class TestFuzzing:
    PIECES = st.sampled_from(
        ["grant_type", "client_credentials", "client_id", "client_secret", "scope", "customers:read", "=", "&", "%",
         "+", "%00", "%FF", "%C3%A9", "é", ";", "[]", "{", '"', "\r\n", " "]
    )  # fmt: skip

    @settings(max_examples=150, deadline=None)
    @given(body=st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=12).map(lambda x: "".join(x).encode())))
    def test_no_body_is_a_500(self, gateway: Gateway, body: bytes) -> None:
        with gateway.client() as client:
            response = send(client, body)
        assert_refused(response, response.json()["error"], response.status_code)

    @settings(max_examples=100, deadline=None)
    @given(
        parameters=st.dictionaries(
            st.sampled_from(["grant_type", "client_id", "client_secret", "scope"]), st.text(max_size=30), max_size=4
        ),
        header=st.one_of(st.none(), st.binary(min_size=1, max_size=60)),
    )
    def test_no_parameters_and_no_credentials_are_a_500(
        self, gateway: Gateway, parameters: dict[str, str], header: bytes | None
    ) -> None:
        encoded = urlencode(parameters, errors="replace").encode()
        headers = {"Authorization": "Basic " + base64.b64encode(header).decode()} if header is not None else {}
        with gateway.client() as client:
            response = send(client, encoded, **headers)
        assert response.status_code in {400, 401}
        assert_refused(response, response.json()["error"], response.status_code)


class TestPublic:
    def test_only_public_keys_are_served_and_briefly_kept(self, client: httpx2.Client, key: NewKey) -> None:
        kid = json.loads(base64.urlsafe_b64decode(ask(client, key).json()["access_token"].split(".")[0] + "=="))["kid"]
        response = client.get(JWKS)
        keys = response.json()["keys"]
        assert kid in [key["kid"] for key in keys]
        assert {name for key in keys for name in key} == {"kty", "crv", "x", "y", "use", "alg", "kid"}
        assert response.headers["Cache-Control"] == "public, max-age=300"
        again = client.get(JWKS, headers={"If-None-Match": response.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert client.get(JWKS, headers={"If-None-Match": '"other"'}).status_code == 200

    def test_the_metadata_is_as_the_rfc_wants_it(self, client: httpx2.Client, gateway: Gateway) -> None:
        body = client.get(METADATA).json()
        assert body["token_endpoint"] == gateway.url + TOKEN
        assert body["jwks_uri"] == gateway.url + JWKS
        assert body["grant_types_supported"] == [GRANT]
        assert body["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "client_secret_post"]
        assert body["scopes_supported"] == list(ALL_SCOPES)
        assert body["response_types_supported"] == []  # demanded by the RFC; Authlib would have one in it
        AuthorizationServerMetadata({**body, "response_types_supported": ["none"]}).validate()
        assert client.get(body["jwks_uri"]).status_code == 200
        assert client.post(body["token_endpoint"]).status_code == 415

    def test_the_public_address_is_the_issuer_where_it_is_set(self, start_gateway: StartGateway) -> None:
        gateway = start_gateway(public_url="https://customers.example.com/", jwt_audience="crm")
        with gateway.client() as client:
            assert client.get(METADATA).json()["issuer"] == "https://customers.example.com"
            token = ask(client, made(gateway)).json()["access_token"]
            keys = KeySet.import_key_set(client.get(JWKS).json())
            claims = jwt.decode(token, keys, algorithms=["ES256"]).claims
        assert (claims["iss"], claims["aud"]) == ("https://customers.example.com", "crm")

    def test_c063_neither_secrets_nor_tokens_are_logged(
        self, start_gateway: StartGateway, capfd: pytest.CaptureFixture[str]
    ) -> None:
        gateway = start_gateway(log_level="debug")
        key = made(gateway)
        with gateway.client() as client:
            token = ask(client, key).json()["access_token"]
            refused = ask(client, key, scope="x", client_secret=new_secret("cgs_")).text
        written = "".join(capfd.readouterr()) + refused
        configure("info", sys.__stderr__)  # for the gateway that many tests share: what capfd gave is closed now
        assert "POST /oauth/token 200" in written
        for secret in (key.client_secret, key.key, key.record.clientId, token.split(".")[1], token.split(".")[2]):
            assert secret not in written


@dataclass(frozen=True)
class Token:
    """What a verifier hands over."""

    subject: str | None
    scopes: frozenset[str]


@dataclass
class MovedClock:
    """A clock that stands still until it is moved."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


class TestCaller:
    """Whoever verifies a token asks the issuer whose it is."""

    NOW = datetime(2100, 1, 1, tzinfo=UTC)

    @pytest.fixture
    def clock(self) -> MovedClock:
        return MovedClock(self.NOW)

    @pytest.fixture
    def issuer(self, store: Store, clock: MovedClock) -> TokenIssuer:
        signing = SigningKeys.of(store.signing_keys, clock, None)
        return TokenIssuer("https://gateway.example", "gateway", store.keys, signing, clock)

    async def test_the_caller_is_the_api_key_with_what_both_may(self, issuer: TokenIssuer, store: Store) -> None:
        key = await store.keys.create("crm", ("customers:read", "customers:write"), self.NOW, None)
        caller = await issuer.caller(Token(key.record.id, frozenset({"customers:read", "customers:delete"})))
        assert (caller.id, caller.name) == (key.record.id, "crm")
        assert caller.scopes == {"customers:read"}
        found = await store.keys.find(key.record.id)
        assert found is not None
        assert found.lastUsedAt is not None

    @pytest.mark.parametrize("subject", [None, "", "x", '{"$ne": null}', "0e0f0a1c-7b1f"], ids=str)
    async def test_a_token_of_nobody_is_unauthorized(self, issuer: TokenIssuer, subject: str | None) -> None:
        await assert_unauthorized(issuer, Token(subject, frozenset()))

    async def test_c066_a_token_ends_when_its_key_is_revoked(self, issuer: TokenIssuer, store: Store) -> None:
        key = await store.keys.create("crm", ("customers:read",), self.NOW, None)
        token = Token(key.record.id, frozenset())
        await issuer.caller(token)
        await store.keys.revoke(KeyId(key.record.id), self.NOW)
        await issuer.cache.delete(key.record.id)  # as it happens by itself after 2 seconds
        await assert_unauthorized(issuer, token)

    async def test_a_token_ends_when_its_key_expires_even_while_it_is_remembered(
        self, issuer: TokenIssuer, store: Store, clock: MovedClock
    ) -> None:
        key = await store.keys.create("crm", ("customers:read",), self.NOW, self.NOW + timedelta(seconds=1))
        token = Token(key.record.id, frozenset())
        await issuer.caller(token)
        clock.now += timedelta(seconds=1)
        await assert_unauthorized(issuer, token)

    async def test_the_key_is_remembered_for_a_moment(self, issuer: TokenIssuer, store: Store) -> None:
        key = await store.keys.create("crm", ("customers:read",), self.NOW, None)
        with recorder().recording(store.database) as commands:
            for _ in range(20):
                await issuer.caller(Token(key.record.id, frozenset()))
        assert [next(iter(command)) for command in commands] == ["find", "update"]


async def assert_unauthorized(issuer: TokenIssuer, token: Token) -> None:
    with pytest.raises(Problem) as raised:
        await issuer.caller(token)
    assert raised.value.type.slug == "unauthorized"
    assert raised.value.extra == {"credentials": "invalid", "error": "invalid_token"}
