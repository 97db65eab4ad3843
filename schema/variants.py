"""What hangs on a prepared operation: its variants by @skip and @include, each with its root field and its plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    get_variable_values,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields
from graphql.execution.values import VariableValues
from graphql.pyutils import Path

from schema.calls import Call, prepared_call
from schema.plan import Complete
from schema.variables import PlainVariables, plain_variables

_MAX_VARIANTS: Final = 8
"""For so many combinations of its Boolean variables an operation has plans."""


class Root(NamedTuple):
    """The only root field of an operation."""

    name: str
    parent: GraphQLObjectType
    definition: GraphQLField
    resolve: Callable[..., Any]
    fields: list[FieldDetails]
    nodes: list[FieldNode]
    path: Path
    call: Call | None
    known: dict[object, Any]


Place: TypeAlias = tuple[int, ...]
"""A type and the nodes of its selection, by which a plan is found: they live as long as the plans."""


@dataclass(slots=True)
class Variant:
    """An operation with its @skip and @include decided: its root field where it has just one, and plans by nodes."""

    root: Root | None
    plans: dict[Place, Complete | None] = field(default_factory=dict)
    place: Place = ()

    def __post_init__(self) -> None:
        if self.root is not None:
            self.place = place_of(self.root.definition.type, self.root.fields)


def place_of(kind: GraphQLOutputType, fields: list[FieldDetails]) -> Place:
    """Return where the plan of a selection is kept."""
    return (id(kind), *[id(item.node) for item in fields])


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
        self._declared = operation.variable_definitions or ()
        self._plain: PlainVariables | None = None
        self._is_compiled = False

    def values(
        self, schema: GraphQLSchema, sent: Mapping[str, Any], most: int, *, hide_suggestions: bool
    ) -> VariableValues | list[GraphQLError]:
        """Return the values of the variables, or at most so many faults."""
        if not self._is_compiled:
            self._plain = plain_variables(schema, self._declared)
            self._is_compiled = True
        found = self._plain and self._plain.values(sent)
        return found or get_variable_values(
            schema, self._declared, dict(sent), max_errors=most, hide_suggestions=hide_suggestions
        )

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
        call = prepared_call(schema, definition, nodes[0])
        path = Path(None, name, parent.name)
        return Root(name, parent, definition, definition.resolve, fields, nodes, path, call, {})


def _is_boolean(node: object) -> bool:
    if isinstance(node, NonNullTypeNode):
        node = node.type
    return isinstance(node, NamedTypeNode) and node.name.value == "Boolean"
