"""Selections of GraphQL that no test has to list: all that the schema has of a type."""

from __future__ import annotations

from functools import cache
from typing import Final, cast

from graphql import GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema, build_schema, get_named_type

from app.cli.documents import graphql_schema


def fields_of(name: str) -> list[str]:
    """Return the names of the fields of a type or an input that ask for nothing."""
    kind = cast("GraphQLObjectType | GraphQLInputObjectType", _schema().type_map[name])
    return [field for field, one in kind.fields.items() if not getattr(one, "args", None)]


def everything(name: str) -> str:
    """Return a selection of all fields of a type that ask for nothing, and of all below them."""
    kind = cast("GraphQLObjectType", _schema().type_map[name])
    return " ".join(f"{field} {_below(one.type)}".strip() for field, one in kind.fields.items() if not one.args)


def _below(kind: object) -> str:
    inner = get_named_type(kind)  # type: ignore[call-overload]
    return f"{{ {everything(inner.name)} }}" if isinstance(inner, GraphQLObjectType) else ""


@cache
def _schema() -> GraphQLSchema:
    return build_schema(graphql_schema())


CUSTOMER: Final = everything("Customer")
