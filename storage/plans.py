"""How the store answered a question: from MongoDB's explain to the few facts that matter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from storage.driver import Document


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """The query, the indexes it went by, whether it had to sort, and what was examined.

    `milliseconds` is the store's own time.
    """

    query: Document
    indexes: tuple[str, ...]
    scans_collection: bool
    sorts: bool
    keys_examined: int
    documents_examined: int
    returned: int
    milliseconds: int


def plan_of(query: Document, said: Document) -> QueryPlan:
    """Return the plan that an explain with execution statistics describes."""
    stages = list(_stages(said["queryPlanner"]["winningPlan"]))
    kinds = {stage["stage"] for stage in stages}
    statistics = said["executionStats"]
    return QueryPlan(
        query=query,
        indexes=tuple(sorted({stage["indexName"] for stage in stages if "indexName" in stage})),
        scans_collection="COLLSCAN" in kinds,
        sorts="SORT" in kinds,
        keys_examined=statistics["totalKeysExamined"],
        documents_examined=statistics["totalDocsExamined"],
        returned=statistics["nReturned"],
        milliseconds=statistics["executionTimeMillis"],
    )


def _stages(stage: Document) -> Iterator[dict[str, Any]]:
    if "stage" in stage:
        yield stage
    children = [stage.get(name) for name in ("inputStage", "queryPlan", "outerStage", "innerStage")]
    for child in [*children, *stage.get("inputStages", ()), *stage.get("shards", ())]:
        if isinstance(child, dict):
            yield from _stages(child.get("winningPlan", child))
