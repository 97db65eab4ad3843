"""The declaration of an operation: one name, one scope, its REST routes, its GraphQL fields.

Doors, OpenAPI, `docs/parity.md` and the parity test all read these declarations.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from resolvers.context import Context, Scope
from resolvers.problems import (
    BODY_TOO_LARGE,
    CONFLICT,
    HISTORY_LOST,
    INVALID_PARAMETER,
    READER_TOO_SLOW,
    UNAVAILABLE,
    JsonValue,
    Problem,
)
from storage.deadlines import GRACE, WireDeadline
from storage.errors import (
    DocumentTooLarge,
    Duplicate,
    HistoryLost,
    Outcome,
    ReaderTooSlow,
    StoreError,
    Unavailable,
    UnknownPosition,
)

CommandT = TypeVar("CommandT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Operation(Generic[CommandT, ResultT]):
    """A function both doors call; calling it checks the scope and keeps the request's deadline.

    Raises:
        Problem: whatever the function raises, unauthorized, forbidden, and unavailable where the store
            or the time fails; its `outcome` is `none` only where it is certain that nothing was written.
    """

    run: Callable[[Context, CommandT], Awaitable[ResultT]]
    name: str
    summary: str
    scope: Scope | None
    rest: tuple[str, ...]
    graphql: tuple[str, ...]

    async def __call__(self, ctx: Context, command: CommandT) -> ResultT:
        """Run the operation for the caller of `ctx`."""
        ctx.require(self.scope)
        with WireDeadline(ctx.deadline - GRACE):
            try:
                return await self.run(ctx, command)
            except StoreError as error:
                raise store_problem(error) from error

    @property
    def changes(self) -> bool:
        """Whether the operation can change anything."""
        return any(field.startswith("Mutation.") for field in self.graphql)


def operation(
    name: str, *, scope: Scope | None, rest: tuple[str, ...], graphql: tuple[str, ...], summary: str
) -> Callable[[Callable[[Context, CommandT], Awaitable[ResultT]]], Operation[CommandT, ResultT]]:
    """Declare an operation: `rest` as `METHOD /path/{id}`, `graphql` as `Type.field`."""

    def declare(run: Callable[[Context, CommandT], Awaitable[ResultT]]) -> Operation[CommandT, ResultT]:
        return Operation(run, name, summary, scope, rest, graphql)

    return declare


def unavailable(outcome: Outcome) -> Problem:
    """Return the problem for a store, or a time, that failed."""
    said = "nothing was changed" if outcome == "none" else "whether the change was made is unknown"
    return Problem(UNAVAILABLE, f"The store did not answer in time; {said}.", extra={"outcome": outcome})


def store_problem(error: StoreError) -> Problem:
    """Return the problem for what the store says."""
    if isinstance(error, Unavailable):
        return unavailable(error.outcome)
    if isinstance(error, Duplicate):
        return email_taken() if error.field == "keys.email" else Problem(CONFLICT, "This is stored already.")
    if isinstance(error, DocumentTooLarge):
        return Problem(BODY_TOO_LARGE, "The customer would be larger than the store can hold.")
    return _event_problem(error)


def _event_problem(error: StoreError) -> Problem:
    if isinstance(error, HistoryLost):
        return Problem(HISTORY_LOST, "The changes after this event are not kept any more.", resource="events")
    if isinstance(error, UnknownPosition):
        return Problem(INVALID_PARAMETER, "There is no event of this id; send the id as it came.", resource="events")
    if isinstance(error, ReaderTooSlow):
        last: dict[str, JsonValue] = {"lastEventId": error.position}
        return Problem(READER_TOO_SLOW, "Too many events waited to be read.", extra=last, resource="events")
    return unavailable("none")


def email_taken() -> Problem:
    """Return the problem for an e-mail address that another customer has."""
    return Problem(CONFLICT, "Another customer has this email address.", extra={"fields": ["email"]})
