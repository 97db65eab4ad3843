"""Calling the resolver of a lone root field with what is prepared of its arguments, as Strawberry would call it.

Prepared are arguments that stand in the document as plain values, or are plain variables. A field with any other
argument has no call: graphql-core finds its arguments then, and Strawberry converts them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from graphql import (
    ArgumentNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLNonNull,
    GraphQLSchema,
    Undefined,
    VariableNode,
    is_required_argument,
)
from graphql.execution.values import coerce_argument

from schema.variables import is_plain

if TYPE_CHECKING:
    from graphql import FieldNode
    from strawberry.types.field import StrawberryField
    from strawberry.types.fields.resolver import StrawberryResolver

_PLAIN: Final = {str, int, bool, type(None)}


class Given(NamedTuple):
    """An argument that is a variable; `absent` is what it is without a value, Undefined where it is left out then."""

    name: str
    variable: str
    absent: object
    nullable: bool
    optional: bool


class Call(NamedTuple):
    """How the resolver of a field is called; `fixed` are the arguments that are always the same."""

    resolve: Callable[..., Any]
    field: StrawberryField
    fixed: Mapping[str, Any]
    given: tuple[Given, ...]

    def arguments(self, variables: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the arguments, None where graphql-core is to be asked: a value is missing."""
        arguments = dict(self.fixed)
        for name, variable, absent, nullable, optional in self.given:
            value = variables.get(variable, Undefined)
            if value is Undefined:
                if not optional:
                    return None
                value = absent
            elif value is None and not nullable:
                return None
            if value is not Undefined:
                arguments[name] = value
        return arguments


def prepared_call(schema: GraphQLSchema, definition: GraphQLField, node: FieldNode) -> Call | None:
    """Return how a field's resolver is called, None where graphql-core and Strawberry are to do it."""
    field: StrawberryField | None = definition.extensions.get("strawberry-definition")
    if field is None or field.base_resolver is None or not _is_bare(field, field.base_resolver):
        return None
    sent = {argument.name.value: argument for argument in node.arguments or ()}
    names = _names(schema, field)
    fixed: dict[str, Any] = {}
    given: list[Given] = []
    try:
        for name, argument in definition.args.items():
            if isinstance(value := sent[name].value if name in sent else None, VariableNode):
                given.append(_given(names[name], value.name.value, name, argument, node))
            elif (found := _coerced(name, argument, sent.get(name), node)) is not Undefined:
                fixed[names[name]] = found
    except (GraphQLError, _NotPlain):
        return None
    return Call(cast("Callable[..., Any]", field.base_resolver.wrapped_func), field, fixed, tuple(given))


class _NotPlain(Exception):
    """An argument is to be converted each time."""


def _is_bare(field: StrawberryField, resolver: StrawberryResolver[Any]) -> bool:
    """Tell whether a resolver is a coroutine of itself, `info` and its arguments, with nothing around it."""
    info = resolver.info_parameter
    others = (resolver.parent_parameter, resolver.root_parameter)
    return (
        field.is_async
        and not field.extensions
        and resolver.self_parameter is not None
        and info is not None
        and info.name == "info"
        and others == (None, None)
    )


def _names(schema: GraphQLSchema, field: StrawberryField) -> dict[str, str]:
    """Return what the resolver calls its arguments, by their names in the schema."""
    naming = schema._strawberry_schema.config.name_converter  # type: ignore[attr-defined]  # noqa: SLF001
    return {naming.from_argument(argument): argument.python_name for argument in field.arguments}


def _given(called: str, variable: str, name: str, argument: GraphQLArgument, node: FieldNode) -> Given:
    if not is_plain(argument.type):
        raise _NotPlain
    optional = not is_required_argument(argument)
    absent = _coerced(name, argument, None, node) if optional else Undefined
    return Given(called, variable, absent, not isinstance(argument.type, GraphQLNonNull), optional)


def _coerced(name: str, argument: GraphQLArgument, sent: ArgumentNode | None, node: FieldNode) -> object:
    """Return what an argument is without any variable, Undefined where it is left out."""
    coerced: dict[str, Any] = {}
    coerce_argument(coerced, node, name, argument, sent, None, None)
    found = coerced.get(name, Undefined)
    if found is not Undefined and type(found) not in _PLAIN:
        raise _NotPlain
    return found
