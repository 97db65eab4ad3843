"""The declaration of an operation: one name, one scope, its REST routes, its GraphQL fields.

Doors, OpenAPI, `docs/parity.md` and the parity test all read these declarations.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from resolvers.context import Context, Scope
from resolvers.disclosure import check_selected
from resolvers.idempotency import Keyed, once
from resolvers.problem import JsonValue, Problem
from resolvers.problems import BODY_TOO_LARGE, CONFLICT, HISTORY_LOST, INVALID_PARAMETER, READER_TOO_SLOW, UNAVAILABLE
from storage.deadlines import GRACE, WireDeadline
from storage.errors import (
    ClaimLost,
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
    rest_alone: str | None = None
    """Why the operation is at REST alone; None where it is at both doors."""
    keyed: Callable[[Context, CommandT], Keyed[ResultT] | None] | None = None
    """Gives what a command with an idempotency key means, None for one without a key; None: there are no keys here."""

    async def __call__(self, ctx: Context, command: CommandT) -> ResultT:
        """Run the operation for the caller of `ctx`, or replay what it gave under the command's idempotency key."""
        ctx.operation = self.name
        try:
            ctx.require(self.scope)
            with WireDeadline(ctx.deadline - GRACE):
                try:
                    if self.keyed is not None and (keyed := self.keyed(ctx, command)) is not None:
                        return await once(ctx, self.name, keyed, partial(self._under_claim, command))
                    return await self.run(ctx, command)
                except StoreError as error:
                    raise problem_of(error) from error
        except BaseException as error:
            if self.changes:
                _note_failure(ctx, command, error)
            raise

    def permit(self, ctx: Context, shown: Iterable[str] = ()) -> None:
        """Let a caller pass who may run it, before anything else of the request is looked at.

        `shown` are the fields of a changed customer that are to be answered.

        Raises:
            Problem: unauthorized, forbidden.
        """
        ctx.operation = self.name
        try:
            ctx.require(self.scope)
            check_selected(ctx, shown)
        except Problem as problem:
            if self.changes:
                ctx.note("refused", problem=problem.type.slug)
            raise

    async def _under_claim(self, command: CommandT, ctx: Context) -> ResultT:
        """Run the operation for `once`, which keeps problems and looks again for what became of a lost claim."""
        try:
            return await self.run(ctx, command)
        except ClaimLost:
            raise
        except StoreError as error:
            raise problem_of(error) from error

    @property
    def changes(self) -> bool:
        """Whether the operation can change anything."""
        if self.rest_alone:
            return any(not route.startswith("GET ") for route in self.rest)
        return any(field.startswith("Mutation.") for field in self.graphql)


def operation(
    name: str,
    *,
    scope: Scope | None,
    rest: tuple[str, ...],
    graphql: tuple[str, ...] = (),
    summary: str,
    rest_alone: str | None = None,
    keyed: Callable[[Context, Any], Keyed[Any] | None] | None = None,
) -> Callable[[Callable[[Context, CommandT], Awaitable[ResultT]]], Operation[CommandT, ResultT]]:
    """Declare an operation: `rest` as `METHOD /path/{id}`, `graphql` as `Type.field`.

    One without a field of GraphQL says in `rest_alone` why.
    """

    def declare(run: Callable[[Context, CommandT], Awaitable[ResultT]]) -> Operation[CommandT, ResultT]:
        return Operation(run, name, summary, scope, rest, graphql, rest_alone, keyed)

    return declare


def _note_failure(ctx: Context, command: object, error: BaseException) -> None:
    """Put into the audit that a change was refused, or that nobody knows whether it was made."""
    target = getattr(command, "target", None)
    if getattr(target or command, "dry_run", False):
        return
    slug = error.type.slug if isinstance(error, Problem) else "internal-error"
    certain = isinstance(error, Problem) and error.extra.get("outcome") != "unknown"
    known = target.id if target is not None else "" if certain else ctx.created
    ctx.note("refused" if certain else "unknown", known, problem=slug)


def unavailable(outcome: Outcome) -> Problem:
    """Return the problem for a store, or a time, that failed."""
    said = "nothing was changed" if outcome == "none" else "whether the change was made is unknown"
    return Problem(UNAVAILABLE, f"The store did not answer in time; {said}.", extra={"outcome": outcome})


def problem_of(error: StoreError) -> Problem:
    """Return the problem for what the store said instead of doing what was asked."""
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
