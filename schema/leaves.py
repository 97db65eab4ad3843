"""The leaves of plans: what checks a scalar or an enumeration, and writes it."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import Annotated, Any, Final

import msgspec
import orjson
from graphql import GraphQLBoolean, GraphQLEnumType, GraphQLID, GraphQLInt, GraphQLString

from schema.types import DATE_TIME

_SCALARS: Final[dict[str, Any]] = {
    GraphQLString.name: str,
    GraphQLID.name: str,
    GraphQLBoolean.name: bool,
    GraphQLInt.name: Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)],
    str(DATE_TIME.name): str,
}


class Unplanned(Exception):
    """A selection has no plan."""


def leaf(kind: object) -> Any:
    """Return the type by which a leaf is checked. Raises Unplanned."""
    if isinstance(kind, GraphQLEnumType):
        return _names(kind)
    try:
        return _SCALARS[str(kind)]
    except KeyError:
        raise Unplanned from None


@lru_cache(maxsize=32)
def _names(kind: GraphQLEnumType) -> Any:
    """Return an enumeration that is made from the stored values, and written as the names that GraphQL shows."""
    stored = {name: value.value for name, value in kind.values.items()}
    if not all(type(value) is str for value in stored.values()):
        raise Unplanned  # one of introspection's own, whose values msgspec cannot look up
    make: Any = Enum
    names = make(kind.name, stored)
    for member in names:
        member._value_ = member.name  # what it is found by stays the stored value
    for name, value in stored.items():
        member = msgspec.convert(value, names)
        if not (kind.coerce_output_value(value) == name == orjson.loads(msgspec.json.encode(member)) == member.value):
            raise Unplanned
    return names
