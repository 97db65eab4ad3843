"""Writing anew the keys of customers that an older version has stored, where this one makes others of them.

Nothing that is shown changes: no version, no time, no event.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, cast

from storage import driver
from storage.documents import Customer, CustomerId
from storage.driver import Document
from storage.errors import Duplicate, reading, writing
from storage.store import Store
from storage.terms import PHONE_MARK, keys_of

_BATCH: Final = 200
_OLDER: Final[tuple[Document, ...]] = (
    {"keys.email": {"$regex": r"@(.*\.)?xn--"}},
    {"keys.terms": {"$elemMatch": {"$gte": f"{PHONE_MARK}00", "$lt": f"{PHONE_MARK}01"}}},
)
"""What no key is any more: of e-mail addresses since domains stand in U-labels, of phone numbers since `00` goes."""


@dataclass(slots=True)
class Renewal:
    """What became of it: how many customers were looked at, how many have new keys, and who could not get them.

    `taken` are those whose e-mail address is that of another customer by the new keys, each with the other one.
    """

    looked: int = 0
    renewed: int = 0
    taken: list[tuple[CustomerId, CustomerId]] = field(default_factory=list)


async def renew_keys(store: Store, told: Callable[[int], None] = lambda _: None) -> Renewal:
    """Go through all customers and write the keys that are not as they would be written now.

    `told` hears how many were looked at. Who changes meanwhile is left alone: that change has written its keys. It may
    be ended at any moment and begun again. Raises `Unavailable`.
    """
    done, customers = Renewal(), store.client[store.database]["customers"]
    last: Document = {}
    while found := await _next(customers, last):
        for document in found:
            await _renew(customers, document, done)
        done.looked += len(found)
        last = {"_id": {"$gt": found[-1]["_id"]}}
        told(done.looked)
    return done


async def has_older_keys(store: Store) -> bool:
    """Tell whether some customer has a key of an older version; by the indexes of the keys."""
    customers = store.client[store.database]["customers"]
    with reading():
        found = [await customers.find_one(older, {"_id": 0, "keys.email": 1}) for older in _OLDER]
    return any(found)


async def _next(customers: driver.Collection, query: Document) -> list[Document]:
    with reading():
        return await customers.find(query).sort("_id", 1).limit(_BATCH).to_list(None)


async def _renew(customers: driver.Collection, document: Document, done: Renewal) -> None:
    keys = keys_of(cast("Customer", document))
    kept: dict[str, Any] = document["keys"]
    changed = {f"keys.{name}": value for name, value in keys.items() if kept.get(name) != value}
    if not changed:
        return
    query = {"id": {"$eq": document["id"]}, "version": {"$eq": document["version"]}}
    try:
        with writing():
            result = await customers.update_one(query, {"$set": changed})
    except Duplicate:
        done.taken.append((document["id"], await _owner(customers, keys["email"])))
    else:
        done.renewed += result.modified_count


async def _owner(customers: driver.Collection, key: str) -> CustomerId:
    with reading():
        found = await customers.find_one({"keys.email": {"$eq": key}}, {"_id": 0, "id": 1})
    return CustomerId(found["id"] if found else "")
