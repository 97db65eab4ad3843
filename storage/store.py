"""The open store: one client, the collections over it, and its settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from storage import driver
from storage.changes import Changes
from storage.chunks import Chunks
from storage.commands import CommandWatcher, Watch
from storage.customers import Customers
from storage.deliveries import Deliveries
from storage.driver import Client, Driver
from storage.errors import reading
from storage.indexes import ensure_indexes, missing_indexes
from storage.jobs import Jobs
from storage.keys import Keys
from storage.ledger import Ledger
from storage.quotas import Quotas
from storage.secrets import secret
from storage.signing_keys import StoredSigningKeys
from storage.totals import Totals
from storage.webhook_feed import WebhookFeed
from storage.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How to reach the store: a MongoDB address, a database, a driver, and the longest wait in seconds.

    With `gather` requests that wait at the same moment are sent together. `watch` is told of each command.
    """

    url: str
    database: str = "gateway"
    driver: Driver = "pymongo"
    timeout: float = 5.0
    gather: bool = True
    watch: Watch | None = None


@dataclass(frozen=True, slots=True)
class Store:
    """Everything that the gateway keeps. One per event loop, opened by `open_store`."""

    client: Client
    database: str
    customers: Customers
    totals: Totals
    keys: Keys
    signing_keys: StoredSigningKeys
    quotas: Quotas
    jobs: Jobs
    chunks: Chunks
    ledger: Ledger
    webhooks: Webhooks
    deliveries: Deliveries
    webhook_feed: WebhookFeed
    changes: Changes

    async def ping(self) -> None:
        """Return when a primary answers; raises `Unavailable`."""
        with reading():
            await self.client.admin.command("ping")

    async def ensure_indexes(self) -> list[str]:
        """Make every index that is missing and return the names of all."""
        return await ensure_indexes(self.client[self.database])

    async def missing_indexes(self) -> list[str]:
        """Return the names of the indexes that do not stand; makes nothing."""
        return await missing_indexes(self.client[self.database])

    async def secret(self, name: str) -> bytes:
        """Return 32 random bytes kept under `name`, made at the first call.

        Every gateway on the store gets the same.
        """
        return await secret(self.client, self.database, name)


def _client(options: StoreOptions) -> driver.Client:
    """Return the driver's client: writes are acknowledged by a majority and journaled, whatever the address says."""
    milliseconds = int(options.timeout * 1000)
    return driver.connect(
        options.driver,
        options.url,
        appname="customer-gateway",
        w="majority",
        journal=True,
        retryWrites=True,
        retryReads=True,
        readPreference="primary",
        timeoutMS=milliseconds,
        serverSelectionTimeoutMS=milliseconds,
        connectTimeoutMS=min(milliseconds, 2000),
        heartbeatFrequencyMS=1000,
        maxPoolSize=64,
        maxIdleTimeMS=120_000,  # else as many stay as there ever were at once
        event_listeners=[] if options.watch is None else [CommandWatcher(options.watch)],
    )


@asynccontextmanager
async def open_store(options: StoreOptions) -> AsyncIterator[Store]:
    """Open the store and close it at the end; no connection is made before the first operation."""
    client, database = _client(options), options.database
    customers, keys = Customers(client, database, options.gather), Keys(client, database)
    totals, changes = Totals(customers), Changes(client, database)
    try:
        yield Store(
            client,
            database,
            customers,
            totals,
            keys,
            StoredSigningKeys(client, database),
            Quotas(client, database),
            Jobs(client, database),
            Chunks(client, database),
            Ledger(client, database),
            Webhooks(client, database),
            Deliveries(client, database),
            WebhookFeed(client, database),
            changes,
        )
    finally:
        await changes.close()
        await totals.close()
        await customers.close()
        await keys.close()
        await driver.close(client)
