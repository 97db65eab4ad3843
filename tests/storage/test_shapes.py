"""Whatever clients write, mongod is asked only in a few shapes: the frozen list in `shapes.json`.

A shape is a command with its keys and operators, where every value is replaced by its BSON type; a list of
alternatives is the set of their shapes. After a change of the translation that is meant, freeze anew:
`SHAPES=freeze python -m pytest tests/storage/test_shapes.py`, and read the difference.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.query import CUSTOMER_FIELDS, PART_FIELDS
from tests.corpus import EVIL, QUERY, REDOS, ask_everything, quoted
from tests.crowd import Crowd, crowded, member
from tests.wiretap import Command, recorder

FROZEN = Path(__file__).with_name("shapes.json")
OF_THE_DRIVER = {"$db", "$clusterTime", "lsid", "maxTimeMS", "readConcern"}
LISTS = {"keys.addresses", "keys.phoneNumbers"}
COMMANDS = {"find", "aggregate", "count", "explain"}
MARKS = {field.mark for field in CUSTOMER_FIELDS.values()} | {
    field.mark for fields in PART_FIELDS.values() for field in fields.values()
}
OPERATORS = {
    "$and", "$or", "$nor", "$eq", "$ne", "$in", "$gt", "$gte", "$lt", "$lte", "$regex", "$options", "$elemMatch",
    "$match", "$group", "$sum", "$skip", "$limit",
}  # fmt: skip
PATHS = {
    "id", "updatedAt", "createdAt", "middleName", "keys.terms", "keys.email", "keys.place", "keys.addresses",
    "keys.phoneNumbers",
    *(f"keys.order.{name}" for name in ("firstName", "middleName", "lastName", "email")),
    *(name for fields in PART_FIELDS.values() for name in fields),
}  # fmt: skip
COUNTING = [{"$group": {"_id": 1, "n": {"$sum": 1}}}]


@pytest.fixture(scope="module")
def crowd(mongod_url: str) -> Iterator[Crowd]:
    recorder()
    with crowded(mongod_url, [member(number) for number in range(40)]) as made:
        yield made


@pytest.fixture(scope="module")
def asked(crowd: Crowd) -> list[Command]:
    """Every command that the whole corpus makes, at both doors."""
    with recorder().recording(crowd.gateway.database) as commands:
        ask_everything(crowd)
    return [_inner(command) for command in commands if "customers" in command.values() or "explain" in command]


def _inner(command: Command) -> Command:
    """Return the find of an explain."""
    return dict(command["explain"]) if "explain" in command else command


# --- shapes


def shape(value: Any) -> Any:
    """Return a value with its keys, and with types for all else; alternatives as a sorted set."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(item)) for item in value})
    return {"NoneType": "null", "str": "text", "bytes": "binary"}.get(type(value).__name__, type(value).__name__)


def _where(command: Command) -> dict[str, Any]:
    """Return the filter of a find or of a count."""
    found = command.get("filter") if "find" in command else command["pipeline"][0]["$match"]
    return dict(found or {})


def conditions(where: dict[str, Any], element: str = "") -> Iterator[tuple[str, Any]]:
    """Give each condition of a filter by itself: its path and what is asked of it; those of elements too."""
    for key, condition in where.items():
        if key in {"$and", "$or", "$nor"}:
            yield key, [{}]
            for part in condition:
                yield from conditions(part, element)
        elif key in LISTS:
            yield key, {"$elemMatch": {}}
            yield from conditions(condition["$elemMatch"], f"{key}[].*")
        else:
            yield element or key, condition


def shapes(commands: list[Command]) -> list[str]:
    """Return every shape of a condition, of a term of an order and of a command, sorted."""
    found: set[str] = set()
    for command in commands:
        if "find" in command or "aggregate" in command:
            found |= {f"where {path}: {_text(shape(condition))}" for path, condition in conditions(_where(command))}
        if "find" in command:
            found |= {f"sort {path}: {type(way).__name__}" for path, way in command["sort"].items()}
        if any(isinstance(command.get(name), str) for name in COMMANDS):
            mine = sorted(command.keys() - OF_THE_DRIVER)
            found.add("command " + _text({key: type(command[key]).__name__ for key in mine}))
    return sorted(found)


def _text(value: Any) -> str:
    return re.sub(r'\\*"', "", json.dumps(value))


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item)


