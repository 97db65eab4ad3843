"""Plans answer what graphql-core answers: generated questions about generated documents, many with something wrong.

`PLANS=20000` asks that many questions instead of a few hundred, `PLANS_SEED=7` others.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any, Final, cast

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type

from tests.schema.stage import answer, build, difference, is_valid, perfect, stages
from tests.schema.test_plan_matrix import GONE, VALUES

COUNT: Final = int(os.environ.get("PLANS", "200"))
SEED: Final = int(os.environ.get("PLANS_SEED", "1"))
_PARTS: Final = 10
_SCHEMA: Final = stages()["off"]._schema
_ARGUMENTS: Final = {
    "address": '(id: "67d6fef4-316e-4a2c-8690-c7906484a786")',
    "phoneNumber": '(id: "no id")',
    "first": "(ifVersion: $version)",
    "second": "(ifVersion: 2)",
    "perhaps": "(id: $id, upTo: $upTo)",
}
_DECLARED: Final = {
    "yes": "Boolean!",
    "no": "Boolean! = false",
    "maybe": "Boolean = true",
    "version": "Int!",
    "id": "ID",
    "upTo": "Int = 2",
}


class Question:
    """A document, and variables that fit it or not."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.fragments: list[str] = []
        self.aliases = 0
        kind = _SCHEMA.mutation_type if chance.random() < 0.15 else _SCHEMA.query_type
        assert kind is not None
        body = self._selected(kind, 0)
        declared = ", ".join(f"${name}: {kind}" for name, kind in _DECLARED.items() if self._uses(name, body))
        head = ("query" if kind is _SCHEMA.query_type else "mutation") + (f" Q({declared})" if declared else "")
        self.text = f"{head} {{ {body} }} {' '.join(self.fragments)}"

    def variables(self) -> dict[str, Any]:
        """Return values for the variables: most fit, some are null, absent or wrong."""
        values: dict[str, Any] = {
            "yes": self.chance.random() < 0.5,
            "no": self.chance.random() < 0.5,
            "maybe": self.chance.random() < 0.5,
            "version": 3,
            "id": "x",
            "upTo": 1,
        }
        for name in values:
            if self.chance.random() < 0.1:
                values[name] = self.chance.choice([None, "true", 1, 2**31, [], {}, 1.5])
        return {name: value for name, value in values.items() if self.chance.random() < 0.9}

    def _uses(self, name: str, body: str) -> bool:
        return any(f"${name}{end}" in self._all(body) for end in "),")

    def _all(self, body: str) -> str:
        return " ".join([body, *self.fragments])

    def _selected(self, kind: GraphQLObjectType | GraphQLInterfaceType, depth: int) -> str:
        names = [name for name in kind.fields if self.chance.random() < 0.4 and name != "totalCount"]
        items = [item for name in names or ["__typename"] for item in self._field(kind, name, depth)]
        if self.chance.random() < 0.2:
            items.append(self.chance.choice(["__typename", "__typename", "tn: __typename", "id: __typename"]))
        if depth and self.chance.random() < 0.35:
            items.append(self._fragment(kind, depth))
        self.chance.shuffle(items)
        return " ".join(items)

    def _field(self, kind: Any, name: str, depth: int) -> Iterator[str]:
        for _ in range(2 if self.chance.random() < 0.15 else 1):
            alias = self._alias()
            below = get_named_type(kind.fields[name].type) if name in kind.fields else None
            inner = ""
            if isinstance(below, GraphQLObjectType | GraphQLInterfaceType):
                inner = f" {{ {self._selected(below, depth + 1)} }}"
            yield f"{alias}{name}{_ARGUMENTS.get(name, '')}{self._directive()}{inner}"

    def _alias(self) -> str:
        """Return an alias, or none; some are the names of other fields, with which they may conflict."""
        form = self.chance.random()
        if form < 0.02:
            return self.chance.choice(["email: ", "id: ", "city: ", "type: "])
        self.aliases += form < 0.15
        return f"a{self.aliases}: " if form < 0.15 else ""

    def _fragment(self, kind: Any, depth: int) -> str:
        if depth > 4:
            return "__typename"
        on = self.chance.choice([kind.name, kind.name, "Node"]) if kind.name in {"Customer", "Node"} else kind.name
        on = "Customer" if kind.name == "Node" and self.chance.random() < 0.6 else on
        inner = self._selected(cast("GraphQLObjectType", _SCHEMA.type_map[on]), depth + 1)
        form = self.chance.random()
        if form < 0.4:
            return f"... on {on}{self._directive()} {{ {inner} }}"
        if form < 0.5 and on == kind.name:
            return f"...{self._directive()} {{ {inner} }}"
        name = f"F{len(self.fragments)}"
        self.fragments.append(f"fragment {name} on {on} {{ {inner} }}")
        return f"...{name}{self._directive()}" + (f" ...{name}" if self.chance.random() < 0.3 else "")

    def _directive(self) -> str:
        if self.chance.random() > 0.15:
            return ""
        condition = self.chance.choice(["true", "false", "$yes", "$no", "$maybe"])
        return f" @{self.chance.choice(['include', 'skip'])}(if: {condition})"


def _spots(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict | list):
        for name in value if isinstance(value, dict) else range(len(value)):
            yield value, name
            yield from _spots(value[name])


def customer(chance: random.Random, damages: int) -> Any:
    """Return a customer with so many things wrong."""
    made = perfect(chance.randrange(30))
    made["phoneNumbers"] = made["phoneNumbers"][: chance.randint(1, 2)]
    for _ in range(damages):
        place, name = chance.choice(list(_spots(made)))
        value = chance.choice(VALUES)
        if value is not GONE:
            place[name] = value
        elif isinstance(place, dict):
            del place[name]
    return made


def hands(chance: random.Random, damages: int) -> dict[str, Any]:
    """Return what the root fields give: in most lists one thing is wrong, some root fields give or raise nonsense."""
    many = [customer(chance, 0) for _ in range(chance.randrange(4))]
    gives = {
        "sure": customer(chance, damages),
        "perhaps": customer(chance, damages),
        "all": [*many, customer(chance, damages)],
        "some": [None, customer(chance, damages), *many],
        "deleted": {"id": "x", "version": 3, "deletedAt": "2026-03-01T12:00:00.000Z"},
    }
    if damages and chance.random() < 0.15:
        gives[chance.choice(list(gives))] = chance.choice([None, 5, "x", [], {}, [5], ValueError("v")])
    return gives


@pytest.mark.untraced
@pytest.mark.parametrize("part", range(_PARTS))
async def test_generated_questions_are_answered_as_graphql_core_does(part: int) -> None:
    chance = random.Random(f"{SEED} {part}")
    asked = compared = 0
    while asked < COUNT // _PARTS:
        question = Question(chance)
        if not is_valid(question.text):
            continue
        asked += 1
        for damages in (0, 1, 1, 2):
            compared += 1
            if found := await difference(question.text, question.variables(), hands(chance, damages)):
                pytest.fail(found)
    print(f"{asked} questions, {compared} answers compared")


async def test_most_generated_questions_about_sound_documents_are_answered_by_plans() -> None:
    """So that the questions above are not all of a kind that has no plan."""
    chance = random.Random(SEED)
    schema = build("on")
    for _ in range(100):
        question = Question(chance)
        if is_valid(question.text):
            await answer(schema, question.text, question.variables(), hands(chance, 0))
    assert schema.counts.fast > 30
