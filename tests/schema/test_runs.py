"""Runs of operations: what plans did is counted, and nothing of a run stays once it is over."""

from __future__ import annotations

import gc
import weakref
from typing import Any, Final

import pytest

from schema.build import GatewaySchema
from tests.schema.stage import Hands, answer, build, given, perfect

QUESTIONS: Final = (
    "query($id: ID) { perhaps(id: $id) { id addresses { city } } }",
    "{ page { items { id addresses { city } } } }",
    "{ some { id n: firstName } }",
    "mutation { first(ifVersion: 5) { id } }",
)


async def test_what_plans_did_is_counted() -> None:
    schema = build("on")

    async def counted(text: str, value: dict[str, Any]) -> tuple[int, int, int]:
        await answer(schema, text, {}, given(value))
        return schema.counts.fast, schema.counts.fell, schema.counts.unplanned

    text, damaged = "{ perhaps { id lastName } }", {**perfect(), "lastName": 5}
    assert await counted(text, perfect()) == (1, 0, 0)
    assert await counted(text, perfect()) == (2, 0, 0)
    assert await counted(text, damaged) == (2, 2, 0), "once as a whole, once as an object"
    assert await counted("{ perhaps { address(id: 5) { id } } }", perfect()) == (2, 2, 1)


@pytest.mark.parametrize("text", QUESTIONS)
async def test_a_sound_run_leaves_nothing_to_the_garbage_collector(text: str) -> None:
    schema = build("on")
    assert await _is_held(schema, text), "graphql-core's executor, which compiles the plan, refers to itself"
    assert not await _is_held(schema, text)


async def _is_held(schema: GatewaySchema, text: str) -> bool:
    """Tell whether what a run was given is still there when it is over, before the collector comes."""
    hands: Any = Hands(given(perfect()))
    seen = weakref.ref(hands)
    gc.disable()
    try:
        assert (await schema.run(schema.documents.operation(text, None), {"id": "x"}, hands)).errors is None
        del hands
        return seen() is not None
    finally:
        gc.enable()
