"""Secrets that all gateways on a store share; the store makes each at its first use."""

from __future__ import annotations

from secrets import token_bytes
from typing import cast

from pymongo import ReturnDocument

from storage.driver import Client, Document
from storage.errors import writing


async def secret(client: Client, database: str, name: str) -> bytes:
    """Return the 32 random bytes kept under `name`, the same to every gateway; raises `Unavailable`."""
    new = {"$setOnInsert": {"value": token_bytes(32)}}
    with writing():
        found = await client[database]["settings"].find_one_and_update(
            {"_id": {"$eq": name}}, new, upsert=True, return_document=ReturnDocument.AFTER
        )
    return bytes(cast("Document", found)["value"])
