"""Empty databases for tests, lent again once they are emptied: a new one costs mongod two dozen files on the disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from pymongo import MongoClient
from pymongo.database import Database

from storage.indexes import INDEXES

_RESTING = 4
"""How many databases rest before the first is lent again: what a killed process had sent has long arrived then."""

_PLAIN = {"_id_": {"v": 2, "key": [("_id", 1)]}}
"""The indexes of a collection for which nobody asked for any."""


class Databases:
    """The databases of one worker: each empty, with exactly the indexes of the gateway, and nobody else's meanwhile."""

    def __init__(self, client: MongoClient[dict[str, Any]]) -> None:
        self._client = client
        self._given_back: deque[str] = deque()
        self._as_made: dict[str, Mapping[str, Any]] = {}

    @contextmanager
    def lend(self) -> Iterator[str]:
        """Give the name of an empty database until the end of the block."""
        name = self._emptied() or self._new()
        yield name
        self._given_back.append(name)

    def _emptied(self) -> str | None:
        """Empty the one that has rested for longest; drop it where a test changed more than documents."""
        if len(self._given_back) <= _RESTING:
            return None
        name = self._given_back.popleft()
        database = self._client[name]
        collections = _collections(database)
        if collections is None or not self._is_as_made(collections):
            self._client.drop_database(name)
            return None
        for collection in collections:
            database[collection].delete_many({})
        return name

    def _is_as_made(self, collections: dict[str, Mapping[str, Any]]) -> bool:
        added = collections.keys() - self._as_made.keys()
        return {**self._as_made, **dict.fromkeys(added, _PLAIN)} == collections

    def _new(self) -> str:
        name = f"test_{uuid4().hex[:16]}"
        database = self._client[name]
        for collection, models in INDEXES.items():
            database[collection].create_indexes(list(models))
        self._as_made = self._as_made or _collections(database) or {}
        return name


def _collections(database: Database[dict[str, Any]]) -> dict[str, Mapping[str, Any]] | None:
    """Return the indexes of each collection; nothing where there is more to one than that: a view, a validator."""
    found = list(database.list_collections())
    if any(one["type"] != "collection" or one["options"] for one in found):
        return None
    return {one["name"]: database[one["name"]].index_information() for one in found}
