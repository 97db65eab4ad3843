"""Changes of addresses, phone numbers and preferences, which are changes of their customer."""

from __future__ import annotations

import copy
from typing import Any, Final, NamedTuple

from tests.faults.wire import CUSTOMERS
from tests.soak.client import WHOLE, Client, Reply
from tests.soak.model import Attempt
from tests.soak.people import with_ids
from tests.soak.reads import all_parts
from tests.soak.states import Fields, Record, Seen, etag_of, without_id
from tests.soak.writes import answered, current


class Kind(NamedTuple):
    """One kind of part: its names at both doors."""

    list_name: str
    path: str
    noun: str
    input: str
    id_name: str


ADDRESS: Final = Kind("addresses", "addresses", "Address", "AddressInput", "addressId")
PHONE: Final = Kind("phoneNumbers", "phone-numbers", "PhoneNumber", "PhoneNumberInput", "phoneNumberId")
_FLAGS: Final = f"""mutation($id: ID!, $patch: NotificationPreferencesInput!, $version: Int!) {{
  done: setNotificationPreferences(customerId: $id, patch: $patch, ifVersion: $version) {{ {WHOLE} }} }}"""


def _new(client: Client, kind: Kind) -> dict[str, Any]:
    return client.people.address() if kind is ADDRESS else client.people.phone()


def _upper(part: dict[str, Any]) -> dict[str, Any]:
    return {**part, "type": part["type"].upper()}


async def add(client: Client) -> None:
    """Add a part at the end."""
    if (record := client.some()) is None:
        return
    kind = client.chance.choice((ADDRESS, PHONE))
    (state, old), request = current(record), client.next_request()
    if len(old[kind.list_name]) >= 4:
        await remove(client)
        return
    part = _new(client, kind)
    attempt = client.model.change(record, changed(old, kind, [*old[kind.list_name], part]), request)
    if client.chance.random() < 0.4:
        document = f"""mutation($id: ID!, $input: {kind.input}!, $version: Int) {{
          done: add{kind.noun}(customerId: $id, input: $input, ifVersion: $version) {{ {WHOLE} }} }}"""
        variables = {"id": record.id, "input": _upper(without_id(part)), "version": state.version}
        answered(client, await client.graphql(document, variables, request=request), attempt)
        return
    path, tag = f"{CUSTOMERS}/{record.id}/{kind.path}", {"If-Match": etag_of(record.id, state.version)}
    reply = await client.ask("POST", path, without_id(part), request=request, heads=tag)
    _part_answered(client, reply, attempt, kind, -1)


def changed(old: Fields, kind: Kind, parts: list[dict[str, Any]]) -> Fields:
    """Return a customer with other parts of one kind, which have the ids that they have."""
    return {**copy.deepcopy(old), kind.list_name: copy.deepcopy(parts)}


def _part_answered(client: Client, reply: Reply, attempt: Attempt, kind: Kind, index: int) -> None:
    """Compare the part that is answered, and its ETag, which is that of the customer."""
    if not client.note(reply, [attempt]):
        return
    fields = attempt.state.fields
    assert fields is not None
    parts = list(fields[kind.list_name])
    parts[index] = reply.answer.body
    shown = Seen(attempt.record.id, {kind.list_name: parts}, etag=reply.etag)
    client.model.answered(reply.request, attempt, shown)


async def change(client: Client) -> None:
    """Change or replace one part, which keeps its id."""
    if (known := await _known(client)) is None:
        return
    record, kind = known
    (state, old), request = current(record), client.next_request()
    index = client.chance.randrange(len(old[kind.list_name]))
    before, part = old[kind.list_name][index], _new(client, kind)
    if not before["id"]:
        return
    whole = client.chance.random() < 0.5
    name = "street2" if kind is ADDRESS else "extension"
    body = without_id(part) if whole else {name: client.chance.choice((None, "12"))}
    parts = [*old[kind.list_name]]
    parts[index] = {**before, **body}
    attempt = client.model.change(record, changed(old, kind, parts), request)
    path, tag = f"{CUSTOMERS}/{record.id}/{kind.path}/{before['id']}", {"If-Match": etag_of(record.id, state.version)}
    reply = await client.ask("PUT" if whole else "PATCH", path, body, request=request, heads=tag)
    _part_answered(client, reply, attempt, kind, index)


