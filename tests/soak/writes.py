"""Changes of single customers at both doors: made, refused, tried, and repeated with a key."""

from __future__ import annotations

from typing import Any, Final

from tests.faults.wire import CUSTOMERS
from tests.soak.client import WHOLE, Client, Reply
from tests.soak.model import Attempt
from tests.soak.people import graphql, plain, shown
from tests.soak.reads import by_email
from tests.soak.states import Fields, Record, State, etag_of

_CREATE: Final = f"""mutation($input: CreateCustomerInput!, $key: String) {{
  done: createCustomer(input: $input, idempotencyKey: $key) {{ {WHOLE} }} }}"""
_REPLACE: Final = f"""mutation($id: ID!, $input: CreateCustomerInput!, $version: Int!) {{
  done: replaceCustomer(id: $id, input: $input, ifVersion: $version) {{ {WHOLE} }} }}"""
_UPDATE: Final = f"""mutation($id: ID!, $patch: UpdateCustomerInput!, $version: Int!) {{
  done: updateCustomer(id: $id, patch: $patch, ifVersion: $version) {{ {WHOLE} }} }}"""
_DELETE: Final = """mutation($id: ID!, $version: Int) { deleteCustomer(id: $id, ifVersion: $version) { id version } }"""


def current(record: Record) -> tuple[State, Fields]:
    """Return what a customer is for certain."""
    state = record.sure
    assert state is not None
    assert state.fields is not None
    return state, state.fields


def answered(client: Client, reply: Reply, attempt: Attempt) -> bool:
    """Compare an answer with the change that it acknowledges; tell whether it does."""
    if reply.outcome != "done":
        return client.note(reply, [attempt])
    body = reply.answer.body
    body = body["data"]["done"] if "data" in body else {**body, "etag": reply.etag}
    client.model.answered(reply.request, attempt, shown(body))
    return True


async def create(client: Client) -> None:
    """Create a customer at REST."""
    fields, request = client.people.customer(), client.next_request()
    attempt = client.model.new(client.number, fields, request)
    answered(client, await client.ask("POST", CUSTOMERS, plain(fields), request=request), attempt)


async def create_at_graphql(client: Client) -> None:
    """Create a customer at GraphQL."""
    fields, request = client.people.customer(), client.next_request()
    attempt = client.model.new(client.number, fields, request)
    answered(client, await client.graphql(_CREATE, {"input": graphql(fields)}, request=request), attempt)


async def create_once(client: Client) -> None:
    """Create a customer with a key, and send all again at the other door until it is done; then once more."""
    fields, key = client.people.customer(), client.next_request()
    attempt = client.model.new(client.number, fields, key)
    replies: list[Reply] = []
    for number in range(40):
        if number % 2 == client.number % 2:
            variables = {"input": graphql(fields), "key": key}
            reply = await client.graphql(_CREATE, variables)
        else:
            reply = await client.ask("POST", CUSTOMERS, plain(fields), heads={"Idempotency-Key": key})
        if reply.outcome == "done":
            answered(client, reply, attempt)
            replies.append(reply)
        elif reply.outcome == "refused" and not is_running(reply):
            client.note(reply, [attempt])
            return
        if len(replies) == 2:
            client.tally.replays += replayed(client, replies[1])
            return
    client.model.unknown([attempt])


def replayed(client: Client, reply: Reply) -> bool:
    """Say so where an answer to a repetition does not say that it is one."""
    told = reply.answer.body if isinstance(reply.answer.body, dict) else {}
    mark = reply.answer.headers.get("idempotent-replayed") or told.get("extensions", {}).get("idempotentReplayed")
    if not mark:
        client.model.accuse(reply.request, "a repetition was not answered as one")
    return bool(mark)


def is_running(reply: Reply) -> bool:
    """Tell whether a key is refused because its first request still runs."""
    return str(reply.answer.problem.get("type", "")).endswith("/idempotency-in-progress")


async def replace(client: Client) -> None:
    """Put another customer in the place of one."""
    if (record := client.some()) is None:
        return
    (state, old), request = current(record), client.next_request()
    new = client.people.replaced(old)
    attempt = client.model.change(record, new, request)
    if client.chance.random() < 0.4:
        variables = {"id": record.id, "input": graphql(new), "version": state.version}
        reply = await client.graphql(_REPLACE, variables, request=request)
    else:
        tag = {"If-Match": etag_of(record.id, state.version)}
        reply = await client.ask("PUT", f"{CUSTOMERS}/{record.id}", plain(new), request=request, heads=tag)
    answered(client, reply, attempt)


