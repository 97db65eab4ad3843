"""Every index of the gateway, made idempotently."""

from __future__ import annotations

from typing import Final

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from storage.driver import Document
from storage.errors import reading, writing

TOMBSTONE_SECONDS: Final = 30 * 24 * 3600


def _order_index(*names: str) -> IndexModel:
    paths = [(f"keys.order.{name}", ASCENDING) for name in names]
    return IndexModel([*paths, ("id", ASCENDING)], name=f"order_{'_'.join(names)}")


INDEXES: Final[dict[str, tuple[IndexModel, ...]]] = {
    "customers": (
        IndexModel([("id", ASCENDING)], name="id", unique=True),
        IndexModel([("keys.email", ASCENDING)], name="email", unique=True),
        IndexModel([("keys.place", ASCENDING)], name="place", unique=True),
        IndexModel([("keys.terms", ASCENDING), ("keys.place", ASCENDING)], name="terms"),
        IndexModel([("updatedAt", ASCENDING), ("id", ASCENDING)], name="updatedAt"),
        *(_order_index(name) for name in ("firstName", "middleName", "lastName", "email")),
        _order_index("lastName", "firstName"),
    ),
    "tombstones": (
        IndexModel([("id", ASCENDING)], name="id", unique=True),
        IndexModel([("expires", ASCENDING)], name="expires", expireAfterSeconds=0),
    ),
    "keys": (
        IndexModel([("id", ASCENDING)], name="id", unique=True),
        IndexModel([("hash", ASCENDING)], name="hash", unique=True),
        IndexModel([("clientId", ASCENDING)], name="clientId", unique=True),
    ),
    "signing_keys": (IndexModel([("expires", ASCENDING)], name="expires", expireAfterSeconds=0),),
    "ledger": (
        IndexModel([("customer", ASCENDING)], name="customer", sparse=True),
        IndexModel([("expires", ASCENDING)], name="expires", expireAfterSeconds=0),
    ),
    "quotas": (IndexModel([("expires", ASCENDING)], name="expires", expireAfterSeconds=0),),
    "operations": (
        IndexModel([("id", ASCENDING)], name="id", unique=True),
        IndexModel([("owner", ASCENDING), ("createdAt", ASCENDING), ("id", ASCENDING)], name="owner"),
        IndexModel([("status", ASCENDING), ("createdAt", ASCENDING)], name="status"),
        IndexModel([("expires", ASCENDING)], name="expires", expireAfterSeconds=0),
    ),
    "operation_chunks": (IndexModel([("expires", ASCENDING)], name="expires", expireAfterSeconds=0),),
    "webhooks": (
        IndexModel([("id", ASCENDING)], name="id", unique=True),
        IndexModel([("owner", ASCENDING), ("createdAt", ASCENDING), ("id", ASCENDING)], name="owner"),
    ),
    "webhook_deliveries": (
        IndexModel([("id", ASCENDING)], name="id", unique=True),
        IndexModel([("webhook", ASCENDING), ("event.id", ASCENDING)], name="event", unique=True),
        IndexModel([("webhook", ASCENDING), ("event.timestamp", ASCENDING), ("id", ASCENDING)], name="log"),
        IndexModel(
            [("webhook", ASCENDING), ("next", ASCENDING), ("_id", ASCENDING)],
            name="due",
            partialFilterExpression={"state": "waiting"},
        ),
        IndexModel([("expires", ASCENDING)], name="expires", expireAfterSeconds=0),
    ),
}


async def ensure_indexes(database: AsyncDatabase[Document]) -> list[str]:
    """Make what is missing and return the names (`collection.index`) of all that should stand.

    Raises:
        Unavailable: the store does not answer.
    """
    names: list[str] = []
    with writing():
        for collection, models in INDEXES.items():
            made = await database[collection].create_indexes(list(models))
            names += [f"{collection}.{name}" for name in made]
    return names


async def ensure_unique_indexes(database: AsyncDatabase[Document]) -> None:
    """Make those of the customers' indexes that keep anything from being stored twice. Raises `Unavailable`."""
    with writing():
        unique = [model for model in INDEXES["customers"] if model.document.get("unique")]
        await database["customers"].create_indexes(unique)


async def missing_indexes(database: AsyncDatabase[Document]) -> list[str]:
    """Return the names of the indexes that do not stand; makes nothing. Raises `Unavailable`."""
    missing: list[str] = []
    with reading():
        for collection, models in INDEXES.items():
            standing = await database[collection].index_information()
            names = [str(model.document["name"]) for model in models]
            missing += [f"{collection}.{name}" for name in names if name not in standing]
    return missing
