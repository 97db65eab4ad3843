"""Secrets that all gateways on a store share; the store makes each at its first use."""

from __future__ import annotations

from secrets import token_bytes

from storage.driver import Client
from storage.errors import writing


async def secret(client: Client, database: str, name: str) -> bytes:
    """Return the 32 random bytes kept under `name`, the same to every gateway; raises `Unavailable`."""
    settings = client[database]["settings"]
    with writing():
        await settings.update_one({"_id": name}, {"$setOnInsert": {"value": token_bytes(32)}}, upsert=True)
        found = await settings.find_one({"_id": name})
    return bytes(found["value"]) if found else b""
