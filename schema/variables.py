"""The values of an operation's variables, prepared where they are plain: text, ids, numbers, truths, or null.

What is prepared is what graphql-core makes of them. Anything else, be it only one value that is not of the very type
that was declared, is left to graphql-core as a whole, which tells what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from graphql import (
    GraphQLBoolean,
    GraphQLError,
    GraphQLID,
    GraphQLInputType,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLString,
    Undefined,
    VariableDefinitionNode,
    get_nullable_type,
    get_variable_values,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource

_INT32: Final = range(-(2**31), 2**31)


def _is_text(value: object) -> bool:
    return type(value) is str


def _is_int(value: object) -> bool:
    return type(value) is int and value in _INT32


def _is_truth(value: object) -> bool:
    return value is True or value is False


_PLAIN: Final[dict[str, Callable[[object], bool]]] = {
    GraphQLString.name: _is_text,
    GraphQLID.name: _is_text,
    GraphQLInt.name: _is_int,
    GraphQLBoolean.name: _is_truth,
}
"""What tells of a type's values that they stay as they are sent."""


def is_plain(kind: object) -> bool:
    """Tell whether values of a type, or of its nullable form, may be plain."""
    return getattr(get_nullable_type(kind), "name", "") in _PLAIN  # type: ignore[call-overload]


class Plain(NamedTuple):
    """A variable with plain values: `default` is what it is where nothing is sent, Undefined where it is nothing."""

    name: str
    signature: GraphQLVariableSignature
    fits: Callable[[object], bool]
    nullable: bool
    optional: bool
    default: object


class PlainVariables:
    """The variables of an operation, all of them of plain types."""

    def __init__(self, variables: Sequence[Plain]) -> None:
        self._variables = variables

    def values(self, sent: Mapping[str, Any]) -> VariableValues | None:
        """Return the values as graphql-core would, None where it is to be asked itself."""
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for name, signature, fits, nullable, optional, default in self._variables:
            value = sent.get(name, Undefined)
            sources[name] = VariableValueSource(signature, value)
            if value is Undefined:
                if not optional:
                    return None
                if default is not Undefined:
                    coerced[name] = default
            elif fits(value) or (value is None and nullable):
                coerced[name] = value
            else:
                return None
        return VariableValues(sources, coerced)


def plain_variables(schema: GraphQLSchema, declared: Sequence[VariableDefinitionNode]) -> PlainVariables | None:
    """Return the variables that are declared, None where one of them has a type that is not plain."""
    found = [_plain(schema, node) for node in declared]
    known = [variable for variable in found if variable is not None]
    return PlainVariables(known) if len(known) == len(found) else None


def _plain(schema: GraphQLSchema, node: VariableDefinitionNode) -> Plain | None:
    signature = get_variable_signature(schema, node)
    if isinstance(signature, GraphQLError) or not is_plain(signature.type):
        return None
    kind: GraphQLInputType = signature.type
    nullable = not isinstance(kind, GraphQLNonNull)
    if node.default_value is None:
        return Plain(signature.name, signature, _fits(kind), nullable, nullable, Undefined)
    made = get_variable_values(schema, [node], {})
    if isinstance(made, list):
        return None
    return Plain(signature.name, signature, _fits(kind), nullable, True, made.coerced[signature.name])


def _fits(kind: GraphQLInputType) -> Callable[[object], bool]:
    return _PLAIN[str(get_nullable_type(kind))]
