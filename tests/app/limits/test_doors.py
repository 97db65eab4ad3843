"""Limits at the doors of a running gateway."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from storage.documents import new_id
from storage.keys import NewKey, new_secret
from storage.store import StoreOptions, open_store
from tests.app.limits.structured import read_list
from tests.commands import serving
from tests.conftest import StartGateway
from tests.harness import make_key

CUSTOMERS = "/api/v1/customers"
VIEWER = "{ viewer { id } }"


def test_both_doors_spend_one_budget_and_show_it(start_gateway: StartGateway) -> None:
    gateway = start_gateway(rate_limit="10/hour")
    left = [
        gateway.http.get(CUSTOMERS).headers["RateLimit"],
        gateway.http.head(CUSTOMERS).headers["RateLimit"],
        gateway.http.post("/graphql", json={"query": VIEWER}).headers["RateLimit"],
        gateway.http.get(CUSTOMERS, params={"nosuch": "1"}).headers["RateLimit"],
        gateway.http.get(CUSTOMERS, params={"explain": "true"}).headers["RateLimit"],
    ]
    assert [read_list(one)[0][1]["r"] for one in left] == [9, 8, 7, 6, 5]
    assert gateway.http.options(CUSTOMERS).status_code == 204
    assert gateway.http.get("/health/live").status_code == 200


def test_an_explanation_costs_the_same_however_it_is_asked_for(start_gateway: StartGateway) -> None:
    gateway = start_gateway(rate_limit="100/hour")
    left = [
        gateway.http.get(CUSTOMERS, params={"explain": "true"}).headers["RateLimit"],
        gateway.http.post(f"{CUSTOMERS}:search", json={"explain": True}).headers["RateLimit"],
        gateway.http.post("/graphql", json={"query": "{ explainCustomers { returned } }"}).headers["RateLimit"],
        gateway.http.post(f"{CUSTOMERS}:search", json={"explain": False}).headers["RateLimit"],
    ]
    assert [read_list(one)[0][1]["r"] for one in left] == [90, 80, 70, 69]


@pytest.mark.parametrize("door", ["rest", "graphql"])
def test_c045_over_the_limit_both_doors_say_429_and_when(start_gateway: StartGateway, door: str) -> None:
    gateway = start_gateway(rate_limit="2/hour")

    def ask() -> httpx2.Response:
        if door == "rest":
            return gateway.http.get(CUSTOMERS)
        return gateway.http.post("/graphql", json={"query": VIEWER})

    assert [ask().status_code for _ in range(3)] == [200, 200, 429]
    refused = ask()
    assert read_list(refused.headers["RateLimit"])[0][1] == {"r": 0, "t": int(refused.headers["Retry-After"])}


def test_the_daily_quota_holds_beside_the_rate_limit(start_gateway: StartGateway) -> None:
    gateway = start_gateway(rate_limit="1000/hour", daily_quota=5)
    answers = [gateway.http.get(CUSTOMERS) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[5].json()["type"].endswith("/problems/quota-exhausted")
    assert [name for name, _ in read_list(answers[0].headers["RateLimit-Policy"])] == ["daily", "caller"]


def test_c054_the_eleventh_bad_key_is_429_and_who_was_good_lately_goes_on(start_gateway: StartGateway) -> None:
    gateway = start_gateway(rate_limit="1000/hour")
    assert gateway.http.get(CUSTOMERS).status_code == 200
    with gateway.client() as client:
        bad = [client.get(CUSTOMERS, headers={"X-API-Key": new_secret("cgw_")}) for _ in range(12)]
        tokens = client.post("/oauth/token", data={"grant_type": "client_credentials"})
    assert [answer.status_code for answer in bad] == [401] * 10 + [429] * 2
    assert (tokens.status_code, read_list(bad[11].headers["RateLimit"])[0][0]) == (429, "failed-credentials")
    assert gateway.http.get(CUSTOMERS).status_code == 200
    with gateway.with_scopes("customers:read") as stranger:
        assert stranger.get(CUSTOMERS).status_code == 429


def test_c054_every_kind_of_bad_credentials_counts(start_gateway: StartGateway) -> None:
    gateway = start_gateway(rate_limit="1000/hour")
    basic = base64.b64encode(f"client_x:{new_secret('cgs_')}".encode()).decode()
    bad = ({"X-API-Key": "no"}, {"Authorization": f"Basic {basic}"}, {"Authorization": "Bearer a.b.c"})
    with gateway.client() as client:
        rest = [client.get(CUSTOMERS, headers=bad[number % 3]).status_code for number in range(5)]
        graphql = [
            client.post("/graphql", json={"query": VIEWER}, headers=bad[number % 3]).status_code for number in range(5)
        ]
        tokens = client.post("/oauth/token", data={"grant_type": "client_credentials", "client_id": "x"})
    assert (rest, graphql, tokens.status_code) == ([401] * 5, [401] * 5, 429)


def test_c051_graphql_is_charged_by_cost_and_the_viewer_shows_what_is_left(start_gateway: StartGateway) -> None:
    gateway = start_gateway(rate_limit="100/hour")
    page = "{ customers(first: 100) { nodes { id addresses { city } } } viewer { quota { name limit left window } } }"
    answer = gateway.graphql(page)
    cost = answer["extensions"]["cost"]
    assert (cost["requested"], cost["units"], cost["left"], cost["restoreRate"]) == (607, 7, 93, 0.0278)
    assert answer["data"]["viewer"]["quota"] == [{"name": "caller", "limit": 100, "left": 93, "window": 3600}]
    twenty = " ".join(f"a{number}: viewer {{ id }}" for number in range(15))
    assert gateway.graphql(f"{{ {twenty} }}")["extensions"]["cost"]["left"] == 78
    rest = gateway.http.get("/api/v1/viewer").json()["quota"]
    assert [(one["name"], one["left"]) for one in rest] == [("caller", 77)]


def test_c084_what_costs_more_than_the_whole_limit_is_refused_whatever_is_left(start_gateway: StartGateway) -> None:
    gateway = start_gateway(rate_limit="5/hour")
    refused = gateway.http.post("/graphql", json={"query": "{ customers(first: 100) { nodes { addresses { id } } } }"})
    assert refused.status_code == 429
    extensions = refused.json()["errors"][0]["extensions"]
    assert (extensions["cost"], extensions["limit"]) == (7, 5)
    assert "Retry-After" not in refused.headers


def test_what_costs_more_than_a_day_s_quota_is_told_that_it_is_the_quota(start_gateway: StartGateway) -> None:
    gateway = start_gateway(rate_limit="1000/hour", daily_quota=5)
    refused = gateway.http.get(CUSTOMERS, params={"explain": "true"})
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (429, "quota-exhausted")
    assert (refused.json()["cost"], refused.json()["limit"]) == (10, 5)
    assert "Retry-After" not in refused.headers


def test_c045_after_retry_after_a_batch_passes_whose_price_is_known_once_it_is_read(
    start_gateway: StartGateway,
) -> None:
    """Both units of two are spent when a batch of two is read: two must be free again, which takes longer than one."""
    gateway = start_gateway(rate_limit="2/hour")
    assert gateway.http.get(CUSTOMERS).status_code == 200
    batch = {"operations": [{"op": "delete", "id": new_id()} for _ in range(2)], "atomic": False}
    refused = gateway.http.post(f"{CUSTOMERS}:batch", json=batch)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 1.4 * 3600


def test_a_key_and_its_token_spend_one_budget(start_gateway: StartGateway) -> None:
    gateway = start_gateway(rate_limit="10/hour")

    async def made() -> NewKey:
        async with open_store(StoreOptions(gateway.store_url, gateway.database)) as store:
            return await store.keys.create("own", ("customers:read",), datetime.now(UTC), None, rate_limit="20/hour")

    key = asyncio.run(made())
    with gateway.client() as client:
        form = {"grant_type": "client_credentials"}
        token = client.post("/oauth/token", data=form, auth=(key.record.clientId, key.client_secret)).json()
        by_key = client.get(CUSTOMERS, headers={"X-API-Key": key.key})
        by_token = client.get(CUSTOMERS, headers={"Authorization": f"Bearer {token['access_token']}"})
    assert [read_list(one.headers["RateLimit"])[0][1]["r"] for one in (by_key, by_token)] == [18, 17]


def test_c050_public_pages_are_limited_by_address_and_health_is_not(start_gateway: StartGateway) -> None:
    gateway = start_gateway(rate_limit="3/hour")
    with gateway.client() as client:
        pages = [client.get(path).status_code for path in ("/openapi.json", "/.well-known/jwks.json", "/problems")]
        assert (pages, client.get("/schemas/customer.json").status_code) == ([200] * 3, 429)
        assert [client.get(f"/health/{name}").status_code for name in ("live", "ready")] == [200, 200]


def test_c050_without_credentials_the_address_spends(start_gateway: StartGateway) -> None:
    gateway = start_gateway(rate_limit="3/hour")
    with gateway.client() as client:
        answers = [client.get(CUSTOMERS) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert answers[0].headers["RateLimit-Policy"] == '"address";q=3;w=3600'
    assert gateway.http.get(CUSTOMERS).headers["RateLimit"].startswith('"caller";r=2;')


_CLIENT = """
import asyncio, sys
import httpx2

async def one(client, number):
    return (await client.get("/api/v1/viewer", headers={"X-Forwarded-For": f"192.0.2.{number % 256}"})).status_code

async def main(url, **headers):
    limits = httpx2.Limits(max_connections=20, max_keepalive_connections=0)
    async with httpx2.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=60) as client:
        return await asyncio.gather(*(one(client, number) for number in range(1000)))

url, key = sys.argv[1:]
for headers in ({"X-API-Key": key}, {}):
    found = asyncio.run(main(url, **headers))
    print(*(found.count(status) for status in (200, 401, 429)))
"""


def test_c052_two_workers_keep_one_limit_whatever_addresses_are_claimed(
    tmp_path: Path, mongod_url: str, database: str
) -> None:
    """At ten times the limit, over new connections, so that both of them answer."""
    key = make_key(mongod_url, database)
    with (
        serving(
            tmp_path, "--workers", "2", rate_limit="100/hour", mongodb_url=mongod_url, mongodb_database=database
        ) as server,
        server.client() as client,
    ):
        url = str(client.base_url)
        done = subprocess.run([sys.executable, "-c", _CLIENT, url, key], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["100 0 900", "0 100 900"]
