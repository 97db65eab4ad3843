"""Who comes in, and what it costs them: the same for both doors."""

from __future__ import annotations

from starlette.requests import Request

from app.http.origins import check_origin
from app.http.requests import base_url, context_of, state_of
from resolvers.context import Context
from resolvers.operation import unavailable
from storage.errors import Unavailable


async def admit(request: Request) -> Context:
    """Return the operations' context for a request with good credentials.

    Raises:
        Problem: origin-refused, unauthorized, unavailable where credentials cannot be checked.
    """
    state = state_of(request)
    check_origin(request.method, request.headers, state.settings.cors_origins, base_url(request))
    try:
        caller = await state.authenticator.authenticate(request.headers)
    except Unavailable as error:
        raise unavailable(error.outcome) from error
    request.scope["caller_id"] = caller.id if caller else ""
    ctx = context_of(request, caller)
    ctx.require(None)
    return ctx


async def pay(request: Request, ctx: Context, units: int) -> None:
    """Take units from the caller's budget, and note what is left for the answer."""
