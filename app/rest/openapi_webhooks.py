"""OpenAPI's view of what the gateway sends: the section `webhooks`, a request for each type of event."""

from __future__ import annotations

from typing import Any, Final

from app.rest.call import JSON
from app.rest.shapes import ref
from app.rest.webhook_schemas import event_example

Document = dict[str, Any]

_EVENTS: Final = {
    "customer.created": ("CustomerEvent", "A customer was created"),
    "customer.updated": ("CustomerEvent", "A customer was changed"),
    "customer.deleted": ("CustomerEvent", "A customer was erased"),
    "history.lost": ("HistoryLostEvent", "Events could not be told: read your customers anew"),
    "webhook.test": ("TestEvent", "A test, which somebody asked for"),
}
_SIGNATURE: Final = """\
`v1,` and the base64 of the HMAC-SHA256 of id, time and body, joined by dots; several, separated by blanks, while a \
secret is rotated. One that fits is enough."""
_HEADERS: Final = {
    "webhook-id": ("The event's id: the same at each try, and in the body.", "zR0pYk1dQmVtT3V4c2VhZ2xl"),
    "webhook-timestamp": ("When this try was made, in seconds since 1970. Refuse one that is old.", "1789425356"),
    "webhook-signature": (_SIGNATURE, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
}


def webhook_items() -> Document:
    """Return the requests by type of event."""
    return {kind: {"post": _request(kind, schema, said)} for kind, (schema, said) in _EVENTS.items()}


def _request(kind: str, schema: str, said: str) -> Document:
    head, _, tail = kind.partition(".")
    media = {"schema": ref(schema), "examples": {"example": {"summary": kind, "value": event_example(kind)}}}
    return {
        "operationId": f"on{head.capitalize()}{tail.capitalize()}",
        "summary": said,
        "description": "Sent to webhooks by Standard Webhooks 1.0, at least once: answer 2xx within 15 seconds, and "
        "take the same id only once.",
        "tags": ["Webhooks"],
        "security": [],
        "parameters": [_header(name, *told) for name, told in _HEADERS.items()],
        "requestBody": {"required": True, "content": {JSON: media}},
        "responses": {
            "2XX": {"description": "Taken."},
            "410": {"description": "Nothing more is to be sent: the webhook is disabled."},
            "default": {"description": "Not taken: it is tried again, later and later, for three days."},
        },
    }


def _header(name: str, description: str, example: str) -> Document:
    schema = {"type": "string", "maxLength": 2048}
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": schema,
        "example": example,
    }
