"""What attacks cost a gateway: `python -m tests.bench.attacks`, or `make bench-attacks`.

One gateway process on the embedded mongod, over 2,000 normal customers and 200 of each kind that is as large
as it can be. Each attack is sent once to warm up and then until its CPU time can be told (user and system,
of the gateway's process). Growth is that of resident memory at its highest over what it was before.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import httpx2

from app.cli.demo import demo_customers
from storage.store import StoreOptions, open_store
from tests.attacks import ATTACKS
from tests.bench.processes import cpu_seconds, resident_megabytes, store
from tests.commands import serving
from tests.harness import make_key
from tests.heavy import ACCEPTED, Attack, Kind, customers_of

NORMAL: Final = int(os.environ.get("NORMAL", "2000"))
LARGE: Final = int(os.environ.get("LARGE", "200"))
ONLY: Final = os.environ.get("ONLY", "")
KINDS: Final[tuple[Kind, ...]] = ("largest", "widest", "dense")
GOALS: Final = {"CPU ms": 1000.0, "answer MB": 10.0, "growth MB": 64.0}
_ENOUGH, _LEAST, _MOST = 0.2, 3, 20
_CHUNK: Final = 20


@dataclass(frozen=True)
class Figures:
    """What one attack cost: `came` is a slug or accepted."""

    attack: Attack
    came: str
    cpu: float
    answer: float
    growth: float
    highest: float

    @property
    def as_it_must(self) -> bool:
        """Whether what came is what must come."""
        return self.came == self.attack.comes or (self.attack.crowd and self.came == "answer-too-large")

    def cells(self) -> str:
        """Return the row of a table."""
        sign = "" if self.as_it_must else f" (must be {self.attack.comes})"
        return f"| {self.attack.name} | {self.came}{sign} | {self.cpu:,.1f} | {self.answer:.2f} | {self.growth:.1f} |\n"


async def fill(url: str, database: str, normal: int, large: int) -> None:
    """Put the crowd into a database."""
    async with open_store(StoreOptions(url, database, timeout=60)) as opened:
        await opened.ensure_indexes()
        if normal:
            await opened.customers.create_many(list(demo_customers(normal)))
        for kind in KINDS:
            crowd = customers_of(kind, large)
            while chunk := list(islice(crowd, _CHUNK)):
                await opened.customers.create_many(chunk)


def main() -> None:
    """Fill, send, print."""
    with store() as (mongod, _), tempfile.TemporaryDirectory(prefix="bench-attacks-") as folder:
        asyncio.run(fill(mongod.url, "attacks", NORMAL, LARGE))
        with serving(Path(folder), mongodb_url=mongod.url, mongodb_database="attacks", rate_limit="off") as server:
            client = server.client(make_key(mongod.url, "attacks"))
            client.headers["Accept"] = "application/graphql-response+json, application/json"
            client.headers["Content-Type"] = "application/json"
            pid = server.process.pid
            _measure(client, pid, ATTACKS[0])
            idle = resident_megabytes(pid)
            found = [_measure(client, pid, attack) for attack in ATTACKS if ONLY in attack.name]
            held = f"Resident: {idle:.0f} MB at first, {resident_megabytes(pid):.0f} MB at last"
    highest = max(one.highest for one in found)
    sys.stdout.write(f"{_tables(found)}{held}, {highest:.0f} MB at most.\n")


def _measure(client: httpx2.Client, pid: int, attack: Attack) -> Figures:
    def send() -> httpx2.Response:
        return client.request(attack.method, attack.path, content=attack.content)

    before = resident_megabytes(pid)
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the highest so far is what it is now
    answer = send()
    highest = _highest(pid)
    begun, times = cpu_seconds(pid), 0
    while times < _LEAST or (times < _MOST and cpu_seconds(pid) - begun < _ENOUGH):
        answer, times = send(), times + 1
    cpu = (cpu_seconds(pid) - begun) / times * 1000
    figures = Figures(attack, came(answer), cpu, len(answer.content) / 1e6, highest - before, highest)
    sys.stderr.write(figures.cells())
    return figures


def _highest(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6


def came(answer: httpx2.Response) -> str:
    """Return what came: the slug of the first problem, or accepted."""
    body = answer.json()
    told = body.get("errors", [{}])[0].get("extensions", {}) if "errors" in body else body
    problem = str(told.get("type", "")).rpartition("/")[2] if answer.is_error or "errors" in body else ""
    return problem or (ACCEPTED if answer.is_success else str(answer.status_code))


def _tables(found: Sequence[Figures]) -> str:
    head = "| attack | what comes | CPU ms | answer MB | growth MB |\n|---|---|--:|--:|--:|\n"
    accepted = [one for one in found if one.came == ACCEPTED]
    text = head + "".join(one.cells() for one in found)
    for name, key in (("CPU ms", "cpu"), ("answer MB", "answer"), ("growth MB", "growth")):
        worst = sorted(found, key=lambda one: -getattr(one, key))[:5]
        over = [one for one in found if getattr(one, key) > GOALS[name]]
        text += f"\nWorst by {name} (goal {GOALS[name]:,.0f}; {len(over)} over it):\n\n{head}"
        text += "".join(one.cells() for one in worst)
    refused = sorted((one for one in found if one not in accepted), key=lambda one: -one.cpu)[:8]
    text += f"\nWorst of those refused:\n\n{head}{''.join(one.cells() for one in refused)}"
    wrong = [one for one in found if not one.as_it_must]
    return f"{text}\n{len(found)} attacks, {len(accepted)} accepted, {len(wrong)} not as they must be.\n"


if __name__ == "__main__":
    main()
