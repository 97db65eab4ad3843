"""The declaration of an operation: one name, one scope, its REST routes, its GraphQL fields.

Doors, OpenAPI, `docs/parity.md` and the parity test all read these declarations.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from resolvers.context import Context, Scope
from resolvers.problems import BODY_TOO_LARGE, CONFLICT, UNAVAILABLE, Problem
from storage.deadlines import GRACE, WireDeadline
from storage.errors import DocumentTooLarge, Duplicate, Outcome, StoreError, Unavailable

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
        ctx.operation = self.name
        try:
            ctx.require(self.scope)
            with WireDeadline(ctx.deadline - GRACE):
                try:
                    return await self.run(ctx, command)
                except StoreError as error:
                    raise _problem(error) from error
        except BaseException as error:
            if self.changes:
                _note_failure(ctx, command, error)
            raise

    def permit(self, ctx: Context) -> None:
        """Let a caller pass who may run it, before anything else of the request is looked at.

        Raises:
            Problem: unauthorized, forbidden.
        """
        ctx.operation = self.name
        try:
            ctx.require(self.scope)
        except Problem as problem:
            if self.changes:
                ctx.note("refused", problem=problem.type.slug)
            raise

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


def _problem(error: StoreError) -> Problem:
    if isinstance(error, Unavailable):
        return unavailable(error.outcome)
    if isinstance(error, Duplicate):
        return email_taken() if error.field == "keys.email" else Problem(CONFLICT, "This is stored already.")
    if isinstance(error, DocumentTooLarge):
        return Problem(BODY_TOO_LARGE, "The customer would be larger than the store can hold.")
    return unavailable("none")


def email_taken() -> Problem:
    """Return the problem for an e-mail address that another customer has."""
    return Problem(CONFLICT, "Another customer has this email address.", extra={"fields": ["email"]})
