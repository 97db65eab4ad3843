"""How large the operations of a parsed document are, each fragment measured once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
)

from resolvers.problems import GRAPHQL_ALIASES, GRAPHQL_DEPTH, GRAPHQL_DIRECTIVES, GRAPHQL_LIMIT, GRAPHQL_ROOT_FIELDS
from schema.cost import Cost, field_cost
from schema.limits import DocumentLimits, over

Parent: TypeAlias = GraphQLObjectType | GraphQLInterfaceType | None
"""The type that fields are selected of; None where the document asks for what the schema does not have."""


class Root(NamedTuple):
    """A root field of an operation, and what it costs."""

    node: FieldNode
    cost: Cost


class Size(NamedTuple):
    """What a selection holds once every fragment stands wherever it is spread.

    `levels` are levels of fields, introspection apart; `nesting` those of selection sets, fragments' own too.
    """

    levels: int = 0
    nesting: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    cost: Cost = Cost()
    roots: tuple[Root, ...] = ()


class Measure:
    """Measures the operations of one document in time linear in its length: a memo holds each fragment's size.

    A cycle of fragments, which validation refuses, adds nothing.
    """

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, limits: DocumentLimits) -> None:
        self._schema = schema
        self._limits = limits
        self._memo: dict[tuple[str, bool], Size] = {}
        self._inside = 0
        self._fragments: dict[str, FragmentDefinitionNode] = {}
        for item in document.definitions:
            if isinstance(item, FragmentDefinitionNode):
                self._fragments[item.name.value] = item

    def operation(self, node: OperationDefinitionNode) -> Size:
        """Return the size of an operation that is within every limit but that of cost; fragments without use too.

        Raises:
            Problem: graphql-depth, -aliases, -directives, -root-fields or graphql-limit; the first that is passed.
        """
        root = self._schema.get_root_type(node.operation)
        size = self._of(node.selection_set, root, top=True)
        for name in self._fragments:
            self._check(self._fragment(name, top=False))
        declared = sum(len(variable.directives or ()) for variable in node.variable_definitions or ())
        size = size._replace(directives=size.directives + len(node.directives or ()) + declared)
        self._check(size)
        return size

    def _check(self, size: Size) -> None:
        limits = self._limits
        for kind, what, found, limit in (
            (GRAPHQL_DEPTH, "levels of fields", size.levels, limits.depth),
            (GRAPHQL_ALIASES, "aliases", size.aliases, limits.aliases),
            (GRAPHQL_DIRECTIVES, "directives", size.directives, limits.directives),
            (GRAPHQL_ROOT_FIELDS, "root fields", len(size.roots), limits.root_fields),
            (GRAPHQL_LIMIT, "fields", size.fields, limits.fields),
            (GRAPHQL_LIMIT, "levels of selections", size.nesting, limits.nesting),
        ):
            if found > limit:
                raise over(kind, what, found, limit)

    def _of(self, selections: SelectionSetNode | None, parent: Parent, *, top: bool = False) -> Size:
        """Measure what is selected; what is in each other is bounded, as each level takes its part of the stack."""
        if selections is None:
            return Size()
        self._inside += 1
        if self._inside > self._limits.nesting:
            raise over(GRAPHQL_LIMIT, "levels of selections", self._inside, self._limits.nesting)
        size = self._sum(self._item(item, parent, top=top) for item in selections.selections)
        self._inside -= 1
        return size._replace(nesting=1 + size.nesting)

    def _sum(self, sizes: Iterable[Size]) -> Size:
        total = Size()
        for size in sizes:
            total = Size(
                max(total.levels, size.levels),
                max(total.nesting, size.nesting),
                total.fields + size.fields,
                total.aliases + size.aliases,
                total.directives + size.directives,
                total.cost + size.cost,
                # one more than the limit says that it is passed: a fragment that doubles them must not make them many
                (total.roots + size.roots)[: self._limits.root_fields + 1],
            )
        return total

    def _item(self, item: SelectionNode, parent: Parent, *, top: bool) -> Size:
        if isinstance(item, FieldNode):
            size = self._field(item, parent, top=top)
        elif isinstance(item, InlineFragmentNode):
            condition = item.type_condition
            size = self._of(item.selection_set, self._type(condition.name.value) if condition else parent, top=top)
        elif isinstance(item, FragmentSpreadNode):
            size = self._fragment(item.name.value, top=top)
        else:
            size = Size()
        return size._replace(directives=size.directives + len(item.directives or ()))

    def _field(self, node: FieldNode, parent: Parent, *, top: bool) -> Size:
        name = node.name.value
        definition = self._schema.get_field(parent, name) if parent else None
        below = self._of(node.selection_set, _parent(get_named_type(definition.type)) if definition else None)
        cost = field_cost(parent, name, definition, below.cost)
        return Size(
            0 if _introspective(parent, name) else 1 + below.levels,
            below.nesting,
            1 + below.fields,
            below.aliases + (node.alias is not None),
            below.directives,
            cost,
            (Root(node, cost),) if top else (),
        )

    def _fragment(self, name: str, *, top: bool) -> Size:
        key = (name, top)  # what is a root field at the top of one operation is none where it only stands about
        if key not in self._memo:
            fragment = self._fragments.get(name)
            self._memo[key] = Size()
            if fragment is not None:
                self._memo[key] = self._spread(fragment, top=top)
        return self._memo[key]

    def _spread(self, fragment: FragmentDefinitionNode, *, top: bool) -> Size:
        size = self._of(fragment.selection_set, self._type(fragment.type_condition.name.value), top=top)
        return size._replace(directives=size.directives + len(fragment.directives or ()))

    def _type(self, name: str) -> Parent:
        return _parent(self._schema.get_type(name))


def _introspective(parent: Parent, name: str) -> bool:
    return name.startswith("__") or (parent is not None and parent.name.startswith("__"))


def _parent(kind: GraphQLNamedType | None) -> Parent:
    return kind if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) else None


def check_repeats(document: DocumentNode, limit: int) -> None:
    """Refuse a document with more than `limit` fields that stand again in their selection set.

    Validation compares each pair of them, so that their cost grows with the square.

    Raises:
        Problem: graphql-limit.
    """
    found = 0
    open_sets: list[SelectionSetNode] = [
        item.selection_set
        for item in document.definitions
        if isinstance(item, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    while open_sets:
        fields = list(_fields(open_sets.pop()))
        names = {(node.alias or node.name).value for node in fields}
        found += len(fields) - len(names)
        open_sets += [node.selection_set for node in fields if node.selection_set]
    if found > limit:
        raise over(GRAPHQL_LIMIT, "repeated fields", found, limit)


def _fields(selections: SelectionSetNode) -> Iterable[FieldNode]:
    """Give the fields of a selection set, those of its inline fragments too."""
    for item in selections.selections:
        if isinstance(item, FieldNode):
            yield item
        elif isinstance(item, InlineFragmentNode):
            yield from _fields(item.selection_set)
