"""Variables and arguments that are prepared are what graphql-core and Strawberry make of them, or are left to them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import pytest
from graphql import OperationDefinitionNode, VariableDefinitionNode, get_variable_values, parse
from graphql.execution.values import VariableValues
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.build import GatewaySchema, SchemaOptions, build_schema
from schema.documents import Operation
from schema.variables import plain_variables
from schema.variants import Root
from tests.schema.stage import difference, is_valid, perfect, stages
from tests.schema.stage import given as gives

_SCHEMA: Final = stages()["off"]._schema
NUMBERS: Final = st.sampled_from([0, 1, -1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**63, 10**30])
SENT: Final[st.SearchStrategy[Any]] = st.one_of(
    st.none(),
    st.booleans(),
    NUMBERS,
    st.sampled_from([0.0, 1.0, 1.5, -0.0, 1e300]),
    st.text(max_size=3),
    st.lists(st.sampled_from([1, "a", None]), max_size=2),
    st.dictionaries(st.sampled_from(["a", "id"]), st.integers(), max_size=1),
)
DEFAULTS: Final = {
    "ID": ["1", '"x"', "null"],
    "String": ['""', '"x"', "null"],
    "Int": ["0", "7", "2147483647", "null"],
    "Boolean": ["true", "false", "null"],
}
LITERALS: Final = {
    "id": ["1", '"x"', "null", '"""block"""'],
    "upTo": ["0", "-7", "2147483647"],
    "really": ["true", "false", "null"],
    "wordForIt": ['""', '"x"', "null"],
    "names": ['["a"]', '"a"', "[]", "null"],
}
KINDS: Final = {"id": "ID", "upTo": "Int", "really": "Boolean", "wordForIt": "String", "names": "[String!]"}


@st.composite
def declarations(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Draw declarations of variables, and what is sent for them."""
    declared, sent = [], {}
    for number in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from([*DEFAULTS, *DEFAULTS, "DateTime", "[Int]"]))
        default = draw(st.sampled_from(DEFAULTS[kind])) if kind in DEFAULTS and draw(st.booleans()) else None
        sure = "!" if draw(st.booleans()) and default != "null" else ""
        declared.append(f"$v{number}: {kind}{sure}" + (f" = {default}" if default is not None else ""))
        if draw(st.integers(0, 4)):
            sent[f"v{number}"] = draw(SENT)
    return ", ".join(declared), sent


def _declared(text: str) -> Sequence[VariableDefinitionNode]:
    node = parse(f"query({text}) {{ all {{ id }} }}").definitions[0]
    assert isinstance(node, OperationDefinitionNode)
    return node.variable_definitions or ()


def _told(values: VariableValues) -> str:
    """Return all that there is to know of values: their types too."""
    sources = {
        name: (signature.name, str(signature.type), signature.default and repr(signature.default.literal), repr(sent))
        for name, (signature, sent) in values.sources.items()
    }
    return repr((sources, {name: (type(value), value) for name, value in values.coerced.items()}))


@settings(max_examples=400, deadline=None)
@given(declarations())
def test_plain_values_are_what_graphql_core_makes_of_them(drawn: tuple[str, dict[str, Any]]) -> None:
    text, sent = drawn
    declared = _declared(text)
    variables = plain_variables(_SCHEMA, declared)
    values = variables.values(sent) if variables else None
    if values is not None:
        expected = get_variable_values(_SCHEMA, declared, sent)
        assert isinstance(expected, VariableValues)
        assert _told(values) == _told(expected)


@pytest.mark.parametrize(
    ("text", "sent", "coerced"),
    [
        ("$a: ID!", {"a": "x"}, {"a": "x"}),
        ("$a: Int!", {"a": 2**31 - 1, "b": 1}, {"a": 2**31 - 1}),
        ("$a: Boolean, $b: String", {"a": None}, {"a": None}),
        ("$a: Int! = 7, $b: String = null", {}, {"a": 7, "b": None}),
        ("$a: Int = 7", {"a": None}, {"a": None}),
    ],
)
def test_plain_values_are_prepared(text: str, sent: dict[str, Any], coerced: dict[str, Any]) -> None:
    """So that the test above does not compare nothing."""
    variables = plain_variables(_SCHEMA, _declared(text))
    assert variables is not None
    values = variables.values(sent)
    assert values is not None
    assert values.coerced == coerced


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("$a: ID", {"a": 5}),
        ("$a: Int", {"a": 5.0}),
        ("$a: Int", {"a": True}),
        ("$a: Int", {"a": 2**31}),
        ("$a: Int!", {"a": None}),
        ("$a: Int!", {}),
        ("$a: Boolean", {"a": 1}),
        ("$a: String", {"a": ["x"]}),
        ("$a: DateTime", {"a": "x"}),
        ("$a: [Int]", {"a": [1]}),
        ("$a: Nothing", {"a": 1}),
    ],
)
def test_all_else_is_left_to_graphql_core(text: str, sent: dict[str, Any]) -> None:
    variables = plain_variables(_SCHEMA, _declared(text))
    assert variables is None or variables.values(sent) is None


