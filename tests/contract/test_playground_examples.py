"""The playground's examples fit the schema and run; those of each operation run in the tests of its twin."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, parse, validate
from graphql.execution.values import get_variable_values

import app
from tests.harness import Gateway
from tests.streams import events

ROOT = Path(app.__file__).parent.parent
SCHEMA = build_schema((ROOT / "docs" / "schema.graphql").read_text(encoding="utf-8"))
SOURCE = ROOT / "app" / "playground" / "src"
CHOSEN: list[dict[str, Any]] = json.loads((SOURCE / "examples.json").read_text(encoding="utf-8"))
MADE: list[dict[str, Any]] = json.loads((SOURCE / "doors.json").read_text(encoding="utf-8"))["examples"]
EXAMPLES = CHOSEN + MADE


@pytest.mark.parametrize("example", EXAMPLES, ids=[example["title"] for example in EXAMPLES])
def test_an_example_and_its_variables_fit_the_schema(example: dict[str, Any]) -> None:
    document = parse(example["query"])
    assert validate(SCHEMA, document) == []
    (operation,) = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    coerced = get_variable_values(SCHEMA, operation.variable_definitions or (), example["variables"])
    assert not isinstance(coerced, list), coerced


def test_every_root_field_has_an_example() -> None:
    roots = [kind for kind in (SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type) if kind]
    shown = " ".join(example["query"] for example in EXAMPLES)
    missing = [name for kind in roots for name in kind.fields if not re.search(rf"\b{name}\b", shown)]
    assert missing == ["node"], "nodes shows how"


@pytest.mark.parametrize("example", CHOSEN, ids=[example["title"] for example in CHOSEN])
def test_a_chosen_example_runs(gateway: Gateway, example: dict[str, Any]) -> None:
    customer = gateway.create()
    known = {"customerId": customer["id"]}
    variables = {name: known.get(name, value) for name, value in example["variables"].items()}
    if not example["query"].startswith("subscription"):
        assert gateway.data(example["query"], **variables)
        return
    variables["ids"] = [customer["id"]]
    with events(gateway.http, "/graphql", json={"query": example["query"], "variables": variables}) as stream:
        gateway.http.delete(f"/api/v1/customers/{customer['id']}")
        assert stream.next().json["data"]["customerChanged"]["type"] == "DELETED"
