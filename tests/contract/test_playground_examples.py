"""The playground's examples are valid against the schema, with their variables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, parse, validate
from graphql.execution.values import get_variable_values

import app

ROOT = Path(app.__file__).parent.parent
SCHEMA = build_schema((ROOT / "docs" / "schema.graphql").read_text(encoding="utf-8"))
EXAMPLES: list[dict[str, Any]] = json.loads(
    (ROOT / "app" / "playground" / "src" / "examples.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("example", EXAMPLES, ids=[example["title"] for example in EXAMPLES])
def test_an_example_and_its_variables_fit_the_schema(example: dict[str, Any]) -> None:
    document = parse(example["query"])
    assert validate(SCHEMA, document) == []
    (operation,) = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    coerced = get_variable_values(SCHEMA, operation.variable_definitions or (), example["variables"])
    assert not isinstance(coerced, list), coerced


def test_every_mutation_has_an_example() -> None:
    assert SCHEMA.mutation_type is not None
    shown = " ".join(example["query"] for example in EXAMPLES)
    assert [name for name in SCHEMA.mutation_type.fields if name not in shown] == []
