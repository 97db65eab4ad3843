"""A schema of the gateway's own types whose root fields give the very values that a test holds in its hands.

Each question is run three times: by graphql-core alone, which is the measure, with plans for values, and with plans
for all there is. The answers must be the same to the byte, and each root field must have been called as often
and with the same arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import orjson
import strawberry
from strawberry.schema.config import StrawberryConfig

from resolvers.lists import CustomerPage as Page
from resolvers.lists import CustomerWindow
from schema.build import GatewaySchema, PlanMode, SchemaOptions
from schema.cost import objects
from schema.documents import DocumentErrors
from schema.errors import formatted
from schema.limits import DocumentLimits
from schema.lists import CustomerConnection, CustomerPage
from schema.rows import row_json
from schema.types import (
    DATE_TIME,
    Customer,
    DateTime,
    DeletedCustomer,
    IdArgument,
    Info,
    Node,
    read,
)
from storage.query import EVERYTHING
from tests import crowd

MODES: Final[tuple[PlanMode, ...]] = ("off", "values", "on")
_NO_LIMITS: Final = DocumentLimits(10**6, 10**6, 50, 1000, 1000, 100, 10**6, 10**6, 10**6, 64)


@dataclass
class Hands:
    """What the root fields give, by their names, and how they were called; what to give may be an exception."""

    gives: dict[str, Any]
    calls: list[tuple[object, ...]] = field(default_factory=list)

    def give(self, name: str, *arguments: object) -> Any:
        """Return, or raise, what a root field is to give."""
        self.calls.append((name, *((type(value).__name__, value) for value in arguments)))
        value = self.gives[name]
        if isinstance(value, Exception):
            raise value
        return value


def _hands(info: Info) -> Hands:
    held: Any = info.context
    return held  # type: ignore[no-any-return]


@strawberry.type
class Questions:
    """Root fields of every kind of type and every place where null may stand."""

    @strawberry.field
    async def sure(self, info: Info) -> Customer:
        return _hands(info).give("sure")  # type: ignore[no-any-return]

    @strawberry.field
    async def perhaps(
        self,
        info: Info,
        id: IdArgument | None = None,  # noqa: A002 - the schema's name
        upTo: int = 3,  # noqa: N803
        really: bool | None = strawberry.UNSET,
        word_for_it: str | None = "none",
        names: list[str] | None = None,
    ) -> Customer | None:
        said = "nothing" if really is strawberry.UNSET else really
        return _hands(info).give("perhaps", id, upTo, said, word_for_it, names)  # type: ignore[no-any-return]

    @strawberry.field
    async def all(self, info: Info) -> list[Customer]:
        return _hands(info).give("all")  # type: ignore[no-any-return]

    @strawberry.field
    async def some(self, info: Info) -> list[Customer | None] | None:
        return _hands(info).give("some")  # type: ignore[no-any-return]

    @strawberry.field
    async def node(self, info: Info) -> Node | None:
        return _hands(info).give("perhaps")  # type: ignore[no-any-return]

    @strawberry.field
    async def nodes(self, info: Info) -> list[Node | None]:
        return _hands(info).give("some")  # type: ignore[no-any-return]

    @strawberry.field
    async def connection(self, info: Info) -> CustomerConnection:
        given = _hands(info).give("all")
        if not isinstance(given, list):
            return given  # type: ignore[no-any-return]
        window = CustomerWindow(given, None, has_previous=False, has_next=True, seal=lambda _customer: "sealed")
        return CustomerConnection(window=window, where=EVERYTHING)

    @strawberry.field
    async def page(self, info: Info) -> CustomerPage | None:
        given = _hands(info).give("all")
        return None if given is None else CustomerPage.of(Page(given, None, 1, 25, None, has_next=False))

    @strawberry.field
    async def deleted(self, info: Info) -> DeletedCustomer | None:
        return _hands(info).give("deleted")  # type: ignore[no-any-return]

    @strawberry.field
    def at_once(self, info: Info) -> Customer | None:
        return _hands(info).give("perhaps")  # type: ignore[no-any-return]


@strawberry.type
class Changes:
    """Root fields that are called one after the other."""

    @strawberry.mutation
    async def first(self, info: Info, ifVersion: int) -> Customer:  # noqa: N803
        return _hands(info).give("sure", ifVersion)  # type: ignore[no-any-return]

    @strawberry.mutation
    async def second(self, info: Info, ifVersion: int | None = None) -> Customer | None:  # noqa: N803
        return _hands(info).give("perhaps", ifVersion)  # type: ignore[no-any-return]


def build(mode: PlanMode) -> GatewaySchema:
    """Return the schema with plans or without."""
    config = StrawberryConfig(default_resolver=read, scalar_map={DateTime: DATE_TIME})
    made = GatewaySchema(query=Questions, mutation=Changes, config=config)
    made.options = SchemaOptions(_NO_LIMITS, plans=mode)
    return made


@cache
def stages() -> dict[str, GatewaySchema]:
    """Return the three schemas."""
    return {mode: build(mode) for mode in MODES}


async def answer(schema: GatewaySchema, text: str, variables: dict[str, Any], gives: dict[str, Any]) -> bytes:
    """Return all that is seen of one run: data, errors, the cost as it came, and the calls of root fields."""
    hands: Any = Hands(gives)
    result = await schema.run(schema.documents.operation(text, None), variables, hands)
    errors = [formatted(error, "https://gateway", "request") for error in result.errors or ()]
    seen = {"data": result.data, "errors": errors, "actual": objects(result.data), "calls": hands.calls}
    try:
        return orjson.dumps(seen, default=row_json)
    except orjson.JSONEncodeError:
        return b"cannot be written"


async def difference(
    text: str,
    variables: dict[str, Any],
    gives: dict[str, Any],
    schemas: dict[str, GatewaySchema] | None = None,
) -> str:
    """Return how the answers differ; nothing where they are the same."""
    made = schemas or stages()
    answers = {mode: await answer(schema, text, variables, gives) for mode, schema in made.items()}
    if schemas is None:
        answers["again"] = await answer(made["on"], text, variables, gives)  # by the plan that was made for the first
    if len(set(answers.values())) == 1:
        return ""
    shown = "\n".join(f"{mode:>6}: {told.decode()}" for mode, told in answers.items())
    return f"{text}\n{variables}\n{shown}"


def is_valid(text: str) -> bool:
    """Tell whether a document is good to run."""
    try:
        stages()["off"].documents.operation(text, None)
    except DocumentErrors:
        return False
    return True


def perfect(number: int = 1) -> dict[str, Any]:
    """Return a stored customer with nothing wrong: two addresses and two phone numbers."""
    made: dict[str, Any] = dict(crowd.member(number))
    made["phoneNumbers"] = made["phoneNumbers"] * 1 + [{**made["phoneNumbers"][0], "type": "other", "extension": "12"}]
    return made


def given(customer: Any, *others: Any, deleted: Any = None) -> dict[str, Any]:
    """Return what each root field gives: one customer, and it amid others."""
    gone = {"id": "x", "version": 3, "deletedAt": "2026-03-01T12:00:00.000Z"} if deleted is None else deleted
    around = [*others[:1], customer, *others[1:]]
    return {"sure": customer, "perhaps": customer, "all": around, "some": [None, *around], "deleted": gone}
