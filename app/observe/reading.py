"""Reading what this process has counted, wherever it counts: requests here, the rest where it happens."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator
from itertools import product
from typing import Final, get_args

from app.auth.cache import BoundedCache
from app.limits.daily import NAME as DAILY
from app.limits.limiter import ADDRESS, CALLER, FAILED
from app.observe import families as f
from app.observe.counts import Counts, Histogram, Labels, Series
from app.observe.families import Family
from app.observe.metrics import CREDENTIALS, STREAMS, Metrics
from app.state import State
from app.webhooks.counts import OUTCOMES, WebhookCounts
from storage.jobs import Ended, JobKind

POLICIES: Final = (CALLER.name, DAILY, ADDRESS.name, FAILED.name)
"""The limits that may refuse."""
_UNLABELLED: Final = ()


def counts_of(state: State) -> Counts:
    """Return what this process has counted so far. To be called on the loop that counts."""
    counts = Counts()
    counters: list[tuple[Family, Series]] = [
        *_requests(state.metrics),
        *_refusals(state.metrics),
        *_store(state),
        *_events(state),
        *_graphql(state),
        (f.OPERATIONS_ENDED, _ended(state)),
        *_webhooks(state.metrics.webhooks),
        *_collector(),
        (f.CPU, {_UNLABELLED: time.process_time()}),
    ]
    counts.counters = {family.name: series for family, series in counters}
    counts.histograms = {f.DURATION.name: _durations(state.metrics)}
    counts.gauges = {
        f.IN_FLIGHT.name: {_UNLABELLED: state.metrics.in_flight},
        f.IDLE.name: {_UNLABELLED: state.metrics.idle},
        f.MOST_IN_FLIGHT.name: {_UNLABELLED: state.settings.max_in_flight},
        f.STREAMS.name: {(kind,): state.metrics.streams[kind] for kind in STREAMS},
        f.TASKS.name: {_UNLABELLED: len(asyncio.all_tasks())},
        f.OPERATIONS_RUNNING.name: {(kind,): state.jobs.running[kind] for kind in get_args(JobKind)},
        f.WEBHOOK_WAITING.name: {_UNLABELLED: state.metrics.webhooks.waiting},
        f.WEBHOOK_LAG.name: {_UNLABELLED: state.metrics.webhooks.lag},
        f.WEBHOOK_LEADERS.name: {_UNLABELLED: float(state.metrics.webhooks.leads)},
    }
    for name, (hits, misses, entries) in _caches(state):
        lookups = counts.counters.setdefault(f.LOOKUPS.name, {})
        lookups[name, "hit"], lookups[name, "miss"] = hits, misses
        counts.gauges.setdefault(f.ENTRIES.name, {})[name,] = entries
    return counts


def _requests(metrics: Metrics) -> Iterator[tuple[Family, Series]]:
    works = metrics.works.items()
    yield f.REQUESTS, {tuple(labels): row.count for labels, row in metrics.rows.items()}
    yield f.RESPONSE_BYTES, {labels: 0 if labels[2] == "HEAD" else work.sent for labels, work in works}
    yield f.STORE_CALLS, {labels: work.store_calls for labels, work in works}
    yield f.STORE_SECONDS, {labels: work.store_seconds for labels, work in works}


def _durations(metrics: Metrics) -> dict[Labels, Histogram]:
    return {labels: Histogram(work.buckets.copy(), work.seconds) for labels, work in metrics.works.items()}


def _refusals(metrics: Metrics) -> Iterator[tuple[Family, Series]]:
    yield f.PROBLEMS, {tuple(labels): count for labels, count in metrics.problems.items()}
    yield f.DEPRECATED_USES, {tuple(labels): count for labels, count in metrics.uses.items()}
    yield f.REFUSALS, {(name,): metrics.refusals[name] for name in POLICIES}
    yield f.OVERLOADS, {_UNLABELLED: metrics.overloads}
    yield f.BAD_CREDENTIALS, {(kind,): metrics.bad_credentials[kind] for kind in CREDENTIALS}


def _store(state: State) -> Iterator[tuple[Family, Series]]:
    gathered = state.store.customers.gathered()
    yield f.BATCHES, {(queue,): batches for queue, (batches, _) in gathered.items()}
    yield f.ITEMS, {(queue,): items for queue, (_, items) in gathered.items()}


def _events(state: State) -> Iterator[tuple[Family, Series]]:
    live = state.store.changes.live
    yield f.EVENTS, {_UNLABELLED: live.changes}
    yield f.EVENTS_LAG, {_UNLABELLED: live.lag}


def _graphql(state: State) -> Iterator[tuple[Family, Series]]:
    counted = state.graphql.counts
    yield f.PLANNED, {("plan",): counted.fast, ("graphql-core",): counted.fell}
    yield f.UNPLANNED, {_UNLABELLED: counted.unplanned}


def _ended(state: State) -> Series:
    pairs = product(get_args(JobKind), get_args(Ended))
    return {(kind, status): state.jobs.ended[kind, status] for kind, status in pairs}


def _webhooks(counted: WebhookCounts) -> Iterator[tuple[Family, Series]]:
    yield f.WEBHOOK_TRIES, {(outcome,): counted.tries[outcome] for outcome in OUTCOMES}
    yield f.WEBHOOK_EVENTS, {_UNLABELLED: counted.events}
    yield f.WEBHOOK_LOST, {_UNLABELLED: counted.histories_lost}


def _caches(state: State) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """Yield hits, misses and entries of each cache; what lies in Redis is not known here."""
    recent = state.graphql.documents.recent
    yield "prepared-documents", (recent.hits, recent.misses, recent.entries)
    keys = state.authenticator.known
    yield "keys", (keys.hits, keys.misses, keys.entries)
    if (rendered := state.services.renderings) is not None:
        yield "listed-customers", (rendered.hits, rendered.misses, rendered.entries)
    caches = {
        "tokens": state.authenticator.tokens.cache,
        "persisted-documents": state.documents.cache,
    }
    for name, cache in caches.items():
        if isinstance(cache, BoundedCache):
            yield name, (cache.hits, cache.misses, cache.entries)


def _collector() -> Iterator[tuple[Family, Series]]:
    stats = list(enumerate(gc.get_stats()))
    for family, name in (
        (f.GC_COLLECTED, "collected"),
        (f.GC_UNCOLLECTABLE, "uncollectable"),
        (f.GC_RUNS, "collections"),
    ):
        yield family, {(str(generation),): stat[name] for generation, stat in stats}
