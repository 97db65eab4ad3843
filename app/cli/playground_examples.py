"""An example of each operation for the playground: document and variables, from declaration and schema."""

from __future__ import annotations

import re
from typing import Any, Final, cast

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_required_argument,
    parse,
    print_ast,
)

from app.example import INPUT
from app.rest.endpoints import ENDPOINTS
from app.rest.examples import EXAMPLES, PATH_EXAMPLES
from resolvers.etags import version_of
from resolvers.operation import Operation

Json = dict[str, Any]
AnyOperation = Operation[Any, Any]
_BRIEF: Final = "id firstName lastName email version"
"""What an example shows of each customer of a list."""
_BESIDE: Final = {
    "items": "page { page size totalElements totalPages }",
    "nodes": "pageInfo { hasNextPage endCursor }",
}
_SAMPLES: Final[Json] = {
    "first": 10,
    "page": 1,
    "size": 10,
    "email": INPUT["email"],
    "ids": [PATH_EXAMPLES["customerId"]],
    "ifVersion": 1,
}
_QUESTION: Final[Json] = {
    "filter": {"addresses": {"some": {"country": {"eq": "DE"}}}},
    "orderBy": [{"field": "LAST_NAME", "direction": "ASC"}],
}
_ROOTS: Final = {"Query", "Mutation", "Subscription"}
_ASKING: Final = {"searchCustomers", "explainCustomers"}
"""The operations whose examples have a filter and an order."""


def example(schema: GraphQLSchema, operation: AnyOperation) -> Json:
    """Return the example of an operation: group, title, query, variables."""
    owner, _, name = operation.graphql[0].partition(".")
    field = cast("GraphQLObjectType", schema.type_map[owner]).fields[name]
    given = _arguments(operation, field)
    inner = f"{name}{_brackets(given)} {_shown(field.type, operation)}".strip()
    kind = owner.lower() if owner in _ROOTS else "query"
    if owner not in _ROOTS:
        inner, given = _below(schema, owner, inner, given)
    declared = ", ".join(f"${variable}: {kind_of}" for _, variable, kind_of, _ in given)
    title = operation.name[0].upper() + operation.name[1:]
    document = f"{kind} {title}{f'({declared})' if declared else ''} {{ {inner} }}"
    return {
        "operation": operation.name,
        "group": _group(operation),
        "title": operation.summary,
        "query": print_ast(parse(document)),
        "variables": {variable: value for _, variable, _, value in given},
    }


Given = list[tuple[str, str, str, Any]]
"""Arguments: the name, the variable, its type, its value."""


def _below(schema: GraphQLSchema, owner: str, inner: str, given: Given) -> tuple[str, Given]:
    """Put a field of a customer, or of a list, under the root field that gives one."""
    fields = cast("GraphQLObjectType", schema.query_type).fields
    name, root = next((name, field) for name, field in fields.items() if get_named_type(field.type).name == owner)
    outer: Given = [
        (arg, "customerId" if arg == "id" else arg, str(one.type), PATH_EXAMPLES["customerId"] if arg == "id" else 1)
        for arg, one in root.args.items()
        if is_required_argument(one) or arg == "first"
    ]
    return f"{name}{_brackets(outer)} {{ {inner} }}", [*outer, *given]


def _arguments(operation: AnyOperation, field: GraphQLField) -> Given:
    path = operation.rest[0].partition(" ")[2].partition("?")[0]
    names = re.findall(r"\{(\w+)\}", path)
    if operation.graphql[0].startswith("Customer."):
        names = names[1:]
    given: Given = []
    if operation.graphql[0].startswith("Subscription."):
        return given  # whatever happens is shown
    for name, argument in field.args.items():
        variable, value = name, None
        if get_named_type(argument.type).name == "ID" and names:
            variable = names.pop(0)
            value = PATH_EXAMPLES[variable]
        elif _wanted(operation, name, argument):
            value = _sample(operation, name, argument.type)
        if value is not None:
            given.append((name, variable, str(argument.type), value))
    return given


