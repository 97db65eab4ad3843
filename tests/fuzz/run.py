"""A long fuzzing of a running gateway: `python -m tests.fuzz.run`, or `make fuzz`.

`REQUESTS` (1,000,000) and `MINUTES` (60) bound it, `SEED` (the time) chooses it. Schemathesis asks first; then come
documents of hypothesis-graphql, and requests that are made of good ones by small accidents. At the end it prints how
many answers there were by kind and status, and every fault; it ends with 1 where there is one, where the gateway is not
ready, logged an error, or has grown.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

import httpx2

from resolvers.context import ALL_SCOPES
from storage.keys import NewKey
from tests.bench.processes import Client, fill, gateway, resident_megabytes, store
from tests.fuzz.judge import Fault, Verdicts
from tests.fuzz.requests import Sent, documents, requests
from tests.fuzz.schemas import schemathesis
from tests.fuzz.seeds import generated
from tests.fuzz.wire import Crew
from tests.fuzz.world import known
from tests.harness import make_new_key

REQUESTS: Final = int(os.environ.get("REQUESTS", "1000000"))
MINUTES: Final = float(os.environ.get("MINUTES", "60"))
SEED: Final = int(os.environ.get("SEED", str(int(time.time()))))
DATABASE: Final = "fuzz"
_ROUND: Final = 5000
_GENERATED: Final = 100
"""Of so many requests one is a document that hypothesis-graphql has made."""
_GROWTH: Final = 1.1
"""How much more memory the last quarter may need than the second."""


@dataclass
class Watch:
    """Looks at the gateway from outside: its memory, and the errors in its log, which is emptied each time."""

    pid: int
    log: Path
    memory: list[float] = field(default_factory=list)
    errors: list[bytes] = field(default_factory=list)

    def look(self) -> None:
        """Look once."""
        lines = self.log.read_bytes().splitlines()
        os.truncate(self.log, 0)
        self.errors += [line for line in lines if b'"level":"error"' in line or not line.startswith(b"{")]
        self.memory.append(resident_megabytes(self.pid))

    def grown(self) -> bool:
        """Tell whether the memory of the last quarter of the looks is more than that of the second."""
        quarter = len(self.memory) // 4
        second, last = self.memory[quarter : 2 * quarter], self.memory[-quarter:] if quarter else []
        return bool(quarter > 2) and sum(last) > sum(second) * _GROWTH


def main() -> None:
    """Fuzz, tell, and end with 1 where something is wrong."""
    with ExitStack() as stack:
        mongod, _ = stack.enter_context(store())
        log = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fuzz-"))) / "log"
        fill(mongod, DATABASE, 200)
        server = stack.enter_context(gateway(mongod, DATABASE, log=log))
        watch, found = Watch(server.pid, log), Verdicts()
        made = make_new_key(mongod.url, DATABASE, ALL_SCOPES)
        begun = time.monotonic()
        by_tool = schemathesis(server.url, made.key, SEED, max(2, min(40, REQUESTS // 20_000)), MINUTES * 60 / 8)
        sys.stdout.write(by_tool.told)
        for batch in _rounds(server.url, made, sum(by_tool.counts.values())):
            asyncio.run(Crew("127.0.0.1", server.connection.port, found.judge).send(batch))
            watch.look()
            _progress(found, watch, begun)
            if time.monotonic() - begun > MINUTES * 60 or len(found.faults) > 20:
                break
        sys.exit(_told(found, by_tool.counts, watch, server, time.monotonic() - begun) or int(not by_tool.passed))


def _rounds(url: str, made: NewKey, before: int) -> Iterator[list[Sent]]:
    """Give requests in portions, as many as are wanted in all; each portion has customers of its own to change."""
    for number, done in enumerate(range(before, REQUESTS, _ROUND)):
        wanted = min(_ROUND, REQUESTS - done)
        texts = generated(wanted // _GENERATED, SEED + number, good=number % 2 == 0) if wanted >= _GENERATED else []
        sent = requests(known(url, made), SEED + number)
        yield [*documents(made.key, texts), *islice(sent, wanted - len(texts))]


def _progress(found: Verdicts, watch: Watch, begun: float) -> None:
    done, seconds = found.counts.total(), time.monotonic() - begun
    told = f"{done:,} requests, {done / seconds:,.0f} a second, {watch.memory[-1]:.0f} MB, {len(found.faults)} faults"
    sys.stderr.write(told + "\n" + "".join(map(_fault, found.faults[found.told :])))
    found.told = len(found.faults)


def _told(found: Verdicts, by_tool: Mapping[tuple[str, int], int], watch: Watch, server: Client, seconds: float) -> int:
    """Print what came of it, and return 1 where something is wrong."""
    counts = Counter(found.counts)
    counts.update(by_tool)
    sys.stdout.write("kind         status      answers\n")
    for (kind, status), count in sorted(counts.items()):
        sys.stdout.write(f"{kind:12} {status or 'none':>6} {count:12,}\n")
    for line in watch.errors[:20]:
        sys.stdout.write(f"in the log: {line[:600].decode('utf-8', 'replace')}\n")
    ready = httpx2.get(f"{server.url}/health/ready").status_code
    ours = sum(count for (_, status), count in counts.items() if status >= 500)
    memory = f"{watch.memory[len(watch.memory) // 4]:.0f} to {watch.memory[-1]:.0f} MB" if watch.memory else "?"
    sys.stdout.write(
        f"{counts.total():,} requests in {seconds / 60:.1f} minutes (SEED={SEED}): {ours} answers of 500 or more, "
        f"{len(found.faults)} faults, {len(watch.errors)} errors in the log, {found.customers:,} customers held "
        f"against the schema; ready: {ready}; memory {memory}\n"
    )
    return int(bool(ours or found.faults or watch.errors or ready != 200 or watch.grown()))


def _fault(fault: Fault) -> str:
    answer = fault.answer
    return (
        f"\n{fault.kind}: {fault.reason}\n  sent {fault.sent[:1500]!r}\n  got {answer.status} {answer.body[:600]!r}\n"
    )


if __name__ == "__main__":
    main()
