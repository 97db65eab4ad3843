"""What a request with an idempotency key means: the same for the same request through either door.

A new customer or part means its clean fields, so what is ignored, trimmed or left out makes no difference. A change
means what was sent, of which customer, from which version.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter

from resolvers.changes import Target
from resolvers.commands import AddPart, ChangeCustomer, ChangePart, CreateCustomer, PartResult
from resolvers.context import Context
from resolvers.idempotency import Keyed, Outcome
from resolvers.parts import PartKind, parts_of
from resolvers.problem import JsonValue, Problem
from resolvers.validation import check
from storage.documents import Customer, PartId
from storage.model import CustomerInput


def keyed_create(ctx: Context, command: CreateCustomer) -> Keyed[Customer] | None:
    """Return what a new customer means. Raises what is wrong with the input, which leaves no trace of the key."""
    if command.key is None:
        return None
    rules = ctx.services.us_address_rules
    fields = check(CustomerInput, command.body(), strict=command.strict, us_address_rules=rules)
    return Keyed(command.key, fields, itemgetter("customer"))


def keyed_change(_ctx: Context, command: ChangeCustomer) -> Keyed[Customer] | None:
    """Return what a change of a customer means."""
    if command.key is None or (sent := valid(command.change.meaning)) is None:
        return None
    return Keyed(command.key, [*_target(command.target), sent], itemgetter("customer"), command.target.id)


def keyed_part_change(_ctx: Context, command: ChangePart) -> Keyed[PartResult] | None:
    """Return what a change of a part means."""
    if command.key is None or (sent := valid(command.change.meaning)) is None:
        return None

    def replay(outcome: Outcome) -> PartResult:
        return PartResult(outcome["customer"], command.part_id)

    return Keyed(command.key, [*_target(command.target), command.part_id, sent], replay, command.target.id)


def keyed_add(kind: PartKind) -> Callable[[Context, AddPart], Keyed[PartResult] | None]:
    """Return what a new part of a kind means; the one that was added is the last of its list."""

    def replay(outcome: Outcome) -> PartResult:
        customer: Customer = outcome["customer"]
        return PartResult(customer, PartId(parts_of(customer, kind)[-1]["id"]))

    def keyed(ctx: Context, command: AddPart) -> Keyed[PartResult] | None:
        def fields() -> JsonValue:
            rules = ctx.services.us_address_rules
            return check(kind.model, command.body(), strict=command.strict, us_address_rules=rules)

        if command.key is None or (sent := valid(fields)) is None:
            return None
        return Keyed(command.key, [*_target(command.target), sent], replay, command.target.id)

    return keyed


def valid(read: Callable[[], JsonValue]) -> JsonValue:
    """Return what was sent, None where it is not valid: the operation then refuses it, when its turn comes."""
    try:
        return read()
    except Problem:
        return None


def _target(target: Target) -> list[JsonValue]:
    return [target.id, target.precondition.meaning(target.id)]
