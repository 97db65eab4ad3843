"""The gateway's own tokens, from the address that issues them to both doors."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import httpx2

from app.auth import credentials, issuer, key_ring, tokens
from app.auth.standing import CHECK_SECONDS
from storage.keys import KeyId
from storage.store import Store, StoreOptions, open_store
from tests.commands import until
from tests.conftest import StartGateway
from tests.harness import Gateway

SCOPES = ("customers:read", "customers:write")


def new_client(gateway: Gateway) -> tuple[str, str, str]:
    """Make an API key and return its id, its client id and its secret."""

    async def run() -> tuple[str, str, str]:
        async with open_store(StoreOptions(gateway.store_url, gateway.database)) as store:
            made = await store.keys.create("robot", SCOPES, datetime.now(UTC), None)
            return made.record.id, made.record.clientId, made.client_secret

    return asyncio.run(run())


def token(gateway: Gateway, client: str, secret: str, **form: str) -> str:
    """Return a token for a client."""
    asked = {"grant_type": "client_credentials", **form}
    response = httpx2.post(f"{gateway.url}/oauth/token", data=asked, auth=(client, secret))
    assert response.status_code == 200, response.text
    return str(response.json()["access_token"])


def test_a_token_stands_for_its_api_key_at_both_doors(gateway: Gateway) -> None:
    key_id, client, secret = new_client(gateway)
    with gateway.client(Authorization=f"Bearer {token(gateway, client, secret)}") as http:
        viewer = http.get("/api/v1/viewer").json()
        asked = http.post("/graphql", json={"query": "{ viewer { id scopes } }"}).json()["data"]["viewer"]
    assert (viewer["id"], viewer["scopes"]) == (key_id, list(SCOPES))
    assert asked == {"id": key_id, "scopes": list(SCOPES)}


def test_c062_a_narrower_token_may_less_than_its_key(gateway: Gateway) -> None:
    _, client, secret = new_client(gateway)
    with gateway.client(Authorization=f"Bearer {token(gateway, client, secret, scope='customers:write')}") as http:
        refused = http.get("/api/v1/customers")
        assert (refused.status_code, refused.json()["scope"]) == (403, "customers:read")
        assert "WWW-Authenticate" not in refused.headers


def test_c066_a_token_ends_within_seconds_of_its_key(gateway: Gateway) -> None:
    key_id, client, secret = new_client(gateway)

    async def revoke(store: Store) -> None:
        await store.keys.revoke(KeyId(key_id), datetime.now(UTC))

    async def run() -> None:
        async with open_store(StoreOptions(gateway.store_url, gateway.database)) as store:
            await revoke(store)

    with gateway.client(Authorization=f"Bearer {token(gateway, client, secret)}") as http:
        assert http.get("/api/v1/viewer").status_code == 200
        asyncio.run(run())
        until(lambda: http.get("/api/v1/viewer").status_code == 401, 5, "the end of the token")
        ended = http.get("/api/v1/viewer")
        assert 'error="invalid_token"' in ended.headers["WWW-Authenticate"]


def test_own_tokens_work_beside_an_outside_issuer_that_is_away(start_gateway: StartGateway) -> None:
    beside = start_gateway(jwt_issuer="http://127.0.0.1:9", jwt_audience="crm")
    _, client, secret = new_client(beside)
    with beside.client(Authorization=f"Bearer {token(beside, client, secret)}") as http:
        assert http.get("/api/v1/viewer").status_code == 200


def test_c066_what_is_remembered_of_what_has_ended_is_forgotten_with_a_second_to_spare() -> None:
    """A token of a dropped signing key may be verified by a ring that is still remembered, and be remembered then."""
    key, owner = credentials.REMEMBERED_SECONDS, issuer.REMEMBERED_SECONDS
    dropped = key_ring.REMEMBERED_SECONDS + tokens.REMEMBERED_SECONDS
    assert max(key + CHECK_SECONDS, owner + CHECK_SECONDS, dropped) <= 5 - 1
