"""Running operations by plans, each step falling through to graphql-core's own.

A lone root field is called directly and its value shown by its plan; several are left to graphql-core, which asks
for the plan of each object and each list that it completes. Plans hang on the operation that they belong to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    default_field_resolver,
    default_type_resolver,
    get_argument_values,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields
from graphql.execution.values import VariableValues
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.plan import Complete, Planner, Unplanned

if TYPE_CHECKING:
    from schema.documents import Operation

_MAX_VARIANTS: Final = 8
"""For so many combinations of its Boolean variables an operation has plans."""
_UNFIT: Final = object()


@dataclass(slots=True)
class PlanCounts:
    """How many values plans have shown, how many were not as their plan takes them, how many selections have none."""

    fast: int = 0
    fell: int = 0
    unplanned: int = 0


class Root(NamedTuple):
    """The only root field of an operation."""

    name: str
    parent: GraphQLObjectType
    definition: GraphQLField
    resolve: Callable[..., Any]
    fields: list[FieldDetails]
    nodes: list[FieldNode]
    path: Path


@dataclass(slots=True)
class Variant:
    """An operation with its @skip and @include decided: its root field where it has just one, and plans by nodes."""

    root: Root | None
    plans: dict[tuple[int, ...], Complete | None] = field(default_factory=dict)


class Plans:
    """The plans of one operation, and what each of its runs needs of the document."""

    def __init__(self, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        found = [item for item in document.definitions if isinstance(item, FragmentDefinitionNode)]
        self.definitions = {item.name.value: item for item in found}
        self.fragments = {item.name.value: FragmentDetails(item) for item in found}
        self._operation = operation
        self._flags = tuple(
            item.variable.name.value for item in operation.variable_definitions or () if _is_boolean(item.type)
        )
        self._variants: dict[tuple[object, ...], Variant] = {}

    def variant(self, schema: GraphQLSchema, variables: VariableValues) -> Variant | None:
        """Return what these variables make of the operation; None where there are too many or a directive fails."""
        flags = tuple([variables.coerced.get(name) for name in self._flags])
        found = self._variants.get(flags)
        if found is None and len(self._variants) < _MAX_VARIANTS:
            try:
                found = self._variants[flags] = Variant(self._root(schema, variables))
            except GraphQLError:
                return None
        return found

    def _root(self, schema: GraphQLSchema, variables: VariableValues) -> Root | None:
        parent = schema.get_root_type(self._operation.operation)
        if parent is None:
            return None
        selected = collect_fields(schema, self.fragments, variables, parent, self._operation).grouped_field_set
        if len(selected) != 1:
            return None
        ((name, fields),) = selected.items()
        definition = schema.get_field(parent, fields[0].node.name.value)
        if definition is None or definition.resolve is None:
            return None
        nodes = [item.node for item in fields]
        return Root(name, parent, definition, definition.resolve, fields, nodes, Path(None, name, parent.name))


class PlannedExecutor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, which shows by plan what a plan takes."""

    def __init__(self, *args: Any, variant: Variant | None, counts: PlanCounts, **options: Any) -> None:
        super().__init__(*args, **options)
        self._variant = variant
        self._counts = counts

    @property
    def root(self) -> Root | None:
        """The only root field, None where there are several."""
        return self._variant.root if self._variant else None

    async def call(self, root: Root) -> ExecutionResult:
        """Run an operation of one root field, as graphql-core's `execute_field` and what is around it would."""
        try:
            data: dict[str, Any] | None = {root.name: await self._call(root)}
        except GraphQLError as error:
            self.collected_errors.add(error, None)
            data = None
        return ExecutionResult(data, self.collected_errors.errors or None)

    async def _call(self, root: Root) -> Any:
        kind = root.definition.type
        info = self.build_resolve_info(root.definition, root.nodes, root.parent, root.path)
        try:
            arguments = get_argument_values(
                root.definition, root.fields[0].node, self.variable_values, None, self.hide_suggestions
            )
            value = root.resolve(None, info, **arguments)
            if self.is_awaitable(value):
                value = await value
            shown = self._shown(kind, root.fields, value)
            if shown is _UNFIT:
                shown = self.complete_value(kind, root.fields, info, root.path, value, None)
                if self.is_awaitable(shown):
                    shown = await shown
        except Exception as error:  # noqa: BLE001 - whatever a resolver raises is told as an error of its field
            self.handle_field_error(error, kind, root.fields, root.path)
            return None
        return shown

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
        if shown is not _UNFIT:
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
        if shown is not _UNFIT:
            return shown
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)

    def _shown(self, kind: GraphQLOutputType, fields: list[FieldDetails], value: object) -> Any:
        plan = self._plan(kind, fields)
        if plan is None:
            return _UNFIT
        try:
            shown = plan(value)
        except Exception:  # noqa: BLE001 - whatever it is, graphql-core meets it again and tells it
            self._counts.fell += 1
            return _UNFIT
        self._counts.fast += 1
        return shown

    def _plan(self, kind: GraphQLOutputType, fields: list[FieldDetails]) -> Complete | None:
        """Return the plan of a value, compiled when it is first asked for; None where there is none."""
        if self._variant is None:
            return None
        plans = self._variant.plans
        place = (id(kind), *[id(item.node) for item in fields])  # types and nodes live as long as the plans
        if place not in plans:
            plans[place] = self._compiled(kind, fields)
        return plans[place]

    def _compiled(self, kind: GraphQLOutputType, fields: list[FieldDetails]) -> Complete | None:
        planner = Planner(
            lambda parent, selected: self.collect_subfields(parent, selected).grouped_field_set,
            self.schema.get_possible_types,
        )
        try:
            return planner.plan(kind, fields)
        except (Unplanned, GraphQLError, TypeError):
            # A directive that fails does so where graphql-core collects the fields; some types msgspec does not take.
            self._counts.unplanned += 1
            return None


def planned_executor(
    schema: GraphQLSchema,
    operation: Operation,
    variables: VariableValues,
    context: object,
    counts: PlanCounts,
    *,
    hide_suggestions: bool,
) -> PlannedExecutor:
    """Return what runs an operation once, without a look at its document."""
    plans = operation.plans
    return PlannedExecutor(
        schema,
        plans.definitions,
        plans.fragments,
        None,
        context,
        operation.node,
        variables,
        default_field_resolver,
        default_type_resolver,
        default_field_resolver,
        hide_suggestions=hide_suggestions,
        variant=plans.variant(schema, variables),
        counts=counts,
    )


def _is_boolean(node: object) -> bool:
    if isinstance(node, NonNullTypeNode):
        node = node.type
    return isinstance(node, NamedTypeNode) and node.name.value == "Boolean"
