"""Reads of single customers at both doors, its own and those of others, each compared with the model."""

from __future__ import annotations

from typing import Final

from tests.faults.wire import CUSTOMERS
from tests.soak.client import WHOLE, Client, Reply
from tests.soak.people import shown
from tests.soak.states import Record, Seen, State, etag_of

_ONE: Final = f"query($id: ID!) {{ customer(id: $id) {{ {WHOLE} }} }}"
_MANY: Final = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Customer {{ {WHOLE} }} }} }}"
_BY_EMAIL: Final = f"query($email: String!) {{ customerByEmail(email: $email) {{ {WHOLE} }} }}"
_PARTS: Final = {"addresses": "addresses", "phone-numbers": "phoneNumbers"}


def seen(client: Client, reply: Reply, what: Seen) -> State | None:
    """Compare what a reply shows with the model."""
    return client.model.see(reply.request, what, reply.began, reply.ended)


async def by_id(client: Client, record: Record) -> bool:
    """Read a customer at REST, where it may be gone; tell whether that was answered."""
    reply = await client.ask("GET", f"{CUSTOMERS}/{record.id}")
    if reply.outcome == "done":
        body = {**reply.answer.body, "etag": reply.etag}
        seen(client, reply, shown(body))
    elif reply.outcome == "refused":
        erased(client, reply, record)
    return reply.outcome in {"done", "refused"}


def erased(client: Client, reply: Reply, record: Record) -> None:
    """Compare that a customer is said to be gone with the model."""
    if reply.status == 410:
        seen(client, reply, Seen(record.id, erased=True))
    else:
        client.unexpected(reply)


async def at_rest(client: Client) -> None:
    """Read one of its own."""
    if (record := client.some()) is not None:
        await by_id(client, record)


async def of_others(client: Client) -> None:
    """Read a customer of anybody, who may be changing or erasing it."""
    if known := list(client.model.records.values())[-200:]:
        await by_id(client, client.chance.choice(known))


async def conditional(client: Client) -> None:
    """Ask whether a customer is still as it was: 304 where it is, and the whole where it is not."""
    record = client.some()
    if record is None or record.sure is None:
        return
    stale = client.chance.random() < 0.3 and record.sure.version > 1
    tag = etag_of(record.id, record.sure.version - stale)
    reply = await client.ask("GET", f"{CUSTOMERS}/{record.id}", heads={"If-None-Match": tag})
    if reply.outcome != "done":
        return
    if (reply.answer.status == 304) == stale:
        client.model.accuse(reply.request, f"{reply.answer.status} for {tag}, and it has {reply.etag}")
    body = {"id": record.id, "etag": reply.etag} if reply.answer.status == 304 else reply.answer.body
    seen(client, reply, shown(body))


async def head(client: Client) -> None:
    """Ask for the head alone."""
    if (record := client.some()) is not None:
        reply = await client.ask("HEAD", f"{CUSTOMERS}/{record.id}")
        if reply.outcome == "done":
            seen(client, reply, Seen(record.id, etag=reply.etag))


async def at_graphql(client: Client) -> None:
    """Read one at GraphQL, with version and ids of parts."""
    if (record := client.some()) is not None:
        reply = await client.graphql(_ONE, {"id": record.id})
        if reply.outcome == "done":
            told(client, reply, record, reply.data("customer"))


def told(client: Client, reply: Reply, record: Record, node: dict[str, object] | None) -> None:
    """Compare a customer that GraphQL tells with the model; null is one that is not there."""
    if node is None:
        seen(client, reply, Seen(record.id, erased=True))
    else:
        seen(client, reply, shown(node))


async def nodes(client: Client) -> None:
    """Read several of anybody at once."""
    known = [record for record in list(client.model.records.values())[-300:] if record.id]
    chosen = client.chance.sample(known, min(5, len(known)))
    if chosen:
        reply = await client.graphql(_MANY, {"ids": [record.id for record in chosen]})
        if reply.outcome == "done":
            for record, node in zip(chosen, reply.data("nodes"), strict=True):
                told(client, reply, record, node)


async def email(client: Client) -> None:
    """Find one by its e-mail address."""
    if (record := client.some()) is not None:
        await by_email(client, record)


async def by_email(client: Client, record: Record) -> bool:
    """Find a customer by its e-mail address; tell whether that was answered."""
    address = record.email if not record.id or record.sure is None else (record.sure.fields or {})["email"]
    reply = await client.graphql(_BY_EMAIL, {"email": address.upper()})
    if reply.outcome == "done":
        node = reply.data("customerByEmail")
        if node is None:
            client.model.absent(reply.request, record, reply.began, reply.ended)
        else:
            seen(client, reply, shown(node))
    return reply.outcome == "done"


async def parts(client: Client) -> None:
    """Read a nested list, which shows the ids of its parts."""
    if (record := client.some()) is not None:
        await all_parts(client, record, client.chance.choice(sorted(_PARTS)))


async def all_parts(client: Client, record: Record, path: str) -> None:
    """Read all parts of one kind."""
    reply = await client.ask("GET", f"{CUSTOMERS}/{record.id}/{path}")
    if reply.outcome == "done":
        seen(client, reply, Seen(record.id, {_PARTS[path]: reply.answer.body["content"]}))


async def preferences(client: Client) -> None:
    """Read the preferences."""
    if (record := client.some()) is not None:
        reply = await client.ask("GET", f"{CUSTOMERS}/{record.id}/notification-preferences")
        if reply.outcome == "done":
            seen(client, reply, Seen(record.id, {"notificationPreferences": reply.answer.body}))


async def settle(client: Client) -> None:
    """Look at the customers of whom nobody knows what became."""
    for record in client.model.doubtful(client.number):
        await (by_id(client, record) if record.id else by_email(client, record))
