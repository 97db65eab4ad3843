"""Runs of operations: a lone root field is called directly, and all else done by graphql-core's executor."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from graphql import (
    ExecutionResult,
    GraphQLResolveInfo,
    GraphQLSchema,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution.values import VariableValues

from resolvers.problem import Problem
from schema.planned import UNFIT, Outcome, PlanCounts, PlannedExecutor
from schema.selection import LoneInfo
from schema.variants import Root, Variant

if TYPE_CHECKING:
    from schema.documents import Operation


@dataclass(slots=True)
class Run:
    """One run of an operation."""

    schema: GraphQLSchema
    operation: Operation
    variables: VariableValues
    context: Any
    counts: PlanCounts
    hide_suggestions: bool
    variant: Variant | None = field(init=False)

    def __post_init__(self) -> None:
        self.variant = self.operation.plans.variant(self.schema, self.variables)

    def executor(self) -> PlannedExecutor:
        """Return graphql-core's executor for this run; it does without a look at the document."""
        plans = self.operation.plans
        return PlannedExecutor(
            self.schema,
            plans.definitions,
            plans.fragments,
            None,
            self.context,
            self.operation.node,
            self.variables,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            hide_suggestions=self.hide_suggestions,
            variant=self.variant,
            counts=self.counts,
        )

    async def lone(self, variant: Variant, root: Root) -> ExecutionResult:
        """Return the result of an operation that has this root field alone; no executor is made where all is sound."""
        call = root.call
        arguments = call and call.arguments(self.variables.coerced)
        if call is None or arguments is None:
            return await self.executor().call(root)
        info = LoneInfo(self.context, call.field, root.known, partial(self._info, root))
        try:
            value = await call.resolve(None, info=info, **arguments)
        except Exception as error:  # noqa: BLE001 - whatever a resolver raises is told as an error of its field
            if info.renderings is not None and not isinstance(error, Problem):
                return await self.executor().call(root)  # of a customer that cannot be rendered more is to be told
            return await self.executor().call(root, Outcome(error=error))
        plan = variant.plans.get(variant.place)
        try:
            shown = plan(value) if plan else UNFIT
        except Exception:  # noqa: BLE001 - whatever it is, the executor meets it again
            shown = UNFIT
        if shown is UNFIT and info.renderings is not None:
            return await self.executor().call(root)  # which reads the customers as a whole
        if shown is UNFIT:
            return await self.executor().call(root, Outcome(value))
        self.counts.fast += 1
        return ExecutionResult({root.name: shown}, None)

    def _info(self, root: Root) -> GraphQLResolveInfo[Any]:
        """Return graphql-core's own info for the lone root field."""
        return self.executor().build_resolve_info(root.definition, root.nodes, root.parent, root.path)
