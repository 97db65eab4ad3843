"""Requests that a page of another site sends through a browser change nothing, whatever credentials it adds.

A number in a name is that of the statement that the test is about.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx2
import pytest
from pydantic import ValidationError

from app.settings import Settings
from resolvers.context import ALL_SCOPES
from storage.store import StoreOptions, open_store
from tests import factories
from tests.conftest import StartGateway
from tests.harness import Gateway
from tests.wire import exchange

CUSTOMERS = "/api/v1/customers"
VIEWER = {"query": "{ viewer { name } }"}
OWN = "http://gateway.example:8000"
HOST = {"Host": "gateway.example:8000"}
LISTED = "https://app.example.com"
EVIL = "https://evil.example"
Ask = Callable[[httpx2.Client, dict[str, str]], httpx2.Response]


def by_rest(client: httpx2.Client, headers: dict[str, str]) -> httpx2.Response:
    return client.post(CUSTOMERS, json=factories.customer(), params={"dryRun": "true"}, headers=headers)


def by_graphql(client: httpx2.Client, headers: dict[str, str]) -> httpx2.Response:
    return client.post("/graphql", json=VIEWER, headers=headers)


DOORS = pytest.mark.parametrize("ask", [by_rest, by_graphql])


@cache
def basic(gateway_url: str, store_url: str, database: str) -> str:
    """What a browser remembers and adds by itself."""

    async def make() -> str:
        async with open_store(StoreOptions(store_url, database)) as store:
            made = await store.keys.create("browser", ALL_SCOPES, datetime.now(UTC), None)
            return f"{made.record.clientId}:{made.client_secret}"

    return "Basic " + base64.b64encode(asyncio.run(make()).encode()).decode()


def browser(gateway: Gateway) -> httpx2.Client:
    """A client that sends Basic credentials with everything."""
    return gateway.client(Authorization=basic(gateway.url, gateway.store_url, gateway.database))


def is_refused(response: httpx2.Response) -> bool:
    """Tell whether the origin was refused; anything else must have been answered well."""
    if response.status_code == 200:
        return False
    problem: dict[str, Any] = response.json()
    if "errors" in problem:
        problem = problem["errors"][0]["extensions"]
    assert (response.status_code, problem["type"].rpartition("/")[2]) == (403, "origin-refused")
    assert "WWW-Authenticate" not in response.headers
    return True


LET_IN: dict[str, dict[str, str]] = {
    "no browser": {},
    "no browser behind a proxy": {"X-Forwarded-Host": "evil.example"},
    "own page": {"Sec-Fetch-Site": "same-origin", "Origin": OWN},
    "own page without Origin": {"Sec-Fetch-Site": "same-origin"},
    "typed by the user": {"Sec-Fetch-Site": "none"},
    "own page, elder browser": {"Origin": OWN},
    "own page by HTTPS at a proxy, elder browser": {"Origin": OWN.replace("http", "https")},
}
REFUSED: dict[str, dict[str, str]] = {
    "page of another site": {"Sec-Fetch-Site": "cross-site", "Origin": EVIL},
    "page of another site without Origin": {"Sec-Fetch-Site": "cross-site"},
    "page of a sister domain": {"Sec-Fetch-Site": "same-site", "Origin": "http://other.example:8000"},
    "another site with our Origin": {"Sec-Fetch-Site": "cross-site", "Origin": OWN},
    "empty Sec-Fetch-Site": {"Sec-Fetch-Site": ""},
    "unknown Sec-Fetch-Site": {"Sec-Fetch-Site": "own"},
    "Sec-Fetch-Site in capitals": {"Sec-Fetch-Site": "Same-Origin"},
    "two values in one": {"Sec-Fetch-Site": "same-origin, cross-site"},
    "sandboxed frame": {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    "another site, elder browser": {"Origin": EVIL},
    "sandboxed frame, elder browser": {"Origin": "null"},
    "empty Origin": {"Origin": ""},
    "another port": {"Origin": "http://gateway.example:9000"},
    "no port": {"Origin": "http://gateway.example"},
    "longer host": {"Origin": "http://gateway.example:80000"},
    "host within": {"Origin": "http://gateway.example:8000.evil.example"},
    "host before": {"Origin": "http://evil.gateway.example:8000"},
    "with a path": {"Origin": f"{OWN}/"},
    "with a query": {"Origin": f"{OWN}?"},
    "with a user": {"Origin": "http://x@gateway.example:8000"},
    "without a scheme": {"Origin": "gateway.example:8000"},
    "scheme alone": {"Origin": "http://"},
    "two of them": {"Origin": f"{OWN} {EVIL}"},
    "two with a comma": {"Origin": f"{EVIL}, {OWN}"},
    "in capitals": {"Origin": OWN.upper()},
    "open bracket": {"Origin": "http://["},
    "no IPv6 address": {"Origin": "http://[:::::]"},
    "no ASCII": {"Origin": "http://gäteway.example:8000"},
    "looks alike": {"Origin": "http://gateway\xad.example:8000"},
    "8,000 characters": {"Origin": "http://" + "a" * 8000},
    "a list of ours": {"Origin": f"{LISTED}.evil.example"},
}


def raw(headers: dict[str, str]) -> Any:
    """Return headers as they stand on the wire, in Latin-1."""
    return [(name.encode(), value.encode("latin-1")) for name, value in (HOST | headers).items()]


@DOORS
@pytest.mark.parametrize("case", LET_IN)
def test_what_no_other_site_sends_is_let_in(case: str, ask: Ask, gateway: Gateway) -> None:
    with browser(gateway) as client:
        assert not is_refused(ask(client, raw(LET_IN[case])))


@DOORS
@pytest.mark.parametrize("case", REFUSED)
def test_what_another_site_may_have_sent_is_refused(case: str, ask: Ask, gateway: Gateway) -> None:
    with browser(gateway) as client:
        assert is_refused(ask(client, raw(REFUSED[case])))


@DOORS
def test_it_is_refused_with_any_credentials_and_before_they_are_looked_at(ask: Ask, gateway: Gateway) -> None:
    for credentials in ({}, {"X-API-Key": gateway.key}, {"X-API-Key": "wrong"}):
        with gateway.client(**credentials) as client:
            assert is_refused(ask(client, {"Sec-Fetch-Site": "cross-site"}))


def test_no_forged_change_reaches_the_store(gateway: Gateway) -> None:
    customer, tag = gateway.created()
    url = f"{CUSTOMERS}/{customer['id']}"
    forged = {"Sec-Fetch-Site": "cross-site", "Origin": EVIL, "If-Match": "*"}
    erase = {"query": f'mutation {{ deleteCustomer(id: "{customer["id"]}") {{ id }} }}'}
    with browser(gateway) as client:
        answers = [
            client.delete(url, headers=forged),
            client.put(url, json=factories.customer(), headers=forged),
            client.patch(url, json={"lastName": "Forged"}, headers=forged),
            client.post(f"{url}/addresses", json=factories.address(), headers=forged),
            client.post("/graphql", json=erase, headers=forged),
            client.post("/customers", json=factories.customer(), headers=forged),
            client.post(f"{CUSTOMERS}:search", json={}, headers=forged),
        ]
    assert all(map(is_refused, answers))
    assert gateway.http.get(url).headers["ETag"] == tag


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_c079_what_a_form_can_send_is_read_by_neither_door(kind: str, gateway: Gateway) -> None:
    with browser(gateway) as client:
        for url in (CUSTOMERS, "/graphql"):
            assert client.post(url, content='{"query": "{a}"}', headers={"Content-Type": kind}).status_code == 415


def test_reading_is_let_in_because_it_changes_nothing(gateway: Gateway) -> None:
    forged = {"Sec-Fetch-Site": "cross-site", "Origin": EVIL}
    with browser(gateway) as client:
        for url in (f"{CUSTOMERS}?size=1", "/graphql?query={viewer{name}}"):
            response = client.get(url, headers=forged)
            assert response.status_code == 200
            assert "access-control-allow-origin" not in response.headers
            assert client.head(url, headers=forged).status_code == 200
        mutation = 'mutation{deleteCustomer(id:"x"){id}}'
        assert client.get("/graphql", params={"query": mutation}, headers=forged).status_code == 405


@DOORS
def test_c126_a_listed_origin_is_let_in_and_no_other(ask: Ask, start_gateway: StartGateway) -> None:
    gateway = start_gateway(cors_origins=f"{LISTED}, capacitor://localhost")
    with browser(gateway) as client:
        for origin in (LISTED, "capacitor://localhost"):
            response = ask(client, {"Origin": origin, "Sec-Fetch-Site": "cross-site"})
            assert not is_refused(response)
            assert response.headers["Access-Control-Allow-Origin"] == origin
            assert "access-control-allow-credentials" not in response.headers
            assert not is_refused(ask(client, {"Origin": origin}))
        for origin in (
            EVIL,
            f"{LISTED}:443",
            f"{LISTED}/",
            LISTED.replace("https", "http"),
            "null",
            "*",
            LISTED.upper(),
        ):
            assert is_refused(ask(client, {"Origin": origin, "Sec-Fetch-Site": "cross-site"}))
            assert is_refused(ask(client, {"Origin": origin}))


@pytest.mark.parametrize(
    ("query", "headers", "status"), [("?q=" + "a" * 2000, {}, 414), ("", {"X-Much": "a" * 17_000}, 431)]
)
def test_what_is_refused_by_its_head_can_be_read_by_pages_of_listed_origins_and_of_no_other(
    start_gateway: StartGateway, query: str, headers: dict[str, str], status: int
) -> None:
    gateway = start_gateway(cors_origins=LISTED)
    told, hidden = (
        gateway.http.get(f"{CUSTOMERS}{query}", headers={"Origin": origin, **headers}) for origin in (LISTED, EVIL)
    )
    assert (told.status_code, hidden.status_code) == (status, status)
    assert told.headers["Access-Control-Allow-Origin"] == LISTED
    assert "X-Request-Id" in told.headers["Access-Control-Expose-Headers"]
    assert "access-control-allow-origin" not in hidden.headers
    assert all("Origin" in answer.headers["Vary"].split(", ") for answer in (told, hidden))
    preflight = {"Origin": LISTED, "Access-Control-Request-Method": "GET", **headers}
    assert gateway.http.options(f"{CUSTOMERS}{query}", headers=preflight).status_code == 200


@DOORS
@pytest.mark.parametrize(
    "public", ["https://shop.example", "https://shop.example:8443", "https://shop.example/gateway", "http://[::1]:80"]
)
def test_behind_a_proxy_that_changes_host_the_public_address_is_our_own(
    public: str, ask: Ask, start_gateway: StartGateway
) -> None:
    gateway = start_gateway(public_url=public)
    own = "/".join(public.split("/")[:3])
    with browser(gateway) as client:
        assert not is_refused(ask(client, {"Host": "10.0.0.7:8000", "Origin": own}))
        assert not is_refused(ask(client, {"Host": "10.0.0.7:8000", "Origin": "http://10.0.0.7:8000"}))
        for origin in (EVIL, f"{own}0", f"{own}.evil.example", "null", f"{own}/gateway"):
            assert is_refused(ask(client, {"Host": "10.0.0.7:8000", "Origin": origin}))
        forwarded = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "Origin": EVIL}
        assert is_refused(ask(client, forwarded))


@pytest.mark.parametrize("host", ["[", "[:::::]", "]", "a b", "http://gateway", "a" * 300, ""])
def test_an_odd_host_is_no_error_of_ours_and_no_origin_matches_it(host: str, gateway: Gateway) -> None:
    head = f"POST /graphql HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {gateway.key}\r\nContent-Length: 0\r\n"
    for origin in (EVIL, "null", "http://", "http://["):
        sent = f"{head}Connection: close\r\nOrigin: {origin}\r\n\r\n"
        (answer,) = exchange(gateway.url, sent.encode())
        assert answer.status in {400, 415 if host and origin == f"http://{host}" else 403}


@pytest.mark.parametrize(
    "listed", ["*", "null", "https://app.example.com/", "https://APP.example.com", "app.example.com", "https://*.a.com"]
)
def test_a_list_that_lets_in_anybody_or_nobody_is_refused_at_the_start(listed: str) -> None:
    with pytest.raises(ValidationError, match="small letters and without a path"):
        Settings(_env_file=None, cors_origins=f"{LISTED},{listed}")


@pytest.mark.parametrize("host", ["evil.example:8000", "127.0.0.1.evil.example", "evil.example", "[", ""])
def test_a_name_of_another_site_that_leads_here_does_not_get_the_demo_key(host: str, gateway: Gateway) -> None:
    request = f"GET /graphql HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
    (page,) = exchange(gateway.url, request.encode())
    assert page.status in {200, 400}
    assert gateway.key.encode() not in page.body


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "localhost", "[::1]:8000", "[::1]"])
def test_the_pages_of_this_machine_have_the_demo_key(host: str, gateway: Gateway) -> None:
    for path in ("/", "/docs", "/graphql"):
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
        (page,) = exchange(gateway.url, request.encode())
        assert page.status == 200
        assert gateway.key.encode() in page.body
