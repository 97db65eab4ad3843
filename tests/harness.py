"""A real gateway for tests: uvicorn on a free port of 127.0.0.1, over a real mongod."""

from __future__ import annotations

import asyncio
import gc
import io
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import jsonschema
import uvicorn
from jsonschema import Draft202012Validator, FormatChecker

from app.graphql.conversation import MAX_MESSAGE
from app.guide import FOLDER
from app.http.sockets import SocketProtocol
from app.http.wire import GatewayProtocol
from app.main import create_app
from app.settings import Settings
from resolvers.context import ALL_SCOPES
from resolvers.deprecation import DEPRECATIONS, Deprecations
from storage.keys import NewKey
from storage.schema import customer_schema
from storage.store import StoreOptions, open_store
from tests import factories

_VALIDATOR = Draft202012Validator(customer_schema(), format_checker=FormatChecker())
_TLS = ssl.create_default_context()
"""Shared by all clients: each would else read the machine's certificates anew, for half the time of a small test."""
VALIDATED: list[str] = []
"""The ids of all full customers that were held against the Customer JSON Schema."""


def check_customer(body: dict[str, Any]) -> dict[str, Any]:
    """Assert that a full customer follows the Customer JSON Schema, and return it."""
    try:
        _VALIDATOR.validate(body)
    except jsonschema.ValidationError as error:
        raise AssertionError(f"not a Customer: {error.message}") from error
    VALIDATED.append(body["id"])
    return body


def _hold_against_schema(response: httpx2.Response) -> None:
    """Check every full customer in any answer of REST."""
    kind = response.headers.get("content-type", "")
    if "json" not in kind or "ndjson" in kind or response.is_error or "fields=" in str(response.url):
        return
    response.read()
    for candidate in _customers_in(response.json() if response.content else None):
        check_customer(candidate)


def _customers_in(body: Any) -> Iterator[dict[str, Any]]:
    if isinstance(body, dict) and "openapi" not in body and "$defs" not in body and "data" not in body:
        if "firstName" in body:
            yield body
        for value in (body.get("customer"), *body.get("content", ()), *body.get("customers", ())):
            if isinstance(value, dict) and "firstName" in value:
                yield value


@dataclass
class Gateway:
    """A running gateway and a client with a key of all scopes."""

    url: str
    key: str
    store_url: str
    database: str
    http: httpx2.Client
    stop: Callable[[], None] = lambda: None
    """Tells the server to stop, as SIGTERM does; the end of the block waits for it."""
    log: io.StringIO = field(default_factory=io.StringIO)

    def client(self, **headers: str) -> httpx2.Client:
        """Return another client, with just these headers."""
        hooks: dict[str, Any] = {"response": [_hold_against_schema]}
        return httpx2.Client(base_url=self.url, headers=headers, event_hooks=hooks, timeout=30, verify=_TLS)

    def with_scopes(self, *scopes: str) -> httpx2.Client:
        """Return a client with a new key of these scopes."""
        return self.client(**{"X-API-Key": make_key(self.store_url, self.database, scopes)})

    def create(self, **changes: Any) -> dict[str, Any]:
        """Create a customer over REST and return it."""
        return self.created(**changes)[0]

    def created(self, **changes: Any) -> tuple[dict[str, Any], str]:
        """Create a customer over REST and return it with its ETag."""
        response = self.http.post("/api/v1/customers", json=factories.customer(**changes))
        assert response.status_code == 201, response.text
        return response.json(), response.headers["ETag"]

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """Ask GraphQL and return the whole answer."""
        response = self.http.post("/graphql", json={"query": query, "variables": variables})
        answer: dict[str, Any] = response.json()
        return answer

    def data(self, query: str, **variables: Any) -> dict[str, Any]:
        """Ask GraphQL and return the data of an answer without errors."""
        answer = self.graphql(query, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data


def make_key(url: str, database: str, scopes: tuple[str, ...] = ALL_SCOPES) -> str:
    """Make an API key in a database."""
    return make_new_key(url, database, scopes).key


def make_new_key(url: str, database: str, scopes: tuple[str, ...]) -> NewKey:
    """Make an API key in a database, and return it with its client id and secret."""

    async def make() -> NewKey:
        async with open_store(StoreOptions(url, database)) as store:
            return await store.keys.create("test", scopes, datetime.now(UTC), None)

    return asyncio.run(make())


class Server(uvicorn.Server):
    """uvicorn without signal handlers, so that it runs in a thread."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def running(
    store_url: str,
    database: str,
    *,
    protocol: type[GatewayProtocol] = GatewayProtocol,
    loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
    deprecations: Deprecations = DEPRECATIONS,
    guide: Path = FOLDER,
    **settings: Any,
) -> Iterator[Gateway]:
    """Run a gateway with these settings until the end of the block."""
    key = make_key(store_url, database)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each answer waits 40 ms for an ACK
        port = listener.getsockname()[1]
        fixed = {"mongodb_url": store_url, "mongodb_database": database, "port": port}
        chosen: dict[str, Any] = {**fixed, "rate_limit": "off", **settings}
        app = create_app(Settings(_env_file=None, dev_key=key, dev=True, **chosen), deprecations, guide)
        config = uvicorn.Config(
            app,
            http=protocol,
            ws=SocketProtocol,
            proxy_headers=False,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=20,  # longer than httpx keeps idle connections, so that none ends under a request
            lifespan="on",
            ws_max_size=MAX_MESSAGE,
            ws_per_message_deflate=False,
        )
        server = Server(config)
        url = f"http://127.0.0.1:{port}"
        with in_thread(server, listener, loop):
            gateway = Gateway(url, key, store_url, database, httpx2.Client(verify=_TLS))
            gateway.stop = lambda: setattr(server, "should_exit", True)
            with gateway.client(**{"X-API-Key": key}) as http:
                gateway.http = http
                yield gateway


@contextmanager
def in_thread(
    server: uvicorn.Server, listener: socket.socket, loop: Callable[[], asyncio.AbstractEventLoop]
) -> Iterator[None]:
    """Run a server in a thread, on a loop of its own, until the end of the block."""

    def run() -> None:
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(server.serve([listener]))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        _wait(server, thread)
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=20)


def find_lost_sockets() -> None:
    """Find the sockets that the driver never connected to a store that was gone, rather than in some later test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _wait(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + 30
    while not server.started:
        assert thread.is_alive(), "the gateway did not start"
        assert time.monotonic() < deadline, "the gateway did not start in time"
        time.sleep(0.02)
