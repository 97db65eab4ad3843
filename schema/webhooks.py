"""Webhooks in GraphQL: types, inputs, queries and mutations. Their values are the views that REST shows too."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, cast

import strawberry

from resolvers.identifiers import delivery_id, webhook_id
from resolvers.patches import Body, MergePatch
from resolvers.problem import Problem
from resolvers.problems import NOT_FOUND
from resolvers.webhook_commands import (
    AtWebhook,
    ChangeWebhook,
    CreateWebhook,
    ListDeliveries,
    ReplayDeliveries,
    ReplayDelivery,
)
from resolvers.webhook_deliveries import (
    list_webhook_deliveries,
    replay_webhook_deliveries,
    replay_webhook_delivery,
    test_webhook,
)
from resolvers.webhook_views import delivery_view, new_webhook_view, webhook_view
from resolvers.webhooks import (
    create_webhook,
    delete_webhook,
    get_webhook,
    list_webhooks,
    rotate_webhook_secret,
    update_webhook,
)
from schema.commands import Key, key_of
from schema.fields import described
from schema.inputs import to_json
from schema.types import DateTime, Info
from schema.webhook_inputs import (
    CreateWebhookInput,
    UpdateWebhookInput,
    WebhookDeliveryState,
    WebhookReplayInput,
)
from storage.deliveries import STATES, State
from storage.query import DEFAULT_SIZE


def _says(description: str) -> Any:
    return strawberry.argument(description=description)


@strawberry.enum(description="Why nothing is sent to a webhook.")
class WebhookDisabledReason(Enum):
    """Reasons."""

    OWNER = strawberry.enum_value("owner", description="Its owner has disabled it.")
    GONE = strawberry.enum_value("gone", description="The endpoint has answered 410.")
    CREDENTIALS = strawberry.enum_value("credentials", description="The API key that made it is no longer good.")


@strawberry.type(description="A subscription to events, which are sent to an address.")
class Webhook:
    """A webhook, without its secret."""

    id: strawberry.ID = described("A UUID, the same that REST shows.")
    url: str = described("Where events are sent.")
    types: list[str] = described("Which events: customer.created, customer.updated, customer.deleted.")
    enabled: bool = described("Whether events are sent.")
    disabled_reason: WebhookDisabledReason | None = described("Why not, where they are not.")
    previous_secret_until: DateTime | None = described("Until when the secret before the present one signs as well.")
    created_at: DateTime = described("When it was created.")
    updated_at: DateTime = described("When it was last changed.")


@strawberry.type(description="A webhook at the one moment when its secret is shown.")
class NewWebhook(Webhook):
    """A webhook with its secret."""

    secret: str | None = described("Signs the deliveries: whsec_ and base64. Nothing shows it again: null in a replay.")


@strawberry.type(description="One attempt to deliver.")
class WebhookTry:
    """A try."""

    at: DateTime = described("When it ended.")
    status: int | None = described("The status of the endpoint's answer, if there was one.")
    error: str | None = described("What went wrong where there was none.")
    milliseconds: int = described("How long it took.")


@strawberry.type(description="One event for one webhook.")
class WebhookDelivery:
    """A delivery."""

    id: strawberry.ID = described("A UUID, the same that REST shows.")
    event_id: strawberry.ID = described("The id of the event: the header webhook-id, the same at each try.")
    type: str = described("The type of the event, as its body names it.")
    timestamp: DateTime = described("When it happened.")
    customer_id: strawberry.ID | None = described("Which customer it is about, if it is about one.")
    version: int | None = described("The version that the change made.")
    changed: list[str] = described("Which parts of the customer differ.")
    state: WebhookDeliveryState = described("What became of it so far.")
    attempts: int = described("How often it was tried since it was made or replayed.")
    next_attempt_at: DateTime | None = described("When it is tried next, while it waits.")
    tries: list[WebhookTry] = described("The last tries, the oldest first.")
    created_at: DateTime = described("When it was made.")


@strawberry.type(description="A page of the log of a webhook.")
class WebhookDeliveryPage:
    """A page."""

    deliveries: list[WebhookDelivery] = described("The deliveries, those of the newest events first.")
    next_cursor: str | None = described("What the next page begins after; null on the last one.")


@strawberry.type(description="How many deliveries are sent again.")
class WebhookReplay:
    """The outcome of a replay of a range."""

    replayed: int = described("How many.")


Id = Annotated[strawberry.ID, _says("The webhook's UUID.")]
DeliveryIdArgument = Annotated[strawberry.ID, _says("The delivery's UUID.")]
DryRun = Annotated[bool | None, _says("Check everything and answer what would happen; store nothing.")]
StateArgument = Annotated[WebhookDeliveryState | None, _says("Only deliveries in this state.")]
Size = Annotated[int | None, _says("How many deliveries, 1 to 100.")]
Cursor = Annotated[str | None, _says("The nextCursor of the page before.")]


def _body(value: object) -> Body:
    return lambda: to_json(value)


@strawberry.type
class WebhookQuery:
    """The questions about webhooks."""

    @strawberry.field(description="Your webhooks, the oldest first (scope customers:admin).")
    async def webhooks(self, info: Info) -> list[Webhook]:
        """Return the caller's webhooks. Problems: forbidden."""
        return cast("list[Webhook]", [webhook_view(one) for one in await list_webhooks(info.context, None)])

    @strawberry.field(description="One of your webhooks by id; null where there is none (scope customers:admin).")
    async def webhook(self, info: Info, id: Id) -> Webhook | None:  # noqa: A002 - the schema's name
        """Return one webhook. Problems: forbidden, invalid-id."""
        try:
            found = await get_webhook(info.context, AtWebhook(webhook_id(id)))
        except Problem as problem:
            if problem.type is NOT_FOUND:
                return None
            raise
        return cast("Webhook", webhook_view(found))

    @strawberry.field(description="The deliveries of one of your webhooks, the newest first (scope customers:admin).")
    async def webhook_deliveries(
        self,
        info: Info,
        webhook_id: Id,
        state: StateArgument = None,
        size: Size = DEFAULT_SIZE,
        cursor: Cursor = None,
    ) -> WebhookDeliveryPage:
        """Return a page of the log. Problems: forbidden, not-found, invalid-id, invalid-parameter, invalid-cursor."""
        command = ListDeliveries(_webhook(webhook_id), _state(state), cursor, DEFAULT_SIZE if size is None else size)
        page = await list_webhook_deliveries(info.context, command)
        shown = cast("list[WebhookDelivery]", [delivery_view(one) for one in page.deliveries])
        return WebhookDeliveryPage(deliveries=shown, next_cursor=page.next)


