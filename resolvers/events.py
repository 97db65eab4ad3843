"""The change feed as callers get it: one operation behind server-sent events and subscriptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Self, TypeVar

from resolvers.commands import WatchCustomers
from resolvers.context import Context, Scope
from resolvers.identifiers import customer_id
from resolvers.operation import operation, problem_of
from resolvers.problem import Problem
from resolvers.problems import INVALID_PARAMETER
from storage.changes import Change, Watch
from storage.documents import CustomerId
from storage.errors import StoreError
from storage.watch import Wants

WantedT = TypeVar("WantedT")
MOST_IDS: Final = 100
"""How many customers a stream may be narrowed to."""


TOGETHER: Final = 50
"""How many changes are taken at once."""


class EventStream:
    """The changes that one caller watches, in order for each customer; its scope is checked with each of them.

    Whoever opened it closes it.
    """

    def __init__(self, ctx: Context, watch: Watch) -> None:
        self.ctx = ctx
        self._watch = watch

    async def next(self, seconds: float | None = None) -> Change | None:
        """Return the next change, None where there is none for so many seconds.

        Raises:
            Problem: history-lost, reader-too-slow, and forbidden where the caller may not read any more.
        """
        try:
            change = await self._watch.next(seconds)
        except StoreError as error:
            raise problem_of(error) from error
        self.ctx.require(Scope.READ)
        return change

    def renewed(self) -> None:
        """Learn that the context has another caller: one who may not read is told so at once."""
        if not self.ctx.allows(Scope.READ):
            self._watch.rouse()

    async def several(self, seconds: float) -> list[Change]:
        """Return the changes that are there, at most `TOGETHER`; else wait for one, and raise, as `next` does."""
        first = await self.next(seconds)
        found = [] if first is None else [first]
        while found and len(found) < TOGETHER and (more := self._watch.waiting()) is not None:
            found.append(more)
        return found

    @property
    def position(self) -> str:
        """The id after which another stream would go on without gap and without double."""
        return self._watch.position

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        while (change := await self.next()) is None:
            pass
        return change

    async def aclose(self) -> None:
        """End the watch."""
        await self._watch.aclose()


@operation(
    "watchCustomers",
    scope=Scope.READ,
    rest=("GET /customer-events",),
    graphql=("Subscription.customerChanged",),
    summary="Watch customers change",
)
async def watch_customers(ctx: Context, command: WatchCustomers) -> EventStream:
    """Return the changes from now on, or after an event. Raises invalid-parameter and history-lost."""
    watch = ctx.store.changes.watch(command.after, wants=_wants(command), cut=True)
    await watch.open()
    return EventStream(ctx, watch)


def _wants(command: WatchCustomers) -> Wants | None:
    ids, types = frozenset(command.ids), frozenset(command.types)
    if not ids and not types:
        return None
    return lambda change: (not ids or change.customer_id in ids) and (not types or change.type in types)


def narrowed(names: Sequence[WantedT] | None, parameter: str) -> Sequence[WantedT]:
    """Return what a stream is narrowed to, if to anything; an empty list, which would be all, is invalid-parameter."""
    if names is not None and not names:
        raise Problem(INVALID_PARAMETER, f"{parameter} may not be empty; leave it out to watch everything.")
    return names or ()


def watched_ids(texts: Sequence[str]) -> tuple[CustomerId, ...]:
    """Return the ids that a stream is narrowed to; raises invalid-id and invalid-parameter."""
    if len(texts) > MOST_IDS:
        raise Problem(INVALID_PARAMETER, f"At most {MOST_IDS} ids; leave them out to watch every customer.")
    return tuple(customer_id(text) for text in texts)
