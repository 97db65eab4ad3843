"""Clients in Python: requests in the legacy dialect, httpx2 over a network that breaks, a client made of OpenAPI."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import StartGateway
from tests.contract.reading import ROOT, add_demo_customers
from tests.harness import Gateway, make_new_key

SAMPLES = ROOT / "docs/samples"
GENERATOR = ROOT / "tests/judges/.venv/bin"


def run(sample: Path, python: Path | str = sys.executable, **environment: str) -> list[str]:
    """Run a program and return the lines that it wrote; it must succeed."""
    env = {**os.environ, **environment, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([str(python), str(sample)], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout.splitlines()


def test_a_legacy_client_finds_changes_and_is_refused_in_its_own_dialect(start_gateway: StartGateway) -> None:
    gateway = start_gateway()
    add_demo_customers(gateway)
    key = make_new_key(gateway.store_url, gateway.database, ("customers:read", "customers:write"))
    lines = run(
        SAMPLES / "legacy.py",
        API_URL=gateway.url,
        CLIENT_ID=key.record.clientId,
        CLIENT_SECRET=key.client_secret,
    )
    *found, refused = lines
    assert found == [
        "in Berlin: Jürgen, Bärbel, Anna, Emil",
        "by filter: ['Emil']",
        "changed: ['id', 'updatedAt'] legacy-1",
    ]
    assert re.fullmatch(
        r"refused: Precondition failed \(1303\): The customer has changed: its version is now 2\. "
        r'The present ETag is "v2-[0-9a-f]{8}"\. What was sent differs in middleName\.',
        refused,
    )


def _message(connection: socket.socket) -> bytes:
    """Return one whole request or answer."""
    connection.settimeout(10)
    read = b""
    while chunk := connection.recv(65536):
        read += chunk
        head, end, body = read.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if end and length and len(body) >= int(length[1]):
            return read
    raise AssertionError("the connection ended within a message")


@contextmanager
def broken_once(gateway: Gateway) -> Iterator[str]:
    """Give an address that leads to a gateway, where the first connection ends before its answer comes through."""
    target = urlsplit(gateway.url)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for turn in range(2):
                client = listener.accept()[0]
                with client, socket.create_connection((target.hostname or "", target.port or 0)) as server:
                    server.sendall(_message(client))
                    answer = _message(server)
                    if turn:
                        client.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(timeout=10)
    assert not thread.is_alive()


def test_a_create_whose_answer_was_lost_is_made_once(start_gateway: StartGateway) -> None:
    gateway = start_gateway()
    with broken_once(gateway) as url:
        lines = run(SAMPLES / "create_once.py", API_URL=url, API_KEY=gateway.key)
    assert lines == ["no answer: RemoteProtocolError", "created: 201 replayed: true"]
    assert gateway.http.get("/api/v1/customers").json()["page"]["totalElements"] == 1


@pytest.fixture
def generated(gateway: Gateway, tmp_path: Path) -> tuple[Path, str]:
    """The sample with the client that was made for it, and what its maker said."""
    if not GENERATOR.is_dir():
        pytest.fail("openapi-python-client is not installed: `make test` does it.")
    (tmp_path / "openapi.json").write_bytes(gateway.http.get("/openapi.json").content)
    command = [str(GENERATOR / "openapi-python-client"), "generate", "--path", "openapi.json", "--meta", "none"]
    made = subprocess.run(
        [*command, "--output-path", "customer_gateway"],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{GENERATOR}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return Path(shutil.copy(SAMPLES / "generated.py", tmp_path)), made.stderr + made.stdout


@pytest.mark.untraced
def test_a_client_made_of_openapi_works(generated: tuple[Path, str], gateway: Gateway) -> None:
    sample, said = generated
    warned = sorted(line for line in said.splitlines() if line.startswith(("WARNING", "ERROR")))
    assert warned == [
        "WARNING parsing GET /api/v1/operations/{operationId}/refused-lines within operations.",
        "WARNING parsing GET /assets/{path} within pages.",
        "WARNING parsing GET /guide/{path} within pages.",
        "WARNING parsing GET /openapi.yaml within gateway.",
        "WARNING parsing POST /api/v1/customers:import within customers. Endpoint will not be generated.",
    ], "its maker leaves out what is no JSON, and nothing else"
    lines = run(sample, GENERATOR / "python", API_URL=gateway.url, API_KEY=gateway.key)
    assert lines == [
        "created: 201 Grace",
        "replaced: Brewster",
        "refused: 412 Precondition failed",
        "changed: Amazing Grace",
        "found: ['Brewster']",
        "erased: 204",
        "gone: 410",
    ]
