"""Lists at both doors, by filter, by words and by cursor to the end, and exports: no one lacks, no one is too many."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from tests.evaluate import holds, ordered
from tests.faults.wire import CUSTOMERS
from tests.questions import CITIES, NAMES, Condition, graphql, odata, tree
from tests.soak.client import WHOLE, Client, Reply
from tests.soak.model import Model
from tests.soak.people import shown
from tests.soak.states import Record, Seen, State

_LIST: Final = f"""query(
  $filter: CustomerFilter, $search: String, $after: String, $first: Int, $orderBy: [CustomerOrder!]
) {{
  customers(filter: $filter, search: $search, after: $after, first: $first, orderBy: $orderBy) {{
    totalCount nodes {{ {WHOLE} }} pageInfo {{ hasNextPage endCursor }} }} }}"""
_ORDERS: Final = (("createdAt", False), ("createdAt", False), ("lastName", False), ("email", True))
_FIELDS: Final = {"createdAt": "CREATED_AT", "lastName": "LAST_NAME", "email": "EMAIL"}


class Question(NamedTuple):
    """What a list asks for; `owner` says whose customers alone can be in it, None that it may be anybody's."""

    condition: Condition | None = None
    words: str = ""
    order: tuple[str, bool] = ("createdAt", False)
    owner: int | None = None

    def finds(self, view: dict[str, Any]) -> bool:
        """Tell whether a customer is found."""
        if self.words and not any(word.startswith(self.words) for word in view["email"].split(".")):
            return False
        return self.condition is None or holds(tree(self.condition), view)

    @property
    def parameters(self) -> dict[str, str]:
        """The question as REST takes it."""
        sort = {"sort": f"{self.order[0]},{'desc' if self.order[1] else 'asc'}"}
        filtered = {} if self.condition is None else {"filter": odata(self.condition)}
        return {**sort, **filtered, **({"q": self.words} if self.words else {})}


class Walk(NamedTuple):
    """What all pages of a list showed; `total` is None where it was not told, or while pages might differ."""

    seen: list[Seen]
    request: str
    began: float
    ended: float
    total: int | None


def own(client: Client) -> Question:
    """Return a question for its own customers."""
    draw = client.chance
    mine: Condition = ("some", "addresses", ("is", "state", "eq", client.people.mark))
    others: tuple[Condition, ...] = (
        ("some", "addresses", ("is", "city", draw.choice(("eq", "ne")), draw.choice(CITIES[:-1]))),
        ("is", "lastName", draw.choice(("eq", "ne", "startsWith")), draw.choice(NAMES)),
        ("is", "notificationPreferences.sms", "eq", draw.random() < 0.5),
        ("not", ("is", "middleName", "eq", None)),
    )
    order = draw.choice(_ORDERS)
    kind = draw.random()
    if kind < 0.3:
        return Question(None, client.people.mark, order, client.number)
    if kind < 0.6:
        return Question(mine, "", order, client.number)
    return Question(("and", [mine, draw.choice(others)]), "", order, client.number)


async def filtered(client: Client) -> None:
    """Ask for its own customers at one of the doors, and walk to the end."""
    question = own(client)
    way = client.chance.choice((rest_pages, rest_cursor, graphql_cursor, search))
    await _compare(client, question, await way(client, question, client.chance.choice((5, 20, 100))))


async def everybody(client: Client) -> None:
    """Walk over the whole store, which all others change meanwhile."""
    way = client.chance.choice((rest_cursor, graphql_cursor))
    await _compare(client, Question(), await way(client, Question(), 50))


async def exported(client: Client) -> None:
    """Export its own customers, or everybody."""
    question = client.chance.choice((own(client), Question()))
    parameters = {name: value for name, value in question.parameters.items() if name != "sort"}
    reply = await client.ask("GET", f"{CUSTOMERS}:export?{urlencode(parameters)}")
    if reply.outcome == "done":
        rows = [shown(json.loads(line)) for line in (reply.answer.body or "").splitlines()]
        walk = Walk(rows, reply.request, reply.began, reply.ended, None)
        await _compare(client, question._replace(order=("createdAt", False)), walk)


async def rest_pages(client: Client, question: Question, size: int) -> Walk | None:
    """Read all pages by number; as nobody else changes what is in it no one comes or goes meanwhile."""
    seen: list[Seen] = []
    first: Reply | None = None
    for page in range(1, 100):
        asked = {**question.parameters, "size": str(size), "page": str(page)}
        reply = await client.ask("GET", f"{CUSTOMERS}?{urlencode(asked)}", may_leave=False)
        if reply.outcome != "done":
            return None
        first = first or reply
        seen += map(shown, reply.answer.body["content"])
        if page >= reply.answer.body["page"]["totalPages"]:
            return _walk(seen, first, reply, reply.answer.body["page"]["totalElements"])
    return None


