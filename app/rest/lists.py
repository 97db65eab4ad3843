"""The handler of lists: by page number, or by cursor with links to the pages around."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from app.rest.call import Call
from app.rest.parameters import Parameters
from app.rest.representations import json_response
from resolvers.commands import ListPage, ListWindow
from resolvers.customers import representation
from resolvers.identifiers import customer_id
from resolvers.lists import CustomerWindow, count_customers, list_customers, walk_customers
from storage.documents import Customer
from storage.query import DEFAULT_SIZE, MAX_SIZE, Where

_BACKWARD = "~"
"""Stands before a cursor that reads backward; unreserved in URIs (RFC 3986 section 2.3)."""


async def list_all(call: Call) -> Response:
    """GET /customers."""
    return await (_by_cursor if call.parameters.one("cursor") is not None else _by_page)(call)


def _where(parameters: Parameters) -> Where:
    ids = tuple(customer_id(text) for text in parameters.every("id"))
    return Where(ids or None, parameters.one("email"))


async def _by_page(call: Call) -> Response:
    given = call.parameters
    size = given.number("size", DEFAULT_SIZE, most=MAX_SIZE)
    count = given.choice("count", ("exact", "none"), "exact") == "exact"
    page = await list_customers(call.ctx, ListPage(given.number("page", 1), size, count, _where(given)))
    numbers: dict[str, Any] = {"page": page.page, "size": page.size}
    if page.total is not None:
        numbers |= {"totalElements": page.total, "totalPages": page.total_pages}
    full = len(page.customers) == page.size
    more = page.page < page.total_pages if page.total_pages is not None else full
    turns = {
        "first": 1,
        "prev": page.page - 1 if page.page > 1 else None,
        "next": page.page + 1 if more else None,
    }
    links = {rel: _uri(call, page=number) for rel, number in turns.items() if number}
    return json_response(call, _body(call, page.customers, numbers), headers=_link_header(call, links))


async def _by_cursor(call: Call) -> Response:
    given = call.parameters
    cursor = given.one("cursor") or ""
    size = given.number("size", DEFAULT_SIZE, most=MAX_SIZE)
    where = _where(given)
    backward = cursor.startswith(_BACKWARD)
    window = await walk_customers(call.ctx, ListWindow(size, cursor.removeprefix(_BACKWARD) or None, backward, where))
    numbers: dict[str, Any] = {"size": size}
    if given.choice("count", ("exact", "none"), "none") == "exact":
        total = await count_customers(call.ctx, where)
        numbers |= {"totalElements": total, "totalPages": -(-total // size)}
    headers = _link_header(call, _cursor_links(call, window))
    if window.has_next:
        headers["Next-Cursor"] = window.cursors[-1]
    return json_response(call, _body(call, window.customers, numbers), headers=headers)


def _cursor_links(call: Call, window: CustomerWindow) -> dict[str, str]:
    links = {"first": _uri(call, cursor="")}
    if window.has_previous and window.cursors:
        links["prev"] = _uri(call, cursor=_BACKWARD + window.cursors[0])
    if window.has_next:
        links["next"] = _uri(call, cursor=window.cursors[-1])
    return links


def _uri(call: Call, **turn: str | int) -> str:
    """Return this list's address with another page or cursor."""
    kept = [(name, value) for name, values in call.parameters.values.items() for value in values if name not in turn]
    return f"{call.request.url.path}?{urlencode([*kept, *turn.items()])}"


def _link_header(call: Call, links: dict[str, str]) -> dict[str, str]:
    canonical = [f'<{call.canonical}>; rel="canonical"'] if call.canonical else []
    return {"Link": ", ".join([*canonical, *(f'<{uri}>; rel="{rel}"' for rel, uri in links.items())])}


def _body(call: Call, customers: list[Customer], numbers: dict[str, Any]) -> dict[str, Any]:
    items = [representation(customer) for customer in customers]
    if not call.enveloped:
        return {"content": items, "page": numbers}
    names = {"page": "page", "size": "page_size", "totalElements": "total_count"}
    pagination = {names[name]: value for name, value in numbers.items() if name in names}
    return {"customers": items, "metadata": {"pagination": pagination}}
