"""A worker that is killed in the middle of an import: another one goes on, and nobody is stored twice."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.app.rest.test_operations import CUSTOMERS, OPERATIONS
from tests.app.test_files import many
from tests.commands import serving, until
from tests.harness import make_key


@pytest.mark.slow
@pytest.mark.untraced
def test_an_import_whose_worker_is_killed_is_taken_over(tmp_path: Path, mongod_url: str, database: str) -> None:
    settings: dict[str, Any] = {"mongodb_url": mongod_url, "mongodb_database": database, "rate_limit": "off"}
    key = make_key(mongod_url, database)
    bodies = many(6000)
    content = "".join(json.dumps(body) + "\n" for body in bodies)
    with MongoClient[dict[str, Any]](mongod_url) as client:
        stored = client[database]
        (tmp_path / "one").mkdir()
        (tmp_path / "two").mkdir()
        with serving(tmp_path / "one", **settings) as first, first.client(key) as http:
            headers = {"Content-Type": "application/x-ndjson"}
            begun = http.post(f"{CUSTOMERS}:import", content=content, headers=headers)
            assert begun.status_code == 202, begun.text
            until(lambda: stored.customers.count_documents({}) > 0, 20, "the first batch")
            first.stop(signal.SIGKILL)
        (left,) = stored.operations.find()
        assert (left["status"], left["done"] < len(bodies)) == ("running", True)
        url = f"{OPERATIONS}/{begun.json()['id']}"
        with serving(tmp_path / "two", **settings) as second, second.client(key) as http:
            until(lambda: http.get(url).json()["status"] != "running", 60, "the takeover")
            done = http.get(url).json()
        assert (done["status"], done["done"], done["failed"]) == ("succeeded", len(bodies), 0)
        assert done["counts"] == {"created": len(bodies)}
        assert sorted(one["email"] for one in stored.customers.find({}, {"email": 1})) == sorted(
            one["email"] for one in bodies
        )
