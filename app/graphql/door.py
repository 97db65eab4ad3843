"""The GraphQL door: GraphQL over HTTP to the letter, over Strawberry's schema.

A request is read, its document found and prepared, its price paid, and only then is anything run.
Source: GraphQL over HTTP (draft of the GraphQL Foundation).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from graphql import ExecutionResult, OperationType
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.graphql.answer import (
    JSON,
    RESPONSE,
    executed,
    is_browser,
    log_internal,
    negotiated,
    refused,
    refused_document,
    takes_stream,
)
from app.graphql.conversation import PROTOCOL
from app.graphql.preparing import prepared
from app.graphql.request import GraphQLRequest, read_request
from app.graphql.sse import SubscriptionFeed
from app.http.admission import admit, pay
from app.http.deprecation import use
from app.http.event_source import EVENT_STREAM, EventSource
from app.http.idempotency import sent_key
from app.http.requests import base_url, state_of
from app.pages import playground
from resolvers.context import Context, IdempotencyKey
from resolvers.idempotency import malformed
from resolvers.problem import Problem
from resolvers.problems import GRAPHQL_REQUEST, METHOD_NOT_ALLOWED, NOT_ACCEPTABLE
from schema.documents import DocumentErrors, Operation, Price
from schema.errors import forget_frames

PATH: Final = "/graphql"
_METHODS: Final = "GET, HEAD, POST, OPTIONS"


@dataclass(frozen=True, slots=True)
class GraphQLDoor:
    """The ASGI application at /graphql; a browser gets the playground."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every refusal is an answer too."""
        scope["route_template"] = PATH
        request = Request(scope, receive, send)
        response = await self._respond(request)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        method = request.scope["method"]
        if method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": _METHODS})
        if method in {"GET", "HEAD"} and is_browser(request):
            return playground(request)
        media_type = negotiated(request)
        try:
            if media_type is None:
                raise Problem(NOT_ACCEPTABLE, f"This answers {RESPONSE}, {JSON} or {EVENT_STREAM}.")
            return await _answer(request, media_type)
        except Problem as problem:
            return refused(request, problem, _refusal_type(media_type))
        except DocumentErrors as fault:
            return refused_document(request, fault.errors, _refusal_type(media_type))


def _refusal_type(media_type: str | None) -> str:
    return RESPONSE if media_type in {None, EVENT_STREAM} else str(media_type)


async def _answer(request: Request, media_type: str) -> Response:
    if request.scope["method"] not in {"GET", "HEAD", "POST"}:
        raise Problem(METHOD_NOT_ALLOWED, "GraphQL is asked by GET or POST.", extra={"allow": _METHODS})
    ctx = await admit(request)
    asked = await read_request(request)
    operation = await prepared(request, asked, reads_only=request.scope["method"] != "POST")
    media_type = _form(request, operation, media_type)
    price = operation.price(asked.variables)
    if operation.uses is not None:
        use(request, ctx, operation.uses.of(asked.variables))
    if operation.type is OperationType.MUTATION:
        ctx.base_url = base_url(request)
        ctx.key = _key(request, operation)
    ctx.begin()
    await pay(request, ctx, price.units)
    return await _run(request, operation, asked, ctx, price, media_type)


def _key(request: Request, operation: Operation) -> IdempotencyKey | None:
    """Return the idempotency key in the head of a mutation, which can stand for one change only."""
    key = sent_key(request.scope)
    if key is not None and operation.changes != 1:
        raise malformed("With several mutations in one request each takes its own idempotencyKey, and the head none.")
    return key


async def _run(
    request: Request, operation: Operation, asked: GraphQLRequest, ctx: Context, price: Price, media_type: str
) -> Response:
    if operation.type is OperationType.SUBSCRIPTION:
        return await _stream(request, operation, asked, ctx)
    result = await state_of(request).graphql.run(operation, asked.variables, ctx)
    # graphql-core's executor refers to itself: what it holds would stay until the garbage collector comes.
    ctx.forget_pages()
    if result.errors:
        log_internal(request, result.errors)
        forget_frames(result.errors)
    # What a mutation has done is told whatever its size.
    bounded = operation.type is OperationType.QUERY
    return executed(request, result, media_type, price, ctx, bounded=bounded)


def _form(request: Request, operation: Operation, media_type: str) -> str:
    """Return the media type of an answer: a subscription goes event by event, to a client that takes that."""
    if operation.type is not OperationType.SUBSCRIPTION:
        return media_type
    if not takes_stream(request):
        said = f"A subscription is answered as {EVENT_STREAM}, or over a WebSocket by {PROTOCOL}."
        raise Problem(GRAPHQL_REQUEST, said)
    return EVENT_STREAM


async def _stream(request: Request, operation: Operation, asked: GraphQLRequest, ctx: Context) -> Response:
    watching = await state_of(request).graphql.watch(operation, asked.variables, ctx)
    if isinstance(watching, ExecutionResult):
        log_internal(request, watching.errors or ())
        return refused_document(request, watching.errors or (), RESPONSE)
    return EventSource(request, ctx, SubscriptionFeed(request, watching), "graphql-sse")
