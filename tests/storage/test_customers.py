"""The collection of customers, on a real store with either driver."""

from __future__ import annotations

import asyncio
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from storage.documents import Customer, CustomerId, Instant, PartId, instant, new_id
from storage.errors import Duplicate, WriteConflict
from storage.orders import key_of
from storage.query import DEFAULT_ORDER, EVERYTHING, Question, by_ids
from storage.store import Store
from storage.text import clean, fold
from tests import factories


def customer(**changes: Any) -> Customer:
    """Return a customer as the operations would store it."""
    now = instant(datetime.now(UTC))
    body = factories.customer(**changes)
    for name in ("addresses", "phoneNumbers"):
        body[name] = [{"id": PartId(new_id()), **part} for part in body[name]]
    return cast("Customer", {"id": new_id(), "version": 1, "createdAt": now, "updatedAt": now, **body, **changes})


async def test_what_was_created_is_read_as_it_was(store: Store) -> None:
    made = customer(firstName="$ne", lastName="a.b", middleName="😀")
    await store.customers.create(made)
    assert await store.customers.get(made["id"]) == made
    assert await store.customers.find(Question(by_ids((made["id"],)))) == [made]


async def test_what_is_read_holds_nothing_of_the_stores_own(store: Store) -> None:
    made = customer()
    await store.customers.create(made)
    read = await store.customers.get(made["id"])
    assert read is not None
    assert set(read) == set(made)


SAME_EMAIL = [
    ("Someone@Example.com", "someone@example.COM"),
    ("straße@example.com", "STRASSE@example.com"),
    ("straße@example.com", "STRAẞE@example.com"),
    ("zo\u00eb@example.com", "ZOE\u0308@example.com"),
    ("\u01c6@example.com", "\u01c4@example.com"),
    ("σς@example.com", "ΣΣ@example.com"),
    ("\u0130@example.com", "i\u0307@example.com"),
    ("ﬁ@example.com", "FI@example.com"),
]


async def test_an_email_address_is_unique_without_regard_to_case_or_form(store: Store) -> None:
    for number, (one, other) in enumerate(SAME_EMAIL):
        first = customer(email=clean(f"{number}{one}"))
        await store.customers.create(first)
        with pytest.raises(Duplicate) as raised:
            await store.customers.create(customer(email=clean(f"{number}{other}")))
        assert raised.value.field == "keys.email"
        assert await store.customers.find_by_email(clean(f"{number}{other}")) == first


OTHER_EMAIL = [
    ("i@example.com", "\u0130@example.com"),
    ("i@example.com", "\u0131@example.com"),
    ("e@example.com", "é@example.com"),
    ("a.b@example.com", "ab@example.com"),
    ("a+b@example.com", "a@example.com"),
]


async def test_other_letters_are_other_addresses(store: Store) -> None:
    for number, pair in enumerate(OTHER_EMAIL):
        for email in pair:
            await store.customers.create(customer(email=f"{number}{email}"))
    assert await store.customers.count(EVERYTHING) == 2 * len(OTHER_EMAIL)


@pytest.mark.parametrize("text", [text for pair in SAME_EMAIL for text in pair])
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text) == unicodedata.normalize("NFC", fold(text))


async def test_of_many_creates_with_one_address_one_wins(store: Store) -> None:
    attempts = [store.customers.create(customer(email="Same@example.com")) for _ in range(24)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, Duplicate) for result in results) == 23
    assert await store.customers.count(EVERYTHING) == 1


async def test_an_id_is_used_once(store: Store) -> None:
    made = customer()
    await store.customers.create(made)
    with pytest.raises(Duplicate) as raised:
        await store.customers.create({**customer(), "id": made["id"]})
    assert raised.value.field == "id"


async def test_replace_puts_the_next_version_in_the_place_of_the_one_that_was_read(store: Store) -> None:
    made = customer()
    await store.customers.create(made)
    changed = cast("Customer", {**made, "firstName": "Bea", "version": 2})
    assert await store.customers.replace(changed, version=1)
    assert await store.customers.get(made["id"]) == changed


async def test_replace_does_nothing_at_another_version(store: Store) -> None:
    made = customer()
    await store.customers.create(made)
    for version in (0, 2, 3):
        changed = cast("Customer", {**made, "firstName": "Bea", "version": version + 1})
        assert not await store.customers.replace(changed, version=version)
    assert await store.customers.get(made["id"]) == made


async def test_replace_never_creates(store: Store) -> None:
    made = customer()
    assert not await store.customers.replace(made, version=1)
    assert await store.customers.get(made["id"]) is None