async def rest_cursor(client: Client, question: Question, size: int) -> Walk | None:
    """Follow the cursors of REST."""
    seen: list[Seen] = []
    first: Reply | None = None
    cursor = ""
    while True:
        asked = {**question.parameters, "size": str(size), "cursor": cursor}
        reply = await client.ask("GET", f"{CUSTOMERS}?{urlencode(asked)}", may_leave=False)
        if reply.outcome != "done":
            return None
        first = first or reply
        seen += map(shown, reply.answer.body["content"])
        cursor = reply.answer.headers.get("next-cursor", "")
        if not cursor:
            return _walk(seen, first, reply, None)


async def search(client: Client, question: Question, size: int) -> Walk | None:
    """Ask with the question in the body."""
    asked = {**question.parameters, "size": size}
    reply = await client.ask("POST", f"{CUSTOMERS}:search", asked, may_leave=False)
    if reply.outcome != "done":
        return None
    body = reply.answer.body
    if body["page"]["totalPages"] > 1:
        return await rest_cursor(client, question, size)
    return _walk(list(map(shown, body["content"])), reply, reply, body["page"]["totalElements"])


async def graphql_cursor(client: Client, question: Question, size: int) -> Walk | None:
    """Follow the cursors of GraphQL."""
    seen: list[Seen] = []
    first: Reply | None = None
    direction = "DESC" if question.order[1] else "ASC"
    asked: dict[str, Any] = {"first": min(size, 20), "search": question.words or None}
    asked["filter"] = None if question.condition is None else graphql(question.condition)
    asked["orderBy"] = [{"field": _FIELDS[question.order[0]], "direction": direction}]
    while True:
        reply = await client.graphql(_LIST, asked, may_leave=False)
        if reply.outcome != "done":
            return None
        first, page = first or reply, reply.data("customers")
        seen += map(shown, page["nodes"])
        if not page["pageInfo"]["hasNextPage"]:
            return _walk(seen, first, reply, page["totalCount"])
        asked["after"] = page["pageInfo"]["endCursor"]


def _walk(seen: list[Seen], first: Reply, last: Reply, total: int | None) -> Walk:
    return Walk(seen, last.request, first.began, last.ended, total)


async def _compare(client: Client, question: Question, walk: Walk | None) -> None:
    if walk is not None:
        compare(client.model, question, walk)


def compare(model: Model, question: Question, walk: Walk) -> None:
    """Compare all pages of a list with what must be in it."""
    for one in walk.seen:
        model.see(walk.request, one, walk.began, walk.ended)
    ids = [one.id for one in walk.seen]
    must, may = expected(model, question, walk.began, walk.ended)
    wrong = {
        "twice in the list": {one for one in ids if ids.count(one) > 1} if len(set(ids)) < len(ids) else set(),
        "missing in the list": must - set(ids),
        "in the list without being found by it": set(ids) - may,
    }
    for what, customers in wrong.items():
        if customers:
            model.accuse(walk.request, f"{what}: {sorted(customers)[:5]} {question}")
    views = [{**(one.fields or {}), "id": one.id, "createdAt": one.created} for one in walk.seen]
    if ordered(views, [question.order]) != ids and not wrong["twice in the list"]:
        model.accuse(walk.request, f"not in order: {question}")
    if walk.total is not None and question.owner is not None and not len(must) <= walk.total <= len(may):
        model.accuse(walk.request, f"a total of {walk.total} instead of {len(must)}: {question}")


def expected(model: Model, question: Question, began: float, ended: float) -> tuple[set[str], set[str]]:
    """Return the ids that must be in a list that was read between two moments, and those that may be."""
    must, may = set(), set()
    for record in model.records.values():
        if question.owner not in {None, record.owner}:
            continue
        found = [finds(question, record, state) for state in record.possible(began, ended)]
        if any(found):
            may.add(record.id)
        if found and all(found) and (len(found) == 1 or question.order[0] == "createdAt"):
            must.add(record.id)
    return must, may


def finds(question: Question, record: Record, state: State) -> bool:
    """Tell whether a question finds a customer in one state."""
    view: Sequence[tuple[str, Any]] = (("id", record.id), ("createdAt", record.created), ("updatedAt", state.updated))
    return state.fields is not None and question.finds({**state.fields, **dict(view)})
