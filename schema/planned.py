"""graphql-core's executor with plans: values are shown by plan, each step falling through to graphql-core's own.

It asks for the plan of each object and each list that it completes, and of what a lone root field gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    get_argument_values,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.leaves import Unplanned
from schema.plan import Complete, Planner
from schema.selection import LISTED
from schema.variants import Root, Variant, place_of

UNFIT: Final = object()
"""Stands for what a plan shows of a value that it does not take."""


@dataclass(slots=True)
class PlanCounts:
    """How many values plans have shown, how many were not as their plan takes them, how many selections have none."""

    fast: int = 0
    fell: int = 0
    unplanned: int = 0


class Outcome(NamedTuple):
    """What a resolver gave, or raised."""

    value: object = None
    error: Exception | None = None


class PlannedExecutor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, which shows by plan what a plan takes."""

    def __init__(self, *args: Any, variant: Variant | None, counts: PlanCounts, **options: Any) -> None:
        super().__init__(*args, **options)
        self._variant = variant
        self._counts = counts

    async def call(self, root: Root, outcome: Outcome | None = None) -> ExecutionResult:
        """Run an operation of one root field, as graphql-core's `execute_field` and what is around it would.

        `outcome` is there where the resolver has been called.
        """
        try:
            data: dict[str, Any] | None = {root.name: await self._call(root, outcome)}
        except GraphQLError as error:
            self.collected_errors.add(error, None)
            data = None
        return ExecutionResult(data, self.collected_errors.errors or None)

    async def _call(self, root: Root, outcome: Outcome | None) -> Any:
        kind = root.definition.type
        info = self.build_resolve_info(root.definition, root.nodes, root.parent, root.path)
        try:
            value = await self._resolved(root, info) if outcome is None else _given(outcome)
            shown = self._shown(kind, root.fields, value)
            if shown is UNFIT:
                shown = self.complete_value(kind, root.fields, info, root.path, value, None)
                if self.is_awaitable(shown):
                    shown = await shown
        except Exception as error:  # noqa: BLE001 - whatever a resolver raises is told as an error of its field
            self.handle_field_error(error, kind, root.fields, root.path)
            return None
        return shown

    async def _resolved(self, root: Root, info: GraphQLResolveInfo[Any]) -> object:
        arguments = get_argument_values(
            root.definition, root.fields[0].node, self.variable_values, None, self.hide_suggestions
        )
        value = root.resolve(None, info, **arguments)
        return await value if self.is_awaitable(value) else value

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: list[FieldDetails],
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Complete an object, by its plan if that takes it."""
        shown = self._shown(return_type, field_details_list, result)
        if shown is not UNFIT:
            return shown
        return super().complete_object_value(return_type, field_details_list, info, path, result, position_context)

    def complete_list_value(
        self,
        return_type: GraphQLList[Any],
        field_details_list: list[FieldDetails],
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Complete a list, by its plan if that takes it."""
        shown = self._shown(return_type, field_details_list, result)
        if shown is not UNFIT:
            return shown
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)

    def _shown(self, kind: GraphQLOutputType, fields: list[FieldDetails], value: object) -> Any:
        plan = self._plan(kind, fields)
        if plan is None:
            return UNFIT
        try:
            shown = plan(value)
        except Exception:  # noqa: BLE001 - whatever it is, graphql-core meets it again and tells it
            self._counts.fell += 1
            return UNFIT
        self._counts.fast += 1
        return shown

    def _plan(self, kind: GraphQLOutputType, fields: list[FieldDetails]) -> Complete | None:
        """Return the plan of a value, compiled when it is first asked for; None where there is none."""
        if self._variant is None:
            return None
        plans = self._variant.plans
        place = place_of(kind, fields)
        if place not in plans:
            plans[place] = self._compiled(kind, fields)
        return plans[place]

    def _compiled(self, kind: GraphQLOutputType, fields: list[FieldDetails]) -> Complete | None:
        planner = Planner(
            lambda parent, selected: self.collect_subfields(parent, selected).grouped_field_set,
            self.schema.get_possible_types,
        )
        try:
            plan = planner.plan(kind, fields)
        except (Unplanned, GraphQLError, TypeError):
            # A directive that fails does so where graphql-core collects the fields; some types msgspec does not take.
            self._counts.unplanned += 1
            return None
        if self._variant is not None and self._variant.root is not None and len(planner.listed) == 1:
            self._variant.root.known[LISTED] = planner.listed[0]  # nothing else reads the page's customers
        return plan


def _given(outcome: Outcome) -> object:
    if outcome.error is not None:
        raise outcome.error
    return outcome.value
