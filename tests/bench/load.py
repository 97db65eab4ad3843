"""Load on one server by wrk, and what it cost the server."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from tests.bench.processes import Client, cpu_seconds, family, resident_megabytes

Request = tuple[str, str, str]
"""Method, path and body, `""` for none; every `@@` in a body becomes a word that no other request has."""

_SCRIPT: Final = Path(__file__).with_name("load.lua")
_PROBED: Final = 20
_TOLERANCE: Final = 0.25
"""By which part the mean answer may differ from those seen before: in an answer of GraphQL an error is a 200 too."""
_FIRST_LINE: Final = b"HTTP/1.1 200 OK\r\n"


@dataclass(frozen=True)
class Load:
    """Requests that are sent in turn over so many connections, as fast as they are answered.

    Where their answers are `alike`, of about one size, each run is checked for that.
    """

    connections: int
    requests: Sequence[Request]
    alike: bool = True


@dataclass(frozen=True)
class Sample:
    """What one run told: requests, CPU of the server in µs for each, requests a second, waits in ms, memory in MB."""

    answered: int
    cpu: float
    rate: float
    p50: float
    p99: float
    memory: float


def run(server: Client, load: Load, seconds: float, *, warm_up: float = 1.0) -> Sample:
    """Put a server under load for some seconds, after a while to warm up.

    Raises:
        RuntimeError: an answer was no good one, so there is nothing to compare.
    """
    expected = _probe(server, load)
    with NamedTemporaryFile("w", suffix=".tsv", encoding="utf-8") as file:
        file.writelines("\t".join(request) + "\n" for request in load.requests)
        file.flush()
        if warm_up:
            _wrk(server, load, file.name, warm_up)
        before = _cpu(server)
        told = _wrk(server, load, file.name, seconds)
        used = _cpu(server) - before
    off = abs(told["bytes"] / told["requests"] / expected - 1)
    if told["failed"] or (load.alike and off > _TOLERANCE):
        raise RuntimeError(f"{load.requests[0]}: {told}, but answers of {expected:.0f} bytes were expected")
    memory = max(map(resident_megabytes, family(server.pid)))
    rate = told["requests"] / told["duration"] * 1e6
    cpu = used / told["requests"] * 1e6
    return Sample(told["requests"], cpu, rate, told["p50"] / 1e3, told["p99"] / 1e3, memory)


def _probe(server: Client, load: Load) -> float:
    """Send some of the requests, which must go well; return the mean size of their answers."""
    sizes = []
    for method, path, body in load.requests[:: max(1, len(load.requests) // _PROBED)]:
        head, answer = server.exchange((method, path, body.replace("@@", uuid.uuid4().hex).encode() or None))
        sizes.append(len(_FIRST_LINE) + len(head.as_bytes()) + len(answer))
    return sum(sizes) / len(sizes)


def _cpu(server: Client) -> float:
    return sum(map(cpu_seconds, family(server.pid)))


def _wrk(server: Client, load: Load, file: str, seconds: float) -> dict[str, Any]:
    headers = [word for name, value in server.headers.items() for word in ("-H", f"{name}: {value}")]
    # The least whole second that wrk knows is 1; one thread of it is enough for any server in Python.
    timing = ["-t1", f"-c{load.connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s"]
    words = ["wrk", *timing, *headers, "-s", str(_SCRIPT), server.url, "--", file, uuid.uuid4().hex[:8]]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout.rstrip().rpartition("\n")[2])
    return told
