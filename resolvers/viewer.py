"""Who am I: what the gateway knows of the caller, and what is left of the caller's budgets."""

from __future__ import annotations

from dataclasses import dataclass

from resolvers.context import Budget, Caller, Context
from resolvers.operation import operation
from resolvers.problem import Problem
from resolvers.problems import UNAUTHORIZED


@dataclass(frozen=True, slots=True)
class Viewer:
    """The caller, and the budgets as this request has left them, the one with the least left first."""

    caller: Caller
    quota: tuple[Budget, ...]


@operation(
    "getViewer",
    scope=None,
    rest=("GET /viewer",),
    graphql=("Query.viewer",),
    summary="Show who the credentials belong to, what they allow and what is left of their quota",
)
async def get_viewer(ctx: Context, command: None) -> Viewer:  # noqa: ARG001 - every operation takes a command
    """Return the caller. Raises unauthorized."""
    if ctx.caller is None:
        raise Problem(UNAUTHORIZED, "This needs credentials.")
    return Viewer(ctx.caller, ctx.budgets)
