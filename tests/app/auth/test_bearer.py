"""Bearer tokens at both doors: who comes in, who does not, and what is said while the issuer is away."""

from __future__ import annotations

import io
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from app.auth.outside import outside_issuers
from app.observe.logs import configure
from app.settings import Settings
from resolvers.context import ALL_SCOPES
from tests import factories
from tests.app.auth.attacks import ATTACKS, KIDS, Build, pem
from tests.app.auth.issuer import AUDIENCE, CONFIGURATION, JWKS, TLS, Answer, IssuerServer, issuing, make_key
from tests.conftest import StartGateway
from tests.harness import Gateway, running

VIEWER = "/api/v1/viewer"
CUSTOMERS = "/api/v1/customers"
DOORS = ["REST", "GraphQL"]
MUTATION = "mutation ($id: ID!) { deleteCustomer(id: $id) { id } }"


def ask(gateway: Gateway, door: str, token: str, scheme: str = "Bearer") -> httpx2.Response:
    """Ask at a door who the token's owner is."""
    authorization = (b"Authorization", f"{scheme} {token}".strip().encode("latin-1"))
    with httpx2.Client(base_url=gateway.url, verify=TLS, timeout=30) as client:
        if door == "REST":
            return client.get(VIEWER, headers=[authorization])
        return client.post("/graphql", headers=[authorization], json={"query": "{ viewer { id name scopes } }"})


def problem(door: str, response: httpx2.Response) -> dict[str, Any]:
    """Return the problem of an answer, as the door shows it."""
    body: dict[str, Any] = response.json()
    if door == "REST":
        return body
    shown: dict[str, Any] = body["errors"][0]["extensions"]
    return {"detail": body["errors"][0]["message"], **shown}


@pytest.fixture(scope="module")
def publisher() -> Iterator[IssuerServer]:
    with issuing(*KIDS) as server:
        yield server


@pytest.fixture(scope="module")
def trusting(mongod_url: str, publisher: IssuerServer) -> Iterator[Gateway]:
    """A gateway that trusts the publisher."""
    trust: dict[str, Any] = {"jwt_issuer": publisher.url, "jwt_audience": AUDIENCE}
    with running(mongod_url, f"test_{uuid.uuid4().hex[:16]}", **trust) as started:
        yield started


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_a_good_token_comes_in(trusting: Gateway, publisher: IssuerServer, door: str, scheme: str) -> None:
    token = publisher.token(scope="customers:read openid", client_id="app-7", sub="jane.doe@example.com")
    response = ask(trusting, door, token, scheme)
    assert response.status_code == 200
    viewer = response.json() if door == "REST" else response.json()["data"]["viewer"]
    assert (viewer["name"], viewer["scopes"]) == ("app-7", ["customers:read"])
    assert viewer["id"].startswith("jwt_")
    assert "jane" not in viewer["id"]


@pytest.mark.parametrize("door", DOORS)
def test_c055_to_c059_every_attack_is_401_and_learns_nothing(
    trusting: Gateway, publisher: IssuerServer, door: str
) -> None:
    with issuing() as trap:
        for name, (reason, make) in ATTACKS.items():
            response = ask(trusting, door, make(Build(publisher.url, int(time.time()), trap.url)))
            assert response.status_code == 401, (name, response.text)
            assert 'error="invalid_token"' in response.headers["WWW-Authenticate"], name
            assert response.headers["WWW-Authenticate"].startswith("Bearer "), name
            expected = "The token has expired." if reason == "expired" else "The token is not good."
            assert problem(door, response)["detail"] == expected, name
        assert not trap.fetches
    print(f"{len(ATTACKS)} bad tokens are refused by {door}")


@pytest.mark.parametrize("door", DOORS)
def test_a_token_and_another_credential_are_refused_together(
    trusting: Gateway, publisher: IssuerServer, door: str
) -> None:
    token = f"Bearer {publisher.token()}"
    path, method = (VIEWER, "GET") if door == "REST" else ("/graphql", "POST")
    with trusting.client() as client:
        for more in (("X-API-Key", trusting.key), ("Authorization", token)):
            response = client.request(method, path, headers=[("Authorization", token), more])
            assert response.status_code == 401


def test_api_keys_work_beside_tokens(trusting: Gateway) -> None:
    assert trusting.http.get(VIEWER).status_code == 200


def test_c065_a_token_in_the_query_string_is_not_read(trusting: Gateway, publisher: IssuerServer) -> None:
    token = publisher.token()
    with trusting.client() as client:
        for path in (VIEWER, "/graphql"):
            assert client.get(path, params={"access_token": token}).status_code == 401


def test_c062_a_token_without_the_scope_is_403_and_named(trusting: Gateway, publisher: IssuerServer) -> None:
    customer = trusting.create()
    with trusting.client(Authorization=f"Bearer {publisher.token(scope='customers:read')}") as reader:
        assert reader.get(f"{CUSTOMERS}/{customer['id']}").status_code == 200
        response = reader.post(CUSTOMERS, json=factories.customer())
        assert response.status_code == 403
        assert response.json()["scope"] == "customers:write"
        assert "www-authenticate" not in response.headers
        sent = {"query": MUTATION, "variables": {"id": customer["id"]}}
        (error,) = reader.post("/graphql", json=sent).json()["errors"]
        assert (error["extensions"]["status"], error["extensions"]["scope"]) == (403, "customers:delete")


def test_a_token_with_every_scope_does_everything(trusting: Gateway, publisher: IssuerServer) -> None:
    with trusting.client(Authorization=f"Bearer {publisher.token(scope=list(ALL_SCOPES))}") as owner:
        created = owner.post(CUSTOMERS, json=factories.customer())
        assert created.status_code == 201
        deleted = owner.post("/graphql", json={"query": MUTATION, "variables": {"id": created.json()["id"]}})
        assert "errors" not in deleted.json()


