"""Many customers in one request: batches at both doors, whole or item by item, and PUT and PATCH of the collection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from tests.faults.wire import CUSTOMERS
from tests.soak.client import WHOLE, Client, Reply
from tests.soak.model import Attempt
from tests.soak.people import graphql, plain, shown
from tests.soak.states import Fields, Record, Seen, etag_of
from tests.soak.writes import current

_BATCH: Final = f"""mutation($operations: [CustomerOperation!]!, $atomic: Boolean) {{
  batchCustomers(operations: $operations, atomic: $atomic) {{
    results {{ op status id version etag customer {{ {WHOLE} }} problem {{ status detail }} }} }} }}"""


class Operation(NamedTuple):
    """One operation: what it shall make, and how each door takes it."""

    attempt: Attempt
    rest: dict[str, Any]
    graphql: dict[str, Any]
    status: int


def _operations(client: Client, request: str, *, erase: bool = True) -> list[Operation]:
    """Return some operations of all kinds, each on another customer."""
    found = [_create(client, request)]
    for record in client.several(client.chance.choice((2, 3, 5))):
        kinds = (_replace, _update, _update, _delete) if erase else (_replace, _update)
        found.append(client.chance.choice(kinds)(client, record, request))
    client.chance.shuffle(found)
    return found


def _create(client: Client, request: str) -> Operation:
    fields = client.people.customer()
    attempt = client.model.new(client.number, fields, request)
    rest = {"op": "create", "customer": plain(fields)}
    return Operation(attempt, rest, {"create": graphql(fields)}, 201)


def _replace(client: Client, record: Record, request: str) -> Operation:
    state, old = current(record)
    new = client.people.replaced(old)
    attempt = client.model.change(record, new, request)
    rest = {"op": "replace", "id": record.id, "ifMatch": etag_of(record.id, state.version), "customer": plain(new)}
    asked = {"id": record.id, "input": graphql(new), "ifVersion": state.version}
    return Operation(attempt, rest, {"replace": asked}, 200)


def _update(client: Client, record: Record, request: str) -> Operation:
    state, old = current(record)
    patch = {"lastName": client.people.customer()["lastName"], "notificationPreferences": {"sms": True}}
    new: Fields = {**old, "lastName": patch["lastName"]}
    new["notificationPreferences"] = {**old["notificationPreferences"], "sms": True}
    attempt = client.model.change(record, new, request)
    rest = {"op": "update", "id": record.id, "ifMatch": etag_of(record.id, state.version), "patch": patch}
    return Operation(attempt, rest, {"update": {"id": record.id, "patch": patch, "ifVersion": state.version}}, 200)


def _delete(client: Client, record: Record, request: str) -> Operation:
    state, _ = current(record)
    attempt = client.model.change(record, None, request)
    rest = {"op": "delete", "id": record.id, "ifMatch": etag_of(record.id, state.version)}
    return Operation(attempt, rest, {"delete": {"id": record.id, "ifVersion": state.version}}, 204)


async def batch(client: Client) -> None:
    """Do several operations in one request, at either door, as a whole or each for itself."""
    request, atomic = client.next_request(), client.chance.random() < 0.5
    operations = _operations(client, request)
    if client.chance.random() < 0.4:
        variables = {"operations": [one.graphql for one in operations], "atomic": atomic}
        reply = await client.graphql(_BATCH, variables, request=request)
        results = reply.data("batchCustomers")["results"] if reply.outcome == "done" else []
    else:
        body = {"operations": [one.rest for one in operations], "atomic": atomic}
        heads = {"Prefer": "return=representation"}
        reply = await client.ask("POST", f"{CUSTOMERS}:batch", body, request=request, heads=heads)
        results = reply.answer.body["results"] if reply.outcome == "done" else []
    _compare(client, reply, operations, results, together=atomic)


async def bulk(client: Client) -> None:
    """Replace or change several by a PUT or PATCH of the collection."""
    request = client.next_request()
    kind, method = client.chance.choice(((_replace, "PUT"), (_update, "PATCH")))
    operations = [kind(client, record, request) for record in client.several(4)]
    if operations:
        body = [{name: value for name, value in one.rest.items() if name != "op"} for one in operations]
        reply = await client.ask(method, CUSTOMERS, body, request=request)
        results = reply.answer.body["results"] if reply.outcome == "done" else []
        _compare(client, reply, operations, results, together=False)


async def spoiled(client: Client) -> None:
    """Send an atomic batch of which one operation cannot be done: nothing may be changed."""
    request = client.next_request()
    operations = _operations(client, request, erase=False)
    bad = {"op": "update", "id": operations[0].attempt.record.id or request, "ifMatch": "*", "patch": {"lastName": ""}}
    body = {"operations": [*(one.rest for one in operations), bad], "atomic": True}
    reply = await client.ask("POST", f"{CUSTOMERS}:batch", body, request=request)
    attempts = [one.attempt for one in operations]
    if reply.outcome == "unknown":
        client.model.unknown(attempts, together=True)
        return
    client.model.refused(attempts)
    if reply.outcome != "none" and reply.status != 422:
        client.model.accuse(request, f"a batch that cannot be done was answered {reply.status}")


def _compare(
    client: Client, reply: Reply, operations: Sequence[Operation], results: Sequence[dict[str, Any]], *, together: bool
) -> None:
    """Compare what became of each operation with what must have become of it."""
    if reply.outcome != "done":
        client.note(reply, [one.attempt for one in operations], together=together)
        return
    if len(results) != len(operations):
        client.model.accuse(reply.request, f"{len(results)} results of {len(operations)} operations")
    for one, result in zip(operations, results, strict=False):
        _compare_one(client, reply, one, result)


def _compare_one(client: Client, reply: Reply, one: Operation, result: dict[str, Any]) -> None:
    attempt, model = one.attempt, client.model
    if result["status"] == one.status:
        _take(client, reply, attempt, result)
    elif result["status"] == 503:
        unknown = (result["problem"] or {}).get("outcome") != "none"
        (model.unknown if unknown else model.refused)([attempt])
    else:
        model.refused([attempt])
        model.accuse(reply.request, f"an operation was refused: {result}")


def _take(client: Client, reply: Reply, attempt: Attempt, result: dict[str, Any]) -> None:
    if result.get("customer"):
        shown_now = {**result["customer"], "etag": result["etag"]}
        client.model.answered(reply.request, attempt, shown(shown_now))
    elif attempt.state.fields is None:
        client.model.done([attempt])
    elif attempt.record.id:
        client.model.answered(reply.request, attempt, Seen(result["id"], etag=result.get("etag")))
