"""The change feed, on a real store with either driver."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from itertools import repeat
from typing import Any, cast

import pytest

from storage.bulk import Bulk
from storage.change_stream import PROMPT, Batch, ChangeStream
from storage.changes import Change, Watch
from storage.documents import PARTS, Customer, instant
from storage.driver import Driver, start_session
from storage.errors import HistoryLost, ReaderTooSlow, Unavailable, UnknownPosition
from storage.live_changes import LiveChanges
from storage.positions import Place
from storage.store import Store, StoreOptions, open_store
from storage.watch import MAX_WAITING
from tests.storage.conftest import relayed
from tests.storage.test_customers import customer

LONG = "x" * 200


async def take(watch: Watch, count: int) -> list[Change]:
    """Return the next changes of a watch."""
    async with asyncio.timeout(20):
        return [await anext(watch) for _ in range(count)]


async def created(store: Store, **changes: Any) -> Customer:
    """Store a customer and return it."""
    made = customer(**changes)
    await store.customers.create(made)
    return made


async def changed(store: Store, old: Customer, **changes: Any) -> Customer:
    """Store the next version of a customer and return it."""
    new = cast("Customer", {**old, **changes, "version": old["version"] + 1})
    assert await store.customers.replace(new, version=old["version"], changed=list(changes))
    return new


async def erased(store: Store, old: Customer) -> None:
    """Erase a customer."""
    assert await store.customers.delete(old["id"], version=old["version"], deleted_at=instant(datetime.now(UTC)))


class Deaf:
    """Reads, and keeps nothing of it."""

    def offer(self, change: Change) -> None:
        """Take a change."""

    def lose(self) -> None:
        """Learn that changes may be missing."""


def told(changes: list[Change]) -> list[tuple[str, str, int]]:
    """Return whose changes they are, of which kind, and which version they made."""
    return [(change.customer_id, change.type, change.version) for change in changes]


async def test_each_change_is_told_once_in_order_with_what_changed_and_the_customer_as_it_was(store: Store) -> None:
    before = await created(store)
    async with store.changes.watch() as watch:
        first = await created(store)
        second = await changed(store, first, lastName="Later", addresses=first["addresses"] * 2)
        await erased(store, second)
        unknown = cast("Customer", {**before, "version": 2})
        assert await store.customers.replace(unknown, version=1)
        changes = await take(watch, 4)
        assert await watch.next(0.01) is None
    key = first["id"]
    assert told(changes) == [
        (key, "created", 1),
        (key, "updated", 2),
        (key, "deleted", 3),
        (before["id"], "updated", 2),
    ]
    assert [change.changed for change in changes] == [PARTS, ("lastName", "addresses"), (), PARTS]
    assert [change.customer for change in changes] == [first, second, None, unknown]
    assert [change.timestamp for change in changes[:2]] == [first["createdAt"], second["updatedAt"]]
    assert len({change.id for change in changes}) == 4
    assert all("." not in change.id and len(change.id) < 200 for change in changes)
    assert store.changes.live.changes == 4
    assert 0 < store.changes.live.lag < 20
    assert store.changes.live.readers == 0


async def test_what_changed_is_never_part_of_the_customer(store: Store) -> None:
    made = await created(store)
    new = await changed(store, made, lastName="Later")
    assert await store.customers.get(made["id"]) == new
    assert await Bulk.of(store).find_by_ids([made["id"]]) == {made["id"]: new}


async def test_who_goes_on_after_a_change_misses_and_doubles_none(store: Store) -> None:
    start = await store.changes.position()
    made = [await created(store) for _ in range(5)]
    async with store.changes.watch() as now:
        made += [await created(store) for _ in range(3)]
        async with store.changes.watch(start) as watch:
            old = await take(watch, 8)
            latest = await created(store)
            new = await take(watch, 1)
        assert [change.id for change in await take(now, 4)] == [change.id for change in (*old, *new)[5:]]
    assert [change.customer_id for change in (*old, *new)] == [one["id"] for one in (*made, latest)]
    for place in (0, 6, 7):
        async with store.changes.watch(old[place].id) as watch:
            assert await take(watch, 8 - place) == [*old, *new][place + 1 :]


async def test_a_reader_of_some_changes_goes_on_after_all_that_it_was_spared(store: Store) -> None:
    start = await store.changes.position()
    mine, other = await created(store), await created(store)
    async with store.changes.watch(start, wants=lambda change: change.customer_id == mine["id"]) as watch:
        assert told(await take(watch, 1)) == [(mine["id"], "created", 1)]
        other = await changed(store, other, lastName="Later")
        assert await watch.next(0.8) is None
        position = watch.position
    async with store.changes.watch(position) as watch:
        later = await changed(store, other, lastName="Last")
        assert told(await take(watch, 1)) == [(later["id"], "updated", 3)]


async def test_an_erased_customer_is_not_shown_by_its_history(store: Store) -> None:
    start = await store.changes.position()
    gone, kept = await created(store), await created(store)
    await erased(store, gone)
    async with aclosing(store.changes.watch(start)) as watch:
        changes = await take(watch, 3)
    assert [change.customer for change in changes] == [None, kept, None]


async def test_a_patient_reader_that_leaves_too_much_waiting_reads_it_later(store: Store) -> None:
    async with store.changes.watch() as watch, store.changes.watch() as quick:
        heavy = [address | {"street1": LONG} for address in customer()["addresses"] * 50]
        made = [await created(store, addresses=heavy) for _ in range(MAX_WAITING // 15_000)]
        quick_ones = await take(quick, len(made))
        assert [change.customer_id for change in quick_ones] == [one["id"] for one in made]
        made.append(await created(store))
        assert await take(watch, len(made)) == quick_ones + await take(quick, 1)


async def test_c103_a_slow_reader_is_cut_and_goes_on_where_it_was(store: Store) -> None:
    async with store.changes.watch(cut=True) as slow, store.changes.watch() as other:
        heavy = [address | {"street1": LONG} for address in customer()["addresses"] * 50]
        made = [await created(store, addresses=heavy)]
        first = await take(slow, 1)
        made += [await created(store, addresses=heavy) for _ in range(MAX_WAITING // 15_000)]
        all_of_them = await take(other, len(made))
        with pytest.raises(ReaderTooSlow) as cut:
            await take(slow, len(made))
    assert cut.value.position == first[0].id
    async with store.changes.watch(cut.value.position, cut=True) as again:
        assert await take(again, len(made) - 1) == all_of_them[1:]


async def test_a_position_that_is_not_of_this_store_is_told(store: Store) -> None:
    good = await store.changes.position()
    for bad in ("", "x", "é", "A" * 2000, good[:-2], f"{good}=", good.swapcase()):
        with pytest.raises(UnknownPosition):
            await store.changes.watch(bad).open()
    assert store.changes.live.readers == 0


async def test_a_history_that_is_lost_is_told(store: Store) -> None:
    made = await created(store)
    async with store.changes.watch() as watch:
        await changed(store, made, lastName="Later")
        place = (await take(watch, 1))[0].place
    cipher = await store.changes.history.cipher()
    for elsewhere in (b"\x5e\0\0\0", b"\x7e\0\0\0"):  # years before, where this change is not; years ahead
        with pytest.raises(HistoryLost):
            await store.changes.watch(cipher.seal(Place(place[:1] + elsewhere + place[5:]))).open()
    assert store.changes.live.readers == 0


async def test_the_end_of_a_collection_is_told_to_all_who_read(store: Store) -> None:
    await created(store)
    async with store.changes.watch() as watch:
        await store.client[store.database]["customers"].drop()
        with pytest.raises(HistoryLost):
            await take(watch, 1)
    await store.ensure_indexes()
    async with store.changes.watch() as watch:
        made = await created(store)
        assert told(await take(watch, 1)) == [(made["id"], "created", 1)]


async def test_a_store_that_falls_silent_is_asked_until_it_answers(
    mongod_url: str, database: str, driver: Driver
) -> None:
    """Nothing is missing afterwards, though the stream was out; who begins meanwhile is told that it is out."""
    async with (
        open_store(StoreOptions(mongod_url, database, driver)) as near,
        relayed(mongod_url) as (wire, url),
        open_store(StoreOptions(url, database, driver, timeout=1.0)) as far,
        far.changes.watch() as watch,
    ):
        first = await created(near)
        assert told(await take(watch, 1)) == [(first["id"], "created", 1)]
        wire.cut.set()
        made = [await created(near) for _ in range(3)]
        with pytest.raises(Unavailable):
            await far.changes.position()
        wire.cut.clear()
        made += [await created(near)]
        assert [change.customer_id for change in await take(watch, 4)] == [one["id"] for one in made]


async def test_only_a_store_that_opens_a_cursor_and_says_nothing_yet_is_given_more_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a member that hangs would be waited for half a minute, because another had been looked for before."""
    opens = iter([True, True, False, True, True, True])
    answers = iter([False, False, False, True, False, False])
    patience: list[float] = []
    ended = asyncio.Event()
    cipher = await store.changes.history.cipher()
    live = LiveChanges(store.client, store.database)

    class Scripted(ChangeStream):
        @classmethod
        async def open(cls, *_given: Any) -> Any:
            stands = next(opens, None)
            if stands is None:
                ended.set()
            if not stands:
                patience.append(0)
                raise Unavailable("none")
            return Scripted(store.client, store.database, cipher, await start_session(store.client)), Place(b"1")

        async def next(self, _wait: float, seconds: float = PROMPT) -> Batch:
            patience.append(seconds)
            if not next(answers):
                raise Unavailable("none")
            return Batch([], Place(b"1"), 0.0)

    monkeypatch.setattr("storage.live_changes.ChangeStream", Scripted)
    monkeypatch.setattr("storage.live_changes.pauses", lambda: repeat(0.0))
    await live.join(Deaf(), cipher)
    async with asyncio.timeout(20):
        await ended.wait()
    await live.close()
    assert patience[:8] == [2, 4, 0, 2, 4, 2, 2, 0]


