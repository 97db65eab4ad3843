"""Every metric that `/metrics` shows: one table, from which the page and `docs/metrics.md` are made.

Names and units follow Prometheus's guide (Metric and label naming); `process_` and `python_gc_` are its clients' own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram", "info"]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: `name` is the one that samples have, but for the suffixes of a histogram."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


_REQUEST: Final = ("door", "operation", "method")

REQUESTS: Final = Family(
    "gateway_http_requests_total",
    "counter",
    "Requests that have ended. A GraphQL answer of 200 with errors has the outcome of the worst of them.",
    (*_REQUEST, "status", "outcome"),
)
DURATION: Final = Family(
    "gateway_http_request_duration_seconds",
    "histogram",
    "Seconds from a request's head to the end of its answer.",
    _REQUEST,
)
IN_FLIGHT: Final = Family(
    "gateway_http_requests_in_flight", "gauge", "Requests that have begun and not ended, the one that asks included."
)
IDLE: Final = Family(
    "gateway_http_requests_waiting_for_clients",
    "gauge",
    "Those of the requests in flight that wait for their client, as for a body, or only watch the gateway, as this.",
)
MOST_IN_FLIGHT: Final = Family(
    "gateway_http_requests_in_flight_limit",
    "gauge",
    "How many requests may be worked on at once, those apart that wait for their client.",
)
OVERLOADS: Final = Family(
    "gateway_overload_refusals_total", "counter", "Requests that were refused because too many were worked on."
)
TASKS: Final = Family("gateway_event_loop_tasks", "gauge", "Tasks of asyncio that have not ended.")
RESPONSE_BYTES: Final = Family(
    "gateway_http_response_body_bytes_total", "counter", "Bytes of the bodies of answers.", _REQUEST
)
STORE_CALLS: Final = Family(
    "gateway_http_request_store_calls_total",
    "counter",
    "Calls of the store that requests waited for; one that several share counts for each of them.",
    _REQUEST,
)
STORE_SECONDS: Final = Family(
    "gateway_http_request_store_seconds_total",
    "counter",
    "Seconds in which requests waited for at least one call of the store.",
    _REQUEST,
)
STREAMS: Final = Family(
    "gateway_event_streams", "gauge", "Streams of events that are open; of a WebSocket each subscription.", ("kind",)
)
EVENTS: Final = Family(
    "gateway_events_total", "counter", "Changes of customers that have come from the store, while anyone watched."
)
EVENTS_LAG: Final = Family(
    "gateway_events_lag_seconds_total", "counter", "Seconds from their writing to their coming, of all these changes."
)
PROBLEMS: Final = Family(
    "gateway_problems_total",
    "counter",
    "Problems that answers told of, by the last part of their type; GraphQL tells one for each error.",
    ("door", "type"),
)
DEPRECATED_USES: Final = Family(
    "gateway_deprecated_uses_total",
    "counter",
    "Requests that named something deprecated, by its name in the registry and by the id of the caller.",
    ("name", "caller"),
)
STORE_UP: Final = Family("gateway_store_up", "gauge", "1 where the store's primary answered the worker asked, else 0.")
BATCHES: Final = Family(
    "gateway_store_gathered_batches_total",
    "counter",
    "Commands to the store that answer for all that waited: reads by id, inserts, equal lists.",
    ("queue",),
)
ITEMS: Final = Family(
    "gateway_store_gathered_items_total", "counter", "What those commands answered for, each asker counted.", ("queue",)
)
PLANNED: Final = Family(
    "gateway_graphql_values_total",
    "counter",
    "Values that GraphQL had a compiled plan for: shown by it, or not as it takes them and left to graphql-core.",
    ("way",),
)
UNPLANNED: Final = Family(
    "gateway_graphql_unplanned_selections_total",
    "counter",
    "Selections of GraphQL that no plan could be compiled for.",
)
LOOKUPS: Final = Family(
    "gateway_cache_lookups_total",
    "counter",
    "Looks into caches in memory: checked keys, verified tokens, prepared documents, documents kept by their hash, "
    "customers that lists have shown at their version.",
    ("cache", "result"),
)
ENTRIES: Final = Family("gateway_cache_entries", "gauge", "Entries of those caches.", ("cache",))
REFUSALS: Final = Family(
    "gateway_limit_refusals_total", "counter", "Requests that a limit refused, by the name of its policy.", ("policy",)
)
BAD_CREDENTIALS: Final = Family(
    "gateway_authentication_failures_total",
    "counter",
    "Credentials that were not good; `client` are those of the token endpoint.",
    ("kind",),
)
OPERATIONS_RUNNING: Final = Family(
    "gateway_operations_running", "gauge", "Operations that workers do at this moment, by their kind.", ("kind",)
)
OPERATIONS_ENDED: Final = Family(
    "gateway_operations_ended_total", "counter", "Operations that workers have brought to an end.", ("kind", "status")
)
WEBHOOK_TRIES: Final = Family(
    "gateway_webhook_tries_total",
    "counter",
    "Requests to the endpoints of webhooks: delivered; failed, to be tried again; given_up after the last try.",
    ("outcome",),
)
WEBHOOK_EVENTS: Final = Family(
    "gateway_webhook_events_total", "counter", "Changes of customers that were looked at for webhooks."
)
WEBHOOK_WAITING: Final = Family(
    "gateway_webhook_deliveries_waiting", "gauge", "Deliveries that wait for their first or their next try."
)
WEBHOOK_LAG: Final = Family(
    "gateway_webhook_lag_seconds", "gauge", "For how long the delivery that is overdue for longest has been due."
)
WEBHOOK_LEADERS: Final = Family(
    "gateway_webhook_leaders", "gauge", "Workers of this gateway that send webhooks: one on each store in all."
)
WEBHOOK_LOST: Final = Family(
    "gateway_webhook_histories_lost_total",
    "counter",
    "How often changes were lost for webhooks, as the store's history did not reach back far enough.",
)
WORKERS: Final = Family("gateway_workers", "gauge", "Worker processes that serve.")
WORKERS_ENDED: Final = Family(
    "gateway_workers_ended_total",
    "counter",
    "Worker processes that have ended, in a crash or a restart.",
)
BUILD: Final = Family(
    "gateway_build_info",
    "info",
    "Always 1; the versions are in its labels.",
    ("version", "api_version", "python_version"),
)
CPU: Final = Family("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.")
RESIDENT: Final = Family("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.")
VIRTUAL: Final = Family("process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.")
OPEN_FDS: Final = Family("process_open_fds", "gauge", "Number of open file descriptors.")
MAX_FDS: Final = Family("process_max_fds", "gauge", "Maximum number of open file descriptors.")
START: Final = Family(
    "process_start_time_seconds", "gauge", "Start time of the oldest worker since unix epoch in seconds."
)
GC_COLLECTED: Final = Family(
    "python_gc_objects_collected_total", "counter", "Objects collected during gc.", ("generation",)
)
GC_UNCOLLECTABLE: Final = Family(
    "python_gc_objects_uncollectable_total", "counter", "Uncollectable objects found during gc.", ("generation",)
)
GC_RUNS: Final = Family(
    "python_gc_collections_total", "counter", "Number of times this generation was collected.", ("generation",)
)

FAMILIES: Final[tuple[Family, ...]] = (
    REQUESTS,
    DURATION,
    IN_FLIGHT,
    IDLE,
    MOST_IN_FLIGHT,
    OVERLOADS,
    TASKS,
    STREAMS,
    EVENTS,
    EVENTS_LAG,
    RESPONSE_BYTES,
    STORE_CALLS,
    STORE_SECONDS,
    PROBLEMS,
    DEPRECATED_USES,
    STORE_UP,
    BATCHES,
    ITEMS,
    PLANNED,
    UNPLANNED,
    LOOKUPS,
    ENTRIES,
    REFUSALS,
    BAD_CREDENTIALS,
    OPERATIONS_RUNNING,
    OPERATIONS_ENDED,
    WEBHOOK_TRIES,
    WEBHOOK_EVENTS,
    WEBHOOK_WAITING,
    WEBHOOK_LAG,
    WEBHOOK_LEADERS,
    WEBHOOK_LOST,
    WORKERS,
    WORKERS_ENDED,
    BUILD,
    CPU,
    RESIDENT,
    VIRTUAL,
    OPEN_FDS,
    MAX_FDS,
    START,
    GC_COLLECTED,
    GC_UNCOLLECTABLE,
    GC_RUNS,
)
"""All of them, in the order of the page."""