async def merge(client: Client) -> None:
    """Change some fields by a merge patch."""
    if (record := client.some()) is None:
        return
    (state, old), request = current(record), client.next_request()
    patch = client.people.merged(old)
    attempt = client.model.change(record, patch.becomes, request)
    if client.chance.random() < 0.4:
        body = {**patch.body}
        if "addresses" in body:
            body["addresses"] = [{**one, "type": one["type"].upper()} for one in body["addresses"]]
        variables = {"id": record.id, "patch": body, "version": state.version}
        reply = await client.graphql(_UPDATE, variables, request=request)
    else:
        heads = {"If-Match": etag_of(record.id, state.version), "Content-Type": patch.media}
        reply = await client.ask("PATCH", f"{CUSTOMERS}/{record.id}", patch.body, request=request, heads=heads)
    answered(client, reply, attempt)


async def steps(client: Client) -> None:
    """Change one by a JSON Patch, with a key where nobody answers."""
    if (record := client.some()) is None:
        return
    (state, old), request = current(record), client.next_request()
    patch = client.people.stepped(old)
    attempt = client.model.change(record, patch.becomes, request)
    heads = {"If-Match": etag_of(record.id, state.version), "Content-Type": patch.media, "Idempotency-Key": request}
    reply = await client.ask("PATCH", f"{CUSTOMERS}/{record.id}", patch.body, request=request, heads=heads)
    doubt = False
    for _ in range(20):
        doubt |= reply.outcome == "unknown"
        if reply.outcome in {"done", "refused"} and not is_running(reply):
            break
        reply = await client.ask("PATCH", f"{CUSTOMERS}/{record.id}", patch.body, request=request, heads=heads)
    if doubt and (reply.outcome == "none" or is_running(reply)):
        reply = reply._replace(outcome="unknown")
    answered(client, reply, attempt)


async def delete(client: Client) -> None:
    """Erase a customer."""
    if (record := client.some()) is None:
        return
    (state, _), request = current(record), client.next_request()
    attempt = client.model.change(record, None, request)
    if client.chance.random() < 0.3:
        variables = {"id": record.id, "version": state.version}
        reply = await client.graphql(_DELETE, variables, request=request)
        if client.note(reply, [attempt]) and reply.data("deleteCustomer")["version"] != attempt.state.version:
            client.model.accuse(request, f"erased as {reply.data('deleteCustomer')}")
        return
    tag = {"If-Match": etag_of(record.id, state.version)}
    client.note(await client.ask("DELETE", f"{CUSTOMERS}/{record.id}", request=request, heads=tag), [attempt])


async def refused(client: Client) -> None:
    """Send what must be refused, and changes nothing: an old tag, a taken address, fields that are none, a dry run."""
    if (record := client.some()) is None:
        return
    state, old = current(record)
    path, tag = f"{CUSTOMERS}/{record.id}", {"If-Match": etag_of(record.id, state.version)}
    old_tag = {"If-Match": etag_of(record.id, state.version + 7)}
    ask: tuple[tuple[int, str, str, Any, dict[str, str]], ...] = (
        (412, "PATCH", path, {"firstName": "Nobody"}, old_tag),
        (412, "DELETE", path, None, old_tag),
        (412, "PUT", path, plain(old), {}),
        (409, "POST", CUSTOMERS, plain(old), {}),
        (422, "PATCH", path, {"lastName": ""}, tag),
        (200, "PATCH", f"{path}?dryRun=true", {"lastName": "Nobody"}, tag),
    )
    status, method, where, body, heads = client.chance.choice(ask)
    reply = await client.ask(method, where, body, heads=heads)
    if reply.outcome in {"done", "refused"} and reply.status != status:
        client.model.accuse(reply.request, f"{method} was answered {reply.status} instead of {status}")
    if status == 412 and heads and reply.answer.problem.get("currentVersion", state.version) != state.version:
        client.model.accuse(reply.request, f"a current version of {reply.answer.problem['currentVersion']}")
    await by_email(client, record)