async def test_of_many_replacements_of_one_version_one_wins(store: Store) -> None:
    made = customer()
    await store.customers.create(made)
    attempts = [
        store.customers.replace(cast("Customer", {**made, "firstName": str(number), "version": 2}), version=1)
        for number in range(32)
    ]
    results = await asyncio.gather(*attempts)
    assert results.count(True) == 1
    read = await store.customers.get(made["id"])
    assert read is not None
    assert (read["firstName"], read["version"]) == (str(results.index(True)), 2)


async def test_replace_cannot_take_anothers_address(store: Store) -> None:
    one, other = customer(), customer()
    for made in (one, other):
        await store.customers.create(made)
    with pytest.raises(Duplicate):
        await store.customers.replace(
            cast("Customer", {**one, "email": other["email"].upper(), "version": 2}), version=1
        )
    assert await store.customers.get(one["id"]) == one


async def test_delete_erases_the_customer_and_leaves_a_tombstone_without_personal_data(store: Store) -> None:
    made = customer()
    await store.customers.create(made)
    moment = Instant("2026-01-01T00:00:00.000Z")
    tombstone = await store.customers.delete(made["id"], version=1, deleted_at=moment)
    assert tombstone == {"id": made["id"], "version": 2, "deletedAt": moment}
    assert await store.customers.get(made["id"]) is None
    assert await store.customers.find_by_email(made["email"]) is None
    assert await store.customers.get_tombstone(made["id"]) == tombstone
    database = store.client[store.database]
    for name in await database.list_collection_names():
        for document in await database[name].find({}).to_list(None):
            assert made["email"] not in str(document)


async def test_delete_does_nothing_at_another_version(store: Store) -> None:
    made = customer()
    await store.customers.create(made)
    assert await store.customers.delete(made["id"], version=2, deleted_at=made["createdAt"]) is None
    assert await store.customers.get(made["id"]) == made
    assert await store.customers.get_tombstone(made["id"]) is None


async def test_a_deletion_that_cannot_leave_its_tombstone_erases_nothing(store: Store) -> None:
    made = customer()
    await store.customers.create(made)
    await store.client[store.database]["tombstones"].insert_one({"id": made["id"]})
    with pytest.raises(Duplicate):
        await store.customers.delete(made["id"], version=1, deleted_at=made["createdAt"])
    assert await store.customers.get(made["id"]) == made


async def test_of_deletions_and_replacements_that_race_one_wins_and_nothing_is_half_done(store: Store) -> None:
    for _ in range(5):
        made = customer()
        await store.customers.create(made)
        changed = cast("Customer", {**made, "firstName": "Bea", "version": 2})
        results = await asyncio.gather(
            *(store.customers.delete(made["id"], version=1, deleted_at=made["createdAt"]) for _ in range(4)),
            *(store.customers.replace(changed, version=1) for _ in range(4)),
            return_exceptions=True,
        )
        assert {type(result) for result in results if isinstance(result, BaseException)} <= {WriteConflict}
        won = [result for result in results if result and not isinstance(result, BaseException)]
        assert len(won) <= 1
        there, gone = await store.customers.get(made["id"]), await store.customers.get_tombstone(made["id"])
        assert (there is None) is (gone is not None)


async def test_lists_are_total_in_their_order_forward_and_backward(store: Store) -> None:
    moment = Instant("2026-01-01T00:00:00.000Z")
    made = [customer(createdAt=moment) for _ in range(7)]
    await store.customers.create_many(made)
    ordered = sorted(made, key=lambda one: one["id"])
    assert await store.customers.find(Question(limit=100)) == ordered
    middle = key_of(ordered[3], DEFAULT_ORDER)
    assert await store.customers.find(Question(limit=2, after=middle)) == ordered[4:6]
    assert await store.customers.find(Question(limit=2, after=middle, backward=True)) == ordered[1:3]
    assert await store.customers.find(Question(limit=3, skip=5)) == ordered[5:]


async def test_c117_a_value_is_never_an_operator(store: Store) -> None:
    await store.customers.create(customer())
    for value in ({"$ne": None}, {"$gt": ""}, {"$regex": ".*"}, ["a"]):
        assert await store.customers._read_many([cast("str", value)]) == {}
        assert await store.customers.get_tombstone(cast("CustomerId", value)) is None


async def test_tombstones_are_kept_for_thirty_days_by_a_ttl_index(store: Store) -> None:
    indexes = await store.client[store.database]["tombstones"].index_information()
    assert indexes["expires"]["expireAfterSeconds"] == 0
    made = customer()
    await store.customers.create(made)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    await store.customers.delete(made["id"], version=1, deleted_at=instant(moment))
    found = await store.client[store.database]["tombstones"].find_one({"id": made["id"]})
    assert found is not None
    assert found["expires"].replace(tzinfo=UTC) == moment + timedelta(days=30)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00.000Z"),
        (datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), "2026-12-31T23:59:59.999Z"),
    ],
)
def test_an_instant_is_always_24_characters(moment: datetime, text: str) -> None:
    assert instant(moment) == text
