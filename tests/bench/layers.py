"""What single layers of the gateway cost, what a second worker brings, how soon it is ready."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from statistics import median
from typing import Final

from app.settings import Settings
from tests.bench.load import run
from tests.bench.pairs import DATABASE, SECONDS, SETTINGS, Bench, Pairs
from tests.bench.processes import Client, layered
from tests.bench.report import table
from tests.bench.stack import LAYERS

_HEAD: Final = ("Layer of REST: one by id", "µs of it", "ratio with all above")
OFF: Final[dict[str, tuple[str, str, dict[str, str]]]] = {
    "limits": ("rest-one", "the rate limit", {"rate_limit": "off"}),
    "logs": ("rest-one", "the log", {"log_level": "error"}),
    "gather": ("rest-one", "gathered reads", {"gather": "false"}),
    "gather-create": ("rest-create", "gathered creates", {"gather": "false"}),
    "renderings": ("rest-list", "what lists show again", {"render_cache": "0"}),
    "plans": ("graphql-one", "compiled plans", {"graphql_plans": "off"}),
}
"""By key in `ROWS`: the work, the layer, and the settings that switch it off."""
KEYS: Final = (*OFF, "crowd", "workers", "ready")
STACK: Final = "layers"
_PAIRS: Final = 3
_SECONDS: Final = min(SECONDS, 2)
"""How long each run is: there are many, and all has to be done within ten minutes."""
_READY_SECONDS: Final = 1.5
_TWICE: Final = 1.8
_CROWD: Final = 64
_WAITS: Final = 3
"""By how many times p99 may be p50 with so many connections."""
_CORES: Final = 4
"""Two workers, mongod and wrk: with fewer cores they take them from each other."""


def layer_rows(bench: Bench, ours: Client, keys: frozenset[str]) -> Iterator[str]:
    """Give a sentence for each of the rows that are asked for; `ours` is a gateway that runs already."""
    for key, (work, layer, settings) in OFF.items():
        if key in keys and settings.keys() <= Settings.model_fields.keys():
            yield _layer(bench, ours, work, layer, settings)
    if "crowd" in keys:
        yield _crowd(bench, ours)
    if "workers" in keys:
        yield _workers(bench, ours)
    if "ready" in keys:
        yield _ready(bench)


def stack_table(bench: Bench, bare: Client) -> str:
    """Return what each layer adds to reading one customer over REST; each is measured in turn with the bare handler."""
    measured = {name: _cut_off(bench, bare, name) for name in LAYERS}
    unit = median(sample.cpu for pairs in measured.values() for sample in pairs.second)
    rows, before = [], 0.0
    for name, said in LAYERS.items():
        ratio = median(measured[name].cpu)
        rows.append([f"{name}: {said}", f"{(ratio - before) * unit:,.0f}", f"{ratio:.2f}"])
        before = ratio
    return table(_HEAD, rows)


def _cut_off(bench: Bench, bare: Client, last: str) -> Pairs:
    work = bench.works["rest-one"]
    settings = SETTINGS if last in {"limits", "whole"} else {**SETTINGS, "rate_limit": "off"}
    with layered(bench.mongod, DATABASE, last, bench.log, settings) as server:
        bench.warm(server, work.ours)
        return bench.measure((server, work.ours), (bare, work.bare), _PAIRS, _SECONDS)


def _layer(bench: Bench, ours: Client, work: str, layer: str, settings: dict[str, str]) -> str:
    load = bench.works[work].ours
    with bench.gateway(**settings) as without:
        bench.warm(without, load)
        pairs = bench.measure((without, load), (ours, load), _PAIRS, _SECONDS)
    name, ratio = bench.works[work].name, pairs.cpu
    return f"{name} costs {median(ratio):.2f} times as much without {layer} ({ratio[0]:.2f} to {ratio[-1]:.2f})."


def _crowd(bench: Bench, ours: Client) -> str:
    """Say how long the slowest wait where many ask at the same time."""
    load = replace(bench.works["rest-one"].ours, connections=_CROWD)
    samples = [run(ours, load, SECONDS) for _ in range(_PAIRS)]
    waits = median(sample.p99 / sample.p50 for sample in samples)
    p50, p99 = (median(getattr(sample, name) for sample in samples) for name in ("p50", "p99"))
    reached = "reached" if waits <= _WAITS else "**missed**"
    return f"{_CROWD} connections: p99 is {waits:.1f} times p50 ({p99:.1f} and {p50:.1f} ms; goal {_WAITS}, {reached})."


def _workers(bench: Bench, ours: Client) -> str:
    load = bench.works["rest-one"].ours
    with bench.gateway(workers="2") as two:
        bench.warm(two, load)
        pairs = bench.measure((two, load), (ours, load), _PAIRS)
    enough = (os.cpu_count() or 1) >= _CORES
    goal = f"goal {_TWICE}, {'reached' if pairs.rate >= _TWICE else '**missed**'}"
    said = goal if enough else f"goal {_TWICE} where there are {_CORES} cores, for wrk and MongoDB too"
    return f"Two workers answer {pairs.rate:.2f} times as many requests as one ({said})."


def _ready(bench: Bench) -> str:
    seconds = []
    for _ in range(_PAIRS):
        with ExitStack() as stack:
            seconds.append(stack.enter_context(bench.gateway()).ready_seconds)
    reached = "reached" if median(seconds) <= _READY_SECONDS else "**missed**"
    return f"Ready {median(seconds):.1f} s after its start where the store is up (goal {_READY_SECONDS} s, {reached})."
