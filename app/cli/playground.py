"""What the playground knows of the two doors: the mapping of the twins, and an example of each operation."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final, cast

from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
)

from app.cli.documents import graphql_schema
from app.cli.playground_examples import example
from app.http.edge import MAX_URI
from app.rest.customers import PREFIX
from app.rest.endpoints import ENDPOINTS, Endpoint
from app.rest.list_parameters import SEARCH_PARAMETERS
from app.rest.questions import BACKWARD, EQUALITIES, MOMENTS
from app.rest.routes import ALIAS
from resolvers.etags import etag
from resolvers.filtering import FIELDS
from resolvers.operation import Operation
from resolvers.operations import OPERATIONS
from resolvers.selection import PATHS
from storage.documents import Customer

DOORS: Final = Path(__file__).parents[1] / "playground" / "src" / "doors.json"
Json = dict[str, Any]


def doors() -> str:
    """Return the text of `doors.json`."""
    sdl = graphql_schema()
    schema = build_schema(sdl)
    told = {
        "made": "by `gateway documents --write` from the operations' declarations; changes here are lost",
        "prefix": PREFIX,
        "alias": ALIAS,
        # The pieces of a tag under their names: eight characters of the id are in it, and {prefix} has eight.
        "etag": etag(cast("Customer", {"version": "{version}", "id": "{prefix}"})),
        # The links of a list, with their cursors, need room as well.
        "longestUri": MAX_URI // 2,
        "backward": BACKWARD,
        "equalities": EQUALITIES,
        "moments": MOMENTS,
        "shorthands": {name: f"{asked.list_name}.{asked.field.path}" for name, asked in FIELDS.items() if _short(name)},
        "fields": [path for path in _in_order(schema) if path in PATHS],
        "parameters": {f"{one.method} {one.path}": _names(one) for one in ENDPOINTS},
        "operations": [_operation(one) for one in OPERATIONS],
        "examples": [example(schema, one) for one in OPERATIONS if one.graphql],
        "schema": _without_descriptions(sdl),
    }
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def is_current(path: Path = DOORS) -> bool:
    """Tell whether the committed file is what the code makes."""
    return path.is_file() and path.read_text(encoding="utf-8") == doors()


def write(path: Path = DOORS) -> None:
    """Write the file."""
    path.write_text(doors(), encoding="utf-8")


def _short(name: str) -> bool:
    return FIELDS[name].list_name is not None and "." not in name


def _in_order(schema: GraphQLSchema) -> list[str]:
    """Return the paths of a customer in the order of the schema."""
    customer = cast("GraphQLObjectType", schema.type_map["Customer"])
    return [
        path
        for name, field in customer.fields.items()
        for path in (name, *(f"{name}.{inner}" for inner in _members(get_named_type(field.type))))
    ]


def _members(kind: GraphQLNamedType) -> list[str]:
    return list(kind.fields) if isinstance(kind, GraphQLObjectType) else []


def _names(endpoint: Endpoint) -> dict[str, str]:
    known = SEARCH_PARAMETERS if endpoint.kind == "search" else endpoint.parameters
    return {name: one.name for one in known for name in sorted(one.names)}


def _operation(one: Operation[Any, Any]) -> Json:
    path = one.rest[0].partition("?")[0]
    endpoint = next(served for served in ENDPOINTS if f"{served.method} {served.path}" == path)
    told = {"name": one.name, "summary": one.summary, "scope": str(one.scope) if one.scope else None}
    doors = {"rest": one.rest, "graphql": one.graphql, "alone": one.rest_alone}
    return {**told, **doors, "docs": f"{endpoint.tag}/{endpoint.id}"}


def _without_descriptions(sdl: str) -> str:
    return re.sub(r'^ *"""(?:.|\n)*?"""\n', "", sdl, flags=re.MULTILINE)
