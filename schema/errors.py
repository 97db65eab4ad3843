"""From GraphQL's errors to the registry of problems; nothing internal leaves."""

from __future__ import annotations

import re
from typing import Any, Final

from graphql import GraphQLError, GraphQLSyntaxError
from graphql.validation.validate import ValidationAbortedError

from resolvers.problems import GRAPHQL_LIMIT, GRAPHQL_SYNTAX, GRAPHQL_VALIDATION, INTERNAL_ERROR, Problem

_SUGGESTION: Final = re.compile(r" Did you mean .*", re.DOTALL)


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


def formatted(error: GraphQLError, base_url: str, request_id: str, *, suggest: bool = True) -> dict[str, Any]:
    """Return an entry of `errors` as GraphQL's specification has it, the problem in `extensions`.

    Without `suggest` no name of the schema is proposed to who does not know it.
    """
    problem = problem_of(error)
    entry: dict[str, Any] = {"message": problem.detail if suggest else _SUGGESTION.sub("", problem.detail)}
    if error.locations:
        entry["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        entry["path"] = list(error.path)
    members = problem.members(base_url, request_id)
    del members["detail"]
    return {**entry, "extensions": members}
