"""The dashboard and the alert rules ask for metrics that exist, with labels that they have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import yaml

from app.observe.families import FAMILIES
from tests.contract.test_layers import ROOT

BOARD = ROOT / "docker" / "grafana" / "customer-gateway.json"
ALERTS = ROOT / "docker" / "prometheus" / "alerts.yml"
NAME = re.compile(r"\b(?:gateway|process|python_gc)_[a-z_]+")
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count")}
ADDED = {"le", "instance"}
"""Labels that a histogram or Prometheus itself adds."""


def samples() -> dict[str, set[str]]:
    """Return the labels of each sample that `/metrics` can show, by its name."""
    return {
        f"{family.name}{suffix}": {*family.labels, *ADDED}
        for family in FAMILIES
        for suffix in SUFFIXES.get(family.kind, ("",))
    }


def questions() -> Iterator[str]:
    """Give every expression of the dashboard and the rules."""
    for panel in json.loads(BOARD.read_text())["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    for group in yaml.safe_load(ALERTS.read_text())["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


@pytest.mark.parametrize("question", list(questions()))
def test_what_is_asked_of_prometheus_is_there(question: str) -> None:
    known = samples()
    names = NAME.findall(question)
    assert names
    assert set(names) <= known.keys()
    labels = set.union(*(known[name] for name in names))
    grouped = {label for found in re.findall(r"by \(([^)]*)\)", question) for label in re.split(r",\s*", found)}
    assert grouped | set(re.findall(r"[{,](\w+)=", question)) <= labels
    assert question.count("(") == question.count(")")


def test_the_panels_lie_beside_each_other_and_have_ids_of_their_own() -> None:
    panels = json.loads(BOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len({str(panel["gridPos"]) for panel in panels}) == len(panels)


def test_every_alert_tells_what_to_do_and_names_labels_that_its_question_gives() -> None:
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    for rule in rules:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"].keys() == {"summary", "description"}
    assert len({rule["alert"] for rule in rules}) == len(rules)
    page = (ROOT / "docs" / "operations.md").read_text()
    assert all(f"`{rule['alert']}`" in page for rule in rules)
