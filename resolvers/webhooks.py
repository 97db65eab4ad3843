"""Operations on webhooks: subscriptions that belong to a caller, and the log of their deliveries.

What is another caller's is told of as if it did not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from resolvers.context import Context, Scope
from resolvers.operation import operation
from resolvers.problems import CONFLICT, INVALID_CURSOR, INVALID_PARAMETER, NOT_FOUND, Problem
from resolvers.webhook_commands import (
    AtWebhook,
    ChangeWebhook,
    CreateWebhook,
    DeliveryPage,
    ListDeliveries,
    NewWebhook,
    ReplayDeliveries,
    ReplayDelivery,
)
from resolvers.webhook_fields import Fields, changed_fields, check_name, created_fields, replay_range
from resolvers.webhook_rules import new_secret
from storage.deliveries import Delivery, DeliveryId, Event, new_delivery
from storage.documents import Instant, instant, new_id
from storage.query import MAX_SIZE
from storage.webhooks import Webhook, WebhookId

MOST: Final = 100
"""How many webhooks a caller may have."""
ROTATION: Final = timedelta(hours=24)
"""How long the secret before the present one signs as well."""
TEST_TYPE: Final = "webhook.test"
"""The type of the event that is sent on demand."""


def _owner(ctx: Context) -> str:
    return ctx.caller.id if ctx.caller else ""


def _now(ctx: Context) -> Instant:
    return instant(ctx.now())


def _missing(what: str = "webhook") -> Problem:
    return Problem(NOT_FOUND, f"There is no {what} with this id.", resource="webhooks")


async def _own(ctx: Context, webhook_id: WebhookId) -> Webhook:
    found = await ctx.store.webhooks.find(webhook_id, _owner(ctx))
    if found is None:
        raise _missing()
    return found


@operation(
    "createWebhook",
    scope=Scope.ADMIN,
    rest=("POST /webhooks",),
    graphql=("Mutation.createWebhook",),
    summary="Create a webhook",
)
async def create_webhook(ctx: Context, command: CreateWebhook) -> NewWebhook:
    """Create a subscription to the events from now on, and return it with its secret, which nothing shows again.

    Raises:
        Problem: validation-error, conflict where the caller has as many as there may be.
    """
    rules = ctx.services.webhooks
    fields = created_fields(command.body(), rules, strict=command.strict)
    await check_name(fields.url, rules, ctx.deadline)
    if await ctx.store.webhooks.count(_owner(ctx)) >= MOST:
        raise Problem(CONFLICT, f"You have {MOST} webhooks, and there may be no more.", resource="webhooks")
    webhook_id, secret, now = WebhookId(new_id()), new_secret(), _now(ctx)
    since = await ctx.store.changes.position()
    webhook = Webhook(
        id=webhook_id,
        owner=_owner(ctx),
        url=fields.url,
        types=fields.types,
        enabled=fields.enabled,
        disabledReason=None if fields.enabled else "owner",
        secret=rules.keep(secret, webhook_id),
        previous=None,
        previousUntil=None,
        holdUntil=None,
        since=since,
        createdAt=now,
        updatedAt=now,
    )
    if not command.dry_run:
        await ctx.store.webhooks.create(webhook)
        await ctx.store.webhook_feed.begin(since)
        ctx.note("done")
    return NewWebhook(webhook, secret)


@operation(
    "listWebhooks",
    scope=Scope.ADMIN,
    rest=("GET /webhooks",),
    graphql=("Query.webhooks",),
    summary="List your webhooks",
)
async def list_webhooks(ctx: Context, command: None) -> Sequence[Webhook]:  # noqa: ARG001 - every operation takes a command
    """Return the caller's subscriptions, oldest first."""
    return await ctx.store.webhooks.owned(_owner(ctx))


@operation(
    "getWebhook",
    scope=Scope.ADMIN,
    rest=("GET /webhooks/{webhookId}",),
    graphql=("Query.webhook",),
    summary="Get one webhook",
)
async def get_webhook(ctx: Context, command: AtWebhook) -> Webhook:
    """Return one subscription. Raises not-found."""
    return await _own(ctx, command.id)


@operation(
    "updateWebhook",
    scope=Scope.ADMIN,
    rest=("PATCH /webhooks/{webhookId}",),
    graphql=("Mutation.updateWebhook",),
    summary="Change address or types of a webhook, or enable or disable it",
)
async def update_webhook(ctx: Context, command: ChangeWebhook) -> Webhook:
    """Change a subscription; events of a time at which it was disabled are not its own.

    Raises:
        Problem: not-found, validation-error, and what the change raises.
    """
    rules, before = ctx.services.webhooks, await _own(ctx, command.id)
    said = Fields(before.url, before.types, before.enabled)
    fields = changed_fields(said, command.change, rules, strict=command.strict)
    if fields == said:
        return before
    if fields.url != before.url:
        await check_name(fields.url, rules, ctx.deadline)
    changes: dict[str, object] = {**fields._asdict(), "updatedAt": _now(ctx), "holdUntil": None}
    if fields.enabled != before.enabled:
        changes["disabledReason"] = None if fields.enabled else "owner"
    if command.dry_run:
        return replace(before, **changes)  # type: ignore[arg-type]
    if not fields.enabled or before.enabled:
        return await _changed(ctx, before, changes)
    since = await ctx.store.changes.position()
    changed = await _changed(ctx, before, {**changes, "since": since})
    await ctx.store.webhook_feed.begin(since)
    return changed


