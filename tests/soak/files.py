"""Files of customers over REST: imports, which go on after their answer, and the end of all that a filter finds."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final
from urllib.parse import urlencode

from tests.faults.wire import CUSTOMERS
from tests.soak.client import Client, Reply
from tests.soak.lists import own
from tests.soak.model import Attempt
from tests.soak.people import plain
from tests.soak.reads import by_email
from tests.soak.writes import current, is_running

_LINES: Final = 8
_PATIENCE: Final = 60.0


async def imported(client: Client) -> None:
    """Import new customers, one who is there already and one who is none, with a key until it is taken."""
    request = client.next_request()
    people = [client.people.customer() for _ in range(_LINES)]
    attempts = [client.model.new(client.number, fields, request) for fields in people]
    lines: list[Any] = [plain(fields) for fields in people]
    if (record := client.some()) is not None:
        _, old = current(record)
        new = {**old, "lastName": client.people.customer()["lastName"]}
        attempts.append(client.model.change(record, new, request))
        lines.append(plain(new))
    lines.append({"firstName": "Nobody"})
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    heads = {"Content-Type": "application/x-ndjson", "Idempotency-Key": request}
    reply = await _until_taken(client, "POST", f"{CUSTOMERS}:import?onConflict=update", body, heads)
    if reply is None:
        client.model.unknown(attempts)
        return
    if reply.outcome == "refused":
        client.note(reply, attempts)
        return
    ended = await _ended(client, reply)
    if ended is None or ended["status"] != "succeeded":
        client.model.accuse(request, f"an import did not end well: {ended}")
        client.model.unknown(attempts)
        return
    if ended["failed"] != 1 or ended["done"] != len(lines):
        client.model.accuse(request, f"{len(lines)} lines, one of them bad, became {ended}")
    client.model.done(attempts)
    await _meet(client, attempts)


async def _until_taken(
    client: Client, method: str, path: str, body: bytes | None, heads: dict[str, str]
) -> Reply | None:
    """Send a request with its key until it is answered for certain; None where it never was."""
    for _ in range(60):
        reply = await client.ask(method, path, body, heads=heads)
        if reply.outcome in {"done", "refused"} and not is_running(reply):
            return reply
    return None


async def _ended(client: Client, taken: Reply) -> dict[str, Any] | None:
    """Ask how far an operation is until it has ended."""
    asked = client.model.clock()
    while client.model.clock() - asked < _PATIENCE:
        reply = await client.ask("GET", f"/api/v1/operations/{taken.answer.body['id']}")
        if reply.outcome == "refused":
            client.unexpected(reply)
            return None
        if reply.outcome == "done" and reply.answer.body["status"] != "running":
            return dict(reply.answer.body)
        await asyncio.sleep(0.2)
    return None


async def _meet(client: Client, attempts: list[Attempt]) -> None:
    """Find those who were imported, whose ids nobody has told."""
    for record, _, _ in attempts:
        for _ in range(60):
            if record.id or await by_email(client, record):
                break


async def cleared(client: Client) -> None:
    """Erase all of its own customers that a filter finds, with a key until it is taken."""
    request, question = client.next_request(), own(client)
    if question.condition is None or client.model.doubtful(client.number):
        return
    mine = client.model.alive(client.number)
    found = [one for one in mine if question.finds({**current(one)[1], "id": one.id, "createdAt": one.created})]
    if not 0 < len(found) <= 6:
        return
    attempts = [client.model.change(record, None, request) for record in found]
    asked = urlencode({"filter": question.parameters["filter"]})
    reply = await _until_taken(client, "DELETE", f"{CUSTOMERS}?{asked}", None, {"Idempotency-Key": request})
    if reply is None:
        client.model.unknown(attempts)
        return
    ended = await _ended(client, reply) if reply.answer.status == 202 else reply.answer.body
    client.note(reply, attempts)
    if reply.outcome == "done" and (ended or {}).get("done", (ended or {}).get("deleted")) != len(attempts):
        client.model.accuse(request, f"{len(attempts)} were to be erased, and {ended} is told")
