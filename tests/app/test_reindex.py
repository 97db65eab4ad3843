"""`gateway reindex` after an upgrade: what it does, what it says, and that `gateway check` asks for it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from pymongo import MongoClient

from storage.documents import Customer
from storage.store import StoreOptions, open_store
from tests.inprocess import run_here
from tests.storage.test_customers import customer
from tests.storage.test_renewal import DNS, READ, as_before


@pytest.fixture
def env(mongod_url: str, database: str) -> dict[str, str]:
    return {"GATEWAY_MONGODB_URL": mongod_url, "GATEWAY_MONGODB_DATABASE": database}


def stored_before(mongod_url: str, database: str) -> Customer:
    """Store a customer as an older version did."""
    made = customer(email=DNS)
    with MongoClient[dict[str, Any]](mongod_url) as client:
        client[database].customers.insert_one(as_before(made))
    return made


def stored_now(mongod_url: str, database: str) -> Customer:
    """Store a customer with the same address as this version does."""
    made = customer(email=READ)

    async def create() -> None:
        async with open_store(StoreOptions(mongod_url, database)) as store:
            await store.customers.create(made)

    asyncio.run(create())
    return made


def indexes(env: dict[str, str]) -> tuple[str, str]:
    """Return what `gateway check` finds of the indexes, and its cure."""
    (found,) = [one for one in json.loads(run_here("check", "--json", env=env).out) if one["subject"] == "indexes"]
    return found["state"], found["cure"]


def test_it_says_how_many_it_has_written_anew_and_then_none(
    mongod_url: str, database: str, env: dict[str, str]
) -> None:
    stored_before(mongod_url, database)
    ended = run_here("reindex", env=env)
    assert (ended.code, ended.out) == (0, "looked at 1 customers, and wrote anew what 1 are found by\n")
    assert run_here("reindex", "--json", env=env).json() == {"looked": 1, "renewed": 0, "taken": []}


def test_two_with_one_address_end_it_with_3_and_are_named_without_the_address(
    mongod_url: str, database: str, env: dict[str, str]
) -> None:
    older, newer = stored_before(mongod_url, database), stored_now(mongod_url, database)
    ended = run_here("reindex", env=env)
    assert ended.code == 3
    assert f"{older['id']} has the e-mail address of {newer['id']}: change one of the two" in ended.out
    assert "@" not in ended.out + ended.err


def test_check_asks_for_it_until_it_was_run(mongod_url: str, database: str, env: dict[str, str]) -> None:
    stored_before(mongod_url, database)
    assert run_here("indexes", env=env).code == 0
    state, cure = indexes(env)
    assert (state, "gateway reindex" in cure) == ("warning", True)
    assert run_here("reindex", env=env).code == 0
    assert indexes(env)[0] == "good"
