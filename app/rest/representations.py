"""What REST shows: plain (CRM API Guidelines) or enveloped (REST API Design Guidelines)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.responses import Response

from app.http.answers import Answer
from app.http.heads import heads_of
from app.http.problems import REPLAYED
from app.rest.call import Call
from app.rest.conditions import not_modified, tags_of
from app.rest.questions import fields_of
from resolvers.customers import representation
from resolvers.etags import ENVELOPED, etag, selection_form
from resolvers.preconditions import Precondition
from resolvers.selection import selected
from storage.documents import Customer

CONTENT_TYPE = "application/json; charset=utf-8"
Headers = Mapping[str, str]
_VARY: Final = (b"vary", b"Accept, Prefer")
_JSON: Final = ((b"content-type", CONTENT_TYPE.encode()), _VARY)


def json_response(call: Call, body: object, *, status: int = 200, headers: Headers | None = None) -> Answer:
    """Return a JSON answer with what every answer of this request carries."""
    return Answer(orjson.dumps(body, default=bytes.hex), status, _JSON, _with_common(call, headers))


def empty_response(call: Call, status: int, headers: Headers | None = None) -> Answer:
    """Return an answer without a body."""
    return Answer(b"", status, (_VARY,), _with_common(call, headers))


def _with_common(call: Call, headers: Headers | None) -> Headers:
    common = call.applied()
    if call.canonical:
        common["Link"] = f'<{call.canonical}>; rel="canonical"'
    if call.dry_run:
        common["Dry-Run"] = "true"
    if call.ctx.replayed:
        common[REPLAYED] = "true"
    return {**common, **(headers or {})}


def tag_of(call: Call, customer: Customer) -> str:
    """Return the ETag of the representation that this request gets."""
    fields = fields_of(call.parameters)
    forms = [selection_form(fields)] if fields is not None else []
    return etag(customer, "-".join([*forms, *([ENVELOPED] if call.enveloped else [])]))


def resource_response(
    call: Call,
    name: str | None,
    body: object,
    customer: Customer,
    *,
    status: int = 200,
    location: str | None = None,
) -> Response:
    """Return a resource with its ETag, enveloped under `name`; a safe request whose ETag is known gets 304.

    Raises precondition-failed where a safe request is for another version.
    """
    if (unchanged := _unchanged(call, customer)) is not None:
        return unchanged
    headers = {} if call.dry_run else {"ETag": tag_of(call, customer)}
    if location and not call.dry_run:
        headers["Location"] = location
    return json_response(call, {name: body} if name and call.enveloped else body, status=status, headers=headers)


def customer_response(call: Call, customer: Customer, *, status: int = 200, location: str | None = None) -> Response:
    """Return a whole customer, or the fields of it that were asked for. Raises precondition-failed."""
    if (unchanged := _unchanged(call, customer)) is not None:
        return unchanged
    body = selected(representation(customer), fields_of(call.parameters))
    return resource_response(call, "customer", body, customer, status=status, location=location)


def _unchanged(call: Call, customer: Customer) -> Response | None:
    """Return the 304 for a safe request that knows the present ETag, else None; nothing is rendered for it.

    If-Match comes first (RFC 9110 section 13.2.2). Raises precondition-failed where that names another version.
    """
    scope, heads = call.request.scope, heads_of(call.request.scope)
    if (b"if-none-match" not in heads and b"if-match" not in heads) or scope["method"] not in {"GET", "HEAD"}:
        return None
    Precondition(match=tags_of(call.request, b"if-match")).check(customer, tuple)
    if b"if-none-match" not in heads:
        return None
    tag = tag_of(call, customer)
    return empty_response(call, 304, {"ETag": tag}) if not_modified(call.request, tag) else None


def changed_response(
    call: Call, name: str | None, body: Any, customer: Customer, identifier: str | None = None
) -> Response:
    """Return the outcome of a PUT or PATCH: the resource, or its id and time where that was asked for."""
    if not call.minimal:
        return resource_response(call, name, body, customer)
    short = {"id": identifier or customer["id"], "updatedAt": customer["updatedAt"]}
    headers = {} if call.dry_run else {"ETag": tag_of(call, customer)}
    return json_response(call, short, headers=headers)


def collection_body(call: Call, name: str, items: list[Any]) -> dict[str, Any]:
    """Return a whole nested collection."""
    if not call.enveloped:
        return {"content": items}
    pagination = {"page": 1, "page_size": len(items), "total_count": len(items)}
    return {name: items, "metadata": {"pagination": pagination}}
