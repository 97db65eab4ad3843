"""Plans answer what graphql-core answers: each field with each kind of bad value, in each shape of question."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import pytest
from bson import Decimal128, Int64, ObjectId

from schema.build import PlanMode
from tests.schema.stage import MODES, answer, build, difference, given, perfect, stages

ADDRESS: Final = "id type street1 street2 city state postalCode country"
PHONE: Final = "id type countryCode number extension"
PREFERENCES: Final = "email sms push mail"
WHOLE: Final = (
    f"id firstName middleName lastName email addresses {{ {ADDRESS} }} phoneNumbers {{ {PHONE} }} "
    f"notificationPreferences {{ {PREFERENCES} }} createdAt updatedAt version"
)
RENAMED: Final = (
    "a: id b: firstName c: firstName email: lastName version: email __typename t: __typename etag "
    "x: addresses { street1: street2 street2: street1 k: type __typename } y: phoneNumbers { number: extension id: type"
    " } z: notificationPreferences { email: sms sms: email t: __typename } middleName createdAt: updatedAt v: version"
)
MERGED: Final = (
    "...A ... on Node { id } ... on Customer { addresses { ...B city } version } ... @include(if: true) { etag }"
    " phoneNumbers { id } phoneNumbers { number type } phoneNumbers { extension countryCode } notificationPreferences"
    " { mail } firstName @skip(if: true) notificationPreferences { email push sms } lastName createdAt"
)
FRAGMENTS: Final = (
    " fragment A on Customer { middleName email addresses { id type street1 } }"
    " fragment B on Address { state postalCode country street2 } "
)
SHAPES: Final = {
    "one": f"{{ perhaps {{ {WHOLE} }} }}",
    "one that must be": f"{{ sure {{ {WHOLE} etag }} }}",
    "renamed": f"{{ sure {{ {RENAMED} }} }}",
    "merged": f"{{ perhaps {{ {MERGED} }} }} {FRAGMENTS}",
    "list": f"{{ all {{ {WHOLE} }} }}",
    "nodes": f"{{ nodes {{ __typename id ...A ...A ...C }} }} {FRAGMENTS} "
    "fragment C on Node { ... on Customer { addresses { ...B } version } }",
    "connection": f"{{ connection {{ edges {{ node {{ {MERGED} }} cursor }} nodes {{ etag }} pageInfo "
    f"{{ endCursor hasNextPage startCursor __typename }} __typename }} }} {FRAGMENTS}",
    "edges": f"{{ connection {{ edges {{ cursor node {{ {WHOLE} }} }} }} }}",
    "page": f"{{ page {{ items {{ {WHOLE} }} page {{ size page totalElements n: totalPages }} }} }}",
}
"""The shapes of question that are asked with every value in every place."""
MORE: Final = {
    "node": f"{{ node {{ id ... on Customer {{ {WHOLE} __typename }} }} }}",
    "list that may be null": f"{{ some {{ {RENAMED} }} }}",
    "edges renamed": f"{{ connection {{ e: edges {{ c: cursor n: node {{ {RENAMED} }} }} }} }}",
    "several": f"{{ perhaps {{ {WHOLE} }} s: perhaps {{ {MERGED} }} sure {{ id {MERGED} }} __typename }} {FRAGMENTS}",
    "changes": f"mutation {{ second {{ {MERGED} }} first(ifVersion: 1) {{ {RENAMED} }} }} {FRAGMENTS}",
    "one of its parts": f'{{ perhaps {{ {WHOLE} address(id: "5") {{ {ADDRESS} }} }} }}',
    "types alone": "{ all { __typename addresses { __typename } notificationPreferences { t: __typename } } }",
    "page alone": "{ connection { __typename } }",
    "twice in one": "{ all { id a: addresses { city } b: addresses { state } } }",
}
"""Those that are asked with a few values."""
ALL: Final = {**SHAPES, **MORE}
UNPLANNED: Final = frozenset({"one of its parts", "types alone", "twice in one"})
"""Those of which something has no plan."""


class Text(str):
    """Text of a type of its own."""

    __slots__ = ()


GONE: Final = object()
VALUES: Final[tuple[Any, ...]] = (
    GONE, None, "", "x", "home", "HOME", "mobile", "12", "true", "2020-01-01T00:00:00", Text("sub"),
    "é\u2028\x7f\"\\\n😀",
    True, False, 0, -1, 7, 1.5, 2.0, -0.0, 1e22, float("nan"), float("inf"), 2**31 - 1, 2**31, -(2**31), -(2**31) - 1,
    2**63, Int64(5), Int64(2**40), Decimal128("1.5"), Decimal(2), ObjectId("5f" * 12), uuid.UUID(int=5), b"x",
    bytearray(b"x"), datetime(2020, 1, 1, tzinfo=UTC), date(2020, 1, 1), [], [None], [1], ["a"], [[1]], [{}], ({},),
    {1, 2}, {}, {"a": 1}, {"email": True}, {"__typename": "X"}, {3: 4}, ValueError("v"),
)  # fmt: skip
FEW: Final = (GONE, None, "x", 7, [None], {"a": 1})


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path of each part of a document; of lists the last item is all that is looked into."""
    if path:
        yield path
    if isinstance(value, dict):
        for name in value:
            yield from _paths(value[name], (*path, name))
    elif isinstance(value, list):
        yield from _paths(value[-1], (*path, len(value) - 1))


