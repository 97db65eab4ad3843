"""At the end: every customer of the store, compared with the model through both doors and in MongoDB itself."""

from __future__ import annotations

from typing import Any, Final

import httpx2
from pymongo.database import Database

from tests.faults.wire import CUSTOMERS
from tests.soak.client import WHOLE
from tests.soak.lists import Question, Walk, compare
from tests.soak.model import Model
from tests.soak.people import shown
from tests.soak.site import Site
from tests.soak.states import Record, Seen, differences

_NODES: Final = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Customer {{ {WHOLE} }} }} }}"
_PAGE: Final = 50


def audit(site: Site) -> dict[str, int]:
    """Compare everything; nobody may write meanwhile. Returns how many customers and tombstones there are."""
    model = site.model
    for record in [*model.records.values(), *model.pending.values()]:
        if record.sure is None or not record.id:
            model.accuse("audit", f"{record.id or record.email} is not certain: {record.states}")
    with httpx2.Client(base_url=site.gateways[-1].url, headers={"X-API-Key": site.key}, timeout=30) as client:
        at_rest(client, model)
        at_graphql(client, model)
        gone(client, model)
    with site.witness() as store:
        return in_store(store[site.database], model)


def at_rest(client: httpx2.Client, model: Model) -> None:
    """Walk over the list of all; its total is exact."""
    began, seen, cursor = model.clock(), list[Seen](), ""
    while True:
        answer = client.get(CUSTOMERS, params={"size": 100, "cursor": cursor, "count": "exact"})
        page = answer.raise_for_status().json()
        seen += map(shown, page["content"])
        cursor = answer.headers.get("next-cursor", "")
        if not cursor:
            break
    compare(model, Question(), Walk(seen, "audit at REST", began, model.clock(), None))
    plain = client.get(CUSTOMERS, params={"size": 1}).raise_for_status().json()
    totals = {page["page"]["totalElements"], plain["page"]["totalElements"], len(alive(model))}
    if len(totals) > 1:
        model.accuse("audit at REST", f"totals of {totals}")


def at_graphql(client: httpx2.Client, model: Model) -> None:
    """Read all by their ids, with versions and the ids of parts."""
    living = alive(model)
    for start in range(0, len(living), _PAGE):
        some, began = living[start : start + _PAGE], model.clock()
        asked = {"query": _NODES, "variables": {"ids": [record.id for record in some]}}
        answer = client.post("/graphql", json=asked).raise_for_status().json()
        for record, node in zip(some, answer["data"]["nodes"], strict=True):
            found = Seen(record.id, erased=True) if node is None else shown(node)
            model.see("audit at GraphQL", found, began, model.clock())


def gone(client: httpx2.Client, model: Model) -> None:
    """Ask for some of the erased ones, the newest: they are gone."""
    erased = [record for record in model.records.values() if record.sure and record.sure.fields is None]
    for record in erased[-100:]:
        if (status := client.get(f"{CUSTOMERS}/{record.id}").status_code) != 410:
            model.accuse("audit at REST", f"{record.id} is erased, and answered {status}")


def in_store(database: Database[dict[str, Any]], model: Model) -> dict[str, int]:
    """Compare what MongoDB holds: customers with their versions and ids of parts, and tombstones."""
    customers = list(database["customers"].find({}))
    stones = {one["id"]: one["version"] for one in database["tombstones"].find({})}
    living = {record.id: record for record in alive(model)}
    erased = {one.id: one.sure.version for one in model.records.values() if one.sure and one.sure.fields is None}
    for document in customers:
        if (record := living.pop(document["id"], None)) is None:
            model.accuse("audit in MongoDB", f"{document['id']} should not be there")
        elif wrong := stored(record, document):
            model.accuse("audit in MongoDB", f"{record.id}: {wrong}")
    if living:
        model.accuse("audit in MongoDB", f"{len(living)} are missing: {sorted(living)[:5]}")
    if stones != erased:
        differing = dict(list(stones.items() ^ erased.items())[:5])
        model.accuse("audit in MongoDB", f"tombstones are not as they must be: {differing}")
    return {"customers": len(customers), "tombstones": len(stones)}


def stored(record: Record, document: dict[str, Any]) -> list[str]:
    """Return in what a stored document is not what it must be."""
    state = record.sure
    assert state is not None
    body = {name: value for name, value in document.items() if name not in {"_id", "keys"}}
    return differences(record, state, shown(body))


def alive(model: Model) -> list[Record]:
    """Return the customers that must be there."""
    return [one for one in model.records.values() if one.sure is not None and one.sure.fields is not None]