@st.composite
def questions(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Draw a question whose arguments are literals, variables, or not there, and what is sent for the variables."""
    declared, arguments, sent = [], [], {}
    for name, kind in KINDS.items():
        form = draw(st.sampled_from(["none", "literal", "variable", "variable"]))
        if form == "literal":
            arguments.append(f"{name}: {draw(st.sampled_from(LITERALS[name]))}")
        if form == "variable":
            default = draw(st.sampled_from(["", f" = {draw(st.sampled_from(LITERALS[name]))}"]))
            sure = draw(st.sampled_from(["", "!"]))
            declared.append(f"${name}: {kind}{sure}{default}")
            arguments.append(f"{name}: ${name}")
            if draw(st.integers(0, 3)):
                sent[name] = draw(SENT)
    head = f"query({', '.join(declared)})" if declared else "query"
    return f"{head} {{ perhaps{'(' + ', '.join(arguments) + ')' if arguments else ''} {{ id firstName }} }}", sent


@settings(max_examples=150, deadline=None)
@given(questions())
def test_resolvers_are_called_with_what_graphql_core_and_strawberry_make(drawn: tuple[str, dict[str, Any]]) -> None:
    text, sent = drawn
    if is_valid(text):
        assert not asyncio.run(difference(text, sent, gives(perfect(1))))


CALLED: Final[tuple[tuple[str, dict[str, Any], dict[str, Any]], ...]] = (
    ("query($id: ID!) { customer(id: $id) { id } }", {"id": "x"}, {"id": "x"}),
    (
        "query($p: Int!) { customerPage(page: $p, size: 7) { items { id } } }",
        {"p": 3},
        {"page": 3, "size": 7, "filter": None, "search": None, "order_by": None},
    ),
    (
        "query($a: String, $n: Int = 2) { customers(after: $a, first: $n) { nodes { id } } }",
        {"a": None},
        dict.fromkeys(("after", "last", "before", "filter", "search", "order_by")) | {"first": 2},
    ),
    ("{ viewer { id } }", {}, {}),
    (
        "mutation($id: ID!) { deleteCustomer(id: $id, ifVersion: 3) { id } }",
        {"id": "x"},
        {"id": "x", "if_version": 3, "dry_run": False},
    ),
)
LEFT: Final = (
    "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
    '{ nodes(ids: ["x"]) { id } }',
    "query($f: CustomerFilter) { customers(filter: $f) { nodes { id } } }",
    "{ customers(orderBy: []) { nodes { id } } }",
    "{ __typename }",
    "{ __schema { description } }",
    "{ viewer { id } node(id: 5) { id } }",
)


def _root(schema: GatewaySchema, operation: Operation) -> Root | None:
    variant = operation.plans.variant(schema._schema, VariableValues({}, {}))
    assert variant is not None
    return variant.root


@pytest.mark.parametrize(("text", "sent", "arguments"), CALLED)
def test_calls_are_prepared(text: str, sent: dict[str, Any], arguments: dict[str, Any]) -> None:
    schema = build_schema(SchemaOptions())
    operation = schema.documents.operation(text, None)
    root = _root(schema, operation)
    values = operation.plans.values(schema._schema, sent, 20, hide_suggestions=False)
    assert root is not None
    assert root.call is not None
    assert isinstance(values, VariableValues)
    assert root.call.arguments(values.coerced) == arguments


@pytest.mark.parametrize("text", LEFT)
def test_calls_with_other_arguments_are_left_to_graphql_core(text: str) -> None:
    schema = build_schema(SchemaOptions())
    root = _root(schema, schema.documents.operation(text, None))
    assert root is None or root.call is None
