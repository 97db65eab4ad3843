"""Traces against a real collector's address: what is sent, in which shape, and that nobody waits for it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests import factories
from tests.commands import until
from tests.conftest import StartGateway

CUSTOMERS = "/api/v1/customers"
ONE = f"{CUSTOMERS}/{{customerId}}"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@dataclass
class Collector:
    """What was sent to an OTLP address over HTTP."""

    url: str
    bodies: list[bytes] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)

    def spans(self) -> list[Span]:
        """Return all spans so far."""
        requests = map(ExportTraceServiceRequest.FromString, list(self.bodies))
        return [
            span
            for one in requests
            for more in one.resource_spans
            for scope in more.scope_spans
            for span in scope.spans
        ]

    def named(self, name: str) -> list[Span]:
        """Return the spans of a name."""
        return [span for span in self.spans() if span.name == name]


@contextmanager
def listening() -> Iterator[Collector]:
    """Run a collector until the end of the block."""
    collector = Collector("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.paths.add(self.path)
            collector.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    collector.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def attributes(span: Span) -> dict[str, Any]:
    """Return a span's attributes as plain values."""
    return {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in span.attributes}


@pytest.mark.parametrize("driver", ["pymongo", "motor"])
def test_c122_each_request_is_a_span_with_its_commands_below_and_nothing_of_anybody(
    start_gateway: StartGateway, capfd: pytest.CaptureFixture[str], driver: str
) -> None:
    with listening() as collector:
        gateway = start_gateway(otel_endpoint=collector.url, mongodb_driver=driver)
        person = factories.customer(firstName="Qanaryfirst", email=f"qanary{factories.customer()['email']}")
        created = gateway.http.post(CUSTOMERS, json=person).json()
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-Id": "mine"}
        assert gateway.http.get(f"{CUSTOMERS}/{created['id']}", headers=headers).status_code == 200
        gateway.graphql("query Qanary($id: ID!) { customer(id: $id) { id } }", id=created["id"])
        gateway.graphql('mutation { deleteCustomer(id: "qanary") { id } }')
        gateway.http.get(f"{CUSTOMERS}?email=qanary@qanary.example")
        gateway.http.get("/qanary")
        gateway.http.request("QANARY", CUSTOMERS)
        until(lambda: len(collector.named("GET")) == 1 and collector.named("GET " + CUSTOMERS), what="the spans")
    _check_read(collector)
    (made,) = collector.named(f"POST {CUSTOMERS}")
    stored = [span for span in collector.spans() if span.parent_span_id == made.span_id]
    assert {"insert customers"} <= {span.name for span in stored}
    types = [attributes(span).get("graphql.operation.type") for span in collector.named("POST /graphql")]
    assert types == ["query", "mutation"]
    assert attributes(collector.named("GET")[0])["http.response.status_code"] == 404
    sent = b"".join(collector.bodies).lower()
    assert all(word.encode() not in sent for word in ("qanary", created["id"], gateway.key.lower(), gateway.key[4:]))
    assert collector.paths == {"/v1/traces"}
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if '"mine"' in line]
    assert [line["traceId"] for line in lines] == [TRACE]


def _check_read(collector: Collector) -> None:
    """Assert that a read continues the caller's trace, and has the store's command below it."""
    (read,) = collector.named(f"GET {ONE}")
    assert (read.trace_id.hex(), read.parent_span_id.hex(), read.kind) == (TRACE, PARENT, Span.SPAN_KIND_SERVER)
    assert attributes(read) == {
        "http.request.method": "GET", "http.route": ONE, "http.response.status_code": 200, "url.scheme": "http",
    }  # fmt: skip
    spans = [span for span in collector.spans() if span.parent_span_id == read.span_id]
    (below,) = [span for span in spans if "customers" in span.name]  # beside it the key may be read
    assert (below.name, below.kind, below.trace_id) == ("find customers", Span.SPAN_KIND_CLIENT, read.trace_id)
    assert attributes(below) == {
        "db.system.name": "mongodb", "db.operation.name": "find", "db.collection.name": "customers",
    }  # fmt: skip
    assert read.start_time_unix_nano <= below.start_time_unix_nano <= below.end_time_unix_nano
    assert read.status.code == Status.STATUS_CODE_UNSET


def test_a_collector_that_is_away_costs_nobody_anything_and_the_end_is_bounded(
    start_gateway: StartGateway, capfd: pytest.CaptureFixture[str]
) -> None:
    gateway = start_gateway(otel_endpoint="http://127.0.0.1:1")
    assert {gateway.http.get(CUSTOMERS).status_code for _ in range(5)} == {200}
    until(lambda: '"logger":"opentelemetry' in _told(capfd), what="the line about it")
    assert "Traceback" not in _told.seen  # type: ignore[attr-defined]
    assert gateway.http.get(CUSTOMERS).status_code == 200


def _told(capfd: pytest.CaptureFixture[str]) -> str:
    """Return all that was written to standard error since the test began."""
    _told.seen = getattr(_told, "seen", "") + capfd.readouterr().err  # type: ignore[attr-defined]
    return str(_told.seen)  # type: ignore[attr-defined]


def test_without_the_setting_nothing_that_makes_or_sends_traces_is_imported() -> None:
    program = (
        "import sys; from app.main import create_app; from app.settings import Settings;"
        "create_app(Settings(mongodb_url='mongodb://127.0.0.1:1', _env_file=None));"
        "made = ('opentelemetry.sdk.trace', 'opentelemetry.exporter', 'app.observe.traces');"
        "print([name for name in sys.modules if name.startswith(made)])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