PATHS: Final = tuple(_paths(perfect()))


def damaged(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """Return a customer with one thing wrong."""
    whole = copy.deepcopy(perfect())
    place: Any = whole
    for step in path[:-1]:
        place = place[step]
    if value is not GONE:
        place[path[-1]] = value
    else:
        del place[path[-1]]
    return whole


async def _compare(
    path: tuple[Any, ...], values: Sequence[Any], shapes: Iterable[str], modes: Sequence[PlanMode]
) -> None:
    sound = perfect(2)
    schemas = {str(mode): stages()[mode] for mode in modes}
    for value in values:
        gives = given(damaged(path, value), sound)
        for text in shapes:
            if found := await difference(text, {}, gives, schemas):
                pytest.fail(f"{path} = {value!r}\n{found}")


@pytest.mark.untraced
@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
async def test_each_bad_value_in_each_place_is_answered_as_graphql_core_does(path: tuple[Any, ...]) -> None:
    await _compare(path, VALUES, SHAPES.values(), ("off", "on"))
    await _compare(path, FEW, ALL.values(), MODES)
    print(len(VALUES) * len(SHAPES) + 2 * len(FEW) * len(ALL), "answers compared with those of graphql-core")


@pytest.mark.parametrize("shape", ALL)
async def test_each_bad_value_in_place_of_a_customer_is_answered_as_graphql_core_does(shape: str) -> None:
    sound = perfect()
    for value in VALUES[1:]:
        for gives in (given(value, sound), {**given(sound), "all": value, "some": value}):
            assert not await difference(ALL[shape], {}, gives)


@pytest.mark.parametrize("name", ["id", "version", "deletedAt"])
async def test_what_stays_of_a_customer_is_answered_as_graphql_core_does(name: str) -> None:
    for value in VALUES:
        gone = {"id": "x", "version": 3, "deletedAt": "2026-03-01T12:00:00.000Z", name: value}
        if value is GONE:
            del gone[name]
        for text in ("{ deleted { deletedAt id version } }", "{ deleted { __typename v: version id d: deletedAt } }"):
            assert not await difference(text, {}, given(perfect(), deleted=gone))


@pytest.mark.parametrize("mode", MODES[1:])
@pytest.mark.parametrize("shape", ALL)
async def test_what_is_as_it_should_be_is_shown_by_plan_alone(shape: str, mode: PlanMode) -> None:
    """So that no test above compares graphql-core with itself; what has no plan is named here."""
    schema = build(mode)
    await answer(schema, ALL[shape], {}, given(perfect(), perfect(2)))
    assert (schema.counts.fell, schema.counts.unplanned > 0) == (0, shape in UNPLANNED), schema.counts
    assert schema.counts.fast > 0 or shape == "types alone"


async def test_without_plans_none_is_made() -> None:
    schema = stages()["off"]
    await answer(schema, SHAPES["list"], {}, given(perfect()))
    assert (schema.counts.fast, schema.counts.unplanned) == (0, 0)
