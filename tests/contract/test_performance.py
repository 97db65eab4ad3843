"""The page about performance has the rows and the goals that `make bench` measures, and their requests go well."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.bench.works import works
from tests.harness import Gateway

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
ROW = re.compile(r"^\| ([^|]+) \| ([0-9.]+) \| ([0-9.]+) \| ([a-z*]+) \|", re.MULTILINE)
WORKS = works([])


def test_the_page_shows_every_row_with_its_goal_and_says_whether_it_is_reached() -> None:
    found = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert [(name, float(goal)) for name, _, goal, _ in found] == [(work.name, work.goal) for work in WORKS]
    for name, ratio, goal, met in found:
        assert (met == "reached") == (float(ratio) <= float(goal)), name


@pytest.mark.parametrize("key", [work.key for work in WORKS])
def test_what_is_measured_is_answered_without_an_error(gateway: Gateway, key: str) -> None:
    customer = gateway.create()
    work = next(work for work in works([customer["id"]]) if work.key == key)
    method, path, body = work.ours.requests[0]
    headers = {"Content-Type": "application/json"}
    content = body.replace("@@", customer["id"]) or None
    response = gateway.http.request(method, path, content=content, headers=headers)
    assert response.status_code in {200, 201}, response.text
    assert "errors" not in response.json()
