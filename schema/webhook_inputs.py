"""What GraphQL takes about webhooks."""

from __future__ import annotations

from enum import Enum

import strawberry
from strawberry import UNSET

from schema.fields import described


@strawberry.enum(description="What became of a delivery so far.")
class WebhookDeliveryState(Enum):
    """States."""

    WAITING = strawberry.enum_value("waiting", description="It waits for its first or its next try.")
    DELIVERED = strawberry.enum_value("delivered", description="The endpoint has taken it.")
    FAILED = strawberry.enum_value("failed", description="It was given up; a replay tries again.")


@strawberry.input(description="A new webhook.")
class CreateWebhookInput:
    """A new webhook."""

    url: str = described("Where to send: https, and an address of the public Internet.")
    types: list[str] | None = described("customer.created, customer.updated, customer.deleted; all if absent.", UNSET)
    enabled: bool | None = described("Whether events are sent from now on; they are if absent.", UNSET)


@strawberry.input(description="Changes to a webhook; what is omitted stays.")
class UpdateWebhookInput:
    """A patch of a webhook."""

    url: str | None = described("Where to send.", UNSET)
    types: list[str] | None = described("Which events.", UNSET)
    enabled: bool | None = described("Whether events are sent.", UNSET)


@strawberry.input(description="Which deliveries to send again.")
class WebhookReplayInput:
    """A range of events."""

    since: str = described("Events from this time on, e.g. 2026-01-31T08:00:00Z.")
    until: str | None = described("Events before this time; now if absent.", UNSET)
    states: list[WebhookDeliveryState] | None = described("Only deliveries in these states; FAILED if absent.", UNSET)
