"""GET /metrics: what was counted, as Prometheus reads it."""

from __future__ import annotations

import asyncio
import hmac
import platform
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.process_collector import ProcessCollector
from starlette.requests import Request
from starlette.responses import Response

from app.http.admission import admit
from app.http.negotiation import accept_of, accepted_quality, check_accept
from app.http.problems import problem_response
from app.http.requests import state_of
from app.observe import families as f
from app.observe.counts import Histogram, Labels
from app.observe.families import FAMILIES, Family
from app.observe.metrics import BOUNDS
from app.observe.reading import counts_of
from app.observe.workers import Sum
from app.state import State
from app.version import API_VERSION, product_version
from resolvers.context import Scope
from resolvers.problem import Problem
from resolvers.problems import UNAVAILABLE
from storage.deadlines import wire_deadline
from storage.errors import Unavailable
from storage.store import Store

PATH: Final = "/metrics"
PLAIN: Final = "text/plain"
OPENMETRICS: Final = "application/openmetrics-text"
_OPENMETRICS_TYPE: Final = f"{OPENMETRICS}; version=1.0.0; charset=utf-8"
_STORE_SECONDS: Final = 1.0
"""How long the store may take to answer before it counts as away, as for /health/ready."""
_PUBLISHED_SECONDS: Final = 1.0
_BOUNDS: Final = (*map(str, BOUNDS), "+Inf")
_UNWRITTEN: Final = "The counts of this worker cannot be written"
_UNREADABLE: Final = "The counts of the workers cannot be added up"
_NO_STORE: Final = {"Cache-Control": "no-store"}


async def metrics_page(request: Request) -> Response:
    """GET /metrics: for the bearer of the setting's token, or a caller of scope customers:admin."""
    request.scope["route_template"] = PATH
    try:
        with state_of(request).metrics.aside():
            await _permit(request)
            check_accept(request, PLAIN, OPENMETRICS)
            return await _answer(request, state_of(request))
    except Problem as problem:
        return problem_response(request, problem, _NO_STORE)


async def _permit(request: Request) -> None:
    """Let pass who may see the metrics; the token needs no store, so it works while that is away.

    Raises:
        Problem: as for any other request, and forbidden.
    """
    token = state_of(request).settings.metrics_token
    if token is None or not hmac.compare_digest(token.encode(), _bearer(request)):
        (await admit(request)).require(Scope.ADMIN)


def _bearer(request: Request) -> bytes:
    """Return the bearer token where it is all that came of credentials, else nothing."""
    match [item for item in request.scope["headers"] if item[0] in {b"authorization", b"x-api-key"}]:
        case [(b"authorization", value)] if value[:7].lower() == b"bearer ":
            return bytes(value[7:].strip(b" "))
    return b""


async def _answer(request: Request, state: State) -> Response:
    up = await _is_up(state.store)
    try:
        state.workers.publish(counts_of(state))
        total = await asyncio.to_thread(state.workers.sum)
    except OSError as error:
        structlog.get_logger().warning(_UNREADABLE, error=type(error).__qualname__)
        raise Problem(UNAVAILABLE, f"{_UNREADABLE} now.", extra={"outcome": "none"}) from error
    newer = accepted_quality(accept_of(request), OPENMETRICS) > accepted_quality(accept_of(request), PLAIN)
    text = await asyncio.to_thread(openmetrics.generate_latest if newer else generate_latest, Page(total, up))
    return Response(text, headers={**_NO_STORE, "Vary": "Accept", "Content-Type": _content_type(newer=newer)})


def _content_type(*, newer: bool) -> str:
    return _OPENMETRICS_TYPE if newer else CONTENT_TYPE_PLAIN_0_0_4


async def _is_up(store: Store) -> bool:
    try:
        async with asyncio.timeout(_STORE_SECONDS):
            with wire_deadline(_STORE_SECONDS):
                await store.ping()
    except (Unavailable, TimeoutError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer shows, as a collector of `prometheus_client`."""

    total: Sum
    up: bool

    def collect(self) -> Iterator[Metric]:
        """Yield every metric of the table that there is something to say of."""
        processes = _processes(self.total.processes)
        counts = self.total.counts
        own: dict[str, dict[Labels, float]] = {
            f.STORE_UP.name: {(): self.up},
            f.WORKERS.name: {(): len(self.total.processes)},
            f.WORKERS_ENDED.name: {(): self.total.ended},
            f.BUILD.name: {(product_version(), API_VERSION, platform.python_version()): 1},
        }
        values = {**counts.counters, **counts.gauges, **processes, **own}
        for family in FAMILIES:
            if family.kind == "histogram":
                yield _histogram(family, counts.histograms.get(family.name, {}))
            elif family.name in values:
                yield _metric(family, values[family.name])


def _metric(family: Family, series: dict[Labels, float]) -> Metric:
    if family.kind == "info":
        labels = dict(zip(family.labels, next(iter(series)), strict=True))
        return InfoMetricFamily(family.name.removesuffix("_info"), family.help, value=labels)
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(family.name, family.help, labels=family.labels)
    for values, value in sorted(series.items()):
        metric.add_metric(values, value)
    return metric


def _histogram(family: Family, series: dict[Labels, Histogram]) -> Metric:
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    for labels, histogram in sorted(series.items(), key=lambda item: item[0]):
        reached = 0
        buckets = []
        for bound, count in zip(_BOUNDS, histogram.buckets, strict=True):
            reached += count
            buckets.append((bound, reached))
        metric.add_metric(labels, buckets, histogram.seconds)
    return metric


def _processes(processes: tuple[int, ...]) -> dict[str, dict[Labels, float]]:
    """Return memory and files of all processes, and the start of the oldest; nothing where there is no /proc."""
    found: dict[str, list[float]] = {}
    for process in processes:
        for metric in ProcessCollector(pid=partial(int, process), registry=None).collect():
            for sample in metric.samples:
                found.setdefault(sample.name, []).append(sample.value)
    sums = {family.name: sum for family in (f.RESIDENT, f.VIRTUAL, f.OPEN_FDS, f.MAX_FDS)} | {f.START.name: min}
    return {name: {(): together(found[name])} for name, together in sums.items() if name in found}


@asynccontextmanager
async def publishing(state: State) -> AsyncIterator[None]:
    """Let the other workers see what this one counts, inside the block and at its end."""
    if not state.workers.several:
        yield
        return
    task = asyncio.create_task(_publish_on(state), name="metrics")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        _publish(state)


async def _publish_on(state: State) -> None:
    """Publish again and again, what nobody asks for included: a worker that ends may leave its counts to nobody."""
    with suppress(OSError):  # it is only to tidy up after those that ended; whoever asks is told
        await asyncio.to_thread(state.workers.sum)
    told = False
    while True:
        told = not _publish(state, told=told)
        await asyncio.sleep(_PUBLISHED_SECONDS)


def _publish(state: State, *, told: bool = False) -> bool:
    """Publish, and tell whether that was possible; in the log too, unless it is told already."""
    try:
        state.workers.publish(counts_of(state))
    except OSError as error:
        if not told:
            structlog.get_logger().warning(_UNWRITTEN, error=type(error).__qualname__)
        return False
    return True
