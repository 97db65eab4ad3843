"""The schema, put together."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, cast

import strawberry
from graphql import ExecutionResult, execute
from graphql.execution import create_source_event_stream
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from resolvers.context import Context
from resolvers.deprecation import DEPRECATIONS, Deprecations
from resolvers.events import EventStream
from schema.deprecation import Places, mark
from schema.documents import MAX_FAULTS, Documents, Operation
from schema.limits import DocumentLimits
from schema.mutations import Mutation
from schema.planned import PlanCounts
from schema.queries import Query
from schema.runs import Run
from schema.subscriptions import Subscription, Watching
from schema.types import DATE_TIME, DateTime, read
from schema.webhooks import WebhookMutation, WebhookQuery

PlanMode: TypeAlias = Literal["on", "values", "off"]
"""Whether values are shown by plans, and a lone root field is called without graphql-core's execution."""


@dataclass(frozen=True, slots=True)
class SchemaOptions:
    """What can be set of the schema."""

    limits: DocumentLimits = field(default_factory=DocumentLimits)
    introspection: bool = True
    plans: PlanMode = "on"
    deprecations: Deprecations = DEPRECATIONS


class GatewaySchema(strawberry.Schema):
    """Strawberry's schema, run by graphql-core directly: documents are prepared, priced and paid before they run."""

    options = SchemaOptions()
    deprecated: Places = MappingProxyType({})

    @cached_property
    def counts(self) -> PlanCounts:
        """What the plans did so far."""
        return PlanCounts()

    @cached_property
    def documents(self) -> Documents:
        """What prepares documents for this schema."""
        return Documents(self._schema, self.options.limits, self.deprecated, introspection=self.options.introspection)

    def deprecate(self) -> None:
        """Mark in the schema what the options' registry has of it. Raises ValueError for what is not there."""
        self.deprecated = mark(self._schema, self.options.deprecations)

    def _extend_introspection(self) -> None:
        """Leave `isOneOf` to graphql-core: Strawberry's own fails for every type that is a list or non-null."""

    async def run(self, operation: Operation, variables: Mapping[str, Any], ctx: Context) -> ExecutionResult:
        """Run an operation that was prepared and priced; the faults of fields and variables are in the result."""
        if self.options.plans == "off":
            return await self._execute(operation, variables, ctx)
        hidden = not self.options.introspection
        values = operation.plans.values(self._schema, variables, MAX_FAULTS, hide_suggestions=hidden)
        if isinstance(values, list):
            return ExecutionResult(None, values)
        run = Run(self._schema, operation, values, ctx, self.counts, hidden)
        variant = run.variant
        if self.options.plans == "on" and variant is not None and variant.root is not None:
            return await run.lone(variant, variant.root)
        result = run.executor().execute_operation()
        return cast("ExecutionResult", await result if inspect.isawaitable(result) else result)

    async def watch(
        self, operation: Operation, variables: Mapping[str, Any], ctx: Context
    ) -> Watching | ExecutionResult:
        """Begin a subscription that was prepared and priced; return it, or what kept it from beginning."""
        executor = StrawberryGraphQLCoreExecutionContext.build(
            self._schema,
            operation.document,
            None,
            ctx,
            dict(variables),
            operation.name,
            max_coercion_errors=MAX_FAULTS,
            hide_suggestions=not self.options.introspection,
        )
        if isinstance(executor, list):
            return ExecutionResult(None, executor)
        stream = create_source_event_stream(executor)
        if inspect.isawaitable(stream):
            stream = await stream
        if isinstance(stream, ExecutionResult):
            return stream
        return Watching(executor, cast("EventStream", stream), ctx)

    async def _execute(self, operation: Operation, variables: Mapping[str, Any], ctx: Context) -> ExecutionResult:
        """Run an operation by graphql-core alone."""
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


def _root(name: str, description: str, *parts: type) -> type:
    """Return a root type of the fields of several, in this order."""
    return strawberry.type(type(name, parts[::-1], {}), description=description)


def build_schema(options: SchemaOptions) -> GatewaySchema:
    """Return a schema."""
    schema = GatewaySchema(
        query=_root("Query", "Everything that can be asked.", Query, WebhookQuery),
        mutation=_root("Mutation", "Everything that can be changed.", Mutation, WebhookMutation),
        subscription=Subscription,
        config=StrawberryConfig(default_resolver=read, scalar_map={DateTime: DATE_TIME}),
    )
    schema.options = options
    schema.deprecate()
    return schema