@pytest.mark.parametrize("door", DOORS)
def test_c061_rotation_outage_and_return_at_a_running_gateway(
    start_gateway: StartGateway, issuer: IssuerServer, door: str
) -> None:
    gateway = start_gateway(jwt_issuer=issuer.url, jwt_audience=AUDIENCE)
    assert ask(gateway, door, issuer.token()).status_code == 200
    issuer.publish(make_key("ed25519"), make_key("ed25519-2"))
    assert ask(gateway, door, issuer.token("ed25519-2")).status_code == 200
    with issuer.down():
        away(gateway, door, issuer)
    issuer.answers["*"] = Answer(500)
    away(gateway, door, issuer, "ed25519-4")
    issuer.answers.clear()
    issuer.publish(make_key("ed25519-3"))
    assert ask(gateway, door, issuer.token("ed25519-3")).status_code == 200
    for number in range(50):
        assert ask(gateway, door, issuer.token(f"ed25519-unknown{number}")).status_code == 401
    assert issuer.fetches[JWKS] + issuer.fetches[CONFIGURATION] <= 2 * 5


def away(gateway: Gateway, door: str, issuer: IssuerServer, unknown: str = "ed25519-3") -> None:
    """Assert what is said while the issuer is away: a known key goes on, an unknown one cannot be told."""
    assert ask(gateway, door, issuer.token(jti=uuid.uuid4().hex)).status_code == 200
    response = ask(gateway, door, issuer.token(unknown))
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    shown = problem(door, response)
    assert shown["type"].endswith("/problems/unavailable")
    assert shown["outcome"] == "none"
    assert "issuer" in shown["detail"]
    assert "store" not in shown["detail"]


@pytest.mark.parametrize("door", DOORS)
def test_a_gateway_starts_without_its_issuer_and_finds_it_later(
    start_gateway: StartGateway, issuer: IssuerServer, door: str
) -> None:
    with issuer.down():
        gateway = start_gateway(jwt_issuer=issuer.url, jwt_audience=AUDIENCE)
        assert ask(gateway, door, issuer.token()).status_code == 503
        assert gateway.http.get(VIEWER).status_code == 200
        assert gateway.http.get("/health/ready").status_code == 200
    assert ask(gateway, door, issuer.token()).status_code == 200


def test_a_gateway_stops_though_its_issuer_hangs(start_gateway: StartGateway, issuer: IssuerServer) -> None:
    gateway = start_gateway(jwt_issuer=issuer.url, jwt_audience=AUDIENCE)
    issuer.hold()
    with gateway.client(Authorization=f"Bearer {issuer.token()}") as client:
        with pytest.raises(httpx2.ReadTimeout):
            client.get(VIEWER, timeout=0.2)
    assert issuer.arrived.is_set()


@pytest.mark.parametrize("how", ["jwt_public_key", "jwt_jwks_url"])
def test_where_the_keys_are_can_be_set(start_gateway: StartGateway, issuer: IssuerServer, how: str) -> None:
    issuer.publish(make_key("rsa"))
    issuer.answers[CONFIGURATION] = Answer(404)
    value = pem("rsa").decode().replace("\n", "\\n") if how == "jwt_public_key" else issuer.url + JWKS
    gateway = start_gateway(jwt_issuer=issuer.url, jwt_audience=AUDIENCE, **{how: value})
    assert ask(gateway, "REST", issuer.token("rsa", "RS256")).status_code == 200
    assert ask(gateway, "REST", issuer.token("rsa-2", "RS256")).status_code == 401
    assert issuer.fetches[CONFIGURATION] == 0


def test_only_the_algorithms_of_the_setting_are_taken(start_gateway: StartGateway, issuer: IssuerServer) -> None:
    issuer.publish(make_key("rsa"), make_key("p256"))
    gateway = start_gateway(jwt_issuer=issuer.url, jwt_audience=AUDIENCE, jwt_algorithms=("ES256",))
    assert ask(gateway, "REST", issuer.token("p256", "ES256")).status_code == 200
    assert ask(gateway, "REST", issuer.token("rsa", "RS256")).status_code == 401


async def test_a_key_that_is_none_stops_the_start_and_is_named() -> None:
    chosen: dict[str, Any] = {"jwt_issuer": "https://issuer.example", "jwt_audience": AUDIENCE, "jwt_public_key": "x"}
    configure("info", logged := io.StringIO())
    with pytest.raises(ValueError, match="public key"):
        async with outside_issuers(Settings(_env_file=None, **chosen)):
            pass
    assert "GATEWAY_JWT_PUBLIC_KEY" in logged.getvalue()


def test_c122_no_token_and_no_part_of_one_is_in_the_logs(
    start_gateway: StartGateway, issuer: IssuerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", errors := io.StringIO())
    gateway = start_gateway(jwt_issuer=issuer.url, jwt_audience=AUDIENCE, log_level="debug")
    tokens = [
        issuer.token(sub="canary@example.com", client_id="canary-client"),
        issuer.token(sub="canary@example.com", aud="canary-audience"),
        issuer.token("ed25519-canary", sub="canary@example.com"),
    ]
    statuses = [ask(gateway, door, token).status_code for token in tokens for door in DOORS]
    issuer.answers["*"] = Answer(500)
    statuses.append(ask(gateway, "REST", issuer.token("ed25519-canary2")).status_code)
    assert statuses == [200, 200, 401, 401, 401, 401, 503]
    logged = errors.getvalue()
    assert '"reason":"aud"' in logged
    assert "An issuer's keys cannot be read" in logged
    for secret in ("canary", *(part for token in tokens for part in token.split("."))):
        assert secret not in logged
