"""The ledger over a store that does not answer in the middle of a transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage.bulk import Bulk
from storage.claims import Claim
from storage.deadlines import wire_deadline
from storage.driver import Session
from storage.errors import ClaimLost, Unavailable
from storage.ledger import LEASE, Asked, Differs, Held, Kept, Running
from storage.staging import StagedCustomers
from storage.store import Store
from tests.storage.conftest import OpenStore, relayed

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

ASKED = Asked("id", "test", "digest")


async def claimed(store: Store, session: Session) -> Claim:
    """Claim the key."""
    held = await store.ledger.claim(ASKED, datetime.now(UTC), session)
    assert isinstance(held, Held)
    return Claim(store.ledger, store.customers, held)


class Effect:
    """A write; `before` and `after` are called around it in its first run."""

    def __init__(
        self, store: Store, before: Callable[[], Any] = lambda: None, after: Callable[[], Any] = lambda: None
    ) -> None:
        self.store = store
        self.runs = 0
        self.around = (before, after)

    async def __call__(self, session: Session) -> bool:
        self.runs += 1
        for action, write in zip(self.around, (True, False), strict=True):
            if self.runs == 1:
                action()
            if write:
                await self.store.customers.collection.insert_one({"id": "effect"}, session=session)
        return True


async def found(store: Store) -> tuple[object, int]:
    """Return what the ledger says once it says anything, and how many effects there are."""
    async with store.ledger.session() as session:
        kept = await store.ledger.claim(ASKED, datetime.now(UTC), session)
        for _ in range(200):  # until a majority knows of the commit
            if isinstance(kept, Kept):
                break
            await asyncio.sleep(0.02)
            kept = await store.ledger.claim(ASKED, datetime.now(UTC), session)
    assert isinstance(kept, Kept)
    return kept.outcome, await store.customers.collection.count_documents({"id": "effect"})


async def test_c040_a_commit_without_an_answer_is_unknown_and_the_key_finds_the_truth(
    opened: OpenStore, mongod_url: str
) -> None:
    async with relayed(mongod_url) as (wire, url), opened(url) as store, opened(mongod_url) as beside:
        async with store.ledger.session() as session:
            claim = await claimed(store, session)
            with wire_deadline(0.4), pytest.raises(Unavailable) as raised:
                await claim.complete({"made": 1}, Effect(store, after=wire.mute.set))
        assert raised.value.outcome == "unknown"
        assert await found(beside) == ({"made": 1}, 1)


async def test_c041_a_commit_whose_connection_breaks_is_sent_again(opened: OpenStore, mongod_url: str) -> None:
    async with relayed(mongod_url) as (wire, url), opened(url) as store, store.ledger.session() as session:
        claim, effect = await claimed(store, session), Effect(store, after=wire.reset)
        with wire_deadline(5):
            assert await claim.complete({"made": 1}, effect)
        assert effect.runs == 1
        assert await found(store) == ({"made": 1}, 1)


async def test_c041_a_transaction_whose_connection_breaks_is_made_anew(opened: OpenStore, mongod_url: str) -> None:
    async with relayed(mongod_url) as (wire, url), opened(url) as store, store.ledger.session() as session:
        claim, effect = await claimed(store, session), Effect(store, before=wire.reset)
        with wire_deadline(5):
            assert await claim.complete({"made": 1}, effect)
        assert effect.runs in {1, 2}  # once where the driver has noticed the break before it sent anything
        assert await found(store) == ({"made": 1}, 1)


async def test_c041_what_is_lost_before_the_commit_was_not_done(opened: OpenStore, mongod_url: str) -> None:
    async with relayed(mongod_url) as (wire, url), opened(url) as store, opened(mongod_url) as beside:
        async with store.ledger.session() as session:
            claim = await claimed(store, session)
            with wire_deadline(0.3), pytest.raises(Unavailable) as raised:
                await claim.complete({"made": 1}, Effect(store, before=wire.cut.set))
            await beside.client.admin.command("killSessions", [session.session_id])  # else the store waits for a minute
        assert raised.value.outcome == "none"
        assert await beside.customers.collection.count_documents({}) == 0


async def test_c042_a_claim_that_is_gone_completes_nothing(store: Store) -> None:
    async with store.ledger.session() as session:
        claim = await claimed(store, session)
        await store.client[store.database]["ledger"].delete_many({})
        effect = Effect(store)
        with pytest.raises(ClaimLost):
            await claim.complete({"made": 1}, effect)
        with pytest.raises(ClaimLost):
            await claim.refuse({"problem": 1}, None)
        with pytest.raises(ClaimLost):
            await claim.release()
        assert (effect.runs, await store.customers.collection.count_documents({})) == (0, 0)


async def test_c042_who_has_been_overtaken_stores_nothing_while_the_other_still_runs(store: Store) -> None:
    """The claim's fence alone tells the two apart then: there is no outcome yet."""
    async with store.ledger.session() as slow, store.ledger.session() as quick:
        first = await claimed(store, slow)
        await store.client[store.database]["ledger"].update_one({}, [{"$set": {"lease": "$$NOW"}}])
        second, effect = await claimed(store, quick), Effect(store)
        with pytest.raises(ClaimLost):
            await first.complete({"made": 1}, effect)
        with pytest.raises(ClaimLost):
            await first.store(StagedCustomers(Bulk.of(store)), [], datetime.now(UTC), last=True)
        with pytest.raises(ClaimLost):
            await first.refuse({"problem": 1}, None)
        with pytest.raises(ClaimLost):
            await first.release()
        assert effect.runs == 0
        assert await second.complete({"made": 2}, effect)
    assert await found(store) == ({"made": 2}, 1)


