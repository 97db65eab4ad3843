"""The indexes stand, are made again without harm, and answer every question."""

from __future__ import annotations

import asyncio
from typing import Any

from storage.indexes import INDEXES
from storage.store import Store
from tests.storage.test_customers import customer


async def test_every_index_is_made_and_made_again_without_harm(store: Store) -> None:
    names = await store.ensure_indexes()
    assert names == await store.ensure_indexes()
    database = store.client[store.database]
    for collection, models in INDEXES.items():
        found = await database[collection].index_information()
        for model in models:
            name = model.document["name"]
            assert f"{collection}.{name}" in names
            assert bool(found[name].get("unique")) is bool(model.document.get("unique"))


async def test_gateways_that_start_at_once_make_the_indexes_together(store: Store) -> None:
    await store.client.drop_database(store.database)
    results = await asyncio.gather(*(store.ensure_indexes() for _ in range(8)))
    assert all(result == results[0] for result in results)


def stages(plan: dict[str, Any]) -> set[str]:
    inner = [plan.get("inputStage"), *plan.get("inputStages", ()), plan.get("queryPlan"), plan.get("winningPlan")]
    return {str(plan.get("stage"))}.union(*(stages(one) for one in inner if isinstance(one, dict)))


QUESTIONS: list[tuple[str, dict[str, Any], dict[str, int]]] = [
    ("customers", {"id": {"$eq": "x"}}, {}),
    ("customers", {"id": {"$eq": "x"}, "version": {"$eq": 1}}, {}),
    ("customers", {"keys.email": {"$eq": "x"}}, {}),
    ("customers", {}, {"keys.place": 1}),
    ("customers", {}, {"keys.place": -1}),
    ("customers", {"keys.terms": {"$eq": "ln:x"}}, {"keys.place": 1}),
    ("customers", {}, {"keys.order.lastName": 1, "id": 1}),
    ("tombstones", {"id": {"$eq": "x"}}, {}),
    ("keys", {"hash": {"$eq": "x"}}, {}),
    ("keys", {"clientId": {"$eq": "x"}}, {}),
]


async def test_no_question_scans_or_sorts_the_collection(store: Store) -> None:
    await store.customers.create(customer())
    for collection, query, sort in QUESTIONS:
        command = {"find": collection, "filter": query, **({"sort": sort} if sort else {})}
        plan = await store.client[store.database].command("explain", command, verbosity="queryPlanner")
        assert not stages(plan["queryPlanner"]["winningPlan"]) & {"COLLSCAN", "SORT"}, (query, sort)
