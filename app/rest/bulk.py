"""The handlers of many customers at once: `POST /customers:batch`, PUT and PATCH of the collection."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from app.http.admission import pay
from app.http.problems import enveloped_errors
from app.http.requests import base_url, request_id
from app.limits.prices import price
from app.rest.batches import batch_items, collection_items
from app.rest.call import Call
from app.rest.representations import json_response, tag_of
from resolvers.batches import Batch, Done, Kind
from resolvers.bulk import batch_customers, replace_customers, update_customers
from resolvers.customers import representation
from resolvers.disclosure import sees_changed
from resolvers.operation import Operation

MAX_BODY: Final = 16 * 1024 * 1024
"""Bytes of the body of a batch, where other bodies may not have more."""


async def batch(call: Call) -> Response:
    """POST /customers:batch."""
    items, atomic = batch_items(await call.large_json(MAX_BODY), strict=call.strict)
    return await _answer(call, batch_customers, Batch(items, atomic, call.dry_run, call.key()))


async def replace(call: Call) -> Response:
    """PUT /customers."""
    return await _each(call, replace_customers, "replace")


async def update(call: Call) -> Response:
    """PATCH /customers."""
    return await _each(call, update_customers, "update")


async def _each(call: Call, operation: Operation[Batch, list[Done]], kind: Kind) -> Response:
    items = collection_items(await call.large_json(MAX_BODY), kind, strict=call.strict)
    return await _answer(call, operation, Batch(items, atomic=False, dry_run=call.dry_run, key=call.key()))


async def _answer(call: Call, operation: Operation[Batch, list[Done]], command: Batch) -> Response:
    """Pay for each operation, do them, and show what became of each."""
    await pay(call.request, call.ctx, price("batch", len(command.items)))
    results = await operation(call.ctx, command)
    shown = [_result(call, one) for one in results]
    body: dict[str, Any] = {"results": shown}
    if call.enveloped:
        body["metadata"] = {"pagination": {"page": 1, "page_size": len(shown), "total_count": len(shown)}}
    shows = all(_shows(call, one) for one in results)
    preferences = call.preferences if shows else call.preferences.without_representation()
    return json_response(call, body, headers=preferences.applied(("handling", "return")))


def _result(call: Call, one: Done) -> dict[str, Any]:
    """Return what became of an operation, with the customer where `Prefer: return=representation` asks for it."""
    named = {name: value for name, value in (("op", one.kind), ("id", one.id)) if value is not None}
    result: dict[str, Any] = {**named, "status": one.status}
    if one.problem is not None:
        members = one.problem.members(base_url(call.request), request_id(call.request))
        return result | (enveloped_errors(one.problem, members) if call.enveloped else {"problem": members})
    if one.customer is not None and not call.dry_run:
        result["etag"] = tag_of(call, one.customer)
    if one.customer is not None and call.preferences.returns == "representation" and _shows(call, one):
        result["customer"] = representation(one.customer)
    return result


def _shows(call: Call, one: Done) -> bool:
    """Tell whether the caller may see the customer that an operation left."""
    return one.kind == "create" or sees_changed(call.ctx)
