"""The schema, put together."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import strawberry
from graphql import ExecutionResult, execute
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from resolvers.context import Context
from schema.documents import MAX_FAULTS, Documents, Operation
from schema.limits import DocumentLimits
from schema.mutations import Mutation
from schema.queries import Query
from schema.types import DATE_TIME, DateTime, read


@dataclass(frozen=True, slots=True)
class SchemaOptions:
    """What can be set of the schema."""

    limits: DocumentLimits = field(default_factory=DocumentLimits)
    introspection: bool = True


class GatewaySchema(strawberry.Schema):
    """Strawberry's schema, run by graphql-core directly: documents are prepared, priced and paid before they run."""

    options = SchemaOptions()

    @cached_property
    def documents(self) -> Documents:
        """What prepares documents for this schema."""
        return Documents(self._schema, self.options.limits, introspection=self.options.introspection)

    def _extend_introspection(self) -> None:
        """Leave `isOneOf` to graphql-core: Strawberry's own fails for every type that is a list or non-null."""

    async def run(self, operation: Operation, variables: Mapping[str, Any], ctx: Context) -> ExecutionResult:
        """Run an operation that was prepared and priced; the faults of fields and variables are in the result."""
        result = execute(
            self._schema,
            operation.document,
            variable_values=dict(variables),
            operation_name=operation.name,
            context_value=ctx,
            executor_class=StrawberryGraphQLCoreExecutionContext,
            max_coercion_errors=MAX_FAULTS,
            hide_suggestions=not self.options.introspection,
        )
        return await result if inspect.isawaitable(result) else result


def build_schema(options: SchemaOptions) -> GatewaySchema:
    """Return a schema."""
    schema = GatewaySchema(
        query=Query,
        mutation=Mutation,
        config=StrawberryConfig(default_resolver=read, scalar_map={DateTime: DATE_TIME}),
    )
    schema.options = options
    return schema
