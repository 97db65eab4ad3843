"""What is deprecated of the schema: marked in it, and found in documents and their variables.

Places are schema coordinates (GraphQL specification, appendix on schema coordinates).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLType,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_required_argument,
    is_required_input_field,
    type_from_ast,
    visit,
)

from resolvers.deprecation import Deprecation, Deprecations, unknown
from resolvers.operations import OPERATIONS

_COMPOSITE: Final = (GraphQLObjectType, GraphQLInterfaceType)
Member = GraphQLField | GraphQLArgument | GraphQLInputField | GraphQLEnumValue
Places = Mapping[str, Deprecation]
"""What is deprecated, by schema coordinate."""


def mark(schema: GraphQLSchema, deprecations: Deprecations) -> Places:
    """Say in the schema what is deprecated, and return that by its coordinates.

    Raises:
        ValueError: a coordinate that the schema does not have, or of something that must be sent.
    """
    places = {place: one for one in deprecations for place in (*one.graphql, *_of_operations(one, deprecations))}
    members = _members(schema) if places else {}
    if error := unknown(places, members):
        raise error
    for place, one in places.items():
        member = members[place]
        if _is_required(member):
            raise ValueError(f"{place} must be sent, so it cannot be deprecated")
        member.deprecation_reason = one.notice
    return places


def _of_operations(one: Deprecation, deprecations: Deprecations) -> Iterator[str]:
    """Yield the fields of deprecated operations that no other operation has."""
    gone = {name for other in deprecations for name in other.operations}
    kept = {place for operation in OPERATIONS if operation.name not in gone for place in operation.graphql}
    for operation in OPERATIONS:
        if operation.name in one.operations:
            yield from (place for place in operation.graphql if place not in kept)


def _is_required(member: Member) -> bool:
    if isinstance(member, GraphQLArgument):
        return is_required_argument(member)
    return isinstance(member, GraphQLInputField) and is_required_input_field(member)


def _members(schema: GraphQLSchema) -> dict[str, Member]:
    """Return everything that can be deprecated, by its coordinate."""
    found: dict[str, Member] = {}
    for name, kind in schema.type_map.items():
        if isinstance(kind, _COMPOSITE):
            for own, definition in kind.fields.items():
                found[f"{name}.{own}"] = definition
                found |= {f"{name}.{own}({arg}:)": argument for arg, argument in definition.args.items()}
        elif isinstance(kind, GraphQLInputObjectType):
            found |= {f"{name}.{own}": definition for own, definition in kind.fields.items()}
        elif isinstance(kind, GraphQLEnumType):
            found |= {f"{name}.{own}": value for own, value in kind.values.items()}
    return found


@dataclass(frozen=True, slots=True)
class Uses:
    """What is deprecated of what one operation names; `schema` and `node` tell the types of its variables."""

    schema: GraphQLSchema
    places: Places
    node: OperationDefinitionNode
    named: tuple[Deprecation, ...]

    def of(self, variables: Mapping[str, Any]) -> Iterator[Deprecation]:
        """Yield what the operation names, or its variables do; the same perhaps several times."""
        yield from self.named
        for definition in self.node.variable_definitions or ():
            kind = type_from_ast(self.schema, definition.type)
            if kind is not None:
                for place in _in_value(kind, variables.get(definition.variable.name.value)):
                    if place in self.places:
                        yield self.places[place]


def _in_value(kind: GraphQLType, value: object) -> Iterator[str]:
    """Yield the coordinates that a variable's value names."""
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    if isinstance(kind, GraphQLList):
        for item in value if isinstance(value, list) else [value]:
            yield from _in_value(kind.of_type, item)
    elif isinstance(kind, GraphQLEnumType) and isinstance(value, str):
        yield f"{kind.name}.{value}"
    elif isinstance(kind, GraphQLInputObjectType) and isinstance(value, dict):
        for name, definition in kind.fields.items():
            if name in value:
                yield f"{kind.name}.{name}"
                yield from _in_value(definition.type, value[name])


def uses_of(schema: GraphQLSchema, places: Places, document: DocumentNode) -> dict[str | None, Uses]:
    """Return what is deprecated of what each operation of a valid document names, fragments included."""
    finder = _Finder(TypeInfo(schema))
    visit(document, TypeInfoVisitor(finder.types, finder))
    found: dict[str | None, Uses] = {}
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            named = [places[place] for place in finder.reached(node) if place in places]
            found[_name(node)] = Uses(schema, places, node, tuple(dict.fromkeys(named)))
    return found


def _name(node: OperationDefinitionNode) -> str | None:
    return node.name.value if node.name else None


@dataclass(slots=True)
class _Definition:
    """What one operation or fragment names, and the fragments that it spreads."""

    places: set[str] = field(default_factory=set)
    spreads: set[str] = field(default_factory=set)


class _Finder(Visitor):
    """Notes the coordinates of all that each definition of a document names."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self._operations: dict[str | None, _Definition] = {}
        self._fragments: dict[str, _Definition] = {}
        self._current = _Definition()

    def reached(self, node: OperationDefinitionNode) -> Collection[str]:
        """Return the coordinates that an operation names, its fragments' included."""
        own = self._operations[_name(node)]
        places, ahead, done = set(own.places), [*own.spreads], set[str]()
        while ahead:
            name = ahead.pop()
            if name not in done:
                done.add(name)
                places |= self._fragments[name].places
                ahead += self._fragments[name].spreads
        return sorted(places)

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        """Begin an operation."""
        self._current = self._operations[_name(node)] = _Definition()

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
        """Begin a fragment."""
        self._current = self._fragments[node.name.value] = _Definition()

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        """Note a fragment."""
        self._current.spreads.add(node.name.value)

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Note a field and its arguments."""
        parent = self.types.get_parent_type()
        if parent is not None:
            place = f"{parent.name}.{node.name.value}"
            arguments = (f"{place}({argument.name.value}:)" for argument in node.arguments or ())
            self._current.places.update((place, *arguments))

    def enter_object_field(self, node: Any, *_: Any) -> None:
        """Note a member of an input."""
        parent = get_named_type(self.types.get_parent_input_type())
        if parent is not None:
            self._current.places.add(f"{parent.name}.{node.name.value}")

    def enter_enum_value(self, node: Any, *_: Any) -> None:
        """Note a value of an enumeration."""
        kind = get_named_type(self.types.get_input_type())
        if kind is not None:
            self._current.places.add(f"{kind.name}.{node.value}")
