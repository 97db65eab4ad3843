"""The table of REST: which handler serves which route of which operation, with what, answering what.

The routes and OpenAPI are both made from it; method and path come from the operation's declaration.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from starlette.responses import Response

from app.http.event_source import EVENT_STREAM
from app.http.problems import PROBLEM
from app.rest import bulk, customers, events, files, jobs, lists, parts, viewer, webhooks
from app.rest.call import JSON, Call
from app.rest.events import EVENT_PARAMETERS
from app.rest.list_parameters import CONFIRM, FIELDS, FILTER_PARAMETERS, FORMAT, LIST_PARAMETERS, ON_CONFLICT
from app.rest.parameters import DRY_RUN, RESOURCE, Parameter, Parameters
from resolvers import bulk as bulk_operations
from resolvers import customers as customer_operations
from resolvers import webhook_deliveries as delivery_operations
from resolvers import webhooks as webhook_operations
from resolvers.deletions import delete_customers
from resolvers.events import watch_customers
from resolvers.exports import export_customers
from resolvers.jobs import cancel_job, get_job, get_refused_lines, list_jobs
from resolvers.lists import explain_customers, list_customers, search_customers
from resolvers.operation import Operation
from resolvers.part_operations import ADDRESSES, PHONE_NUMBERS, PartOperations
from resolvers.preferences import get_preferences, replace_preferences, set_preferences
from resolvers.uploads import import_customers
from resolvers.viewer import get_viewer

Handler = Callable[[Call], Awaitable[Response]]
Kind = Literal[
    "read", "list", "search", "create", "replace", "patch", "delete", "batch", "bulk", "erase", "poll", "cancel",
    "import", "export", "report", "events", "log", "action",
]  # fmt: skip
"""What an endpoint does; decides its headers, its statuses and its problems."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method at one path. `takes` and `gives` name schemas of OpenAPI.

    `reads` are the media types of bodies, `answers` those of which a client must take one.
    `versioned` tells whether it is about something with versions: an ETag, preconditions, a tombstone.
    """

    operation: Operation[Any, Any]
    method: str
    handler: Handler
    kind: Kind
    tag: str
    gives: str | None
    takes: str | None = None
    parameters: tuple[Parameter, ...] = ()
    explain: Operation[Any, Any] | None = None
    reads: tuple[str, ...] = (JSON,)
    answers: tuple[str, ...] = (JSON, PROBLEM)
    versioned: bool = True

    def asked(self, parameters: Parameters) -> Operation[Any, Any]:
        """Return the operation that a request asks for: the endpoint's own, or its explanation."""
        return self.explain if self.explain and parameters.flag("explain", default=False) else self.operation

    @property
    def media_type(self) -> str:
        """The media type of its answers, refusals apart."""
        return EVENT_STREAM if self.kind == "events" else JSON

    @property
    def path(self) -> str:
        """The path below /api/v1, from the operation's declaration."""
        return next(route.split(" ")[1] for route in self.operation.rest if route.split(" ")[0] == self.method)

    @property
    def id(self) -> str:
        """The operationId; a second method of one operation carries the method in it."""
        first = self.operation.rest[0].split(" ")[0]
        return (
            self.operation.name
            if self.method == first
            else f"{self.method.lower()}{self.operation.name[0].upper()}{self.operation.name[1:]}"
        )


def _parts(operations: PartOperations, tag: str, one: str, many: str) -> tuple[Endpoint, ...]:
    handle = parts.PartHandlers(operations)
    ops = operations
    write = (RESOURCE, DRY_RUN)
    return (
        Endpoint(ops.list, "GET", handle.list, "read", tag, many),
        Endpoint(ops.add, "POST", handle.add, "create", tag, one, f"{one}Input", (DRY_RUN,)),
        Endpoint(ops.replace_all, "PUT", handle.replace_all, "replace", tag, many, f"{one}Inputs", write),
        Endpoint(ops.update_all, "PATCH", handle.update_all, "patch", tag, many, f"{one}Inputs", write),
        Endpoint(ops.replace_all, "DELETE", handle.clear, "delete", tag, None, None, (DRY_RUN,)),
        Endpoint(ops.get, "GET", handle.get, "read", tag, one),
        Endpoint(ops.replace, "PUT", handle.replace, "replace", tag, one, f"{one}Input", write),
        Endpoint(ops.update, "PATCH", handle.update, "patch", tag, one, f"{one}Patch", write),
        Endpoint(ops.remove, "DELETE", handle.remove, "delete", tag, None, None, (DRY_RUN,)),
    )


