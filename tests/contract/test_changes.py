"""What breaks old clients is found, in the real documents, and what does not is not."""

from __future__ import annotations

import copy
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli.documents import graphql_schema
from app.rest.openapi import openapi
from tests.contract.changes import ROOT, SDL, broken_openapi, broken_sdl, broken_since, documents_of, last_tag

Json = dict[str, Any]
LIST = "/api/v1/customers"
ONE = "/api/v1/customers/{customerId}"


def schemas(document: Json) -> Json:
    """Return the schemas of a document."""
    found: Json = document["components"]["schemas"]
    return found


def parameter(document: Json, name: str) -> Json:
    """Return a parameter of the list."""
    return next(one for one in document["paths"][LIST]["get"]["parameters"] if one.get("name") == name)


def address(document: Json) -> Json:
    """Return the schema of an address as it is sent."""
    found: Json = schemas(document)["CustomerInput"]["properties"]["addresses"]["items"]
    return schemas(document)[found["$ref"].rpartition("/")[2]] if "$ref" in found else found


BREAKING: dict[str, tuple[Callable[[Json], object], str]] = {
    "an address": (lambda one: one["paths"].pop(ONE), f"GET {ONE} is gone"),
    "a method": (lambda one: one["paths"][ONE].pop("delete"), f"DELETE {ONE} is gone"),
    "a parameter": (
        lambda one: one["paths"][LIST]["get"]["parameters"].remove(parameter(one, "q")),
        f"GET {LIST}: the parameter q is gone",
    ),
    "a parameter that is needed": (
        lambda one: parameter(one, "q").update(required=True),
        f"GET {LIST}: the parameter q is needed now",
    ),
    "a smaller page": (
        lambda one: parameter(one, "size")["schema"].update(maximum=50),
        f"GET {LIST}: the parameter size: maximum is 50 now",
    ),
    "a property that is answered": (
        lambda one: schemas(one)["Customer"]["properties"].pop("middleName"),
        f"GET {ONE} 200: middleName is gone",
    ),
    "a property that is not sure": (
        lambda one: schemas(one)["Customer"]["required"].remove("email"),
        f"GET {ONE} 200: email is not sure any more",
    ),
    "a property that may be null": (
        lambda one: schemas(one)["Customer"]["properties"]["lastName"].update(type=["string", "null"]),
        f"GET {ONE} 200: lastName is null or string now",
    ),
    "a property that is needed": (
        lambda one: schemas(one)["CustomerInput"]["required"].append("middleName"),
        f"POST {LIST}: the body: middleName is needed now",
    ),
    "a value that is not taken": (
        lambda one: address(one)["properties"]["type"]["enum"].remove("work"),
        f"POST {LIST}: the body: addresses[]: type does not take work any more",
    ),
    "a shorter text": (
        lambda one: schemas(one)["CustomerInput"]["properties"]["firstName"].update(maxLength=10),
        f"POST {LIST}: the body: firstName: maxLength is 10 now",
    ),
    "a type of body": (
        lambda one: one["paths"][ONE]["patch"]["requestBody"]["content"].pop("application/json-patch+json"),
        f"PATCH {ONE}: the body is no application/json-patch+json any more",
    ),
    "a status": (
        lambda one: one["paths"][LIST]["post"]["responses"].pop("201"),
        f"POST {LIST} does not answer 201 any more",
    ),
}
HARMLESS: dict[str, Callable[[Json], object]] = {
    "an address": lambda one: one["paths"].update({"/api/v1/more": one["paths"][LIST]}),
    "a parameter": lambda one: one["paths"][LIST]["get"]["parameters"].append({"in": "query", "name": "new"}),
    "a larger page": lambda one: parameter(one, "size")["schema"].update(maximum=500),
    "a property that is answered": lambda one: schemas(one)["Customer"]["properties"].update(birthDate={}),
    "a property that may be sent": lambda one: schemas(one)["CustomerInput"]["properties"].update(birthDate={}),
    "a value that is taken": lambda one: address(one)["properties"]["type"]["enum"].append("other"),
    "a property that is not needed any more": lambda one: schemas(one)["CustomerInput"]["required"].remove("lastName"),
    "a failure": lambda one: one["paths"][LIST]["get"]["responses"].pop("503"),
    "a text": lambda one: one["info"].update(title="Another"),
}


@pytest.mark.parametrize("name", BREAKING)
def test_c098_what_breaks_an_old_client_is_found(name: str) -> None:
    change, told = BREAKING[name]
    new = copy.deepcopy(openapi())
    change(new)
    assert told in broken_openapi(openapi(), new)


@pytest.mark.parametrize("name", HARMLESS)
def test_c098_what_breaks_nobody_is_not(name: str) -> None:
    new = copy.deepcopy(openapi())
    HARMLESS[name](new)
    assert new != openapi()
    assert broken_openapi(openapi(), new) == []


def test_c098_a_field_that_is_gone_from_graphql_is_found_and_a_new_one_is_not() -> None:
    sdl = graphql_schema()
    renamed = sdl.replace("  middleName: String\n", "  secondName: String\n")
    assert any("middleName" in told for told in broken_sdl(sdl, renamed))
    assert broken_sdl(sdl, sdl + "\ntype More { id: ID! }\n") == []


def test_c098_the_documents_of_a_tag_are_those_of_its_code(tmp_path: Path) -> None:
    """In a repository that has just the code, with one commit, in which a title is another one."""
    built = shutil.ignore_patterns("node_modules", "dist", "guide", "__pycache__")
    for room in ("app", "schema", "resolvers", "storage"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=built)
    (tmp_path / SDL).parent.mkdir()
    (tmp_path / SDL).write_text("type Query { old: ID }\n", encoding="utf-8")
    info = tmp_path / "app/rest/openapi.py"
    info.write_text(info.read_text(encoding="utf-8").replace('"Customer Gateway"', '"Once"'), encoding="utf-8")
    assert last_tag(tmp_path) is None
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(tmp_path)]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"], ["tag", "-am", "one", "v1"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    assert last_tag(tmp_path) == "v1"
    then, sdl = documents_of("v1", tmp_path)
    assert (then["info"]["title"], sdl) == ("Once", "type Query { old: ID }\n")


def test_c098_nothing_is_broken_since_the_last_tag() -> None:
    tag = last_tag()
    broken = broken_since(tag, openapi(), graphql_schema()) if tag else []
    assert broken == []
