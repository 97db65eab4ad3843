"""Operations on webhooks: subscriptions that belong to a caller.

What is another caller's is told of as if it did not exist.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Final

from resolvers.context import Context, Scope
from resolvers.operation import operation
from resolvers.problem import Problem
from resolvers.problems import CONFLICT
from resolvers.webhook_commands import AtWebhook, ChangeWebhook, CreateWebhook, NewWebhook
from resolvers.webhook_fields import Fields, changed_fields, check_name, created_fields
from resolvers.webhook_keys import kept_webhook, keyed_rotation, keyed_update, keyed_webhook
from resolvers.webhook_owners import missing, own_webhook, owner_of
from resolvers.webhook_rules import new_secret
from storage.documents import instant, new_id
from storage.errors import Unavailable
from storage.webhooks import Webhook, WebhookId

MOST: Final = 100
"""How many webhooks a caller may have."""
ROTATION: Final = timedelta(hours=24)
"""How long the secret before the present one signs as well."""


@operation(
    "createWebhook",
    scope=Scope.ADMIN,
    rest=("POST /webhooks",),
    graphql=("Mutation.createWebhook",),
    summary="Create a webhook",
    keyed=keyed_webhook,
)
async def create_webhook(ctx: Context, command: CreateWebhook) -> NewWebhook:
    """Create a subscription to the events from now on, and return it with its secret, which nothing shows again.

    Not even a replay of the same request does.

    Raises:
        Problem: validation-error, conflict where the caller has as many as there may be.
    """
    rules = ctx.services.webhooks
    fields = created_fields(command.body(), rules, strict=command.strict)
    await check_name(fields.url, rules, ctx.deadline)
    if await ctx.store.webhooks.count(owner_of(ctx)) >= MOST:
        raise _too_many()
    webhook_id, secret, now = WebhookId(new_id()), new_secret(), instant(ctx.now())
    since = await ctx.store.changes.position()
    webhook = Webhook(
        id=webhook_id,
        owner=owner_of(ctx),
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
        if not await _create(ctx, webhook):
            raise _too_many()
        ctx.note("done")
    return NewWebhook(webhook, secret)


def _too_many() -> Problem:
    return Problem(CONFLICT, f"You have {MOST} webhooks, and there may be no more.", resource="webhooks")


async def _create(ctx: Context, webhook: Webhook) -> bool:
    """Store a webhook, and let the feed begin for it; False where its owner has as many as there may be."""

    async def change(session: Any) -> bool:
        if not await ctx.store.webhooks.insert(webhook, MOST, session):
            return False
        await ctx.store.webhook_feed.begin(webhook.since, session)
        return True

    return await _stored(ctx, webhook, change)


async def _stored(ctx: Context, webhook: Webhook, change: Callable[[Any], Awaitable[bool]]) -> bool:
    """Make a change in one transaction, with what a webhook is then as its outcome where there is a key."""
    if ctx.claim is None:
        return await ctx.store.webhooks.transact(change)
    return await ctx.claim.complete(kept_webhook(webhook), change)


@operation(
    "listWebhooks",
    scope=Scope.ADMIN,
    rest=("GET /webhooks",),
    graphql=("Query.webhooks",),
    summary="List your webhooks",
)
async def list_webhooks(ctx: Context, command: None) -> Sequence[Webhook]:  # noqa: ARG001 - every operation takes a command
    """Return the caller's subscriptions, oldest first."""
    return await ctx.store.webhooks.owned(owner_of(ctx))


@operation(
    "getWebhook",
    scope=Scope.ADMIN,
    rest=("GET /webhooks/{webhookId}",),
    graphql=("Query.webhook",),
    summary="Get one webhook",
)
async def get_webhook(ctx: Context, command: AtWebhook) -> Webhook:
    """Return one subscription. Raises not-found."""
    return await own_webhook(ctx, command.id)


