"""Introspection goes past the plans: its values are graphql-core's own, and answered as without plans."""

from __future__ import annotations

from typing import cast

import pytest
from graphql import get_introspection_query

from resolvers.context import Context
from schema.build import PlanMode, SchemaOptions, build_schema

LOCATIONS = "{ __schema { directives { locations } types { kind } } }"


@pytest.mark.parametrize("query", [get_introspection_query(), LOCATIONS], ids=["whole", "enumerations"])
async def test_introspection_is_the_same_with_plans_and_without(query: str) -> None:
    nobody = cast("Context", None)  # introspection asks nobody
    modes: tuple[PlanMode, ...] = ("on", "values", "off")
    found = []
    for plans in modes:
        schema = build_schema(SchemaOptions(plans=plans))
        result = await schema.run(schema.documents.operation(query, None), {}, nobody)
        assert result.errors is None
        found.append(result.data)
    assert found[0] == found[1] == found[2]