def _webhooks() -> Iterator[Endpoint]:
    ops, log, dry = webhook_operations, delivery_operations, (DRY_RUN,)
    one = partial(Endpoint, tag="Webhooks", versioned=False)
    yield one(
        ops.create_webhook, "POST", webhooks.create, "create", gives="NewWebhook", takes="WebhookInput", parameters=dry
    )
    yield one(ops.list_webhooks, "GET", webhooks.list_all, "read", gives="Webhooks")
    yield one(ops.get_webhook, "GET", webhooks.get, "read", gives="Webhook")
    yield one(
        ops.update_webhook, "PATCH", webhooks.update, "patch", gives="Webhook", takes="WebhookPatch", parameters=_WRITE
    )
    yield one(ops.delete_webhook, "DELETE", webhooks.delete, "delete", gives=None, parameters=dry)
    yield one(ops.rotate_webhook_secret, "POST", webhooks.rotate, "action", gives="NewWebhook", parameters=dry)
    yield one(log.test_webhook, "POST", webhooks.test, "action", gives="WebhookDelivery", parameters=dry)
    yield one(
        log.list_webhook_deliveries,
        "GET",
        webhooks.deliveries,
        "log",
        gives="WebhookDeliveries",
        parameters=webhooks.DELIVERY_PARAMETERS,
    )
    yield one(log.replay_webhook_delivery, "POST", webhooks.replay, "action", gives="WebhookDelivery", parameters=dry)
    yield one(
        log.replay_webhook_deliveries,
        "POST",
        webhooks.replay_all,
        "action",
        gives="WebhookReplay",
        takes="WebhookReplayInput",
        parameters=dry,
    )


_WRITE = (RESOURCE, DRY_RUN)
_PREFERENCES = "NotificationPreferences"
ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(list_customers, "GET", lists.list_all, "list", "Customers", "CustomerPage", None, LIST_PARAMETERS,
        explain_customers,
    ),
    Endpoint(
        customer_operations.create_customer, "POST", customers.create, "create", "Customers", "Customer",
        "CustomerInput", (DRY_RUN,),
    ),
    Endpoint(
        delete_customers, "DELETE", jobs.delete, "erase", "Customers", "Deletion", None,
        (*FILTER_PARAMETERS, CONFIRM, DRY_RUN),
    ),
    Endpoint(
        import_customers, "POST", files.import_all, "import", "Customers", "Operation", None, (ON_CONFLICT, DRY_RUN),
        reads=tuple(files.FORMATS),
    ),
    Endpoint(
        export_customers, "GET", files.export_all, "export", "Customers", None, None, (*FILTER_PARAMETERS, FORMAT),
        answers=(*files.FORMATS, PROBLEM),
    ),
    Endpoint(search_customers, "POST", lists.search, "search", "Customers", "CustomerPage", "CustomerSearch"),
    Endpoint(
        customer_operations.get_customer, "GET", customers.get, "read", "Customers", "Customer", None, (FIELDS,)
    ),
    Endpoint(
        customer_operations.replace_customer, "PUT", customers.replace, "replace", "Customers", "Customer",
        "CustomerInput", _WRITE,
    ),
    Endpoint(
        customer_operations.update_customer, "PATCH", customers.update, "patch", "Customers", "Customer",
        "CustomerPatch", _WRITE,
    ),
    Endpoint(
        customer_operations.delete_customer, "DELETE", customers.delete, "delete", "Customers", None, None,
        (DRY_RUN,),
    ),
    Endpoint(
        bulk_operations.batch_customers, "POST", bulk.batch, "batch", "Customers", "BatchResults", "CustomerBatch",
        (DRY_RUN,),
    ),
    Endpoint(
        bulk_operations.replace_customers, "PUT", bulk.replace, "bulk", "Customers", "BatchResults",
        "CustomerReplacements", (DRY_RUN,),
    ),
    Endpoint(
        bulk_operations.update_customers, "PATCH", bulk.update, "bulk", "Customers", "BatchResults",
        "CustomerPatches", (DRY_RUN,),
    ),
    *_parts(ADDRESSES, "Addresses", "Address", "Addresses"),
    *_parts(PHONE_NUMBERS, "Phone numbers", "PhoneNumber", "PhoneNumbers"),
    Endpoint(
        get_preferences, "GET", parts.get_notification_preferences, "read", "Notification preferences", _PREFERENCES
    ),
    Endpoint(
        replace_preferences, "PUT", parts.put_notification_preferences, "replace", "Notification preferences",
        _PREFERENCES, f"{_PREFERENCES}Input", _WRITE,
    ),
    Endpoint(
        set_preferences, "PATCH", parts.patch_notification_preferences, "patch", "Notification preferences",
        _PREFERENCES, f"{_PREFERENCES}Patch", _WRITE,
    ),
    Endpoint(cancel_job, "POST", jobs.cancel, "cancel", "Operations", "Operation"),
    Endpoint(list_jobs, "GET", jobs.list_all, "poll", "Operations", "Operations"),
    Endpoint(get_job, "GET", jobs.get, "poll", "Operations", "Operation"),
    Endpoint(
        get_refused_lines, "GET", files.get_refused, "report", "Operations", None, answers=(files.NDJSON, PROBLEM)
    ),
    Endpoint(
        watch_customers, "GET", events.watch, "events", "Events", "Event", None, EVENT_PARAMETERS,
        answers=(EVENT_STREAM, PROBLEM),
    ),
    Endpoint(get_viewer, "GET", viewer.get, "read", "Viewer", "Viewer"),
    *_webhooks(),
)  # fmt: skip