@operation(
    "updateWebhook",
    scope=Scope.ADMIN,
    rest=("PATCH /webhooks/{webhookId}",),
    graphql=("Mutation.updateWebhook",),
    summary="Change address or types of a webhook, or enable or disable it",
    keyed=keyed_update,
)
async def update_webhook(ctx: Context, command: ChangeWebhook) -> Webhook:
    """Change a subscription; events of a time at which it was disabled are not its own.

    Raises:
        Problem: not-found, validation-error, and what the change raises.
    """
    while True:
        before = await own_webhook(ctx, command.id)
        changed = await _changed(ctx, command, before)
        if command.dry_run:
            return changed
        if await _replace(ctx, before, changed):
            if changed != before:
                ctx.note("done")
            return changed


async def _changed(ctx: Context, command: ChangeWebhook, before: Webhook) -> Webhook:
    """Return a webhook as a change makes it, the same where it makes no difference."""
    rules, said = ctx.services.webhooks, Fields(before.url, before.types, before.enabled)
    fields = changed_fields(said, command.change, rules, strict=command.strict)
    if fields == said:
        return before
    if fields.url != before.url:
        await check_name(fields.url, rules, ctx.deadline)
    now = instant(ctx.now())
    changed = replace(before, url=fields.url, types=fields.types, enabled=fields.enabled, updatedAt=now, holdUntil=None)
    if fields.enabled == before.enabled:
        return changed
    since = await ctx.store.changes.position() if fields.enabled else before.since
    return replace(changed, disabledReason=None if fields.enabled else "owner", since=since)


async def _replace(ctx: Context, before: Webhook, changed: Webhook) -> bool:
    """Store a changed webhook; False where somebody else has changed it meanwhile."""
    if changed == before and ctx.claim is None:
        return True

    async def change(session: Any) -> bool:
        if changed == before:
            return True
        if not await ctx.store.webhooks.replace(before, changed, session):
            return False
        if changed.since != before.since:
            await ctx.store.webhook_feed.begin(changed.since, session)
        return True

    return await _stored(ctx, changed, change)


@operation(
    "deleteWebhook",
    scope=Scope.ADMIN,
    rest=("DELETE /webhooks/{webhookId}",),
    graphql=("Mutation.deleteWebhook",),
    summary="Delete a webhook with its log",
)
async def delete_webhook(ctx: Context, command: AtWebhook) -> Webhook:
    """Delete a subscription and its deliveries, and return it as it was. Raises not-found."""
    found = await own_webhook(ctx, command.id)
    if not command.dry_run:
        if not await ctx.store.webhooks.delete(found.id, found.owner):
            raise missing()
        try:
            await ctx.store.deliveries.delete_all(found.id)
        except Unavailable as error:
            raise Unavailable("unknown") from error  # it is gone, and its log goes in 30 days
        ctx.note("done")
    return found


@operation(
    "rotateWebhookSecret",
    scope=Scope.ADMIN,
    rest=("POST /webhooks/{webhookId}:rotateSecret",),
    graphql=("Mutation.rotateWebhookSecret",),
    summary="Give a webhook a new secret",
    keyed=keyed_rotation,
)
async def rotate_webhook_secret(ctx: Context, command: AtWebhook) -> NewWebhook:
    """Give a subscription a new secret, beside which the old one signs for 24 hours more. Raises not-found.

    A replay of the same request does not show it.
    """
    while True:
        found, secret, now = await own_webhook(ctx, command.id), new_secret(), ctx.now()
        until, kept = instant(now + ROTATION), ctx.services.webhooks.keep(secret, found.id)
        changed = replace(found, secret=kept, previous=found.secret, previousUntil=until, updatedAt=instant(now))
        if command.dry_run:
            return NewWebhook(changed, secret)
        if await _stored(ctx, changed, partial(ctx.store.webhooks.replace_secret, found, changed)):
            ctx.note("done")
            return NewWebhook(changed, secret)


WEBHOOKS: Final = (
    create_webhook,
    list_webhooks,
    get_webhook,
    update_webhook,
    delete_webhook,
    rotate_webhook_secret,
)
"""All of them, in the order of the documentation."""
