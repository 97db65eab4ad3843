"""What is made from the code is as the code has it, and the two doors have the same."""

from __future__ import annotations

import ast
import html
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
)
from typer.testing import CliRunner

from app.cli import documents
from app.cli.main import app as command_line
from app.rest.customers import PREFIX
from app.rest.endpoints import ENDPOINTS, Endpoint
from app.rest.examples import problem_example
from app.rest.routes import rest_routes
from app.settings import Settings
from resolvers.operation import Operation
from resolvers.operations import OPERATIONS
from resolvers.problems import PROBLEM_TYPES
from tests.contract import conformance, guidelines
from tests.harness import Gateway

ROOT = Path(__file__).parents[2]
PACKAGES = ("app", "schema", "resolvers", "storage")
EXTENSION = re.compile(r"^[A-Za-z][A-Za-z0-9_]{2,}$")
SDL = build_schema(documents.graphql_schema())


def by_name(operation: Operation[Any, Any]) -> str:
    """Return the name under which an operation's tests are shown."""
    return operation.name


@pytest.mark.parametrize("name", list(documents.documents(command_line)))
def test_the_committed_document_is_what_the_code_makes(name: str) -> None:
    assert name not in documents.differing(command_line), "run `make docs`"


def test_the_check_names_what_differs_and_writing_mends_it(tmp_path: Path) -> None:
    documents.write(command_line, tmp_path)
    (tmp_path / "parity.md").write_text("other", encoding="utf-8")
    (tmp_path / "settings.md").unlink()
    page = tmp_path / "security.md"
    page.write_text(page.read_text(encoding="utf-8").replace("| 403 | ✓ |", "| ✓ | ✓ |", 1), encoding="utf-8")
    assert documents.differing(command_line, tmp_path) == ["parity.md", "settings.md", "security.md"]
    documents.write(command_line, tmp_path)
    assert documents.differing(command_line, tmp_path) == []


def test_every_statement_has_its_tests_or_a_reason_and_the_page_names_them() -> None:
    assert conformance.faults() == []
    assert conformance.PAGE.read_text(encoding="utf-8") == conformance.page(), f"run `{conformance.COMMAND}`"


def test_every_rule_of_the_four_documents_has_tests_or_a_decision_that_exist() -> None:
    assert guidelines.faults(conformance.files_of_tests()) == []
    titles = [one.document for one in guidelines.rules()]
    assert len(titles) > 250
    assert list(dict.fromkeys(titles)) == [
        "Customer JSON Schema", "relanto-customers-api", "CRM API Guidelines", "REST API Design Guidelines"
    ]  # fmt: skip


def test_a_rule_without_a_test_or_a_decision_that_exists_is_named(tmp_path: Path) -> None:
    listed = """{rule: proven, tests: [test_one]}, {rule: lost, tests: [test_two]}, {rule: bare},
        {rule: turned, instead: so, decision: "0001"}, {rule: why, instead: so},
        {rule: none, instead: so, decision: "9"}"""
    text = f"{{title: T, sections: [{{name: S, rules: [{listed}]}}]}}"
    (tmp_path / "1.yaml").write_text(text, encoding="utf-8")
    told = guidelines.faults({"test_one": ["tests/test_a.py"]}, tmp_path)
    assert [one.partition(":")[0] for one in told] == ["lost", "bare", "why", "none"]
    (tmp_path / "1.yaml").write_text(text.replace("decision", "decison"), encoding="utf-8")
    with pytest.raises(ValueError, match="turned: there is no decison"):
        guidelines.faults({}, tmp_path)


def test_a_number_that_loses_its_test_or_is_nobodys_is_named(tmp_path: Path) -> None:
    names = ("test_c070_one", "test_m107_two", "test_b107_three", "test_c128_four", "test_c001_to_c031_five")
    (tmp_path / "test_some.py").write_text("".join(f"async def {name}(\n" for name in names), encoding="utf-8")
    proven = {*range(1, 32), 70, 107}
    lost = [f"{one} has no test" for one in range(32, 128) if one not in proven]
    assert conformance.faults(tmp_path) == ["test_b107_three", "test_c128_four", *lost]


def test_gateway_schema_prints_the_committed_schema() -> None:
    printed = CliRunner().invoke(command_line, ["schema"])
    assert printed.exit_code == 0
    assert printed.output == (ROOT / "docs" / "schema.graphql").read_text(encoding="utf-8")


class TestSchema:
    def test_every_type_field_argument_and_value_has_a_description(self) -> None:
        assert [name for name, description in _described(SDL) if not (description or "").strip()] == []


