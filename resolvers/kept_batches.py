"""What is kept of a batch with an idempotency key: what it means, and what became of each of its operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from resolvers.batches import Batch, Done, Item
from resolvers.commands import ChangeCustomer, CreateCustomer, DeleteCustomer
from resolvers.context import Context
from resolvers.problem import Fault, JsonValue, Problem
from resolvers.problems import PROBLEM_TYPES
from resolvers.validation import check
from storage.model import CustomerInput
from storage.turns import Turns

_TYPES: Final = {kind.code: kind for kind in PROBLEM_TYPES}


async def meaning(ctx: Context, batch: Batch) -> JsonValue:
    """Return what a batch means: the same for the same operations through either door."""
    turns, items = Turns(), list[JsonValue]()
    for item in batch.items:
        items.append([item.kind, item.id, _sent(ctx, item)])
        await turns.give()
    return [batch.atomic, items]


def _sent(ctx: Context, item: Item) -> JsonValue:
    command = item.command
    try:
        if isinstance(command, CreateCustomer):
            rules = ctx.services.us_address_rules
            return check(CustomerInput, command.body(), strict=command.strict, us_address_rules=rules)
        if isinstance(command, DeleteCustomer):
            return command.target.precondition.meaning(command.target.id)
        if isinstance(command, ChangeCustomer):
            return [command.target.precondition.meaning(command.target.id), command.change.meaning()]
    except Problem as problem:
        command = problem
    return _kept(command)


def kept(done: Done) -> dict[str, Any]:
    """Return what became of an operation as the ledger keeps it."""
    problem = None if done.problem is None else _kept(done.problem)
    return {**done._asdict(), "problem": problem}


def earlier(results: Sequence[Mapping[str, Any]]) -> list[Done]:
    """Return what became of operations, from what the ledger has kept."""
    known = [{name: one[name] for name in Done._fields if name in one} for one in results]
    return [Done(**{**one, "problem": one["problem"] and _problem(one["problem"])}) for one in known]


def _kept(problem: Problem) -> dict[str, JsonValue]:
    return {
        "code": problem.type.code,
        "detail": problem.detail,
        "extra": dict(problem.extra),
        "resource": problem.resource,
        "faults": [[list(one.path), one.message, list(one.sent)] for one in problem.faults],
    }


def _problem(known: Mapping[str, Any]) -> Problem:
    faults = tuple(Fault(tuple(path), message, tuple(sent)) for path, message, sent in known["faults"])
    return Problem(_TYPES[known["code"]], known["detail"], faults, known["extra"], known["resource"])
