"""Whose webhooks are: what is another caller's is told of as if it did not exist."""

from __future__ import annotations

from resolvers.context import Context
from resolvers.problem import Problem
from resolvers.problems import NOT_FOUND
from storage.webhooks import Webhook, WebhookId


def owner_of(ctx: Context) -> str:
    """Return whose webhooks a request is about."""
    return ctx.caller.id if ctx.caller else ""


def missing(what: str = "webhook") -> Problem:
    """Return the problem for what is not there."""
    return Problem(NOT_FOUND, f"There is no {what} with this id.", resource="webhooks")


async def own_webhook(ctx: Context, webhook_id: WebhookId) -> Webhook:
    """Return a webhook of the caller's own. Raises not-found."""
    found = await ctx.store.webhooks.find(webhook_id, owner_of(ctx))
    if found is None:
        raise missing()
    return found