def _wanted(operation: AnyOperation, name: str, argument: GraphQLArgument) -> bool:
    asked = operation.name in _ASKING and name in _QUESTION
    return is_required_argument(argument) or name in _SAMPLES or asked or name == "atomic"


def _sample(operation: AnyOperation, name: str, kind: GraphQLInputType) -> Any:
    if name == "atomic":
        return False
    if name in _SAMPLES or name in _QUESTION:
        return _SAMPLES.get(name, _QUESTION.get(name))
    method = operation.rest[0].partition(" ")[0]
    takes = next(one.takes for one in ENDPOINTS if one.operation is operation and one.method == method)
    body = EXAMPLES[takes or ""]
    if name == "operations":
        return _upper(_operations(method, body), kind)
    if isinstance(body, list) and not is_list_type(get_nullable_type(kind)):
        return _upper({_list_name(operation): body}, kind)
    return _upper(body, kind)


def _operations(method: str, body: Any) -> list[Json]:
    """Return the operations of a batch of REST as GraphQL has them, one under the name of each kind."""
    if isinstance(body, list):
        return [_one_of({"op": "replace" if method == "PUT" else "update", **one}) for one in body]
    return [_one_of(one) for one in body["operations"]]


def _one_of(one: Json) -> Json:
    """Return an operation; the version is the one that its ETag names."""
    if one["op"] == "create":
        return {"create": one["customer"]}
    version = {"ifVersion": version_of(one["ifMatch"], one["id"])} if "ifMatch" in one else {}
    given = {"input": one["customer"]} if one["op"] == "replace" else {"patch": one["patch"]} if "patch" in one else {}
    return {one["op"]: {"id": one["id"], **given, **version}}


def _list_name(operation: AnyOperation) -> str:
    segment = operation.rest[0].rpartition("/")[2]
    return re.sub("-([a-z])", lambda found: found[1].upper(), segment)


def _upper(value: Any, given: GraphQLInputType) -> Any:
    """Return a value of REST as GraphQL takes it: enums in upper case, nothing for null."""
    kind: Any = get_nullable_type(given)
    if isinstance(value, list):
        return [_upper(item, kind.of_type) for item in value]
    if is_enum_type(kind):
        return value.upper()
    if is_input_object_type(kind):
        return {name: _upper(item, kind.fields[name].type) for name, item in value.items() if item is not None}
    return value


def _shown(output: GraphQLOutputType, operation: AnyOperation) -> str:
    """Return a selection: of a list a few fields, of one thing all, of a change to a part the version and the part."""
    kind = get_named_type(output)
    if kind.name == "Node":
        return f"{{ id ... on Customer {{ {_BRIEF.removeprefix('id ')} }} }}"
    if not isinstance(kind, GraphQLObjectType):
        return ""
    part = re.search(r"\}/([a-z-]+)", operation.rest[0])
    if kind.name == "Customer" and part is not None:
        name = re.sub("-([a-z])", lambda found: found[1].upper(), part[1])
        return f"{{ id version etag {name} {_everything(kind.fields[name].type)} }}"
    return _everything(output) if kind.name == "Customer" else _listed(kind)


def _listed(kind: GraphQLObjectType) -> str:
    things = next((name for name in _BESIDE if name in kind.fields), None)
    if things is None:
        return _everything(kind)
    return f"{{ {things} {{ {_BRIEF} }} {_BESIDE[things]} }}"


def _everything(output: GraphQLOutputType) -> str:
    kind = get_named_type(output)
    if not isinstance(kind, GraphQLObjectType):
        return ""
    fields = {name: field for name, field in kind.fields.items() if not field.args}
    return "{ " + " ".join(f"{name} {_everything(field.type)}".strip() for name, field in fields.items()) + " }"


def _brackets(given: Given) -> str:
    return f"({', '.join(f'{name}: ${variable}' for name, variable, _, _ in given)})" if given else ""


def _group(operation: AnyOperation) -> str:
    """Return the tag of the operation's endpoint; customers are told apart by reading and changing."""
    path = operation.rest[0].partition(" ")[2].partition("?")[0]
    tag = next(one.tag for one in ENDPOINTS if one.path == path)
    return tag if tag != "Customers" else "Change customers" if operation.changes else "Read customers"
