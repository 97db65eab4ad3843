"""Who comes in, and what it costs them: the same for both doors."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Scope

from app.http.heads import Heads, heads_of
from app.http.origins import check_origin
from app.http.problems import problem_response
from app.http.requests import base_url, request_id, state_of
from app.limits.daily import NAME as DAILY
from app.limits.refusals import Refused, impossible
from resolvers.context import Budget, Caller, Context, Door
from resolvers.operation import unavailable
from resolvers.problem import Problem
from resolvers.problems import QUOTA_EXHAUSTED, RATE_LIMITED
from storage.deadlines import GRACE, WireDeadline
from storage.errors import Unavailable

GRAPHQL: Final = "/graphql"
"""The one address at which the operations are asked for by GraphQL."""
CREDENTIALS: Final = frozenset({b"x-api-key", b"authorization"})
"""The headers that credentials come in."""
Page = Callable[[Request], Awaitable[Response]]


async def admit(request: Request) -> Context:
    """Return the operations' context for a request with good credentials; it has cost its caller one unit.

    Without credentials it costs the address one. Credentials that are not good are counted for the address.

    Raises:
        Problem: origin-refused, unauthorized, rate-limited, quota-exhausted, unavailable where credentials
            cannot be checked.
    """
    scope = request.scope
    state, heads = state_of(request), heads_of(scope)
    check_origin(scope["method"], heads, state.settings.cors_origins, lambda: base_url(request))
    caller = state.authenticator.remembered(heads)
    if caller is None or state.limiter.asks_store(caller):
        return await _admit_slowly(request, heads, caller)
    scope["caller_id"] = caller.id
    ctx = Context(state.services, caller, request_id(request), _door(scope))
    ctx.budgets = await charge(request, caller)
    return ctx


def _door(scope: Scope) -> Door:
    return "graphql" if scope["route_template"] == GRAPHQL else "rest"


async def _admit_slowly(request: Request, heads: Heads, caller: Caller | None) -> Context:
    """Admit a request for which the store is asked first, about its caller or a quota: in the request's own time."""
    state, began = state_of(request), time.monotonic()
    with WireDeadline(began + state.services.request_timeout - GRACE):
        caller = caller or await authenticated(request, heads)
        request.scope["caller_id"] = caller.id if caller else ""
        ctx = Context(state.services, caller, request_id(request), _door(request.scope))
        ctx.budgets = await charge(request, caller)
    ctx.require(None)
    ctx.spend(time.monotonic() - began)
    return ctx


async def pay(request: HTTPConnection, ctx: Context, units: int) -> None:
    """Take what a request costs in all, of which one unit has been paid at its admission.

    Raises:
        Problem: rate-limited, quota-exhausted.
    """
    if units <= 1 or ctx.caller is None or not ctx.budgets:
        return
    smallest = min(ctx.budgets, key=lambda budget: budget.limit)
    if units > smallest.limit:
        state_of(request).metrics.refused(smallest.name)
        raise impossible(QUOTA_EXHAUSTED if smallest.name == DAILY else RATE_LIMITED, units, smallest)
    with WireDeadline(ctx.deadline - GRACE):
        ctx.budgets = await charge(request, ctx.caller, units - 1, paid=1)


def public(page: Page) -> Page:
    """Return a page that anyone may ask for, within what an address may spend."""

    async def limited(request: Request) -> Response:
        try:
            await charge(request, None)
        except Problem as problem:
            return problem_response(request, problem)
        return await page(request)

    return limited


async def charge(
    request: HTTPConnection, caller: Caller | None, units: int = 1, *, paid: int = 0
) -> tuple[Budget, ...]:
    """Take units from a caller's budgets, or one from the address's, and let the answer's head show what is left.

    `paid` is what the request has cost before.

    Raises:
        Problem: rate-limited, quota-exhausted, unavailable where the store does not answer about the quota.
    """
    limiter = state_of(request).limiter
    try:
        spending = limiter.spend(caller, units, paid) if caller else limiter.spend_anonymous(address_of(request))
        budgets = await spending
    except Refused as refusal:
        _show(request, refusal)
        raise
    request.scope["budgets"] = budgets
    return budgets


def _show(request: HTTPConnection, refusal: Refused) -> None:
    """Let the answer's head show the budgets of a refusal, and count it."""
    state_of(request).metrics.refused(refusal.budgets[0].name)
    request.scope["budgets"] = refusal.budgets


def address_of(request: HTTPConnection) -> str:
    """Return the address that a request comes from, as a trusted proxy tells it or the connection."""
    return request.client.host if request.client else ""


async def check_failures(request: HTTPConnection) -> None:
    """Let pass unless too many credentials of the address were not good lately. Raises rate-limited."""
    try:
        await state_of(request).limiter.check_failures(address_of(request))
    except Refused as refusal:
        _show(request, refusal)
        raise


async def count_failure(request: HTTPConnection) -> None:
    """Count credentials that are not good. Raises rate-limited instead of letting the 401 through."""
    state_of(request).metrics.failed(request.scope)
    try:
        await state_of(request).limiter.failed(address_of(request))
    except Refused as refusal:
        _show(request, refusal)
        raise


async def authenticated(request: HTTPConnection, heads: Heads) -> Caller | None:
    """Return the caller of credentials, None where there are none; bad ones are counted for the address.

    Raises:
        Problem: unauthorized, rate-limited, unavailable where they cannot be checked.
    """
    try:
        return await state_of(request).authenticator.authenticate(heads, lambda: check_failures(request))
    except Unavailable as error:
        raise unavailable("none") from error  # of what the request asks for nothing has begun
    except Problem as problem:
        if "credentials" in problem.extra:
            await count_failure(request)
        raise
