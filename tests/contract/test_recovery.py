"""Where introspection is closed, tools such as attackers use find nothing of the schema.

A number in a name is that of the statement that the test is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2
import pytest

from tests.conftest import StartGateway
from tests.contract.asking import JSON, RESPONSE
from tests.harness import Gateway

WORDS: Final = """customer customers custome node nodes viewer user users email emails name names nam id ids first last
address addresses adress phone phoneNumber phoneNumbers page size items edges filter search orderBy city street total
totalCount createdAt input patch version type scopes query __typename order account orders""".split()
"""What an attacker guesses: names of any API, and some near ones."""
ASKED: Final = (
    "{{ {0} }}",
    "{{ {0} {{ {1} }} }}",
    "{{ {0}(id: 1) {{ {1} {{ x }} }} }}",
    "{{ {0}({1}: 1) {{ x }} }}",
    "{{ {0}({1}: {{x: 1}}) {{ x }} }}",
    "mutation {{ create{2}(input: {{}}) {{ {1} }} }}",
    "mutation {{ create{2}(input: 1) {{ {1} }} }}",
    "mutation {{ add{2}({1}: 1) {{ x }} }}",
    "query($v: {2}) {{ {0} {{ {1}(x: $v) }} }}",
    "{{ {0} {{ ... on {2} {{ {1} }} }} }}",
    "query($v: Int) {{ {0}(id: $v, filter: $v, first: $v) {{ {1} }} }}",
    "subscription {{ {0} }}",
)
TYPE: Final = re.compile(r"type '\[?([A-Z]\w*)|'([A-Z]\w*)[.!\]']|\"([A-Z]\w+)\"")
BUILT_IN: Final = {"Query", "Mutation", "Subscription", "Int", "String", "ID", "Boolean", "Float"}


@dataclass
class Recovery:
    """Probes a door with guesses, and reads types and names out of whatever it says."""

    client: httpx2.Client
    types: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def run(self) -> Recovery:
        """Ask everything: each guess with each shape of document, and with its neighbour."""
        for shape in ASKED:
            for word, other in zip(WORDS, [*WORDS[7:], *WORDS[:7]], strict=True):
                self._probe(shape.format(word, other, word.capitalize()))
        self._probe("query($i: CreateCustomerInput!) { viewer { id } }", {"i": {"x": 1}})
        self._probe("{ __schema { types { name } } }")
        self._probe('{ __type(name: "Customer") { name fields { name } } }')
        return self

    def _probe(self, query: str, variables: Any = None) -> None:
        answer = self.client.post("/graphql", json={"query": query, "variables": variables or {}}).json()
        for error in answer.get("errors", ()):
            self._read(error["message"], query)
        data = answer.get("data") or {}
        for kind in (data.get("__schema") or {}).get("types", ()):
            self.types.add(kind["name"])

    def _read(self, message: str, query: str) -> None:
        """Keep what the message names and the question did not."""
        for found in TYPE.findall(message):
            self.types |= {name for name in found if name and name not in query} - BUILT_IN
        for name in re.findall(r"'(\w+)'", message.partition("Did you mean")[2]):
            self.names.add(name)
        self.names |= {name for name in re.findall(r"'(\w+)'", message) if name not in query and name[0].islower()}


@pytest.fixture(scope="module")
def doors(gateway: Gateway) -> Iterator[httpx2.Client]:
    """A client of a gateway whose introspection is open."""
    with gateway.client(**{"X-API-Key": gateway.key, "Accept": RESPONSE, "Content-Type": JSON}) as client:
        yield client


def test_c087_the_tool_works_where_introspection_is_open(doors: httpx2.Client) -> None:
    found = Recovery(doors).run()
    assert found.types >= {"Customer", "CustomerConnection", "CreateCustomerInput", "CustomerFilter"}
    assert found.names >= {"customers", "firstName", "addresses"}


def test_c087_where_it_is_closed_the_tool_finds_nothing(start_gateway: StartGateway) -> None:
    closed = start_gateway(introspection=False)
    headers = {"Accept": RESPONSE, "Content-Type": JSON}
    with closed.client(**headers) as stranger, closed.client(**headers, **{"X-API-Key": closed.key}) as caller:
        nobody, somebody = Recovery(stranger).run(), Recovery(caller).run()
    assert (nobody.types, nobody.names) == (set(), set())
    assert (somebody.types, somebody.names) == (set(), set())


def test_c087_a_fault_still_says_where_it_is_and_what_of_the_document(start_gateway: StartGateway) -> None:
    closed = start_gateway(introspection=False)
    for query, variables, name, place in (
        ("{ viewer { nam } }", {}, "nam", [12]),
        ("{ viewer }", {}, "viewer", [3]),
        ("{ customers(firs: 1) { totalCount } }", {}, "firs", [13]),
        ("query($n: Int) { customers(first: $n) { totalCount } }", {"n": "x"}, "n", [7]),
    ):
        error = closed.graphql(query, **variables)["errors"][0]
        assert error["message"] == f"'{name}' does not fit the schema."
        assert [where["column"] for where in error["locations"]] == place
    several = closed.graphql("query A { viewer { id } } query B { viewer { id } }")["errors"][0]["message"]
    assert several == "The document has several operations: operationName must say which."
    assert "Syntax Error" in closed.graphql("{")["errors"][0]["message"]
