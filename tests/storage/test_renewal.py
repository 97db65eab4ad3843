"""Customers that an older version has stored are found as new ones are, once their keys were written anew."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any, cast

from storage import renewal
from storage.customers import stored
from storage.documents import Customer, new_id
from storage.query import CUSTOMER_FIELDS, Compare, Question
from storage.renewal import Renewal, has_older_keys, renew_keys
from storage.store import Store
from storage.terms import keys_of
from tests import factories
from tests.storage.test_changes import created, take
from tests.storage.test_customers import customer

DNS, READ = "jürgen@xn--mller-kva.example", "jürgen@müller.example"


def as_before(one: Customer) -> dict[str, Any]:
    """Return the document that a version wrote to which a domain was text like any other."""
    document = stored(one, ["email"])
    plain = one["email"].casefold()
    terms = [term for term in document["keys"]["terms"] if not term.startswith("em:")]
    document["keys"].update(email=plain, terms=sorted([*terms, f"em:{plain}"]))
    return document


async def documents(store: Store) -> list[dict[str, Any]]:
    """Return all that is stored, in the order of ids."""
    return await store.client[store.database]["customers"].find({}, {"_id": 0}).sort("id", 1).to_list(None)


async def test_they_are_found_as_new_ones_are_and_nothing_that_is_shown_changes(store: Store) -> None:
    older, plain = customer(email=DNS), customer(email="plain@example.com")
    await store.client[store.database]["customers"].insert_many([as_before(older), as_before(plain)])
    assert await has_older_keys(store)
    assert await store.customers.find_by_email(READ) is None
    before, heard = await documents(store), list[int]()
    assert await renew_keys(store, heard.append) == Renewal(looked=2, renewed=1)
    after = await documents(store)
    assert heard == [2]
    assert [{**one, "keys": None} for one in after] == [{**one, "keys": None} for one in before]
    assert all(one["keys"] == {**keys_of(cast("Customer", one)), "changed": ["email"]} for one in after)
    assert await store.customers.find_by_email(READ) == await store.customers.find_by_email(DNS) == older
    asked = Question(Compare(CUSTOMER_FIELDS["email"], "contains", "müller"))
    assert [one["id"] for one in await store.customers.find(asked)] == [older["id"]]
    assert not await has_older_keys(store)
    assert await renew_keys(store) == Renewal(looked=2)


async def test_a_phone_number_stored_with_00_before_it_is_found_without(store: Store) -> None:
    older = customer(phoneNumbers=[{"id": new_id(), **factories.phone_number(countryCode="0049", number="30 1234")}])
    document = stored(older, [])
    document["keys"]["terms"] = sorted({*document["keys"]["terms"], "ph:0049301234"} - {"ph:49301234"})
    await store.client[store.database]["customers"].insert_one(document)
    asked = Question(Compare(CUSTOMER_FIELDS["phone"], "eq", "49301234"))
    assert await has_older_keys(store)
    assert await store.customers.find(asked) == []
    assert await renew_keys(store) == Renewal(looked=1, renewed=1)
    assert [one["id"] for one in await store.customers.find(asked)] == [older["id"]]
    assert not await has_older_keys(store)


async def test_two_who_have_become_one_are_named_and_left_as_they_are(store: Store) -> None:
    older, newer = customer(email=DNS), customer(email=READ)
    await store.client[store.database]["customers"].insert_one(as_before(older))
    await store.customers.create(newer)
    before = await documents(store)
    assert await renew_keys(store) == Renewal(looked=2, taken=[(older["id"], newer["id"])])
    assert await documents(store) == before
    await store.customers.replace(cast("Customer", {**newer, "email": "other@example.com", "version": 2}), version=1)
    assert await renew_keys(store) == Renewal(looked=2, renewed=1)


async def test_no_event_tells_of_it(store: Store) -> None:
    older = customer(email=DNS)
    await store.client[store.database]["customers"].insert_one(as_before(older))
    async with aclosing(store.changes.watch(await store.changes.position())) as watch:
        assert await renew_keys(store) == Renewal(looked=1, renewed=1)
        new = await created(store)
        (change,) = await take(watch, 1)
    assert change.customer_id == new["id"]


async def test_many_are_gone_through_in_portions(store: Store) -> None:
    count = renewal._BATCH + 1
    made = [as_before(customer(email=f"{number}@xn--mller-kva.example")) for number in range(count)]
    await store.client[store.database]["customers"].insert_many(made)
    heard: list[int] = []
    assert await renew_keys(store, heard.append) == Renewal(looked=count, renewed=count)
    assert heard == [renewal._BATCH, count]


async def test_who_changes_meanwhile_keeps_what_the_change_has_written(store: Store) -> None:
    older = customer(email=DNS)
    await store.client[store.database]["customers"].insert_one(as_before(older))
    (read,) = await documents(store)
    changed = cast("Customer", {**older, "email": "other@example.com", "version": 2})
    assert await store.customers.replace(changed, version=1)
    done = Renewal()
    await renewal._renew(store.client[store.database]["customers"], read, done)
    assert (done, await store.customers.find_by_email("other@example.com")) == (Renewal(), changed)


async def test_who_was_stored_before_a_field_was_there_is_renewed_too(store: Store) -> None:
    older = as_before(customer(email=DNS))
    del older["middleName"], older["keys"]["order"]["middleName"], older["addresses"][0]["street2"]
    await store.client[store.database]["customers"].insert_one(older)
    assert await renew_keys(store) == Renewal(looked=1, renewed=1)
    assert await store.customers.find_by_email(READ) is not None
