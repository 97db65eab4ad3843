"""Who a request is from where proxies stand before the gateway: only those that are trusted may say."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from app.cli.server import _options
from app.settings import Settings
from tests.commands import serving

Seen = tuple[str, str]


def seen(trusted: str, peer: str, *headers: tuple[bytes, bytes]) -> Seen:
    """Return which client and scheme the application sees, behind what `gateway serve` puts before it."""
    found: list[Seen] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found.append((scope["client"][0], scope["scheme"]))

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        raise AssertionError

    settings = Settings(_env_file=None, trusted_proxies=trusted or ())
    config = uvicorn.Config(app, **_options(settings))
    config.load()
    scope: dict[str, Any] = {"type": "http", "client": (peer, 50000), "scheme": "http", "headers": list(headers)}
    asyncio.run(config.loaded_app(scope, receive, send))
    return found[0]


def forwarded(text: str) -> tuple[bytes, bytes]:
    return b"x-forwarded-for", text.encode("latin-1")


HTTPS = (b"x-forwarded-proto", b"https")
PROXY = "10.0.0.7"


@pytest.mark.parametrize("trusted", ["", "10.0.0.0/8", "10.0.0.7,10.0.0.8"])
@pytest.mark.parametrize("peer", ["203.0.113.9", "127.0.0.1", "::1"])
def test_c052_what_an_untrusted_peer_says_of_itself_changes_nothing(trusted: str, peer: str) -> None:
    assert seen(trusted, peer, forwarded("198.51.100.1"), HTTPS) == (peer, "http")


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("198.51.100.1, 203.0.113.5", "203.0.113.5"),
        ("198.51.100.1, 203.0.113.5, 10.1.1.1", "203.0.113.5"),
        ("198.51.100.1,10.1.1.1,10.2.2.2", "198.51.100.1"),
        ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("evil, 203.0.113.5", "203.0.113.5"),
        ("203.0.113.5:4711", "203.0.113.5"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:4711, 10.1.1.1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("", PROXY),
    ],
)
def test_c052_from_a_trusted_proxy_the_last_address_that_is_not_a_proxy_counts(said: str, client: str) -> None:
    assert seen("10.0.0.0/8", PROXY, forwarded(said), HTTPS) == (client, "https")


def test_c052_several_headers_are_one_list() -> None:
    assert seen("10.0.0.0/8", PROXY, forwarded("198.51.100.1"), forwarded("203.0.113.5, 10.1.1.1"))[0] == "203.0.113.5"


@pytest.mark.parametrize("said", [b"", b"ftp", b"HTTPS://", b"https, http", b"\xff", b"javascript"])
def test_only_a_scheme_of_http_is_taken_even_from_a_trusted_proxy(said: bytes) -> None:
    assert seen("10.0.0.0/8", PROXY, (b"x-forwarded-proto", said)) == (PROXY, "http")


@given(st.text(st.characters(max_codepoint=255, exclude_characters="\0\r\n")))
def test_c010_nothing_in_forwarded_headers_breaks_anything(text: str) -> None:
    client, scheme = seen("10.0.0.0/8", PROXY, forwarded(text), (b"x-forwarded-proto", text.encode("latin-1")))
    assert isinstance(client, str)
    assert scheme in {"http", "https", "ws", "wss"}


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory, mongod_url: str) -> Iterator[httpx2.Client]:
    """A client of a gateway that trusts this machine as a proxy."""
    store: dict[str, Any] = {"mongodb_url": mongod_url, "mongodb_database": f"test_{uuid.uuid4().hex[:16]}"}
    with (
        serving(tmp_path_factory.mktemp("trusting"), trusted_proxies="127.0.0.1", **store) as server,
        server.client() as client,
    ):
        yield client


JUNK = [
    "evil",
    ",,,",
    ", ,x",
    "[",
    "[::1",
    "[]:x",
    "1.2.3.4:99999999999999999999",
    "1.2.3.4:-1",
    ":",
    "unknown",
    "é",
    "a" * 4000,
]


@pytest.mark.parametrize("said", JUNK, ids=lambda said: said[:12])
def test_c010_junk_in_forwarded_headers_is_no_internal_error(trusting: httpx2.Client, said: str) -> None:
    headers = [(b"X-Forwarded-For", said.encode("latin-1")), (b"X-Forwarded-Proto", said.encode("latin-1"))]
    answer = trusting.get("/api/v1/viewer", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["type"].startswith("http://")
