"""From what was asked to the operation that is to run, the same however it came."""

from __future__ import annotations

from graphql import OperationType
from starlette.requests import HTTPConnection

from app.graphql.request import GraphQLRequest
from app.http.requests import state_of
from app.observe.metrics import GRAPHQL_OPERATION
from resolvers.problem import Problem
from resolvers.problems import METHOD_NOT_ALLOWED
from schema.documents import Operation


async def prepared(connection: HTTPConnection, asked: GraphQLRequest, *, reads_only: bool = False) -> Operation:
    """Return the operation to run; keep its document where the client wants that.

    Raises:
        Problem: those of its document, and method-not-allowed for a mutation where the request only reads.
        DocumentErrors: the document is not well-formed or not valid.
    """
    state = state_of(connection)
    text = await state.documents.text(asked.query, asked.sha256)
    operation = state.graphql.documents.operation(text, asked.operation_name)
    connection.scope[GRAPHQL_OPERATION] = operation.label
    if operation.type is OperationType.QUERY and asked.sha256 is None:
        return operation
    if operation.type is OperationType.MUTATION and reads_only:
        raise Problem(METHOD_NOT_ALLOWED, "Mutations are sent by POST.", extra={"allow": "POST"})
    await state.documents.keep(asked.query, asked.sha256)
    return operation
