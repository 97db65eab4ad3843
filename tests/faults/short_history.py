"""A real mongod whose history of changes, the oplog, is so short that some megabytes of writes roll it over."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bson import Timestamp
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from storage.mongod import find_mongod
from storage.mongod_spawn import environment, tie_to_parent
from tests.commands import until
from tests.faults.replica_set import free_port

Client = MongoClient[dict[str, Any]]
_CAPPED_POSITION_LOST: Final = 136


@contextmanager
def short_history(folder: Path) -> Iterator[str]:
    """Run it, a replica set of one, until the end of the block; gives its address."""
    folder.mkdir()
    port = free_port()
    options = ["--dbpath", str(folder), "--port", str(port), "--bind_ip", "127.0.0.1", "--replSet", "short"]
    short = ["--oplogSize", "1", "--syncdelay", "1"]  # the history is kept back to the last checkpoint in any case
    quiet = ["--noscripting", "--nounixsocket", "--quiet", "--wiredTigerCacheSizeGB", "0.25"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(find_mongod()), *options, *short, *quiet],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment(),
            preexec_fn=tie_to_parent(),  # noqa: PLW1509 - started from the main thread, before others matter
        )
    try:
        _initiate(port)
        yield f"mongodb://127.0.0.1:{port}/?replicaSet=short"
    finally:
        process.terminate()
        process.wait(20)


def _initiate(port: int) -> None:
    alone = f"mongodb://127.0.0.1:{port}/?directConnection=true&serverSelectionTimeoutMS=500"
    with MongoClient[dict[str, Any]](alone) as client:
        until(lambda: _answers(client), 40, "a mongod")
        members = [{"_id": 0, "host": f"127.0.0.1:{port}"}]
        client.admin.command("replSetInitiate", {"_id": "short", "members": members})
        until(lambda: client.admin.command("hello")["isWritablePrimary"], 20, "a primary")


def _answers(client: Client) -> bool:
    try:
        client.admin.command("ping")
    except PyMongoError:
        return False
    return True


def roll_over(url: str) -> None:
    """Write until what there is of the history now is gone."""
    with MongoClient[dict[str, Any]](url) as client:
        end = client.admin.command("hello")["$clusterTime"]["clusterTime"]
        until(lambda: _oldest(client) > end, 60, "the end of the history")


def _oldest(client: Client) -> Timestamp:
    client["other"]["ballast"].insert_many([{"ballast": bytes(1 << 20)} for _ in range(4)])
    try:
        oldest = client["local"]["oplog.rs"].find_one(sort=[("$natural", 1)])
    except OperationFailure as error:
        if error.code != _CAPPED_POSITION_LOST:
            raise
        return Timestamp(0, 0)  # it went while it was read
    assert oldest is not None
    return Timestamp(oldest["ts"].time, oldest["ts"].inc)
