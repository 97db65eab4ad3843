"""What is measured of a document equals what is counted where every fragment stands in its place.

A number in a name is that of the statement that the test is about.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    get_introspection_query,
    get_named_type,
    is_list_type,
    is_non_null_type,
    parse,
)
from hypothesis import HealthCheck, given, settings

from resolvers.problem import Problem
from schema.build import SchemaOptions, build_schema
from schema.cost import EMBEDDED, EXPLAIN, INTROSPECTION, PAGES, WHOLE_LISTS
from schema.documents import DocumentErrors, Documents
from schema.limits import DocumentLimits
from schema.measure import Measure
from tests.attacks import doubled
from tests.documents import documents

SCHEMA: Final = build_schema(SchemaOptions())._schema
BOUNDLESS: Final = DocumentLimits(
    10**9, 10**9, depth=10**9, aliases=10**9, directives=10**9, root_fields=10**9, cost=10**15, fields=10**9,
    repeats=10**9,
)  # fmt: skip
PREPARED: Final = Documents(SCHEMA, BOUNDLESS, introspection=True)
PAGE: Final = {"first: 3": 3, "$size": 4, "page: 1": 25, "last: 7": 7, "first: 2": 2, "3": 3}
Parent = GraphQLObjectType | GraphQLInterfaceType


@dataclass(frozen=True)
class Naive:
    """Counts without memory, each fragment anew wherever it is spread; the shortest form of each definition."""

    document: DocumentNode

    def fragment(self, spread: FragmentSpreadNode) -> FragmentDefinitionNode:
        """Return what is spread."""
        return next(
            item
            for item in self.document.definitions
            if isinstance(item, FragmentDefinitionNode) and item.name.value == spread.name.value
        )

    def below(self, selections: SelectionSetNode | None) -> Iterator[Node]:
        """Give all that stands in a selection: itself, and what fragments hold in their places."""
        for item in selections.selections if selections else ():
            yield item
            if isinstance(item, FragmentSpreadNode):
                yield self.fragment(item)
                yield from self.below(self.fragment(item).selection_set)
            elif isinstance(item, FieldNode | InlineFragmentNode):
                yield from self.below(item.selection_set)

    def fields(self, selections: SelectionSetNode | None) -> Iterator[FieldNode]:
        """Give the fields of a selection, through fragments, without what is below them."""
        for item in selections.selections if selections else ():
            if isinstance(item, FieldNode):
                yield item
            elif isinstance(item, FragmentSpreadNode):
                yield from self.fields(self.fragment(item).selection_set)
            elif isinstance(item, InlineFragmentNode):
                yield from self.fields(item.selection_set)

    def levels(self, selections: SelectionSetNode | None) -> int:
        """Return the levels of fields."""
        own = [field for field in self.fields(selections) if not field.name.value.startswith("__")]
        return max((1 + self.levels(field.selection_set) for field in own), default=0)

    def nesting(self, selections: SelectionSetNode | None) -> int:
        """Return the levels of selections."""
        inner = [
            self.fragment(item).selection_set if isinstance(item, FragmentSpreadNode) else item.selection_set
            for item in (selections.selections if selections else ())
            if isinstance(item, FieldNode | InlineFragmentNode | FragmentSpreadNode)
        ]
        return 1 + max((self.nesting(one) for one in inner), default=0) if selections else 0

    def objects(self, selections: SelectionSetNode | None, parent: Parent, size: int = 0) -> int:
        """Return the objects that a selection may answer, counted out; the parts of fragments know their types."""
        total = 0
        for item in selections.selections if selections else ():
            if isinstance(item, FieldNode):
                total += self._field(item, parent, size)
            elif isinstance(item, FragmentSpreadNode):
                total += self.objects(self.fragment(item).selection_set, _type(self.fragment(item)), size)
            elif isinstance(item, InlineFragmentNode):
                inside = _type(item) if item.type_condition else parent
                total += self.objects(item.selection_set, inside, size)
        return total

    def _field(self, node: FieldNode, parent: Parent, size: int) -> int:
        kind = parent.fields[node.name.value].type if node.name.value in parent.fields else None
        named = get_named_type(kind) if kind else None
        if kind is None or not isinstance(named, Parent):
            return 0
        inside = _page(node) if parent.name == "Query" else size
        listed = WHOLE_LISTS.get(node.name.value, EMBEDDED) if parent.name == "Query" else EMBEDDED
        many = inside if node.name.value in PAGES.get(parent.name, ()) else listed if _listed(kind) else 1
        own = EXPLAIN if node.name.value == "explainCustomers" else 1
        return sum(own + self.objects(node.selection_set, named, inside) for _ in range(many))


def _type(node: FragmentDefinitionNode | InlineFragmentNode) -> Parent:
    found = SCHEMA.get_type(node.type_condition.name.value) if node.type_condition else None
    assert isinstance(found, Parent)
    return found


def _listed(kind: Any) -> bool:
    return is_list_type(kind.of_type if is_non_null_type(kind) else kind)


def _page(node: FieldNode) -> int:
    text = str(node.loc.source.body[node.loc.start : node.loc.end]) if node.loc else ""
    head = text.partition("(")[2].partition(")")[0]
    return head.count('"') // 2 if head.startswith("ids") else PAGE.get(head.rpartition("size: ")[2], 0)


@settings(max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(text=documents(SCHEMA))
def test_c082_measured_once_a_fragment_is_what_it_is_counted_in_all_its_places(text: str) -> None:
    document = parse(text)
    operation = next(item for item in document.definitions if isinstance(item, OperationDefinitionNode))
    size = Measure(SCHEMA, document, BOUNDLESS).operation(operation)
    naive = Naive(document)
    everything = list(naive.below(operation.selection_set))
    fields = [item for item in everything if isinstance(item, FieldNode)]
    assert size.fields == len(fields)
    assert size.aliases == sum(field.alias is not None for field in fields)
    assert size.directives == sum(len(getattr(item, "directives", None) or ()) for item in everything)
    assert size.levels == naive.levels(operation.selection_set)
    assert size.nesting == naive.nesting(operation.selection_set)
    assert len(size.roots) == len(list(naive.fields(operation.selection_set)))
    assert SCHEMA.query_type is not None
    assert PREPARED.operation(text, None).price({}).cost == naive.objects(operation.selection_set, SCHEMA.query_type)


def cost(query: str, name: str | None = None, **variables: Any) -> int:
    """Return what an operation costs."""
    return PREPARED.operation(query, name).price(variables).cost


ONE: Final = "{ customers(%s) { nodes { addresses { id } } } }"


@pytest.mark.parametrize(
    ("query", "variables", "expected"),
    [
        ("{ __typename }", {}, 0),
        ("{ viewer { name } }", {}, 1),
        ('{ customer(id: "1") { id } }', {}, 1),
        ('{ customer(id: "1") { addresses { id } notificationPreferences { sms } } }', {}, 7),
        ("{ customers { totalCount } }", {}, 1),
        ("{ customers { nodes { id } } }", {}, 26),
        ("{ customers(first: null) { nodes { id } } }", {}, 26),
        (ONE % "first: 10", {}, 61),
        (ONE % "last: 10", {}, 61),
        (ONE % "first: 3, last: 10", {}, 61),
        (ONE % "first: 0", {}, 601),
        (ONE % "first: -1", {}, 601),
        (ONE % "first: 2147483647", {}, 601),
        ("query($n: Int) " + ONE % "first: $n", {"n": 10}, 61),
        ("query($n: Int) " + ONE % "first: $n", {"n": 10.0}, 601),
        ("query($n: Int) " + ONE % "first: $n", {"n": "10"}, 601),
        ("query($n: Int) " + ONE % "first: $n", {"n": [1]}, 601),
        ("query($n: Int) " + ONE % "first: $n", {"n": None}, 151),
        ("query($n: Int) " + ONE % "first: $n", {}, 151),
        ("query($n: Int = 7) " + ONE % "first: $n", {}, 43),
        ("query($n: Int = 7) " + ONE % "first: $n", {"n": None}, 151),
        ("query($n: Int = 7, $m: Int) " + ONE % "first: $n, last: $m", {"m": 9}, 55),
        ("{ customers(first: 10) { edges { node { id } cursor } pageInfo { endCursor } } }", {}, 22),
        ("{ customers(first: 10) { edges { cursor } nodes { id } } }", {}, 21),
        ("{ customerPage { items { id } page { page } } }", {}, 27),
        ("{ customerPage(size: 100) { items { id } } }", {}, 101),
        ("query($n: Int! = 3) { customerPage(size: $n) { items { id } } }", {}, 4),
        ('{ nodes(ids: ["1", "2", "3"]) { id } }', {}, 3),
        ('{ nodes(ids: ["1", "2"]) { ... on Customer { phoneNumbers { id } } } }', {}, 12),
        ("{ nodes(ids: []) { id } }", {}, 1),
        ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["1"] * 9}, 9),
        ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["1"] * 900}, 100),
        ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": "1"}, 1),
        ('query($ids: [ID!]! = ["1", "2"]) { nodes(ids: $ids) { id } }', {}, 2),
        ("query($id: ID!) { nodes(ids: [$id, $id]) { id } }", {"id": "1"}, 2),
        ("{ explainCustomers { returned } }", {}, 1000),
        ("{ customers(first: 10) @skip(if: true) { nodes { id } } }", {}, 11),
        ("{ customers(first: 10) { nodes { addresses @include(if: false) { id } } } }", {}, 61),
        ("{ ... { ... on Query { customers(first: 10) { ...c } } } } fragment c on CustomerConnection { nodes { id } }",
         {}, 11),
        ("{ a: viewer { name } b: viewer { name } viewer { name } }", {}, 3),
    ],
)  # fmt: skip
def test_c084_the_cost_counts_pages_parts_and_what_is_below_them(
    query: str, variables: dict[str, Any], expected: int
) -> None:
    assert cost(query, **variables) == expected


def test_c084_a_price_that_no_variable_changes_is_found_once() -> None:
    for query in (ONE % "first: 10", "query($p: Int!) { customerPage(page: $p, size: 9) { items { id } } }"):
        operation = PREPARED.operation(query, None)
        assert operation.price({"p": 3}) is operation.price({})
    text = "query($n: Int!) { customerPage(size: $n) { items { id } } }"
    operation = Documents(SCHEMA, DocumentLimits(cost=50), introspection=True).operation(text, None)
    assert [operation.price({"n": number}).cost for number in (9, 3)] == [10, 4]
    with pytest.raises(Problem):
        operation.price({"n": 90})
    fixed = Documents(SCHEMA, DocumentLimits(cost=50), introspection=True).operation(ONE % "first: 90", None)
    for _ in range(2):
        with pytest.raises(Problem):
            fixed.price({})


def test_c084_which_operation_stands_first_changes_no_cost() -> None:
    fragment = "fragment q on Query { customers(first: 10) { nodes { addresses { id } } } }"
    small, large = "query Small { viewer { name } }", "query Large { ...q }"
    for text in (f"{small} {large} {fragment}", f"{fragment} {large} {small}", f"{large} {fragment} {small}"):
        assert (cost(text, "Small"), cost(text, "Large")) == (1, 61)


def test_c085_introspection_costs_in_proportion_and_the_tools_own_about_1000() -> None:
    whole = get_introspection_query(specified_by_url=True, schema_description=True, input_value_deprecation=True)
    assert INTROSPECTION * 0.9 < cost(whole) < INTROSPECTION * 1.1
    inner = "name type { name ofType { name } }"
    deep = f"fields {{ name type {{ ofType {{ fields {{ {inner} }} }} }} }}"
    assert cost(f"{{ __schema {{ types {{ {deep} }} }} }}") < 500
    many = " ".join(f"a{number}: {deep}" for number in range(15))
    assert cost(f"{{ __schema {{ types {{ {many} }} }} }}") > 3000
    assert cost("{ __schema { queryType { name } } }") == 1


def test_c082_time_and_numbers_stay_small_whatever_doubles() -> None:
    for times in (10, 30, 60):
        began = time.process_time()
        with pytest.raises(Problem) as caught:
            Documents(SCHEMA, DocumentLimits(), introspection=True).operation(doubled(times), None)
        print(f"{times}: {(time.process_time() - began) * 1000:.1f} ms")
        assert caught.value.extra["found"] == min(2**times, 10**12)


def test_c086_what_does_not_fit_the_schema_is_measured_without_it() -> None:
    for text in (
        "{ nothing { at { all } } }",
        "{ ...f } fragment f on Nothing { a }",
        "{ viewer { ... on No { a } } }",
    ):
        with pytest.raises(DocumentErrors):
            PREPARED.operation(text, None)