def _filters(commands: list[Command]) -> Iterator[Any]:
    for command in commands:
        yield command.get("filter") or command.get("pipeline") or {}


# --- what must hold


def test_c117_mongod_is_asked_only_in_the_frozen_shapes(asked: list[Command]) -> None:
    found = shapes(asked)
    if os.environ.get("SHAPES") == "freeze":
        FROZEN.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    frozen = json.loads(FROZEN.read_text())
    print(f"{len(frozen)} shapes of {len(asked)} commands")
    assert [one for one in found if one not in frozen] == []
    assert [one for one in frozen if one not in found] == [], "no longer asked: freeze anew"


def test_c117_only_reads_are_sent_and_an_aggregation_only_counts(asked: list[Command]) -> None:
    assert {next(iter(command)) for command in asked} <= COMMANDS
    for command in asked:
        if "aggregate" in command:
            (match, *rest) = command["pipeline"]
            assert list(match) == ["$match"]
            assert rest == COUNTING


def test_c117_every_key_is_an_operator_or_a_path_of_ours(asked: list[Command]) -> None:
    for where in _filters(asked):
        keys = set(_keys(where)) - {"_id", "n"}
        assert {key for key in keys if key.startswith("$")} <= OPERATORS
        assert {key for key in keys if not key.startswith("$")} <= PATHS
    for command in asked:
        if "find" in command:
            assert set(command["sort"]) <= PATHS
            assert not any("$" in path for path in command["projection"])


def _inside(value: Any, *, element: bool = False) -> Iterator[tuple[dict[str, Any], bool]]:
    """Give every document with a `$regex`, and whether it stands inside an element of a nested list."""
    if isinstance(value, dict):
        if "$regex" in value:
            yield value, element
        for key, item in value.items():
            yield from _inside(item, element=element or key in LISTS)
    elif isinstance(value, list):
        for item in value:
            yield from _inside(item, element=element)


def _is_escaped(pattern: str) -> bool:
    return re.escape(re.sub(r"\\(.)", r"\1", pattern, flags=re.DOTALL)) == pattern


def test_c118_every_regular_expression_is_escaped_text_behind_a_mark_or_in_an_element(asked: list[Command]) -> None:
    found = [one for where in _filters(asked) for one in _inside(where)]
    assert {element for _, element in found} == {True, False}
    for condition, element in found:
        pattern = condition["$regex"]
        if element:
            assert list(condition) == ["$regex"]
        else:
            assert condition["$options"] == "s"
            mark, prefix, pattern = pattern[1:4], pattern[:6], pattern[6:]
            assert mark in MARKS
            assert prefix == f"^{mark}.*"
        assert _is_escaped(pattern), pattern


def test_c118_a_text_made_to_burn_time_is_answered_at_once(crowd: Crowd) -> None:
    slowest = 0.0
    for value in (*REDOS, *EVIL):
        for text in (f"contains(firstName,{quoted(value)})", f"addresses/any(a: contains(a/city,{quoted(value)}))"):
            began = time.perf_counter()
            response = crowd.search(filter=text)
            slowest = max(slowest, time.perf_counter() - began)
            assert response.status_code in {200, 400}, response.text
    print(f"slowest of {2 * len((*REDOS, *EVIL))}: {slowest * 1000:.1f} ms")


def test_c117_evil_texts_are_stored_and_found_as_plain_text(crowd: Crowd) -> None:
    """Read back: as a name, by equality, by its beginning and by what it contains, at both doors."""
    chance = random.Random(1)
    for value in [one for one in EVIL if one == one.strip() and one.isprintable() and "\u0301" not in one]:
        made = crowd.gateway.create(firstName=value, lastName=f"Evil{chance.random()}")
        assert made["firstName"] == value
        part = value[:5] if len(value) >= 5 else value
        texts = [f"firstName eq {quoted(value)}", f"startswith(firstName,{quoted(part)})"]
        texts += [f"contains(firstName,{quoted(part)})"] if len(part) >= 3 else []
        for text in texts:
            response = crowd.search(filter=f"{text} and lastName eq '{made['lastName']}'")
            assert [one["id"] for one in response.json()["content"]] == [made["id"]], text
        found = crowd.gateway.data(QUERY, filter={"firstName": {"in": [value]}, "id": {"eq": made["id"]}})
        assert found["customers"]["totalCount"] == 1
