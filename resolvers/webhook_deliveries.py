"""Operations on the log of a webhook's deliveries: a test, the list, and what is sent again."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from resolvers.context import Context, Scope
from resolvers.operation import operation
from resolvers.problem import Problem
from resolvers.problems import INVALID_CURSOR, INVALID_PARAMETER
from resolvers.webhook_commands import AtWebhook, DeliveryPage, ListDeliveries, ReplayDeliveries, ReplayDelivery
from resolvers.webhook_fields import replay_range
from resolvers.webhook_keys import keyed_range, keyed_replay, keyed_test
from resolvers.webhook_owners import missing, own_webhook
from storage.deliveries import Delivery, DeliveryId, Event, kept, new_delivery
from storage.documents import instant, new_id
from storage.query import MAX_SIZE

TEST_TYPE: Final = "webhook.test"
"""The type of the event that is sent on demand."""


@operation(
    "testWebhook",
    scope=Scope.ADMIN,
    rest=("POST /webhooks/{webhookId}:test",),
    graphql=("Mutation.testWebhook",),
    summary="Send a test event to a webhook",
    keyed=keyed_test,
)
async def test_webhook(ctx: Context, command: AtWebhook) -> Delivery:
    """Let an event of the type `webhook.test` be sent, and return its delivery. Raises not-found."""
    found, now = await own_webhook(ctx, command.id), instant(ctx.now())
    delivery = new_delivery(found.id, Event(new_id(), TEST_TYPE, now), now)
    if not command.dry_run:
        await _add(ctx, delivery)
        ctx.note("done")
    return delivery


async def _add(ctx: Context, delivery: Delivery) -> None:
    if ctx.claim is None:
        await ctx.store.deliveries.add([delivery])
    else:
        await ctx.claim.complete(_told(delivery), partial(ctx.store.deliveries.insert, delivery))


def _told(delivery: Delivery) -> dict[str, Any]:
    """Return the outcome that a delivery is."""
    return {"delivery": kept(delivery)}


@operation(
    "listWebhookDeliveries",
    scope=Scope.ADMIN,
    rest=("GET /webhooks/{webhookId}/deliveries",),
    graphql=("Query.webhookDeliveries",),
    summary="List the deliveries of a webhook",
)
async def list_webhook_deliveries(ctx: Context, command: ListDeliveries) -> DeliveryPage:
    """Return a page of the log, the newest events first. Raises not-found, invalid-parameter, invalid-cursor."""
    if not 1 <= command.size <= MAX_SIZE:
        raise Problem(INVALID_PARAMETER, f"A page has 1 to {MAX_SIZE} deliveries.", resource="webhooks")
    found, after = await own_webhook(ctx, command.id), None
    if command.after:
        after = await ctx.store.deliveries.find(found.id, DeliveryId(command.after))
        if after is None:
            raise Problem(INVALID_CURSOR, "There is no place like this in the log.", resource="webhooks")
    listed = await ctx.store.deliveries.page(found.id, command.state, after, command.size + 1)
    shown = listed[: command.size]
    return DeliveryPage(tuple(shown), command.size, shown[-1].id if len(listed) > len(shown) else None)


@operation(
    "replayWebhookDelivery",
    scope=Scope.ADMIN,
    rest=("POST /webhooks/{webhookId}/deliveries/{deliveryId}:replay",),
    graphql=("Mutation.replayWebhookDelivery",),
    summary="Send one delivery of a webhook again",
    keyed=keyed_replay,
)
async def replay_webhook_delivery(ctx: Context, command: ReplayDelivery) -> Delivery:
    """Let a delivery be sent again, with the id that it had, whatever became of it. Raises not-found."""
    found, deliveries = await own_webhook(ctx, command.id), ctx.store.deliveries
    one, now = command.delivery_id, instant(ctx.now())
    if command.dry_run:
        delivery = await deliveries.find(found.id, one)
    elif ctx.claim is None:
        delivery = await deliveries.replay(found.id, one, now)
    else:
        again = partial(deliveries.replay_within, webhook=found.id, delivery_id=one, now=now)
        delivery = await ctx.claim.derive(again, _told)
    if delivery is None:
        raise missing("delivery")
    if not command.dry_run:
        ctx.note("done")
    return delivery


@operation(
    "replayWebhookDeliveries",
    scope=Scope.ADMIN,
    rest=("POST /webhooks/{webhookId}:replay",),
    graphql=("Mutation.replayWebhookDeliveries",),
    summary="Send the deliveries of a webhook of a range of time again",
    keyed=keyed_range,
)
async def replay_webhook_deliveries(ctx: Context, command: ReplayDeliveries) -> int:
    """Let all deliveries of a range be sent again, and return how many. Raises not-found, validation-error."""
    found, deliveries, now = await own_webhook(ctx, command.id), ctx.store.deliveries, ctx.now()
    asked = replay_range(command.body(), now, strict=command.strict)
    if command.dry_run:
        return await deliveries.count_range(found.id, asked)
    if ctx.claim is None:
        count = await deliveries.replay_range(found.id, asked, instant(now))
    else:
        again = partial(deliveries.replay_range_within, webhook=found.id, asked=asked, now=instant(now))
        count = await ctx.claim.derive(again, lambda several: {"replayed": several}) or 0
    ctx.note("done")
    return count


DELIVERIES: Final = (
    test_webhook,
    list_webhook_deliveries,
    replay_webhook_delivery,
    replay_webhook_deliveries,
)
"""All of them, in the order of the documentation."""