async def _changed(ctx: Context, before: Webhook, changes: dict[str, object]) -> Webhook:
    changed = await ctx.store.webhooks.update(before.id, before.owner, **changes)
    if changed is None:
        raise _missing()
    ctx.note("done")
    return changed


@operation(
    "deleteWebhook",
    scope=Scope.ADMIN,
    rest=("DELETE /webhooks/{webhookId}",),
    graphql=("Mutation.deleteWebhook",),
    summary="Delete a webhook with its log",
)
async def delete_webhook(ctx: Context, command: AtWebhook) -> Webhook:
    """Delete a subscription and its deliveries, and return it as it was. Raises not-found."""
    found = await _own(ctx, command.id)
    if not command.dry_run:
        if not await ctx.store.webhooks.delete(found.id, found.owner):
            raise _missing()
        await ctx.store.deliveries.delete_all(found.id)
        ctx.note("done")
    return found


@operation(
    "rotateWebhookSecret",
    scope=Scope.ADMIN,
    rest=("POST /webhooks/{webhookId}:rotateSecret",),
    graphql=("Mutation.rotateWebhookSecret",),
    summary="Give a webhook a new secret",
)
async def rotate_webhook_secret(ctx: Context, command: AtWebhook) -> NewWebhook:
    """Give a subscription a new secret, beside which the old one signs for 24 hours more. Raises not-found."""
    found, secret, now = await _own(ctx, command.id), new_secret(), ctx.now()
    changes: dict[str, object] = {
        "secret": ctx.services.webhooks.keep(secret, found.id),
        "previous": found.secret,
        "previousUntil": instant(now + ROTATION),
        "updatedAt": instant(now),
    }
    if command.dry_run:
        return NewWebhook(replace(found, **changes), secret)  # type: ignore[arg-type]
    return NewWebhook(await _changed(ctx, found, changes), secret)


@operation(
    "testWebhook",
    scope=Scope.ADMIN,
    rest=("POST /webhooks/{webhookId}:test",),
    graphql=("Mutation.testWebhook",),
    summary="Send a test event to a webhook",
)
async def test_webhook(ctx: Context, command: AtWebhook) -> Delivery:
    """Let an event of the type `webhook.test` be sent, and return its delivery. Raises not-found."""
    found, now = await _own(ctx, command.id), _now(ctx)
    delivery = new_delivery(found.id, Event(new_id(), TEST_TYPE, now), now)
    if not command.dry_run:
        await ctx.store.deliveries.add([delivery])
        ctx.note("done")
    return delivery


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
    found, after = await _own(ctx, command.id), None
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
)
async def replay_webhook_delivery(ctx: Context, command: ReplayDelivery) -> Delivery:
    """Let a delivery be sent again, with the id that it had, whatever became of it. Raises not-found."""
    found, deliveries = await _own(ctx, command.id), ctx.store.deliveries
    if command.dry_run:
        delivery = await deliveries.find(found.id, command.delivery_id)
    else:
        delivery = await deliveries.replay(found.id, command.delivery_id, _now(ctx))
    if delivery is None:
        raise _missing("delivery")
    if not command.dry_run:
        ctx.note("done")
    return delivery


@operation(
    "replayWebhookDeliveries",
    scope=Scope.ADMIN,
    rest=("POST /webhooks/{webhookId}:replay",),
    graphql=("Mutation.replayWebhookDeliveries",),
    summary="Send the deliveries of a webhook of a range of time again",
)
async def replay_webhook_deliveries(ctx: Context, command: ReplayDeliveries) -> int:
    """Let all deliveries of a range be sent again, and return how many. Raises not-found, validation-error."""
    found, deliveries, now = await _own(ctx, command.id), ctx.store.deliveries, ctx.now()
    asked = replay_range(command.body(), now, strict=command.strict)
    if command.dry_run:
        return await deliveries.count_range(found.id, asked.since, asked.until, asked.states)
    count = await deliveries.replay_range(found.id, asked.since, asked.until, asked.states, instant(now))
    ctx.note("done")
    return count


WEBHOOKS: Final = (
    create_webhook,
    list_webhooks,
    get_webhook,
    update_webhook,
    delete_webhook,
    rotate_webhook_secret,
    test_webhook,
    list_webhook_deliveries,
    replay_webhook_delivery,
    replay_webhook_deliveries,
)
"""All of them, in the order of the documentation."""
