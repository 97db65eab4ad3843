"""The ten tasks of docs/tasks.md run at both doors, each door on a store of its own, and the same comes out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contract.reading import ROOT, UUID, Block, Reader, add_demo_customers, blocks_of
from tests.databases import Databases
from tests.harness import Gateway, running

PAGE = ROOT / "docs/tasks.md"
TEXT = PAGE.read_text(encoding="utf-8")
DOORS = ("REST", "GraphQL")
TASK = re.compile(r"^\*\*REST\*\*\n(.*?)^\*\*GraphQL\*\*\n(.*?)^</div>\n</div>$", re.MULTILINE | re.DOTALL)

Json = dict[str, Any]


@dataclass(frozen=True)
class Pair:
    """What a page shows for one task: the examples of both doors, in the order of `DOORS`."""

    line: int
    columns: tuple[list[Block], list[Block]]


def pairs() -> Iterator[Pair]:
    """Give every pair of columns of the page."""
    for match in TASK.finditer(TEXT):
        lines = [TEXT.count("\n", 0, match.start(group)) + 1 for group in (1, 2)]
        rest, graphql = (blocks_of(match[group], PAGE.name, lines[group - 1]) for group in (1, 2))
        yield Pair(lines[0], (rest, graphql))


class Asker(Reader):
    """A reader who keeps the last answer."""

    told = ""

    def taken(self) -> str:
        """Return the answer that was waited for, once."""
        self.told = super().taken()
        return self.told


@pytest.fixture
def askers(mongod_url: str, databases: Databases, tmp_path: Path) -> Iterator[tuple[Asker, ...]]:
    """One reader for each door, with a gateway, a store and the demo customers of its own."""
    with ExitStack() as stack:
        found = []
        for door in DOORS:
            gateway = stack.enter_context(running(mongod_url, stack.enter_context(databases.lend())))
            add_demo_customers(gateway)
            (tmp_path / door).mkdir()
            found.append(Asker(gateway, tmp_path / door, {"cgw_…": gateway.key}))
        yield tuple(found)


def test_there_are_ten_tasks_and_each_has_both_doors() -> None:
    numbers = [int(number) for number in re.findall(r"^## (\d+)\. ", TEXT, re.MULTILINE)]
    columns = re.findall(r"^## (\d+)\. |^\*\*(REST|GraphQL)\*\*$", TEXT, re.MULTILINE)
    assert numbers == list(range(1, 11))
    order = "".join("#" if number else door[0] for number, door in columns)
    assert re.fullmatch("(#(RG)+){10}", order), order
    assert len(list(pairs())) == TEXT.count("\n**REST**\n")


def test_every_task_has_the_same_result_at_both_doors(askers: tuple[Asker, ...]) -> None:
    for asker in askers:
        for block in blocks_of(TEXT[: TEXT.index("\n## ")], PAGE.name):
            asker.follow(block)
    for pair in pairs():
        for asker, column in zip(askers, pair.columns, strict=True):
            for block in column:
                asker.follow(block)
            asker.end()
        rest, graphql = (_told(asker.told) for asker in askers)
        if "rows" in rest and "rows" not in graphql:
            (rest,) = rest["rows"]
        shared = rest.keys() & graphql.keys()
        assert shared, f"{PAGE.name}:{pair.line}: the two answers have nothing in common"
        assert _masked({name: rest[name] for name in shared}) == _masked({name: graphql[name] for name in shared})
        first, second = (_stored(asker.gateway) for asker in askers)
        assert first == second, f"{PAGE.name}:{pair.line}"


def _told(answer: str) -> Json:
    """Return what an answer of either door tells: its customers and their number, its tag, its problem."""
    head, _, body = answer.partition("\r\n\r\n") if answer.startswith("HTTP/") else ("", "", answer)
    told: Json = json.loads(body)
    if "errors" in told:
        return _problem(told["errors"][0]["extensions"])
    if "data" in told:
        (root,) = told["data"].values()
        return _plain(root.get("notificationPreferences", root))
    if "title" in told:
        return _problem(told)
    tag = re.search(r"^etag: (\S+)", head, re.MULTILINE | re.IGNORECASE)
    return _plain(told) | ({"etag": tag[1]} if tag else {})


def _problem(told: Json) -> Json:
    return {name: told[name] for name in told if name not in {"instance", "requestId"}}


def _plain(told: Json) -> Json:
    rows = told.get("content", told.get("items", told.get("nodes")))
    if rows is None:
        return told
    total = told.get("totalCount", told.get("page", {}).get("totalElements"))
    return {"rows": rows} if total is None else {"rows": rows, "total": total}


def _stored(gateway: Gateway) -> str:
    """Return the newest customers as both doors show them, and how many there are."""
    newest = gateway.http.get("/api/v1/customers?sort=createdAt,desc&size=2").json()
    versions = gateway.data("{ customers(last: 2) { nodes { version addresses { id } } } }")
    return _masked([newest, versions])


def _masked(told: object) -> str:
    """Return JSON in which everything that two gateways make differently is alike."""
    text = json.dumps(told, ensure_ascii=False, sort_keys=True)
    return re.sub(rf"{UUID}|[\d-]{{10}}T[\d:.]{{12}}Z|(?<=v\d-)[0-9a-f]{{8}}|(?<=127.0.0.1:)\d+", "…", text)
