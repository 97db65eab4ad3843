"""The subscription: the change feed, each event executed by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import Enum
from inspect import isawaitable
from typing import Annotated, NamedTuple, cast

import strawberry
from graphql import ExecutionResult
from graphql.execution import Executor, execute_subscription_event

from resolvers.commands import WatchCustomers
from resolvers.context import Context
from resolvers.events import MOST_IDS, EventStream, narrowed, watch_customers, watched_ids
from schema.types import Customer, DateTime, Info
from storage.changes import Change, ChangeType


@strawberry.enum(description="What happened to a customer.")
class CustomerEventType(Enum):
    """Kinds of events."""

    CREATED = strawberry.enum_value("created", description="The customer is new.")
    UPDATED = strawberry.enum_value("updated", description="Parts of the customer have changed.")
    DELETED = strawberry.enum_value("deleted", description="The customer was erased.")


@strawberry.type(description="One change of one customer, as REST, webhooks and subscriptions tell it.")
class CustomerEvent:
    """A change."""

    id: strawberry.ID = strawberry.field(description="The same wherever the event is told; `after` takes it.")
    type: CustomerEventType = strawberry.field(description="What happened.")
    timestamp: DateTime = strawberry.field(description="When: the customer's `updatedAt`, or when it was erased.")
    customer_id: strawberry.ID = strawberry.field(description="The customer's UUID.")
    version: int = strawberry.field(description="The version that the change made; it grows by one with each.")
    changed: list[str] = strawberry.field(
        description="The names of the parts that changed: all of a new customer, none of one that was erased."
    )
    customer: Customer | None = strawberry.field(
        description="The customer as the change left it; null once it has been erased."
    )


Ids = Annotated[
    list[strawberry.ID] | None,
    strawberry.argument(description=f"Only events of these customers, 1 to {MOST_IDS}; of all if absent."),
]
Types = Annotated[
    list[CustomerEventType] | None, strawberry.argument(description="Only events of these types; of all if absent.")
]
After = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="Go on after the event of this id; from now on if absent."),
]


@strawberry.type(description="Everything that can be watched.")
class Subscription:
    """The root of subscriptions."""

    @strawberry.subscription(description="Each change of a customer, in order for each customer.")
    async def customer_changed(
        self, info: Info, ids: Ids = None, types: Types = None, after: After = None
    ) -> AsyncIterator[CustomerEvent]:
        """Problems: invalid-id, invalid-parameter, history-lost; later reader-too-slow too."""
        kinds = tuple(cast("ChangeType", kind.value) for kind in narrowed(types, "types"))
        command = WatchCustomers(watched_ids(narrowed(ids, "ids")), kinds, after)
        return cast("AsyncIterator[CustomerEvent]", await watch_customers(info.context, command))


class Told(NamedTuple):
    """One event, and what the operation has asked of it."""

    change: Change
    result: ExecutionResult


class Watching:
    """A subscription that runs. Whoever opened it closes it."""

    def __init__(self, executor: Executor[Context], stream: EventStream, ctx: Context) -> None:
        self._executor, self.stream, self._ctx = executor, stream, ctx

    async def several(self, seconds: float) -> list[Told]:
        """Return what is there to tell, nothing where there is nothing for so many seconds; raises Problem."""
        return [await self._told(change) for change in await self.stream.several(seconds)]

    async def _told(self, change: Change) -> Told:
        self._ctx.begin()
        result = execute_subscription_event(self._executor.build_per_event_executor(change))
        return Told(change, await result if isawaitable(result) else result)

    def renewed(self) -> None:
        """Learn that the context has another caller."""
        self.stream.renewed()

    async def aclose(self) -> None:
        """End it."""
        await self.stream.aclose()