async def test_a_document_that_another_hand_puts_among_the_customers_is_passed_over(store: Store) -> None:
    async with store.changes.watch() as watch:
        start = watch.position
        await store.client[store.database]["customers"].insert_one({"name": "no customer"})
        await store.client[store.database]["tombstones"].insert_one({"id": "of nobody"})
        made = await created(store)
        assert told(await take(watch, 1)) == [(made["id"], "created", 1)]
    async with store.changes.watch(start) as later:
        assert told(await take(later, 1)) == [(made["id"], "created", 1)]


async def test_a_stream_that_fails_in_an_unforeseen_way_is_told_to_all_who_read_and_begins_anew_for_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence would look as if nothing changed, for as long as the process lives."""
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    async with store.changes.watch() as watch:
        with monkeypatch.context() as broken:
            broken.setattr("storage.change_stream._told", lambda event: event["nothing"])
            await created(store)
            with pytest.raises(HistoryLost):
                await take(watch, 1)
    assert [type(context["exception"]) for context in reported] == [KeyError]
    async with store.changes.watch() as watch:
        made = await created(store)
        assert told(await take(watch, 1)) == [(made["id"], "created", 1)]


async def test_all_who_watch_share_one_cursor_that_ends_with_the_last(store: Store) -> None:
    before = await cursors(store)
    async with asyncio.TaskGroup() as group:
        watches = [store.changes.watch() for _ in range(20)]
        for watch in watches:
            group.create_task(watch.open())
    own = await cursors(store) - before
    assert len(own) == 1
    made = await created(store)
    for watch in watches:
        assert told(await take(watch, 1)) == [(made["id"], "created", 1)]
        await watch.aclose()
    await store.changes.close()
    async with asyncio.timeout(20):
        while own & await cursors(store):  # the store ends what was waiting when its time is over
            pass


async def cursors(store: Store) -> set[int]:
    """Return the change streams that stand on the database; its last test may have left some to the store."""
    pipeline = [
        {"$currentOp": {"idleCursors": True, "localOps": True}},
        {"$match": {"ns": {"$regex": f"^{store.database}"}, "cursor.tailable": True}},
    ]
    said = await store.client.admin.command({"aggregate": 1, "pipeline": pipeline, "cursor": {}})
    return {one["cursor"]["cursorId"] for one in said["cursor"]["firstBatch"]}
