"""The handlers of lists: by page number, or by cursor with links to the pages around."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from starlette.responses import Response

from app.http.admission import pay
from app.http.edge import MAX_URI
from app.http.requests import path_of, state_of
from app.limits.prices import price
from app.rest.call import Call
from app.rest.list_parameters import SEARCH_PARAMETERS
from app.rest.parameters import from_body
from app.rest.questions import BACKWARD, count_mode, list_command
from app.rest.representations import Headers, json_response
from resolvers.commands import ListPage, ListQuery, ListWindow
from resolvers.filtering import camel_case
from resolvers.lists import (
    CustomerPage,
    CustomerWindow,
    count_customers,
    explain_customers,
    list_customers,
    walk_customers,
)
from resolvers.pages import MAX_ANSWER, too_large
from resolvers.problem import Problem
from resolvers.problems import URI_TOO_LONG
from resolvers.renderings import ReadPage
from storage.documents import Customer
from storage.orders import order_fields
from storage.plans import QueryPlan

_SEARCH: Final = "/api/v1/customers:search"


async def list_all(call: Call) -> Response:
    """GET /customers."""
    command = list_command(call.parameters, state_of(call.request).listed)
    if call.parameters.flag("explain", default=False):
        plan = await explain_customers(call.ctx, command)
        numbers = {"page": command.page} if isinstance(command, ListPage) else {}
        nobody = _body(call, ReadPage([]), {**numbers, "size": command.size}, command.query)
        return json_response(call, {**nobody, "explain": _explained(plan)})
    return await (_by_page(call, command) if isinstance(command, ListPage) else _by_cursor(call, command))


def _explained(plan: QueryPlan) -> dict[str, Any]:
    """Return a plan as REST shows it: in camelCase, bytes as hexadecimal text."""
    return {camel_case(name): value for name, value in asdict(plan).items()}


async def search(call: Call) -> Response:
    """POST /customers:search: the list with its query in the body."""
    parameters = from_body((await call.body())(), SEARCH_PARAMETERS)
    if parameters.flag("explain", default=False):
        explain_customers.permit(call.ctx)
        await pay(call.request, call.ctx, price("explain"))
    return await list_all(replace(call, parameters=parameters))


async def _by_page(call: Call, command: ListPage) -> Response:
    page = await list_customers(call.ctx, command)
    numbers: dict[str, Any] = {"page": page.page, "size": page.size}
    if page.total is not None:
        numbers |= {"totalElements": page.total, "totalPages": page.total_pages}
    links = _links(call, "page", _page_links(page))
    return _list_response(call, _body(call, page, numbers, command.query), links)


def _page_links(page: CustomerPage) -> dict[str, str]:
    turns = {"first": 1, "prev": page.page - 1, "next": page.page + 1 if page.has_next else 0}
    return {rel: str(number) for rel, number in turns.items() if number}


async def _by_cursor(call: Call, command: ListWindow) -> Response:
    window = await walk_customers(call.ctx, command)
    numbers: dict[str, Any] = {"size": command.size}
    if count_mode(call.parameters) == "exact":
        total = await count_customers(call.ctx, command.query.where)
        numbers |= {"totalElements": total, "totalPages": -(-total // command.size)}
    headers = _links(call, "cursor", _cursor_links(window))
    if window.has_next:
        headers["Next-Cursor"] = window.cursor(-1)
    return _list_response(call, _body(call, window, numbers, command.query), headers)


def _list_response(call: Call, body: dict[str, Any], headers: Headers) -> Response:
    """Return a list as JSON. Raises answer-too-large."""
    response = json_response(call, body, headers=headers)
    call.ctx.forget_pages()  # while they are still in the processor's caches, for the next page to be put there
    if len(response.body) > MAX_ANSWER:
        raise too_large()
    return response


def _cursor_links(window: CustomerWindow) -> dict[str, str]:
    links = {"first": ""}
    if window.has_previous and window.customers:
        links["prev"] = BACKWARD + window.cursor(0)
    if window.has_next:
        links["next"] = window.cursor(-1)
    return links


def _links(call: Call, turn: str, places: dict[str, str]) -> dict[str, str]:
    """Return the Link header: only for lists that a GET can read on (RFC 8288).

    `turn` is the parameter that turns the page, `places` its values: numbers or cursors, which stand in a URI as
    they are.

    Raises:
        Problem: uri-too-long for a next or prev that a GET could not use; left out it would look like the last page.
    """
    if call.request.method == "POST":
        return {}
    begin = _uri_without(call, turn)
    uris = {rel: begin + place for rel, place in places.items()}
    canonical = [f'<{call.canonical}>; rel="canonical"'] if call.canonical else []
    if len(uris["first"]) > MAX_URI:
        del uris["first"]  # the client has that page's address, or came from it
    if any(len(uri) > MAX_URI for uri in uris.values()):
        raise Problem(URI_TOO_LONG, f"The links of this list are over {MAX_URI} characters; use POST {_SEARCH}.")
    return {"Link": ", ".join([*canonical, *(f'<{uri}>; rel="{rel}"' for rel, uri in uris.items())])}


def _uri_without(call: Call, turn: str) -> str:
    """Return the address of a list up to where the value of the parameter that turns its page is to stand."""
    others = [(name, value) for name, values in call.parameters.values.items() for value in values if name != turn]
    return f"{path_of(call.request)}?{urlencode([*others, (turn, '')])}"


def _body(
    call: Call, read: CustomerPage | CustomerWindow | ReadPage, numbers: dict[str, Any], query: ListQuery
) -> dict[str, Any]:
    items = _shown(read.customers, query) if read.shown is None else orjson.Fragment(b"[%b]" % read.shown.json())
    if not call.enveloped:
        return {"content": items, "page": numbers}
    names = {"page": "page", "size": "page_size", "totalElements": "total_count"}
    pagination = {names[name]: value for name, value in numbers.items() if name in names}
    return {"customers": items, "metadata": {"pagination": pagination}}


def _shown(customers: list[Customer], query: ListQuery) -> Sequence[Mapping[str, Any]]:
    """Return what a list shows: what was read, less what was read only for the customers' places in the order."""
    more = order_fields(query.order) - query.fields if query.fields is not None else None
    if not more:
        return customers
    return [{name: value for name, value in customer.items() if name not in more} for customer in customers]
