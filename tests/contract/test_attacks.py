"""The corpus of attacks: each gets what it must, at once, and never an internal error; and every limit to the letter.

A number in a name is that of the statement that the test is about.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings

from schema.build import SchemaOptions, build_schema
from tests import factories
from tests.attacks import ATTACKS
from tests.bench.attacks import came, fill
from tests.contract.asking import JSON, RESPONSE, VIEWER, ask, error_of, refused, slug
from tests.documents import documents
from tests.harness import Gateway, running
from tests.heavy import Attack, of, repeated
from tests.selections import CUSTOMER
from tests.wiretap import recorder

ACCEPT: Final = f"{RESPONSE}, {JSON}"
SCHEMA: Final = build_schema(SchemaOptions())._schema


@pytest.fixture(scope="module")
def target(mongod_url: str) -> Iterator[Gateway]:
    """A gateway over a few customers of each kind, whose commands are recorded."""
    recorder()
    database = f"test_{uuid4().hex[:16]}"
    asyncio.run(fill(mongod_url, database, 120, 2))
    with running(mongod_url, database) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def sender(target: Gateway) -> Iterator[httpx2.Client]:
    """A client that takes the answers of both doors."""
    with target.client(**{"X-API-Key": target.key, "Accept": ACCEPT, "Content-Type": JSON}) as client:
        yield client


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
def test_c085_c086_every_attack_gets_what_it_must(attack: Attack, sender: httpx2.Client) -> None:
    began = time.perf_counter()
    answer = sender.request(attack.method, attack.path, content=attack.content)
    print(f"answered in {(time.perf_counter() - began) * 1000:.0f} ms")
    assert came(answer) == attack.comes, answer.text[:500]
    assert answer.status_code < 500
    assert "internal-error" not in answer.text
    for error in answer.json().get("errors", ()):
        assert len(error.get("message", "")) <= 501
        assert not any(word in error.get("message", "") for word in ("Traceback", "sys.", "Exceeds the limit"))


def _padded(size: int) -> dict[str, Any]:
    return {"query": VIEWER + " " * (size - len(VIEWER))}


def _variables(size: int) -> dict[str, Any]:
    return {"query": VIEWER, "variables": {"v": "a" * (size - len('{"v":""}'))}}


def _deep(levels: int) -> dict[str, Any]:
    return {"query": "{ a " * levels + "}" * levels}


def _aliases(count: int) -> dict[str, Any]:
    return {"query": f"{{ viewer {{ id {repeated(count, lambda n: f'a{n}: name')} }} }}"}


def _directives(count: int) -> dict[str, Any]:
    return {"query": f"{{ viewer {{ id {'name @skip(if: false) ' * count} }} }}"}


def _tokens(count: int) -> dict[str, Any]:
    return {"query": f"{{ nodes(ids: [{'1 ' * (count - 12)}]) {{ id }} }}"}


def _roots(count: int) -> dict[str, Any]:
    return {"query": f"{{ {'viewer { id } ' * count} }}"}


def _costing(cost: int) -> dict[str, Any]:
    """Return an operation of a cost: pages of 601 at most, then a page that counts single objects."""
    pages, rest = divmod(cost - 2, 601)
    rest, ones = divmod(rest, 6)
    large = repeated(pages, lambda n: f"p{n}: customers(first: 100) {{ nodes {{ addresses {{ id }} }} }}")
    small = f"q: customers(first: {rest}) {{ nodes {{ addresses {{ id }} }} }}" if rest else "viewer { id }"
    return {"query": f"{{ {large} {small} {'viewer { id } ' * (ones + 1)} }}"}


@dataclass(frozen=True)
class Limit:
    """One limit: its default and one of a test's own, an operation of a size, and the problem beyond it."""

    setting: str
    default: int
    own: int
    sized: Callable[[int], dict[str, Any]]
    problem: str
    found: str = "found"


LIMITS: Final = (
    Limit("graphql_max_document", 16 * 1024, 2048, _padded, "graphql-document-size"),
    Limit("graphql_max_variables", 64 * 1024, 1024, _variables, "graphql-variables-size"),
    Limit("graphql_max_tokens", 1000, 200, _tokens, "graphql-tokens"),
    Limit("graphql_max_depth", 10, 4, _deep, "graphql-depth"),
    Limit("graphql_max_aliases", 15, 6, _aliases, "graphql-aliases"),
    Limit("graphql_max_directives", 50, 0, _directives, "graphql-directives"),
    Limit("graphql_max_root_fields", 20, 11, _roots, "graphql-root-fields"),
    Limit("graphql_max_cost", 3000, 1500, _costing, "graphql-cost", "cost"),
)
NAMES: Final = [limit.setting.removeprefix("graphql_max_") for limit in LIMITS]


def check(client: httpx2.Client, limit: Limit, size: int) -> None:
    """Assert that a size passes and one more is refused, with the limit and what was found."""
    passed = client.post("/graphql", json=limit.sized(size))
    assert "errors" not in passed.json() or slug(passed) != limit.problem, passed.text[:500]
    beyond = client.post("/graphql", json=limit.sized(size + 1))
    refused(beyond, 400, limit.problem)
    problem = error_of(beyond)
    assert (problem["limit"], problem[limit.found]) == (size, size + 1)
    assert str(size) in beyond.json()["errors"][0]["message"]


@pytest.mark.parametrize("limit", LIMITS, ids=NAMES)
def test_c081_each_default_passes_and_one_more_is_refused(limit: Limit, sender: httpx2.Client, target: Gateway) -> None:
    with recorder().recording(target.database) as commands:
        check(sender, limit, limit.default)
        commands.clear()
        for _ in range(3):
            refused(sender.post("/graphql", json=limit.sized(limit.default + 1)), 400, limit.problem)
        assert not [command for command in commands if "customers" in command.values()], "the store was asked"


