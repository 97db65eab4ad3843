"""From a change to an endpoint: what is sent, in which order, again and until when; whoever sends.

A number in a name is that of the statement that the test is about.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog

from app.webhooks.schedule import DELAYS
from resolvers.patches import MergePatch
from resolvers.webhook_commands import AtWebhook, ChangeWebhook
from resolvers.webhooks import rotate_webhook_secret, update_webhook
from storage.documents import instant
from storage.webhook_feed import LEASE_SECONDS
from storage.webhooks import StoredSecret
from tests.app.webhooks.receiver import Receiver
from tests.app.webhooks.stage import Stage, eventually


async def test_m110_an_event_says_what_has_changed_and_nothing_of_the_person(stage: Stage, receiver: Receiver) -> None:
    earlier = await stage.customer()
    await stage.webhook(receiver.url())
    async with stage.sending():
        made = await stage.customer()
        changed = await stage.change(made, lastName="Zoe", notificationPreferences={"sms": True})
        await stage.erase(changed)
        await eventually(lambda: len(receiver.got) == 3)
    events = [one.event for one in receiver.got]
    assert [event["type"] for event in events] == ["customer.created", "customer.updated", "customer.deleted"]
    assert [event["data"]["version"] for event in events] == [1, 2, 3]
    assert {event["data"]["customerId"] for event in events} == {made["id"]} != {earlier["id"]}
    assert events[1] == {
        "id": receiver.got[1].id,
        "type": "customer.updated",
        "timestamp": changed["updatedAt"],
        "data": {"customerId": made["id"], "version": 2, "changed": ["lastName", "notificationPreferences"]},
    }
    assert all(len(one.body) <= 20_000 and made["email"].encode() not in one.body for one in receiver.got)
    assert len({one.id for one in receiver.got}) == 3
    assert all(one.headers["content-type"] == "application/json" for one in receiver.got)


async def test_a_webhook_gets_the_types_that_it_asks_for_and_nothing_while_it_is_disabled(
    stage: Stage, receiver: Receiver
) -> None:
    only = await stage.webhook(receiver.url("/erased"), "customer.deleted")
    paused = await stage.webhook(receiver.url("/paused"))
    await _set(stage, paused.webhook.id, enabled=False)
    async with stage.sending():
        first = await stage.customer()
        await stage.erase(first)
        await eventually(lambda: receiver.at("/erased"))
        await _set(stage, paused.webhook.id, enabled=True)
        second = await stage.customer()
        await eventually(lambda: receiver.at("/paused"))
    assert [one.event["type"] for one in receiver.at("/erased")] == ["customer.deleted"]
    assert [one.event["data"]["customerId"] for one in receiver.at("/paused")] == [second["id"]]
    assert await stage.log(only)


async def _set(stage: Stage, webhook_id: str, **fields: object) -> None:
    change = MergePatch(lambda: fields)  # type: ignore[arg-type, return-value]
    await update_webhook(stage.context(), ChangeWebhook(webhook_id, change))  # type: ignore[arg-type]


async def test_m109_m112_nothing_is_lost_while_an_endpoint_is_down_for_a_day(stage: Stage, receiver: Receiver) -> None:
    webhook = await stage.webhook(receiver.url())
    receiver.says(500)
    sent = set()
    async with stage.sending():
        for _ in range(5):
            sent.add((await stage.customer())["id"])
        await eventually(lambda: len(receiver.got) == 5)
    for _hour in range(4):  # each time another gateway takes over, and the time goes on between
        stage.clock.turn(hours=6)
        async with stage.sending():
            sent.add((await stage.customer())["id"])
            await eventually(lambda: stage.counts.tries["failed"] >= len(sent))
    down = len(receiver.got)
    receiver.says(204)
    async with stage.sending():
        stage.turn(hours=14)
        await eventually(lambda: stage.counts.tries["delivered"] == len(sent))
    ids: dict[str, set[str]] = {}
    for one in receiver.got:
        ids.setdefault(one.event["data"]["customerId"], set()).add(one.id)
    assert set(ids) == sent
    assert all(len(same) == 1 for same in ids.values())
    assert {one.event["data"]["customerId"] for one in receiver.got[down:]} == sent
    assert {one.state for one in await stage.log(webhook)} == {"delivered"}


async def test_m109_ten_tries_in_more_than_three_days_then_it_is_given_up_and_told(
    stage: Stage, receiver: Receiver
) -> None:
    webhook = await stage.webhook(receiver.url())
    receiver.says(302, Location=receiver.url("/elsewhere"))
    began = stage.clock.now
    async with stage.sending():
        await stage.customer()
        for tries, delay in enumerate(DELAYS[1:], start=1):
            await eventually(lambda: stage.counts.tries["failed"] == tries)  # noqa: B023 - asked at once
            (waiting,) = await stage.log(webhook)
            assert waiting.next is not None
            assert instant(stage.clock.now + timedelta(seconds=delay)) <= waiting.next
            assert waiting.next <= instant(stage.clock.now + timedelta(seconds=delay * 1.1 + 0.001))
            stage.turn(seconds=delay * 1.1 + 0.001)
        await eventually(lambda: stage.counts.tries["given_up"] == 1)
    (failed,) = await stage.log(webhook)
    assert (failed.state, failed.attempts, failed.next) == ("failed", 10, None)
    assert [one.status for one in failed.tries] == [302] * 10
    assert stage.clock.now - began > timedelta(days=3)
    assert receiver.at("/elsewhere") == []
    seconds = [int(one.headers["webhook-timestamp"]) for one in receiver.got]
    assert seconds == sorted(set(seconds))
    assert len({one.id for one in receiver.got}) == 1


async def test_m108_an_endpoint_that_asks_for_time_gets_it_for_everything(stage: Stage, receiver: Receiver) -> None:
    webhook = await stage.webhook(receiver.url())
    receiver.says(429, Retry_After="600")
    async with stage.sending():
        await stage.customer()
        await eventually(lambda: stage.counts.tries["failed"] == 1)
        receiver.says(204)
        await stage.customer()
        await eventually(lambda: stage.counts.events == 2)
        stage.turn(seconds=599)
        assert (await stage.stored(webhook.webhook.id)).holdUntil == instant(stage.clock.now + timedelta(seconds=1))
        stage.turn(seconds=2)
        await eventually(lambda: stage.counts.tries["delivered"] == 2)
    assert len(receiver.got) == 3


async def test_m108_gone_disables_a_webhook_until_its_owner_enables_it(stage: Stage, receiver: Receiver) -> None:
    webhook = await stage.webhook(receiver.url())
    receiver.says(410)
    async with stage.sending():
        with structlog.testing.capture_logs() as logs:
            await stage.customer()
            await eventually(lambda: stage.counts.tries["given_up"] == 1)
            await eventually(lambda: logs)
        stored = await stage.stored(webhook.webhook.id)
        assert (stored.enabled, stored.disabledReason) == (False, "gone")
        assert stage.secret is None
        assert webhook.secret is not None
        assert webhook.secret not in str(logs)
        receiver.says(204)
        await stage.customer()
        await _set(stage, webhook.webhook.id, enabled=True)
        last = await stage.customer()
        await eventually(lambda: len(receiver.got) == 2)
    assert receiver.got[-1].event["data"]["customerId"] == last["id"]


async def test_m113_a_dead_endpoint_holds_up_nobody_else(stage: Stage, receiver: Receiver) -> None:
    dead, live = await stage.webhook(receiver.url("/hang")), await stage.webhook(receiver.url("/live"))
    async with stage.sending():
        for _ in range(12):
            await stage.customer()
        await eventually(lambda: stage.counts.tries["delivered"] == 12)
        assert len(receiver.at("/live")) == 12
        assert len(receiver.at("/hang")) <= 4
    assert {one.state for one in await stage.log(live)} == {"delivered"}
    assert {one.state for one in await stage.log(dead)} == {"waiting"}


async def test_an_endpoint_that_does_not_answer_is_left_after_a_while(stage: Stage, receiver: Receiver) -> None:
    hanging = await stage.webhook(receiver.url("/hang"))
    nobody = await stage.webhook("http://127.0.0.1:9/nobody")
    async with stage.sending(timeout=0.2):
        await stage.customer()
        await eventually(lambda: stage.counts.tries["failed"] == 2)
    ((slow,), (refused,)) = (await stage.log(hanging), await stage.log(nobody))
    assert [one.error for one in slow.tries] == ["no answer within 0.2 s"]
    assert [one.error for one in refused.tries] == ["connection refused or not possible"]


async def test_events_of_one_customer_go_out_in_their_order(stage: Stage, receiver: Receiver) -> None:
    await stage.webhook(receiver.url())
    customers = [await stage.customer() for _ in range(3)]
    for number in range(10):
        for customer in customers:
            await stage.change(customer, firstName=f"Name {number}")
    async with stage.sending():
        await eventually(lambda: len(receiver.got) == 33)
    versions: dict[str, list[int]] = {}
    for one in receiver.got:
        versions.setdefault(one.event["data"]["customerId"], []).append(one.event["data"]["version"])
    assert all(found == list(range(1, 12)) for found in versions.values())


async def test_one_sends_at_a_time_and_another_takes_over_from_one_that_fell_silent(
    stage: Stage, receiver: Receiver
) -> None:
    await stage.webhook(receiver.url())
    assert await stage.store.webhook_feed.take("a gateway that was killed")
    await stage.customer()
    began = asyncio.get_running_loop().time()
    async with stage.sending() as first:
        await eventually(lambda: len(receiver.got) == 1)
        assert asyncio.get_running_loop().time() - began < LEASE_SECONDS + 5
        async with stage.sending() as second:
            assert first.holder != second.holder
            assert not await stage.store.webhook_feed.take("another gateway")
            await stage.customer()
            await eventually(lambda: len(receiver.got) == 2)
            assert (first.counts.leads, second.counts.leads) == (True, False)


async def test_who_lost_the_lease_moves_nothing(stage: Stage) -> None:
    feed = stage.store.webhook_feed
    assert await feed.take("one", seconds=0)
    await asyncio.sleep(0.01)
    assert await feed.take("other")
    assert not await feed.take("one")
    assert not await feed.advance("one", "elsewhere")
    assert not await feed.rest("one", idle=True)
    assert await feed.advance("other", "here")
    assert await feed.position() == "here"
    await feed.release("one")
    assert not await feed.take("one")
    await feed.release("other")
    assert await feed.take("one")


async def test_m112_what_was_stored_before_the_position_is_neither_lost_nor_there_twice(
    stage: Stage, receiver: Receiver
) -> None:
    webhook = await stage.webhook(receiver.url())
    position = await stage.store.webhook_feed.position()
    made = {(await stage.customer())["id"] for _ in range(3)}
    async with stage.sending() as service:
        await eventually(lambda: len(receiver.got) == 3)
        holder = service.holder
    assert position is not None
    await stage.store.webhook_feed.take(holder)
    assert await stage.store.webhook_feed.advance(holder, position)  # as if it had been killed before this was stored
    await stage.store.webhook_feed.release(holder)
    async with stage.sending():
        made.add((await stage.customer())["id"])
        await eventually(lambda: len(receiver.got) == 4)
        assert stage.counts.events == 4
    assert [one.event["data"]["customerId"] for one in receiver.got].count(
        receiver.got[0].event["data"]["customerId"]
    ) == 1
    assert {one.event["data"]["customerId"] for one in receiver.got} == made
    assert len(await stage.log(webhook)) == 4


async def test_a_history_that_is_lost_is_told_to_every_webhook_the_log_and_the_metrics(
    stage: Stage, receiver: Receiver
) -> None:
    await stage.webhook(receiver.url(), "customer.deleted")
    await stage.store.webhook_feed.take("test")
    await stage.store.webhook_feed.advance("test", "no position of this store")
    await stage.store.webhook_feed.release("test")
    with structlog.testing.capture_logs() as logs:
        async with stage.sending():
            await eventually(lambda: receiver.got)
            assert stage.counts.histories_lost == 1
            gone = await stage.customer()
            await stage.erase(gone)
            await eventually(lambda: len(receiver.got) == 2)
    assert [one.event["type"] for one in receiver.got] == ["history.lost", "customer.deleted"]
    assert receiver.got[0].event["data"] == {"until": instant(stage.clock.now)}
    assert [entry["log_level"] for entry in logs] == ["error"]


async def test_nobody_feeds_while_there_are_no_webhooks_and_the_first_one_misses_nothing(
    stage: Stage, receiver: Receiver
) -> None:
    async with stage.sending():
        await stage.customer()
        webhook = await stage.webhook(receiver.url())
        made = await stage.customer()
        await eventually(lambda: len(receiver.got) == 1)
        assert stage.store.changes.live.readers == 1
        await stage.store.webhooks.delete(webhook.webhook.id, stage.owner)
        await stage.customer()
        await eventually(lambda: stage.store.changes.live.readers == 0)
        await stage.webhook(receiver.url("/second"))
        again = await stage.customer()
        await eventually(lambda: receiver.at("/second"))
    assert [one.event["data"]["customerId"] for one in receiver.got] == [made["id"], again["id"]]


async def test_a_webhook_ends_with_the_key_that_made_it(stage: Stage, receiver: Receiver) -> None:
    webhook = await stage.webhook(receiver.url())
    await stage.store.keys.revoke(stage.owner, stage.clock.now)  # type: ignore[arg-type]
    async with stage.sending():
        await stage.customer()
        async with asyncio.timeout(20):
            while (await stage.stored(webhook.webhook.id)).enabled:  # noqa: ASYNC110 - it changes in the store
                await asyncio.sleep(0.02)
    assert (await stage.stored(webhook.webhook.id)).disabledReason == "credentials"
    assert receiver.got == []


async def test_while_a_secret_is_rotated_both_sign_and_after_a_day_one(stage: Stage, receiver: Receiver) -> None:
    webhook = await stage.webhook(receiver.url())
    async with stage.sending():
        await rotate_webhook_secret(stage.context(), AtWebhook(webhook.webhook.id))
        await stage.customer()
        await eventually(lambda: len(receiver.got) == 1)
        stage.turn(hours=24)
        await stage.customer()
        await eventually(lambda: len(receiver.got) == 2)
    assert [len(one.headers["webhook-signature"].split(" ")) for one in receiver.got] == [2, 1]


async def test_of_secrets_that_are_made_at_the_same_moment_none_takes_the_place_of_one_it_has_not_seen(
    stage: Stage, receiver: Receiver
) -> None:
    """Else one that was shown would sign nothing, neither as the present one nor as the one before it."""
    webhook = await stage.webhook(receiver.url())
    found = await stage.stored(webhook.webhook.id)
    secrets = [StoredSecret(name, sealed=False) for name in (b"one", b"other")]
    changes = [replace(found, secret=secret, previous=found.secret) for secret in secrets]
    store = stage.store.webhooks
    stored = [await store.transact(partial(store.replace_secret, found, changed)) for changed in changes]
    assert stored == [True, False]
    await rotate_webhook_secret(stage.context(), AtWebhook(found.id))
    assert (await stage.stored(found.id)).previous == secrets[0]


async def test_secrets_are_sealed_in_the_store_and_without_the_seal_nothing_is_sent_nor_given_up(
    stage: Stage, receiver: Receiver
) -> None:
    stage.secret = "a secret of the store, long enough for it"
    webhook = await stage.webhook(receiver.url())
    raw = await stage.store.client[stage.store.database]["webhooks"].find_one({})
    assert raw is not None
    assert webhook.secret is not None
    assert webhook.secret.encode() not in bytes(raw["secret"]["secret"])
    stage.secret = None
    await stage.customer()
    with structlog.testing.capture_logs() as logs:
        async with stage.sending():
            await eventually(lambda: logs)
    assert "GATEWAY_STORE_SECRET" in logs[0]["event"]
    (waiting,) = await stage.log(webhook)
    assert (waiting.state, waiting.attempts, receiver.got) == ("waiting", 0, [])
    stage.secret = "a secret of the store, long enough for it"
    stage.clock.turn(seconds=301)
    async with stage.sending():
        await eventually(lambda: len(receiver.got) == 1)
