"""Mixed work through both doors, with a worker killed and a gateway restarted: the short form of `make soak`."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from tests.commands import until
from tests.faults.faults import kill_worker, workers
from tests.soak.audit import alive, audit
from tests.soak.schedule import restart
from tests.soak.site import Site, serving, working

SOON = 3.0
"""Seconds after which a request whose worker was killed is done or never will be: nothing holds up MongoDB here."""
Lie = Callable[[Database[dict[str, Any]], str], object]


@pytest.mark.slow
@pytest.mark.untraced
def test_through_a_restart_and_a_kill_every_customer_is_what_it_must_be(
    tmp_path: Path, mongod_url: str, database: str
) -> None:
    """And what is changed behind the gateway's back is found: the comparison at the end is no formality."""
    with serving(tmp_path, mongod_url, database, (2, 1)) as (gateways, key):
        with working(gateways, key, 7, 6, think=0.01) as (crowd, model, tally, down):
            site = Site(gateways, crowd, model, tally, key, partial(MongoClient, mongod_url), database, down=down)
            model.late = SOON
            _work(site, 200)
            model.fault = "gateway restarted"
            restart(site, 0)
            _work(site, 200)
            model.fault = "workers killed"
            kill_worker(gateways[0].started, workers(gateways[0].started)[0])
            _work(site, 100)
            crowd.settle()
            there = audit(site)
            until(lambda: not crowd.watcher.missing(), 20, "the last event")
            print(there, tally, f"{model.compared} compared")
            assert model.wrong == []
            assert [line for gateway in gateways for line in gateway.unexpected()] == []
            assert there["customers"] == len(alive(model)) > 10
            assert there["tombstones"] > 0
            assert len(tally.done) > 20
            _lies_are_found(site)


def _work(site: Site, more: int) -> None:
    """Let so much more be done."""
    before = site.tally.outcomes["done"]
    until(lambda: site.tally.outcomes["done"] >= before + more, 60, "work")


def _lies_are_found(site: Site) -> None:
    """Spoil one customer after the other in MongoDB itself, and see each told."""
    lies: tuple[tuple[str, Lie], ...] = (
        (
            r"lastName \\?'Liar",  # written with a backslash where the true name has an apostrophe
            lambda store, one: store["customers"].update_one({"id": one}, {"$set": {"lastName": "Liar"}}),
        ),
        ("version 99", lambda store, one: store["customers"].update_one({"id": one}, {"$set": {"version": 99}})),
        ("it is erased|is missing", lambda store, one: store["customers"].delete_one({"id": one})),
        ("tombstones", lambda store, one: store["tombstones"].insert_one({"id": one, "version": 7})),
        ("should not be there", _double),
    )
    for (told, lie), record in zip(lies, alive(site.model), strict=False):
        site.model.wrong.clear()
        with site.witness() as client:
            lie(client[site.database], record.id)
        audit(site)
        assert any(re.search(told, line) for line in site.model.wrong), f"{told}: {site.model.wrong}"


def _set(store: Database[dict[str, Any]], customer: str, **fields: Any) -> None:
    store["customers"].update_one({"id": customer}, {"$set": fields})


def _double(store: Database[dict[str, Any]], customer: str) -> None:
    found = store["customers"].find_one({"id": customer})
    assert found is not None
    del found["_id"]
    place = bytes(reversed(found["keys"]["place"]))
    twin = {**found, "id": f"{customer[:-4]}0000", "email": "twin@example.com"}
    store["customers"].insert_one({**twin, "keys": {**found["keys"], "place": place, "email": "twin@example.com"}})
