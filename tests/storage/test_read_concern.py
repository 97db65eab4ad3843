"""What every read asks for: what a majority has, and nothing older than the present primary."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bson.objectid import ObjectId
from bson.timestamp import Timestamp
from pymongo.hello import Hello
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
    ServerHeartbeatSucceededEvent,
)

from storage.customers import Customers
from storage.documents import CustomerId
from storage.driver import Driver, close, connect
from storage.keys import Keys
from storage.query import EVERYTHING
from storage.read_concern import SinceElection
from tests.storage.test_customers import customer


def told(concern: SinceElection, term: int, seconds: int, *, primary: bool = True) -> None:
    """Let a member tell of itself in which term it was elected, and of when its newest change is.

    There is no `$clusterTime` in it: members that were elected a moment ago tell none.
    """
    hello: dict[str, Any] = {
        "ok": 1,
        "setName": "set",
        "hosts": ["one.test:27017", "two.test:27017"],
        "isWritablePrimary": primary,
        "secondary": not primary,
        "setVersion": 1,
        "electionId": ObjectId(f"7fffffff{term:016x}") if primary else None,
        "lastWrite": {"opTime": {"ts": Timestamp(seconds, 1), "t": term}},
    }
    concern.succeeded(ServerHeartbeatSucceededEvent(0.001, Hello(hello), ("one.test", 27017)))


def test_a_read_asks_for_the_moment_of_the_newest_election_and_for_no_later_one() -> None:
    concern = SinceElection()
    assert concern.level == "majority"
    assert concern.document == {"level": "majority"}
    told(concern, 1, 100)
    first = {"level": "majority", "afterClusterTime": Timestamp(100, 1)}
    assert concern.document == first
    told(concern, 1, 200)
    assert concern.document == first, "a heartbeat is no election: nobody waits for what is written meanwhile"
    told(concern, 1, 300, primary=False)
    assert concern.document == first
    told(concern, 2, 400)
    assert concern.document == {"level": "majority", "afterClusterTime": Timestamp(400, 1)}
    told(concern, 1, 500)  # it does not know yet that it is none any more
    assert concern.document == {"level": "majority", "afterClusterTime": Timestamp(400, 1)}


def test_what_a_session_adds_to_one_command_is_in_no_other() -> None:
    concern = SinceElection()
    told(concern, 1, 100)
    concern.document["afterClusterTime"] = Timestamp(900, 1)
    assert concern.document["afterClusterTime"] == Timestamp(100, 1)


class Recorder(CommandListener):
    """Keeps the commands that are sent."""

    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        """Keep a command."""
        self.commands.append(dict(event.command))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Keep nothing."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Keep nothing."""


@pytest.mark.parametrize("driver", ["pymongo", "motor"])
async def test_the_store_is_asked_so_by_every_kind_of_read(mongod_url: str, database: str, driver: Driver) -> None:
    recorder, made = Recorder(), customer()
    client = connect(driver, mongod_url, event_listeners=[recorder])
    customers, keys = Customers(client, database), Keys(client, database)
    await customers.create(made)
    recorder.commands.clear()
    assert await customers.get(made["id"]) == made
    found = await asyncio.gather(customers.get(made["id"]), customers.get(CustomerId("other")))
    assert list(found) == [made, None]
    assert await customers.find_by_email(made["email"]) == made
    assert await customers.get_tombstone(made["id"]) is None
    assert await customers.count(EVERYTHING) == 1
    assert await keys.list() == []
    await customers.close()
    await keys.close()
    await close(client)
    concerns = [command["readConcern"] for command in recorder.commands if {"find", "aggregate"} & command.keys()]
    assert len(concerns) == 6
    assert all(concern["level"] == "majority" and concern["afterClusterTime"] for concern in concerns)
    assert len({concern["afterClusterTime"] for concern in concerns}) == 1
