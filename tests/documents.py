"""Random documents of GraphQL, all of them valid: fields, aliases, arguments, directives, fragments."""

from __future__ import annotations

import re
from typing import Final

from graphql import GraphQLInterfaceType, GraphQLNamedType, GraphQLObjectType, GraphQLSchema, get_named_type
from hypothesis import strategies as st

ID: Final = "00000000-0000-4000-8000-000000000000"
_ARGUMENTS: Final = {
    "Query.customer": f'(id: "{ID}")',
    "Query.operation": f'(id: "{ID}")',
    "Query.node": f'(id: "{ID}")',
    "Query.webhook": f'(id: "{ID}")',
    "Query.webhookDeliveries": f'(webhookId: "{ID}", size: 3)',
    "Customer.address": f'(id: "{ID}")',
    "Customer.phoneNumber": f'(id: "{ID}")',
    "Query.customerByEmail": '(email: "a@example.com")',
    "Query.nodes": f'(ids: ["{ID}", "{ID}", "{ID}"])',
    "Query.customers": "(first: 3)",
    "Query.customerPage": "(size: $size)",
    "Query.explainCustomers": "(first: 2)",
}
"""What each field is asked with, always the same, so that fields of one name can be merged."""
_OTHERS: Final = {
    "Query.customers": "(last: 7)",
    "Query.customerPage": "(page: 1)",
    "Query.nodes": f'(ids: ["{ID}"])',
}
"""What a field under an alias may be asked with."""
_ON: Final = ("Query", "Customer", "CustomerConnection", "Address", "Viewer")
_DEEPEST: Final = 5

Composite = GraphQLObjectType | GraphQLInterfaceType


class Writer:
    """Writes one document; what is random is drawn from hypothesis."""

    def __init__(self, draw: st.DrawFn, schema: GraphQLSchema, without: frozenset[str]) -> None:
        self._draw = draw
        self._schema = schema
        self._without = without
        self._aliases = 0
        self._fragments: list[tuple[str, str]] = []

    def write(self) -> str:
        """Return the document."""
        definitions = []
        for number in range(self._draw(st.integers(0, 4))):
            kind = self._draw(st.sampled_from(_ON))
            body = self._selection(self._composite(kind), 2)
            definitions.append(f"fragment f{number} on {kind} {body}")
            self._fragments.append((f"f{number}", kind))
        operation = f"query Q($size: Int! = 4, $yes: Boolean = true) {self._selection(self._composite('Query'), 0)}"
        return _used(f"{operation} {' '.join(definitions)}")

    def _composite(self, name: str) -> Composite:
        found = self._schema.get_type(name)
        assert isinstance(found, Composite)
        return found

    def _selection(self, parent: Composite, depth: int) -> str:
        items = [self._item(parent, depth) for _ in range(self._draw(st.integers(1, 3)))]
        return f"{{ {' '.join(items)} }}"

    def _item(self, parent: Composite, depth: int) -> str:
        choice = self._draw(st.integers(0, 9))
        fitting = [name for name, kind in self._fragments if kind == parent.name]
        if choice == 0 and fitting:
            return f"...{self._draw(st.sampled_from(fitting))}{self._directive()}"
        if choice == 1 and depth < _DEEPEST:
            on = self._draw(st.sampled_from(("", f"on {parent.name}")))
            return f"... {on}{self._directive()} {self._selection(parent, depth + 1)}"
        if choice == 2 and parent.name == "Node" and depth < _DEEPEST:
            return f"... on Customer {self._selection(self._composite('Customer'), depth + 1)}"
        return self._field(parent, depth)

    def _field(self, parent: Composite, depth: int) -> str:
        names = [
            name
            for name, field in parent.fields.items()
            if name not in self._without and (depth < _DEEPEST or not _has_fields(get_named_type(field.type)))
        ]
        name = self._draw(st.sampled_from([*names, "__typename"]))
        place, alias = f"{parent.name}.{name}", ""
        arguments = _ARGUMENTS.get(place, "")
        if self._draw(st.integers(0, 7)) == 0:
            self._aliases += 1
            alias = f"a{self._aliases}: "
            arguments = self._draw(st.sampled_from((arguments, _OTHERS.get(place, arguments))))
        kind = None if name == "__typename" else get_named_type(parent.fields[name].type)
        below = self._selection(kind, depth + 1) if isinstance(kind, Composite) else ""
        return f"{alias}{name}{arguments}{self._directive()} {below}"

    def _directive(self) -> str:
        drawn: str = self._draw(st.sampled_from(("",) * 9 + (" @include(if: $yes)", " @skip(if: false)")))
        return drawn


def _has_fields(kind: GraphQLNamedType) -> bool:
    return isinstance(kind, Composite)


def _used(document: str) -> str:
    """Return a document without the fragments and variables that nothing uses."""
    operation, *fragments = re.split(r" (?=fragment f\d+ on )", document)
    reached: dict[str, str] = {}
    waiting = re.findall(r"\.\.\.(f\d+)", operation)
    bodies = {text.split()[1]: text for text in fragments}
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached[name] = bodies[name]
            waiting += re.findall(r"\.\.\.(f\d+)", bodies[name])
    text = " ".join([operation, *reached.values()])
    for variable, declared in (("$size", "$size: Int! = 4, "), ("$yes", "$yes: Boolean = true")):
        if text.count(variable) == 1:
            text = text.replace(declared, "")
    return text.replace("()", "").replace(", )", ")")


def documents(schema: GraphQLSchema, without: frozenset[str] = frozenset()) -> st.SearchStrategy[str]:
    """Return a strategy of documents; fields of the names in `without` are left out."""

    @st.composite
    def document(draw: st.DrawFn) -> str:
        return Writer(draw, schema, without).write()

    return document()