def _state(state: WebhookDeliveryState | None) -> State | None:
    return next((one for one in STATES if state is not None and str(state.value) == one), None)


_webhook = webhook_id
"""Under a name that no argument has."""


@strawberry.type
class WebhookMutation:
    """The changes of webhooks."""

    @strawberry.mutation(description="Create a webhook; events from then on are sent (scope customers:admin).")
    async def create_webhook(
        self,
        info: Info,
        input: Annotated[CreateWebhookInput, _says("The new webhook.")],  # noqa: A002
        idempotency_key: Key = None,
        dry_run: DryRun = False,
    ) -> NewWebhook:
        """Problems: validation-error, conflict, those of keys."""
        key = key_of(info, idempotency_key, dry_run=dry_run)
        made = await create_webhook(info.context, CreateWebhook(_body(input), dry_run=bool(dry_run), key=key))
        return cast("NewWebhook", new_webhook_view(made))

    @strawberry.mutation(description="Change a webhook, or enable or disable it (scope customers:admin).")
    async def update_webhook(
        self,
        info: Info,
        id: Id,  # noqa: A002
        patch: Annotated[UpdateWebhookInput, _says("What to change.")],
        dry_run: DryRun = False,
    ) -> Webhook:
        """Problems: not-found, validation-error, those of keys."""
        key = key_of(info, dry_run=dry_run)
        command = ChangeWebhook(webhook_id(id), MergePatch(_body(patch)), dry_run=bool(dry_run), key=key)
        return cast("Webhook", webhook_view(await update_webhook(info.context, command)))

    @strawberry.mutation(description="Delete a webhook with its log (scope customers:admin).")
    async def delete_webhook(self, info: Info, id: Id, dry_run: DryRun = False) -> Webhook:  # noqa: A002
        """Problems: not-found."""
        found = await delete_webhook(info.context, AtWebhook(webhook_id(id), bool(dry_run)))
        return cast("Webhook", webhook_view(found))

    @strawberry.mutation(description="Give a webhook a new secret; the old one signs for 24 hours more, too.")
    async def rotate_webhook_secret(
        self,
        info: Info,
        id: Id,  # noqa: A002
        idempotency_key: Key = None,
        dry_run: DryRun = False,
    ) -> NewWebhook:
        """Problems: not-found, those of keys."""
        key = key_of(info, idempotency_key, dry_run=dry_run)
        made = await rotate_webhook_secret(info.context, AtWebhook(webhook_id(id), bool(dry_run), key))
        return cast("NewWebhook", new_webhook_view(made))

    @strawberry.mutation(description="Send an event of the type webhook.test (scope customers:admin).")
    async def test_webhook(
        self,
        info: Info,
        id: Id,  # noqa: A002
        idempotency_key: Key = None,
        dry_run: DryRun = False,
    ) -> WebhookDelivery:
        """Problems: not-found, those of keys."""
        key = key_of(info, idempotency_key, dry_run=dry_run)
        made = await test_webhook(info.context, AtWebhook(webhook_id(id), bool(dry_run), key))
        return cast("WebhookDelivery", delivery_view(made))

    @strawberry.mutation(description="Send one delivery again, with the id that it had (scope customers:admin).")
    async def replay_webhook_delivery(
        self,
        info: Info,
        webhook_id: Id,
        id: DeliveryIdArgument,  # noqa: A002
        idempotency_key: Key = None,
        dry_run: DryRun = False,
    ) -> WebhookDelivery:
        """Problems: not-found, those of keys."""
        key = key_of(info, idempotency_key, dry_run=dry_run)
        command = ReplayDelivery(_webhook(webhook_id), delivery_id(id), bool(dry_run), key)
        return cast("WebhookDelivery", delivery_view(await replay_webhook_delivery(info.context, command)))

    @strawberry.mutation(description="Send all deliveries of a range of time again (scope customers:admin).")
    async def replay_webhook_deliveries(
        self,
        info: Info,
        webhook_id: Id,
        input: Annotated[WebhookReplayInput, _says("Which of them.")],  # noqa: A002
        idempotency_key: Key = None,
        dry_run: DryRun = False,
    ) -> WebhookReplay:
        """Problems: not-found, validation-error, those of keys."""
        key = key_of(info, idempotency_key, dry_run=dry_run)
        command = ReplayDeliveries(_webhook(webhook_id), _body(input), dry_run=bool(dry_run), key=key)
        return WebhookReplay(replayed=await replay_webhook_deliveries(info.context, command))
