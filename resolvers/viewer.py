"""Who am I: what the gateway knows of the caller."""

from __future__ import annotations

from resolvers.context import Caller, Context
from resolvers.operation import operation
from resolvers.problems import UNAUTHORIZED, Problem


@operation(
    "getViewer",
    scope=None,
    rest=("GET /viewer",),
    graphql=("Query.viewer",),
    summary="Show who the credentials belong to and what they allow",
)
async def get_viewer(ctx: Context, command: None) -> Caller:  # noqa: ARG001 - every operation takes a command
    """Return the caller. Raises unauthorized."""
    if ctx.caller is None:
        raise Problem(UNAUTHORIZED, "This needs credentials.")
    return ctx.caller
