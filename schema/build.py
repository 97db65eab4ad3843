"""The schema, put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.extensions import AddValidationRules, DisableIntrospection, ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from schema.limits import DocumentLimits, depth_rule
from schema.mutations import Mutation
from schema.queries import Query
from schema.types import DATE_TIME, DateTime, read

_CACHED_DOCUMENTS = 256


@dataclass(frozen=True, slots=True)
class SchemaOptions:
    """What can be set of the schema."""

    limits: DocumentLimits = field(default_factory=DocumentLimits)
    introspection: bool = True


class GatewaySchema(strawberry.Schema):
    """Strawberry's schema without its log, which prints queries and so personal data."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Leave errors to the door, which knows the request."""


def build_schema(options: SchemaOptions) -> GatewaySchema:
    """Return a schema; documents that were parsed and checked once are remembered."""
    rules = AddValidationRules([depth_rule(options.limits.depth)])
    parsed, checked = ParserCache(maxsize=_CACHED_DOCUMENTS), ValidationCache(maxsize=_CACHED_DOCUMENTS)
    closed = DisableIntrospection()
    extensions: list[Any] = [lambda: rules, lambda: parsed, lambda: checked]
    if not options.introspection:
        extensions.append(lambda: closed)
    return GatewaySchema(
        query=Query,
        mutation=Mutation,
        extensions=extensions,
        config=StrawberryConfig(
            default_resolver=read,
            scalar_map={DateTime: DATE_TIME},
            disable_field_suggestions=not options.introspection,
        ),
    )
