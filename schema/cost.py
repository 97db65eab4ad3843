"""What a GraphQL operation costs: the objects that it may answer, known before anything runs.

Each object costs 1, its scalars nothing. A list of customers counts as many as its page may hold (`first`, `last`,
`size`, or the number of `ids`), the results of a batch as many as its `operations`, the lists of the caller's
operations and webhooks as many as they may hold, a list inside any of these counts `EMBEDDED`, and what is selected
of each object is multiplied with them. A few fields cost what `COSTLY` says, and the introspection that tools send
`INTROSPECTION`, any other as much more or less as it holds more or less. From the cost
follows the price in units of the budget that both doors share: one unit for every `PER_UNIT`, and at least one for each
root field, of a batch for each operation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
    get_named_type,
)

from resolvers.batches import MAX_ITEMS
from resolvers.jobs import MOST_LISTED
from resolvers.renderings import Shown
from resolvers.webhooks import MOST as MOST_WEBHOOKS
from schema.rows import Row, rows_of_one_kind
from storage.query import DEFAULT_SIZE, MAX_SIZE

EMBEDDED: Final = 5
"""As how many items a list inside a customer counts; it has at least one and at most fifty."""

EXPLAIN: Final = 1000
COSTLY: Final = {"explainCustomers": EXPLAIN, "deleteCustomers": 1000}
"""What single fields cost, as their routes do."""
INTROSPECTION: Final = 1000
PER_UNIT: Final = 100
PAGES: Final = {
    "CustomerConnection": ("edges", "nodes"),
    "CustomerPage": ("items",),
    "Query": ("nodes",),
    "BatchResult": ("results",),
    "WebhookDeliveryPage": ("deliveries",),
}
"""Which lists hold one page, of customers or of what belongs to the caller, or the results of a batch."""
WHOLE_LISTS: Final = {"operations": MOST_LISTED, "webhooks": MOST_WEBHOOKS}
"""The lists of the root that have no size: as many as they may hold."""

_SIZES: Final = ("first", "last", "size")
_OPERATIONS: Final = "operations"
"""The argument of a batch."""
_MEMBERS: Final = {
    "types": 50,
    "fields": 10,
    "args": 3,
    "inputFields": 10,
    "enumValues": 3,
    "possibleTypes": 2,
    "interfaces": 2,
    "directives": 5,
}
"""As how many items the lists of introspection count; a few types, which all others lead to, have the most."""
_WHOLE: Final = 97_000
"""What the introspection that tools send comes to by these numbers."""


class Cost(NamedTuple):
    """A cost with the page's size open: `fixed + paged * size`, and the `members` that introspection asks for."""

    fixed: int = 0
    paged: int = 0
    members: int = 0

    def __add__(self, other: object) -> Cost:  # costs add up, they do not chain
        if not isinstance(other, Cost):
            return NotImplemented
        return Cost(self.fixed + other.fixed, self.paged + other.paged, self.members + other.members)

    def times(self, number: int) -> Cost:
        """Return the cost of so many."""
        return Cost(self.fixed * number, self.paged * number, self.members * number)

    def at(self, size: int) -> int:
        """Return the cost with pages of a size."""
        return self.fixed + self.paged * size - (-self.members * INTROSPECTION // _WHOLE)


def field_cost(
    parent: GraphQLObjectType | GraphQLInterfaceType | None, name: str, field: GraphQLField | None, below: Cost
) -> Cost:
    """Return what a field costs with all that is selected `below` it; nothing for scalars."""
    if parent is None or field is None:
        return Cost()
    if parent.name.startswith("__") or name in {"__schema", "__type"}:
        return Cost(members=1 + below.members).times(_MEMBERS.get(name, 1))
    if not isinstance(get_named_type(field.type), GraphQLObjectType | GraphQLInterfaceType):
        return Cost()
    one = below + Cost(COSTLY.get(name, 1))
    if name in PAGES.get(parent.name, ()):
        return Cost(0, one.fixed)
    if parent.name == "Query" and name in WHOLE_LISTS:
        return one.times(WHOLE_LISTS[name])
    return one.times(EMBEDDED) if _is_list(field) else one


def _is_list(field: GraphQLField) -> bool:
    kind = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    return isinstance(kind, GraphQLList)


def page_size(node: FieldNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> int:
    """Return how many customers a root field may give; the most there can be where what was sent is no size."""
    arguments = {argument.name.value: argument.value for argument in node.arguments or ()}
    if "ids" in arguments:
        return _count(arguments["ids"], operation, variables, MAX_SIZE)
    if _OPERATIONS in arguments:
        return _count(arguments[_OPERATIONS], operation, variables, MAX_ITEMS)
    sizes = [_value(arguments[name], operation, variables) for name in _SIZES if name in arguments]
    given = [size for size in sizes if size is not None]
    if not given:
        return DEFAULT_SIZE
    return max(size if isinstance(size, int) and 1 <= size <= MAX_SIZE else MAX_SIZE for size in given)


def is_fixed(node: FieldNode) -> bool:
    """Tell whether a root field may give as many customers whatever the variables are."""
    deciding = [
        argument.value for argument in node.arguments or () if argument.name.value in {"ids", _OPERATIONS, *_SIZES}
    ]
    return not any(isinstance(value, VariableNode) for value in deciding)


def changes(node: FieldNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> int:
    """Return how many operations a root field does: those of a batch, else one."""
    arguments = (argument.value for argument in node.arguments or () if argument.name.value == _OPERATIONS)
    return sum(_count(value, operation, variables, MAX_ITEMS) for value in arguments) or 1


def _count(node: ValueNode, operation: OperationDefinitionNode, variables: Mapping[str, Any], most: int) -> int:
    if isinstance(node, ListValueNode):
        return max(1, min(len(node.values), most))
    value = _value(node, operation, variables)
    return max(1, min(len(value), most)) if isinstance(value, list | tuple) else 1


def _value(node: ValueNode | None, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> object:
    """Return what an argument will be: a number, a variable's value or its default, else something that is no size."""
    if isinstance(node, IntValueNode):
        return int(node.value[:12])
    if isinstance(node, ListValueNode):
        return node.values
    if not isinstance(node, VariableNode):
        return None if node is None or node.kind == "null_value" else ""
    name = node.name.value
    if name in variables:
        return variables[name]
    declared = [item for item in operation.variable_definitions or () if item.variable.name.value == name]
    return _value(declared[0].default_value, operation, {}) if declared else None


def units(cost: int, changes: int) -> int:
    """Return the price in units of the budget that both doors share: at least one for each of so many `changes`."""
    return max(1, changes, -(-cost // PER_UNIT))


def objects(value: object) -> int:
    """Return how many objects an answer has below its top: what it cost as it came."""
    if isinstance(value, dict):
        return sum(map(_objects, value.values()))
    if not isinstance(value, list):
        return 0
    if isinstance(value, Shown):
        return len(value) + sum(one.below for one in value)
    kind = rows_of_one_kind(value)
    return sum(map(_objects, value)) if kind is None else len(value) + kind.below(value)


def _objects(item: object) -> int:
    """Return how many objects a part of an answer is and has below."""
    if isinstance(item, Row):
        return 1 + item.below([item])
    return objects(item) + isinstance(item, dict)
