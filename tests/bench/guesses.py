"""Whether the time of an answer tells how much of a guessed key is right: `python -m tests.bench.guesses`.

Wrong keys that begin as a right one does, and wrong keys that do not, are sent in turn, `SAMPLES` (12000) in all. Of
both kinds the fastest nine tenths are compared by Welch's t, which must stay below 4.5; the gateway answers 401 to all.
It ends with 1 where it does not.
"""

from __future__ import annotations

import math
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, variance
from typing import Any, Final

import httpx2

from storage.keys import PREFIX, new_secret
from tests.bench.processes import store
from tests.commands import serving
from tests.harness import make_key
from tests.secrets import like

SAMPLES: Final = int(os.environ.get("SAMPLES", "12000"))
MOST: Final = 4.5
_KEPT: Final = 0.9
"""The share of the times that counts: the slowest are those at which the machine did something else."""


def welch(one: Sequence[float], other: Sequence[float]) -> float:
    """Return Welch's t of two samples."""
    spread = variance(one) / len(one) + variance(other) / len(other)
    return (fmean(one) - fmean(other)) / math.sqrt(spread)


def fastest(times: Sequence[float]) -> Sequence[float]:
    """Return those that count."""
    return sorted(times)[: int(len(times) * _KEPT)]


def main() -> None:
    """Guess, and say what the times tell."""
    with store() as (mongod, _), tempfile.TemporaryDirectory(prefix="bench-guesses-") as folder:
        settings: dict[str, Any] = {"mongodb_url": mongod.url, "mongodb_database": "guesses", "rate_limit": "off"}
        with serving(Path(folder), **settings) as server, server.client() as client:
            times = guess(client, make_key(mongod.url, "guesses"))
    near, far = (fastest(times[kind]) for kind in ("near", "far"))
    t = welch(near, far)
    said = "tells nothing" if abs(t) < MOST else "TELLS SOMETHING"
    sys.stdout.write(
        f"{SAMPLES:,} wrong keys: {fmean(near) * 1e3:.3f} ms where the first half is right, {fmean(far) * 1e3:.3f} ms "
        f"where nothing is; Welch's |t| = {abs(t):.2f} (below {MOST}): the time {said}.\n"
    )
    sys.exit(abs(t) >= MOST)


def guess(client: httpx2.Client, key: str) -> dict[str, list[float]]:
    """Send guesses of both kinds in an order of chance, and return how long each took."""
    chance, times = random.Random(1), dict[str, list[float]](near=[], far=[])
    kinds = [kind for kind in times for _ in range(SAMPLES // 2)]
    chance.shuffle(kinds)
    for kind in kinds:
        sent = {"X-API-Key": like(key) if kind == "near" else new_secret(PREFIX)}
        began = time.perf_counter()
        answer = client.get("/api/v1/customers?size=1", headers=sent)
        times[kind].append(time.perf_counter() - began)
        if answer.status_code != 401:
            raise AssertionError(answer.text)
    return times


if __name__ == "__main__":
    main()