async def _known(client: Client) -> tuple[Record, Kind] | None:
    """Return a customer and a kind of part, after a look at ids that nobody has seen yet; None where there is none."""
    if (record := client.some()) is None:
        return None
    kind = client.chance.choice((ADDRESS, PHONE))
    if any(not part["id"] for part in current(record)[1][kind.list_name]):
        await all_parts(client, record, kind.path)
    return None if record.sure is None or record.sure.fields is None else (record, kind)


async def remove(client: Client) -> None:
    """Take one part away, at either door; the last one must stay."""
    if (known := await _known(client)) is None:
        return
    record, kind = known
    (state, old), request = current(record), client.next_request()
    parts = list(old[kind.list_name])
    part = parts.pop(client.chance.randrange(len(parts)))
    if not part["id"]:
        return
    if not parts:
        await _remove_last(client, record, kind, part["id"])
        return
    attempt = client.model.change(record, changed(old, kind, parts), request)
    if client.chance.random() < 0.4:
        document = f"""mutation($id: ID!, $part: ID!, $version: Int) {{
          done: remove{kind.noun}(customerId: $id, id: $part, ifVersion: $version) {{ {WHOLE} }} }}"""
        variables = {"id": record.id, "part": part["id"], "version": state.version}
        answered(client, await client.graphql(document, variables, request=request), attempt)
        return
    path, tag = f"{CUSTOMERS}/{record.id}/{kind.path}/{part['id']}", {"If-Match": etag_of(record.id, state.version)}
    reply = await client.ask("DELETE", path, request=request, heads=tag)
    if client.note(reply, [attempt]):
        client.model.answered(reply.request, attempt, Seen(record.id, etag=reply.etag))


async def _remove_last(client: Client, record: Record, kind: Kind, part: str) -> None:
    reply = await client.ask("DELETE", f"{CUSTOMERS}/{record.id}/{kind.path}/{part}")
    if reply.outcome in {"done", "refused"} and reply.status != 422:
        client.model.accuse(reply.request, f"the last part was taken away: {reply.status}")


async def whole_list(client: Client) -> None:
    """Replace all parts of one kind: those that are equal keep their ids."""
    if (record := client.some()) is None:
        return
    kind = client.chance.choice((ADDRESS, PHONE))
    (state, old), request = current(record), client.next_request()
    kept = [part for part in old[kind.list_name] if client.chance.random() < 0.6]
    sent = [without_id(part) for part in (*kept, _new(client, kind))]
    client.chance.shuffle(sent)
    attempt = client.model.change(record, with_ids({**old, kind.list_name: sent}, old), request)
    tag = {"If-Match": etag_of(record.id, state.version)}
    path = f"{CUSTOMERS}/{record.id}/{kind.path}"
    reply = await client.ask("PUT", path, sent, request=request, heads=tag)
    if client.note(reply, [attempt]):
        shown = Seen(record.id, {kind.list_name: reply.answer.body["content"]}, etag=reply.etag)
        client.model.answered(reply.request, attempt, shown)


async def preferences(client: Client) -> None:
    """Change some preferences, at either door, or replace all."""
    if (record := client.some()) is None:
        return
    (state, old), request = current(record), client.next_request()
    patch = dict(list(client.people.preferences().items())[: client.chance.choice((1, 4))])
    flags = {**old["notificationPreferences"], **patch}
    attempt = client.model.change(record, {**copy.deepcopy(old), "notificationPreferences": flags}, request)
    if client.chance.random() < 0.4:
        variables = {"id": record.id, "patch": patch, "version": state.version}
        answered(client, await client.graphql(_FLAGS, variables, request=request), attempt)
        return
    method = "PUT" if len(patch) == 4 else "PATCH"
    path, tag = f"{CUSTOMERS}/{record.id}/notification-preferences", {"If-Match": etag_of(record.id, state.version)}
    reply = await client.ask(method, path, patch, request=request, heads=tag)
    if client.note(reply, [attempt]):
        shown = Seen(record.id, {"notificationPreferences": reply.answer.body}, etag=reply.etag)
        client.model.answered(reply.request, attempt, shown)
