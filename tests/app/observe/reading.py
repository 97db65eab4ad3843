"""Reading `/metrics` as Prometheus does: by its own parser."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import httpx2
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_plain

from app.observe.exposition import OPENMETRICS, PATH, PLAIN

Labels = frozenset[tuple[str, str]]
REQUESTS = "gateway_http_requests_total"
GET_ONE = "/api/v1/customers/{customerId}"
CUSTOMERS = "/api/v1/customers"


@dataclass(frozen=True)
class Scrape:
    """One answer: the kind of each metric, and the value of each sample."""

    kinds: Mapping[str, str]
    samples: Mapping[tuple[str, Labels], float]

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of the samples that have these labels, among others."""
        wanted = labels.items()
        return sum(value for (known, has), value in self.samples.items() if known == name and wanted <= has)

    def series(self, name: str) -> set[Labels]:
        """Return the labels of all samples of a name."""
        return {labels for known, labels in self.samples if known == name}


def scrape(client: httpx2.Client, **headers: str) -> Scrape:
    """Return what `/metrics` shows now."""
    response = client.get(PATH, headers=headers)
    assert response.status_code == 200, response.text
    return parsed(response)


def parsed(response: httpx2.Response) -> Scrape:
    """Parse an answer by its own content type; no sample stands twice."""
    kind = response.headers["Content-Type"].partition(";")[0]
    parsers: Mapping[str, Callable[[str], Iterable[Metric]]] = {PLAIN: parse_plain, OPENMETRICS: parse_openmetrics}
    families = list(parsers[kind](response.text))
    found = [((one.name, frozenset(one.labels.items())), one.value) for family in families for one in family.samples]
    assert len(dict(found)) == len(found)
    return Scrape({family.name: family.type for family in families}, dict(found))


def grown(before: Scrape, after: Scrape, name: str) -> dict[Labels, float]:
    """Return by how much the samples of a name have grown, but for those that have not."""
    changes = {
        labels: value - before.samples.get((known, labels), 0)
        for (known, labels), value in after.samples.items()
        if known == name
    }
    return {labels: change for labels, change in changes.items() if change}