@pytest.fixture(scope="module")
def narrow(mongod_url: str) -> Iterator[httpx2.Client]:
    """A client of a gateway on which every limit is set."""
    own: dict[str, Any] = {limit.setting: limit.own for limit in LIMITS}
    with running(mongod_url, f"test_{uuid4().hex[:16]}", **own) as gateway:
        with gateway.client(**{"X-API-Key": gateway.key, "Accept": RESPONSE, "Content-Type": JSON}) as client:
            yield client


@pytest.mark.parametrize("limit", LIMITS, ids=NAMES)
def test_c081_each_limit_is_a_setting(limit: Limit, narrow: httpx2.Client) -> None:
    check(narrow, limit, limit.own)


@pytest.mark.parametrize(
    ("query", "what", "limit", "found"),
    [
        (f"{{ viewer {{ {'id name ' * 26} }} }}", "repeated fields", 50, 50),
        (f"{{ viewer {{ {'id name ' * 26} id }} }}", "repeated fields", 50, 51),
        (f"{{ viewer {{ {'... { ' * 62} id {'} ' * 62} }} }}", "levels of brackets", 64, 64),
        (f"{{ viewer {{ {'... { ' * 63} id {'} ' * 63} }} }}", "levels of brackets", 64, 65),
        (f"{{ customer(id: {'1' * 64}) {{ id }} }}", "digits of a number", 64, 64),
        (f"{{ customer(id: {'1' * 65}) {{ id }} }}", "digits of a number", 64, 65),
    ],
)
def test_c081_what_is_no_setting_has_its_limit_too(
    query: str, what: str, limit: int, found: int, sender: httpx2.Client
) -> None:
    answer = ask(sender, query)
    if found <= limit:
        assert "errors" not in answer.json() or slug(answer) != "graphql-limit"
    else:
        refused(answer, 400, "graphql-limit")
        problem = error_of(answer)
        assert (problem["what"], problem["limit"], problem["found"]) == (what, limit, found)


@pytest.mark.parametrize("count", [2997, 2998])
def test_c081_variables_hold_3000_values_lists_and_objects_counted(count: int, sender: httpx2.Client) -> None:
    answer = ask(sender, VIEWER, variables={"v": [0] * count, "": 0})
    if count == 2997:
        assert "errors" not in answer.json()
    else:
        refused(answer, 400, "graphql-variables-size")
        assert (error_of(answer)["limit"], error_of(answer)["found"]) == (3000, 3001)


@pytest.mark.parametrize("through", ["nodes", "edges { node", "items"])
def test_c084_a_page_of_100_customers_with_every_field_passes(through: str, sender: httpx2.Client) -> None:
    root = "customerPage(size: 100)" if through == "items" else "customers(first: 100)"
    about = "page { page totalElements }" if through == "items" else "pageInfo { endCursor } totalCount"
    closing = "} }" if "{" in through else "}"
    answer = ask(sender, f"{{ {root} {{ {through} {{ {CUSTOMER} {closing} {about} }} }}")
    assert "errors" not in answer.json()
    assert answer.json()["extensions"]["cost"]["requested"] <= 3000


def test_c084_the_cost_is_in_every_answer_and_in_the_refusal(sender: httpx2.Client) -> None:
    answer = ask(sender, f"{{ customers(first: 3, {of('dense')}) {{ nodes {{ addresses {{ id }} }} }} }}")
    cost = answer.json()["extensions"]["cost"]
    assert cost == {"requested": 1 + 3 * 6, "actual": 1 + 2 * 51, "limit": 3000, "units": 1}
    two = ask(sender, "{ customers(first: 100) { nodes { id } } viewer { id } }").json()["extensions"]["cost"]
    assert (two["requested"], two["units"]) == (102, 2)
    problem = error_of(ask(sender, "{ a: explainCustomers { returned } b: explainCustomers { returned } " * 2 + "} }"))
    assert "cost" not in problem  # it is not well-formed
    again = error_of(ask(sender, f"{{ {repeated(4, lambda n: f'e{n}: explainCustomers {{ returned }}')} }}"))
    assert (again["cost"], again["limit"]) == (4000, 3000)


def test_c089_a_page_of_100_with_two_nested_levels_is_two_reads(sender: httpx2.Client, target: Gateway) -> None:
    query = f"{{ customers(first: 100) {{ totalCount edges {{ node {{ {CUSTOMER} }} }} }} }}"
    with recorder().recording(target.database) as commands:
        assert len(ask(sender, query).json()["data"]["customers"]["edges"]) == 100
    asked = [next(iter(command)) for command in commands if "customers" in command.values()]
    assert asked in (["find"], ["find", "count"])


@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(text=documents(SCHEMA, frozenset({"explainCustomers", "quota"})))
def test_c084_no_answer_has_more_objects_than_were_asked_for(text: str, few: httpx2.Client) -> None:
    answer = ask(few, text).json()
    if "data" not in answer:
        assert answer["errors"][0]["extensions"]["code"] in range(1602, 1618), answer
        return
    cost = answer["extensions"]["cost"]
    assert cost["actual"] <= cost["requested"], (text, json.dumps(answer)[:2000])


@pytest.fixture(scope="module")
def few(mongod_url: str) -> Iterator[httpx2.Client]:
    """A client of a gateway whose customers have five addresses and five phone numbers each."""
    with running(mongod_url, f"test_{uuid4().hex[:16]}") as gateway:
        for _ in range(9):
            gateway.create(addresses=[factories.address()] * 5, phoneNumbers=[factories.phone_number()] * 5)
        with gateway.client(**{"X-API-Key": gateway.key, "Accept": RESPONSE, "Content-Type": JSON}) as client:
            yield client