def _described(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    for name, kind in schema.type_map.items():
        if name.startswith("__") or name in {"Int", "String", "Boolean", "ID", "Float"}:
            continue
        yield name, kind.description
        if isinstance(kind, GraphQLEnumType):
            yield from ((f"{name}.{value}", known.description) for value, known in kind.values.items())
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for member, field in kind.fields.items():
                yield f"{name}.{member}", field.description
                arguments = field.args if isinstance(field, GraphQLField) else {}
                yield from ((f"{name}.{member}({one}:)", given.description) for one, given in arguments.items())


class TestSettings:
    def test_every_setting_stands_in_the_document_with_a_description(self) -> None:
        text = documents.settings()
        assert [name for name in Settings.model_fields if f"| `GATEWAY_{name.upper()}` |" not in text] == []
        assert [name for name, field in Settings.model_fields.items() if not field.description] == []


class TestProblems:
    def test_slugs_codes_and_titles_are_unique(self) -> None:
        for member in ("slug", "code", "title"):
            assert len({getattr(kind, member) for kind in PROBLEM_TYPES}) == len(PROBLEM_TYPES)

    def test_every_problem_has_a_cause_and_a_cure_in_sentences(self) -> None:
        for kind in PROBLEM_TYPES:
            assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.slug)
            assert kind.cause.endswith("."), kind
            assert kind.cure.endswith((".", "json.")), kind
            assert 400 <= kind.status <= 599

    def test_c004_names_of_extension_members_are_words_of_three_letters_or_more(self) -> None:
        shown = {name for kind in PROBLEM_TYPES for name in problem_example(kind, "/")}
        names = shown | set(_extras())
        assert {"currentETag", "outcome", "scope", "limit", "requestId"} <= names
        assert [name for name in names if not EXTENSION.match(name)] == []

    def test_each_problem_has_its_page(self, gateway: Gateway) -> None:
        for kind in PROBLEM_TYPES:
            page = gateway.http.get(f"/problems/{kind.slug}")
            assert page.status_code == 200
            assert html.escape(kind.title) in page.text


def _extras() -> Iterator[str]:
    """Return the names of all extension members that the code gives to problems."""
    for path in chain.from_iterable((ROOT / package).rglob("*.py") for package in PACKAGES):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            dictionary = _extra(node)
            if dictionary is not None:
                yield from (str(key.value) for key in dictionary.keys if isinstance(key, ast.Constant))


def _extra(node: ast.AST) -> ast.Dict | None:
    """Return what is given as `extra`: as an argument, or as a variable of that name."""
    if isinstance(node, ast.keyword) and node.arg == "extra" and isinstance(node.value, ast.Dict):
        return node.value
    named = isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "extra"
    return node.value if named and isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict) else None


class TestParity:
    """Each operation is at both doors, and nothing else is at either."""

    def test_names_of_operations_are_unique(self) -> None:
        assert max(Counter(operation.name for operation in OPERATIONS).values()) == 1

    @pytest.mark.parametrize("operation", OPERATIONS, ids=by_name)
    def test_the_operation_has_routes_that_are_served(self, operation: Operation[Any, Any]) -> None:
        served = {(endpoint.method, endpoint.path): endpoint for endpoint in ENDPOINTS}
        assert operation.rest
        for route in operation.rest:
            method, _, address = route.partition(" ")
            path, _, query = address.partition("?")
            parameters = {name for parameter in served[method, path].parameters for name in parameter.names}
            assert set(re.findall(r"(\w+)=", query)) <= parameters

    @pytest.mark.parametrize("operation", OPERATIONS, ids=by_name)
    def test_the_operation_has_fields_that_exist(self, operation: Operation[Any, Any]) -> None:
        assert bool(operation.graphql) == (operation.rest_alone is None)
        assert (operation.rest_alone or ".").endswith(".")
        assert [field for field in operation.graphql if field not in _fields()] == []

    def test_every_root_field_belongs_to_an_operation(self) -> None:
        declared = {field for operation in OPERATIONS for field in operation.graphql}
        roots = {field for field in _fields() if field.startswith(("Query.", "Mutation.", "Subscription."))}
        assert roots - declared == set()

    def test_every_endpoint_belongs_to_an_operation_and_every_route_to_an_endpoint(self) -> None:
        assert {endpoint.operation.name for endpoint in ENDPOINTS} <= {operation.name for operation in OPERATIONS}
        assert all(_declared(endpoint) for endpoint in ENDPOINTS)
        served = {str(route.path) for route in rest_routes() if hasattr(route, "path")}
        assert served == {PREFIX + endpoint.path for endpoint in ENDPOINTS} | {"/customers"}

    @pytest.mark.parametrize("operation", OPERATIONS, ids=by_name)
    def test_what_changes_at_one_door_changes_at_the_other(self, operation: Operation[Any, Any]) -> None:
        writes = {not route.startswith("GET ") and not route.endswith(":search") for route in operation.rest}
        mutates = {field.startswith("Mutation.") for field in operation.graphql} or writes
        assert writes == mutates == {operation.changes}


def _fields() -> set[str]:
    objects = [kind for kind in SDL.type_map.values() if isinstance(kind, GraphQLObjectType)]
    return {f"{kind.name}.{field}" for kind in objects for field in kind.fields if not kind.name.startswith("__")}


def _declared(endpoint: Endpoint) -> bool:
    return f"{endpoint.method} {endpoint.path}" in endpoint.operation.rest
