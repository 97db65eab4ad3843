"""From GraphQL's errors to the registry of problems; nothing internal leaves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from graphql import GraphQLError, GraphQLSyntaxError
from graphql.validation.validate import ValidationAbortedError

from resolvers.problem import Problem
from resolvers.problems import GRAPHQL_LIMIT, GRAPHQL_SYNTAX, GRAPHQL_VALIDATION, INTERNAL_ERROR

_LONGEST: Final = 500
"""How many characters of a message are told: some hold a whole value, once for each fault in it."""


def problem_of(error: GraphQLError) -> Problem:
    """Return the problem behind an error: an operation's own, one of the document, or internal-error."""
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(cause, Problem):
        return cause
    if isinstance(error, GraphQLSyntaxError) or isinstance(cause, GraphQLSyntaxError):
        return Problem(GRAPHQL_SYNTAX, error.message)
    if isinstance(error, ValidationAbortedError):
        return Problem(GRAPHQL_LIMIT, "The document has too many fields or faults to check them all.")
    if cause is None or isinstance(cause, GraphQLError):
        return Problem(GRAPHQL_VALIDATION, error.message)
    return Problem(INTERNAL_ERROR, "Something went wrong in the gateway.")


def is_internal(error: GraphQLError) -> bool:
    """Tell whether an error is one of ours to mend."""
    return problem_of(error).type is INTERNAL_ERROR


def formatted(error: GraphQLError, base_url: str, request_id: str, *, explain: bool = True) -> dict[str, Any]:
    """Return an entry of `errors` as GraphQL's specification has it, the problem in `extensions`.

    Without `explain` a document or a variable that does not fit is told by its place and its own name alone:
    what the schema has there, and what is near, is not for who does not know the schema.
    """
    problem = problem_of(error)
    told = explain or problem.type is not GRAPHQL_VALIDATION or error.original_error is problem
    entry: dict[str, Any] = {"message": _short(problem.detail) if told else _misfit(error)}
    if error.locations:
        entry["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        entry["path"] = list(error.path)
    members = problem.members(base_url, request_id)
    del members["detail"]
    if problem.replayed:
        members["idempotentReplayed"] = True
    return {**entry, "extensions": members}


def forget_frames(errors: Iterable[BaseException]) -> None:
    """Let errors go of the frames that they came through, and so of all that had been read there."""
    waiting: list[BaseException | None] = list(errors)
    seen: set[int] = set()
    while waiting:
        error = waiting.pop()
        if error is not None and id(error) not in seen:
            seen.add(id(error))
            error.__traceback__ = None
            waiting += (error.__cause__, error.__context__, getattr(error, "original_error", None))


def _short(text: str) -> str:
    """Return a message that repeats no more of what was sent than helps."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _misfit(error: GraphQLError) -> str:
    node = error.nodes[0] if error.nodes else None
    name = getattr(getattr(node, "variable", node), "name", None)
    return f"{name.value!r} does not fit the schema." if name else "This does not fit the schema."