async def test_an_outcome_stays_whatever_its_own_run_does_later(store: Store) -> None:
    async with store.ledger.session() as session:
        claim = await claimed(store, session)
        assert await claim.complete({"made": 1}, Effect(store))
        with pytest.raises(ClaimLost):
            await claim.release()
        with pytest.raises(ClaimLost):
            await claim.refuse({"problem": 1}, None)
    assert await found(store) == ({"made": 1}, 1)


async def test_c035_c042_a_lease_holds_and_of_many_who_take_it_over_one_does(store: Store) -> None:
    entries = store.client[store.database]["ledger"]

    async def claim(asked: Asked = ASKED) -> object:
        async with store.ledger.session() as session:
            return await store.ledger.claim(asked, datetime.now(UTC), session)

    async with store.ledger.session() as session:  # which nobody else uses, as that of a gateway that died
        await claimed(store, session)
        await entries.update_one({}, {"$set": {"lease": datetime.now(UTC) + timedelta(minutes=1)}})
        running = await claim()
        assert isinstance(running, Running)
        assert 50 < running.seconds <= 60
        for other in (ASKED._replace(digest="other"), ASKED._replace(operation="other")):
            assert isinstance(await claim(other), Differs)
        await entries.update_one({}, {"$set": {"lease": datetime.now(UTC) - timedelta(seconds=1)}})
        assert isinstance(await claim(ASKED._replace(operation="other")), Differs)
        found = await asyncio.gather(*(claim() for _ in range(8)))
        assert sum(isinstance(one, Held) for one in found) == 1
        assert sum(isinstance(one, Running) for one in found) == 7


async def test_a_store_that_is_gone_leaves_the_key_to_the_lease(opened: OpenStore, mongod_url: str) -> None:
    async with relayed(mongod_url) as (wire, url), opened(url) as store, store.ledger.session() as session:
        claim = await claimed(store, session)
        wire.cut.set()
        with wire_deadline(0.1):
            await claim.release()
            await claim.refuse({"problem": 1}, None)
        claim.began -= LEASE.total_seconds()
        with wire_deadline(0.1), pytest.raises(Unavailable) as raised:
            await claim.release()  # by now a retry may have done it
        assert raised.value.outcome == "unknown"
        async with opened(mongod_url) as beside:
            entry = await beside.client[beside.database]["ledger"].find_one()
        assert entry is not None
        assert "outcome" not in entry
