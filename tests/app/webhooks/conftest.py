"""An endpoint, and a sender over an empty store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from storage.store import StoreOptions, open_store
from tests.app.webhooks.receiver import Receiver, receiving
from tests.app.webhooks.stage import Stage, staged


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


@pytest.fixture
async def stage(mongod_url: str, database: str) -> AsyncIterator[Stage]:
    async with open_store(StoreOptions(mongod_url, database)) as store:
        yield await staged(store)
