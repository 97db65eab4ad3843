"""What slow clients cost the others: `python -m tests.bench.slow`, or `make slow`. It takes about three minutes.

A real `gateway serve` on an embedded mongod in a temporary folder answers eight good clients (wrk) that read one
customer, beside 1,000 connections of slowhttptest that send their heads slowly, then their bodies, or read their
answers slowly. Each ratio is to the phase before, in which the same slow clients hang on another listener: what
they cost the processor is no part of it. Only Linux tells how many files a process holds open, and so for how
long the slow ones were let in. On a machine that does other work the figures mean little.
"""

from __future__ import annotations

import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from tests.bench.processes import Client, fill, gateway, open_files, resident_megabytes, store

CUSTOMERS, GOOD, SLOW, RATE = 1000, 8, 1000, 300
MEASURED_SECONDS, OPEN_SECONDS, CUT_SECONDS, ROUNDS_SECONDS = 4, SLOW / RATE + 1, 25, 75

ATTACKS = {
    "slow heads": ("/api/v1/customers", ["-H"]),
    "slow bodies": ("/api/v1/customers", ["-B", "-s", "100000"]),
    "slow readers": ("/openapi.json", ["-X", "-w", "64", "-y", "128", "-n", "5", "-z", "8"]),
}


@dataclass(frozen=True)
class Load:
    """What good clients got in one phase."""

    rate: float
    p50: float
    p99: float


@dataclass
class Watch:
    """How many connections were open, and when; sampled while it is in use."""

    pid: int
    base: int
    samples: list[tuple[float, int]] = field(default_factory=list)

    def now(self) -> int:
        """Sample once more, and return how many connections are open beyond those of the good clients."""
        more = max(0, open_files(self.pid) - self.base - GOOD)
        self.samples.append((time.monotonic(), more))
        return more

    @property
    def most(self) -> int:
        """The most that were open at once."""
        return max(count for _, count in self.samples)

    def stay(self) -> float:
        """Return for how many seconds half of them were open."""
        half = [moment for moment, count in self.samples if count > self.most / 2]
        return half[-1] - half[0]


@dataclass(frozen=True)
class Phase:
    """One phase beside slow clients, and the one before it, where they were elsewhere."""

    elsewhere: Load
    busy: Load
    opened: int
    left: int
    seconds: float
    megabytes: float


def main() -> None:
    """Measure and print."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that all it started ends
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65536), most))  # the children's too
    with store() as (mongod, _):
        fill(mongod, "slow", CUSTOMERS)
        with gateway(mongod, "slow") as client:
            target = _customer(client)
            _load(client, target)  # to warm up
            before = _state(client)
            phases: dict[str, list[Phase]] = {name: [] for name in ATTACKS}
            begun = time.monotonic()
            while time.monotonic() - begun < ROUNDS_SECONDS:
                for name in ATTACKS:
                    _say(name)
                    phases[name].append(_phase(client, target, name))
            after = _state(client)
    sys.stdout.write(_table(phases))
    sys.stdout.write(f"\nThe gateway at the start: {before}; at the end: {after}.\n")


def _url(client: Client, path: str) -> str:
    return f"http://127.0.0.1:{client.connection.port}{path}"


def _customer(client: Client) -> str:
    body, _ = client.get({"size": "1"})
    return _url(client, f"/api/v1/customers/{body['content'][0]['id']}")


def _state(client: Client) -> str:
    return f"{resident_megabytes(client.pid):.0f} MB, {open_files(client.pid)} files"


def _say(text: str) -> None:
    sys.stderr.write(f"{text} …\n")


def _load(client: Client, target: str) -> Load:
    words = ["wrk", "-t1", f"-c{GOOD}", f"-d{MEASURED_SECONDS}s", "--latency", "--timeout", "10s"]
    key = f"X-API-Key: {client.headers['X-API-Key']}"
    said = subprocess.run([*words, "-H", key, target], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said:
        raise RuntimeError(said)
    return Load(_number(r"Requests/sec:\s+(\S+)", said), _latency("50", said), _latency("99", said))


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(text)
    return float(found[1])


def _latency(percent: str, said: str) -> float:
    """Return a percentile in milliseconds."""
    found = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s)\b", said)
    if found is None:
        raise RuntimeError(said)
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


def _phase(client: Client, target: str, attack: str) -> Phase:
    with socket.create_server(("127.0.0.1", 0), backlog=2 * SLOW) as nobody:
        with _slow(client, attack, nobody.getsockname()[1]):
            time.sleep(OPEN_SECONDS)
            elsewhere = _load(client, target)
    watch = Watch(client.pid, open_files(client.pid))
    with _slow(client, attack, client.connection.port), _sampled(watch):
        time.sleep(OPEN_SECONDS)
        megabytes = resident_megabytes(client.pid)
        busy = _load(client, target)
        _until(lambda: watch.now() < 0.02 * SLOW, CUT_SECONDS)
    return Phase(elsewhere, busy, watch.most, watch.samples[-1][1], watch.stay(), megabytes)


@contextmanager
def _slow(client: Client, attack: str, port: int) -> Iterator[None]:
    path, words = ATTACKS[attack]
    key = f"application/json\r\nX-API-Key: {client.headers['X-API-Key']}"  # slowhttptest has no other way in
    common = ["-c", str(SLOW), "-r", str(RATE), "-i", "3", "-x", "4", "-l", "60", "-p", "10", "-f", key]
    begun = ["nice", "-n", "19", "slowhttptest", *common, *words, "-u", f"http://127.0.0.1:{port}{path}"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(begun, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def _sampled(watch: Watch) -> Iterator[None]:
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(0.1):
            watch.now()

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield
    finally:
        ended.set()
        sampler.join()


def _until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)


def _table(phases: dict[str, list[Phase]]) -> str:
    lines = [["Beside", "requests/s", "ratio", "p50 ms", "p99 ms", "ratio", "opened", "left", "half were in for", "MB"]]
    lines.append(["---", *["--:"] * 9])
    lines.append(
        ["none of them", *_cells([phase.elsewhere for every in phases.values() for phase in every]), *["", "", "", ""]]
    )
    for name, every in phases.items():
        rate = median(phase.busy.rate / phase.elsewhere.rate for phase in every)
        p99 = median(phase.busy.p99 / phase.elsewhere.p99 for phase in every)
        opened, left = (max(getattr(phase, name) for phase in every) for name in ("opened", "left"))
        stay, megabytes = (median(getattr(phase, name) for phase in every) for name in ("seconds", "megabytes"))
        cells = _cells([phase.busy for phase in every], f"{rate:.2f}", f"{p99:.2f}")
        lines.append([name, *cells, f"{opened:,}", f"{left:,}", f"{stay:.1f} s", f"{megabytes:.0f}"])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _cells(loads: list[Load], rate: str = "", p99: str = "") -> list[str]:
    rates, halves, worst = (median(getattr(load, name) for load in loads) for name in ("rate", "p50", "p99"))
    return [f"{rates:,.0f}", rate, f"{halves:.1f}", f"{worst:.1f}", p99]


if __name__ == "__main__":
    main()
