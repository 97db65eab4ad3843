"""What a server of MongoDB says of itself, for those who look whether all is well."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from storage.errors import reading
from storage.store import Store


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """The server that writes go to.

    `ahead` is how many seconds its clock is before ours, `free` and `total` the bytes of its disk, None where it
    does not say.
    """

    version: tuple[int, ...]
    replica_set: str | None
    ahead: float
    free: int | None
    total: int | None


async def server_facts(store: Store) -> ServerFacts:
    """Ask the server. Raises `Unavailable`."""
    database = store.client[store.database]
    with reading():
        await database.command("ping")  # else the first answer would hold the time of connecting
        began = time.monotonic()
        hello = await database.command("hello")
        asked, now = time.monotonic() - began, datetime.now(UTC)
        build = await database.command("buildInfo")
        disk = await database.command("dbStats")
    clock = hello["localTime"].replace(tzinfo=UTC)
    used, total = disk.get("fsUsedSize"), disk.get("fsTotalSize")
    return ServerFacts(
        version=tuple(build["versionArray"][:3]),
        replica_set=hello.get("setName"),
        ahead=(clock - now).total_seconds() + asked / 2,
        free=None if used is None or total is None else int(total - used),
        total=None if total is None else int(total),
    )
