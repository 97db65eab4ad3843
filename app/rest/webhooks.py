"""The handlers of webhooks and of the log of their deliveries."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from app.rest.call import Call
from app.rest.customers import PREFIX
from app.rest.parameters import INTEGER, Parameter
from app.rest.representations import collection_body, empty_response, json_response
from resolvers.identifiers import delivery_id, webhook_id
from resolvers.webhook_commands import (
    AtWebhook,
    ChangeWebhook,
    CreateWebhook,
    ListDeliveries,
    NewWebhook,
    ReplayDeliveries,
    ReplayDelivery,
)
from resolvers.webhook_deliveries import (
    list_webhook_deliveries,
    replay_webhook_deliveries,
    replay_webhook_delivery,
    test_webhook,
)
from resolvers.webhook_views import Json, delivery_view, new_webhook_view, webhook_view
from resolvers.webhooks import (
    create_webhook,
    delete_webhook,
    get_webhook,
    list_webhooks,
    rotate_webhook_secret,
    update_webhook,
)
from storage.deliveries import STATES, State
from storage.query import DEFAULT_SIZE, MAX_SIZE
from storage.webhooks import WebhookId

STATE: Final = Parameter(
    "state",
    {"type": "string", "enum": list(STATES)},
    "Only deliveries in this state: `waiting` for their next try, `delivered`, or `failed` for good.",
    example="failed",
)
SIZE: Final = Parameter(
    "size",
    {**INTEGER, "maximum": MAX_SIZE, "default": DEFAULT_SIZE},
    f"How many deliveries a page has, 1 to {MAX_SIZE}.",
    aliases=("page_size", "pageSize"),
    example=10,
)
CURSOR: Final = Parameter(
    "cursor",
    {"type": "string"},
    "The `Next-Cursor` of the page before; absent or empty for the first page.",
    example="",
)
DELIVERY_PARAMETERS: Final = (STATE, SIZE, CURSOR)


def _id(call: Call) -> WebhookId:
    return webhook_id(call.request.path_params["webhookId"])


def _shown(call: Call, name: str, body: Json, status: int = 200, **headers: str) -> Response:
    return json_response(call, {name: body} if call.enveloped else body, status=status, headers=headers)


def _secret(call: Call, made: NewWebhook, status: int = 200, **headers: str) -> Response:
    """Return an answer that nobody is to keep: it shows a secret, unless it is a replay."""
    return _shown(call, "webhook", new_webhook_view(made), status, **{"Cache-Control": "no-store"}, **headers)


async def create(call: Call) -> Response:
    """POST /webhooks."""
    command = CreateWebhook(await call.body(), strict=call.strict, dry_run=call.dry_run, key=call.key())
    made = await create_webhook(call.ctx, command)
    if call.dry_run:
        return _secret(call, made)
    return _secret(call, made, 201, Location=f"{PREFIX}/webhooks/{made.webhook.id}")


async def list_all(call: Call) -> Response:
    """GET /webhooks."""
    found = await list_webhooks(call.ctx, None)
    return json_response(call, collection_body(call, "webhooks", [webhook_view(one) for one in found]))


async def get(call: Call) -> Response:
    """GET /webhooks/{webhookId}."""
    return _shown(call, "webhook", webhook_view(await get_webhook(call.ctx, AtWebhook(_id(call)))))


async def update(call: Call) -> Response:
    """PATCH /webhooks/{webhookId}."""
    command = ChangeWebhook(_id(call), await call.patch(), strict=call.strict, dry_run=call.dry_run, key=call.key())
    shown = webhook_view(await update_webhook(call.ctx, command))
    if call.minimal:
        return json_response(call, {"id": shown["id"], "updatedAt": shown["updatedAt"]})
    return _shown(call, "webhook", shown)


async def delete(call: Call) -> Response:
    """DELETE /webhooks/{webhookId}."""
    await delete_webhook(call.ctx, AtWebhook(_id(call), call.dry_run))
    return empty_response(call, 204)


async def rotate(call: Call) -> Response:
    """POST /webhooks/{webhookId}:rotateSecret."""
    return _secret(call, await rotate_webhook_secret(call.ctx, AtWebhook(_id(call), call.dry_run, call.key())))


async def test(call: Call) -> Response:
    """POST /webhooks/{webhookId}:test."""
    made = await test_webhook(call.ctx, AtWebhook(_id(call), call.dry_run, call.key()))
    return _shown(call, "delivery", delivery_view(made))


async def deliveries(call: Call) -> Response:
    """GET /webhooks/{webhookId}/deliveries."""
    given = call.parameters
    state = given.choice("state", STATES, "")
    known: State | None = next((one for one in STATES if one == state), None)
    size = given.number("size", DEFAULT_SIZE, most=MAX_SIZE)
    page = await list_webhook_deliveries(call.ctx, ListDeliveries(_id(call), known, given.one("cursor"), size))
    items = [delivery_view(one) for one in page.deliveries]
    body: dict[str, Any] = {"content": items, "page": {"size": page.size}}
    if call.enveloped:
        body = {"deliveries": items, "metadata": {"pagination": {"page_size": page.size}}}
    return json_response(call, body, headers={"Next-Cursor": page.next} if page.next else None)


async def replay(call: Call) -> Response:
    """POST /webhooks/{webhookId}/deliveries/{deliveryId}:replay."""
    delivery = delivery_id(call.request.path_params["deliveryId"])
    shown = await replay_webhook_delivery(call.ctx, ReplayDelivery(_id(call), delivery, call.dry_run, call.key()))
    return _shown(call, "delivery", delivery_view(shown))


async def replay_all(call: Call) -> Response:
    """POST /webhooks/{webhookId}:replay."""
    command = ReplayDeliveries(_id(call), await call.body(), strict=call.strict, dry_run=call.dry_run, key=call.key())
    return _shown(call, "replay", {"replayed": await replay_webhook_deliveries(call.ctx, command)})
