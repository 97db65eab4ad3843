"""The schemas of webhooks, of their deliveries, and of what is sent to them; with an example of each."""

from __future__ import annotations

from typing import Any, Final

from app.rest.shapes import COUNT, UUID, Schema, closed_object, ref
from resolvers.webhook_fields import EVENT_TYPES
from resolvers.webhook_targets import MAX_URL
from resolvers.webhooks import MOST
from storage.deliveries import MOST_TRIES, STATES
from storage.documents import PARTS
from storage.query import MAX_SIZE

_ID: Final = "0c9f5a34-8a0b-4a0c-9d2a-6f0f3f3b1a55"
_DELIVERY_ID: Final = "6d1a52a1-2f56-4a38-9f3c-5e0c1d6f6b10"
WEBHOOK_PATHS: Final = {"webhookId": _ID, "deliveryId": _DELIVERY_ID}
_AT: Final = "2026-09-14T22:35:56.560Z"
_CUSTOMER: Final = "d68825b3-830c-44f8-953e-a8b5cd943aa8"
_EVENT: Final = "zR0pYk1dQmVtT3V4c2VhZ2xl"
_URL: Final = "https://hooks.example.com/customers"
_INPUT: Final = {"url": _URL, "types": ["customer.created", "customer.updated"]}
_WEBHOOK: Final[dict[str, Any]] = {
    "id": _ID,
    **_INPUT,
    "enabled": True,
    "disabledReason": None,
    "previousSecretUntil": None,
    "createdAt": _AT,
    "updatedAt": _AT,
}
_NEW: Final = {**_WEBHOOK, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="}
_DELIVERY: Final[dict[str, Any]] = {
    "id": _DELIVERY_ID,
    "eventId": _EVENT,
    "type": "customer.updated",
    "timestamp": _AT,
    "customerId": _CUSTOMER,
    "version": 4,
    "changed": ["addresses"],
    "state": "waiting",
    "attempts": 1,
    "nextAttemptAt": "2026-09-14T22:36:01.931Z",
    "tries": [{"at": _AT, "status": 500, "error": None, "milliseconds": 87}],
    "createdAt": _AT,
}
_PAGINATION: Final = {"pagination": {"page": 1, "page_size": 1, "total_count": 1}}
WEBHOOK_EXAMPLES: Final[dict[str, Any]] = {
    "Webhook": _WEBHOOK,
    "NewWebhook": _NEW,
    "Webhooks": {"content": [_WEBHOOK]},
    "WebhookInput": _INPUT,
    "WebhookPatch": {"enabled": False},
    "WebhookJsonPatch": [{"op": "replace", "path": "/enabled", "value": False}],
    "WebhookDelivery": _DELIVERY,
    "WebhookDeliveries": {"content": [_DELIVERY], "page": {"size": 25}},
    "WebhookReplayInput": {"since": "2026-09-14T00:00:00Z", "states": ["failed"]},
    "WebhookReplay": {"replayed": 12},
    "EnvelopedWebhook": {"webhook": _WEBHOOK},
    "EnvelopedNewWebhook": {"webhook": _NEW},
    "EnvelopedWebhooks": {"webhooks": [_WEBHOOK], "metadata": _PAGINATION},
    "EnvelopedWebhookDelivery": {"delivery": _DELIVERY},
    "EnvelopedWebhookDeliveries": {"deliveries": [_DELIVERY], "metadata": {"pagination": {"page_size": 25}}},
    "EnvelopedWebhookReplay": {"replay": {"replayed": 12}},
}
_TIME: Final[Schema] = {"type": "string", "format": "date-time", "maxLength": 64}
_WORD: Final[Schema] = {"type": "string", "maxLength": 512}
_TYPES: Final[Schema] = {
    "type": "array",
    "items": {"type": "string", "enum": list(EVENT_TYPES)},
    "minItems": 1,
    "maxItems": len(EVENT_TYPES),
    "uniqueItems": True,
    "description": "Which events.",
}
_TARGET: Final[Schema] = {
    "type": "string",
    "format": "uri",
    "maxLength": MAX_URL,
    "description": "Where to send: `https`, and an address of the public Internet.",
}
_STATE: Final[Schema] = {"type": "string", "enum": list(STATES)}
_PARTS: Final[Schema] = {
    "type": "array",
    "items": {"type": "string", "enum": list(PARTS)},
    "maxItems": len(PARTS),
    "description": "Which parts of the customer differ: all of a new one, none of one that was erased.",
}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def webhook_schemas() -> dict[str, Schema]:
    """Return the schemas by name."""
    shown = {**_subscriptions(), **_log(), **_inputs()}
    return {**shown, **_enveloped(), **event_schemas()}


def _subscriptions() -> dict[str, Schema]:
    members: Schema = {
        "id": UUID,
        "url": _TARGET,
        "types": _TYPES,
        "enabled": {"type": "boolean", "description": "Whether events are sent."},
        "disabledReason": _or_null(
            {
                "type": "string",
                "enum": ["owner", "gone", "credentials"],
                "description": "Why none are: you said so, the endpoint answered 410, your key is no longer good.",
            }
        ),
        "previousSecretUntil": _or_null({**_TIME, "description": "Until when the secret before this one signs too."}),
        "createdAt": _TIME,
        "updatedAt": _TIME,
    }
    said = "Nothing shows it again: null in a replay by an idempotency key."
    secret = _or_null({**_WORD, "pattern": "^whsec_[A-Za-z0-9+/]{43}=$", "description": said})
    listed = {"type": "array", "items": ref("Webhook"), "maxItems": MOST}
    return {
        "Webhook": closed_object(members, "A subscription to events."),
        "NewWebhook": closed_object({**members, "secret": secret}, "A webhook whose secret is new."),
        "Webhooks": closed_object({"content": listed}, "All your webhooks."),
    }


def _log() -> dict[str, Schema]:
    tried = {
        "at": _TIME,
        "status": _or_null({"type": "integer", "format": "int32", "minimum": 100, "maximum": 999}),
        "error": _or_null(_WORD),
        "milliseconds": COUNT,
    }
    tries = {"type": "array", "items": closed_object(tried, "One attempt."), "maxItems": MOST_TRIES}
    members: Schema = {
        "id": UUID,
        "eventId": {**_WORD, "description": "The event's id, which the header `webhook-id` has at each try."},
        "type": {**_WORD, "description": "The event's type."},
        "timestamp": _TIME,
        "customerId": _or_null(UUID),
        "version": _or_null(COUNT),
        "changed": _PARTS,
        "state": _STATE,
        "attempts": {**COUNT, "description": "Tries since it was made or replayed."},
        "nextAttemptAt": _or_null(_TIME),
        "tries": tries,
        "createdAt": _TIME,
    }
    page = closed_object({"size": COUNT}, "The most that a page has.")
    listed = {"type": "array", "items": ref("WebhookDelivery"), "maxItems": MAX_SIZE}
    return {
        "WebhookDelivery": closed_object(members, "One event for one webhook."),
        "WebhookDeliveries": closed_object({"content": listed, "page": page}, "A page of the log."),
        "WebhookReplay": closed_object({"replayed": COUNT}, "How many deliveries are sent again."),
    }


def _inputs() -> dict[str, Schema]:
    enabled = {"type": "boolean", "description": "Whether events are sent."}
    members = {"url": _TARGET, "types": _TYPES, "enabled": enabled}
    states = {"type": "array", "items": _STATE, "minItems": 1, "maxItems": len(STATES), "uniqueItems": True}
    moment = _TIME
    replay: Schema = {
        "since": {**moment, "description": "Events from this time on."},
        "until": {**moment, "description": "Events before this time; now if absent."},
        "states": {**states, "description": "Only deliveries in these states; `failed` if absent."},
    }
    patched = {"type": "object", "description": "What is omitted stays (RFC 7396).", "properties": members}
    return {
        "WebhookInput": {
            "type": "object",
            "description": "A new webhook; all types of events if none are named.",
            "properties": members,
            "required": ["url"],
        },
        "WebhookPatch": patched,
        "WebhookReplayInput": {
            "type": "object",
            "description": "Which deliveries to send again.",
            "properties": replay,
            "required": ["since"],
        },
    }


def _enveloped() -> dict[str, Schema]:
    numbers = {"page": COUNT, "page_size": COUNT, "total_count": COUNT}
    pagination = {**closed_object(numbers, "Which page, of how many."), "required": ["page_size"]}
    metadata = closed_object({"pagination": pagination}, "What is not the resource itself.")
    ones = {"Webhook": "webhook", "NewWebhook": "webhook", "WebhookDelivery": "delivery", "WebhookReplay": "replay"}
    lists = {"Webhooks": ("webhooks", "Webhook"), "WebhookDeliveries": ("deliveries", "WebhookDelivery")}
    wrapped = {name: closed_object({key: ref(name)}, f"{name}, enveloped.") for name, key in ones.items()}
    for name, (key, item) in lists.items():
        items = {"type": "array", "items": ref(item), "maxItems": MAX_SIZE}
        wrapped[name] = closed_object({key: items, "metadata": metadata}, f"{name}, enveloped.")
    return {f"Enveloped{name}": schema for name, schema in wrapped.items()}


def event_schemas() -> dict[str, Schema]:
    """Return the schemas of what is sent to webhooks."""
    version = {**COUNT, "minimum": 1, "description": "Grows by one with each change of the customer."}
    data = closed_object(
        {"customerId": UUID, "version": version, "changed": _PARTS}, "What has changed, without any personal value."
    )
    members = {"id": {**_WORD, "description": "The same at each try."}, "timestamp": _TIME}
    event = {**members, "type": {"type": "string", "enum": list(EVENT_TYPES)}, "data": data}
    until = closed_object({"until": _TIME}, "The time from which on events are told again.")
    lost = {**members, "type": {"type": "string", "const": "history.lost", "maxLength": 64}, "data": until}
    nothing = closed_object({}, "Nothing.")
    test = {**members, "type": {"type": "string", "const": "webhook.test", "maxLength": 64}, "data": nothing}
    return {
        "CustomerEvent": closed_object(event, "A change of a customer."),
        "HistoryLostEvent": closed_object(lost, "Events before a time that could not be told."),
        "TestEvent": closed_object(test, "What was asked for by `testWebhook`."),
    }


def event_example(kind: str) -> dict[str, Any]:
    """Return an example of an event."""
    event = {"id": _EVENT, "type": kind, "timestamp": _AT}
    if kind == "history.lost":
        return {**event, "data": {"until": _AT}}
    if kind == "webhook.test":
        return {**event, "data": {}}
    version = {"customer.created": 1, "customer.updated": 4, "customer.deleted": 5}[kind]
    changed = {"customer.created": list(PARTS), "customer.updated": ["addresses"], "customer.deleted": []}[kind]
    return {**event, "data": {"customerId": _CUSTOMER, "version": version, "changed": changed}}
