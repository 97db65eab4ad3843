"""Operations on addresses and phone numbers; both kinds work alike, so they are declared alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from resolvers.changes import Target, change_customer, existing
from resolvers.commands import (
    AddPart,
    ChangeCustomer,
    ChangePart,
    GetCustomer,
    GetPart,
    PartResult,
    RemovePart,
)
from resolvers.context import Context, Scope
from resolvers.meanings import keyed_add, keyed_change, keyed_part_change
from resolvers.operation import Operation, operation
from resolvers.parts import ADDRESS, PHONE_NUMBER, Part, PartKind, parts_of, position, with_ids
from resolvers.patches import Change
from resolvers.problem import Fault, JsonValue, Path, Problem
from resolvers.problems import VALIDATION_ERROR, WRONG_TOP_LEVEL
from resolvers.validation import Locate, check, check_read_only, refused
from storage.documents import Customer, CustomerFields, PartId, new_id
from storage.model import MAX_PARTS

PartOperation = Operation[Any, Any]
EditParts = Callable[[list[Part]], list[Part]]


@dataclass(frozen=True, slots=True)
class PartOperations:
    """All operations on one kind of part."""

    kind: PartKind
    list: Operation[GetCustomer, Customer]
    get: Operation[GetPart, PartResult]
    add: Operation[AddPart, PartResult]
    replace: Operation[ChangePart, PartResult]
    update: Operation[ChangePart, PartResult]
    remove: Operation[RemovePart, Customer]
    replace_all: Operation[ChangeCustomer, Customer]
    update_all: Operation[ChangeCustomer, Customer]

    def all(self) -> tuple[PartOperation, ...]:
        """Return them all."""
        changes = (self.add, self.replace, self.update, self.remove, self.replace_all, self.update_all)
        return (self.list, self.get, *changes)


def _checked(ctx: Context, kind: PartKind, value: JsonValue, locate: Locate | None, *, strict: bool) -> Part:
    rules = ctx.services.us_address_rules
    return check(kind.model, value, strict=strict, us_address_rules=rules, locate=locate)


async def _edit(ctx: Context, target: Target, kind: PartKind, edit: EditParts) -> Customer:
    def decide(current: Customer) -> CustomerFields:
        fields = {kind.list_name: edit(parts_of(current, kind))}
        return cast("CustomerFields", fields)

    return await change_customer(ctx, target, decide)


def _check_count(kind: PartKind, count: int) -> None:
    if count < 1:
        raise refused([Fault((), f"must keep at least one {kind.noun}", ())])
    if count > MAX_PARTS:
        raise refused([Fault((), f"must have at most {MAX_PARTS} items", ())])


async def _get(ctx: Context, kind: PartKind, command: GetPart) -> PartResult:
    customer = await existing(ctx, command.customer_id)
    position(customer, kind, command.part_id)
    return PartResult(customer, command.part_id)


async def _add(ctx: Context, kind: PartKind, command: AddPart) -> PartResult:
    part_id = PartId(new_id())

    def edit(parts: list[Part]) -> list[Part]:
        part = _checked(ctx, kind, command.body(), None, strict=command.strict)
        _check_count(kind, len(parts) + 1)
        return [*parts, {"id": part_id, **part}]

    return PartResult(await _edit(ctx, command.target, kind, edit), part_id)


async def _change(ctx: Context, kind: PartKind, command: ChangePart) -> PartResult:
    def decide(current: Customer) -> CustomerFields:
        parts = parts_of(current, kind)
        index = position(current, kind, command.part_id)
        after = command.change.apply(parts[index])
        if command.strict and isinstance(after, dict):
            check_read_only(("id",), parts[index], after, command.change.locate)
        part = _checked(ctx, kind, _without_id(after), command.change.locate, strict=command.strict)
        changed = [*parts[:index], {"id": command.part_id, **part}, *parts[index + 1 :]]
        return cast("CustomerFields", {kind.list_name: changed})

    return PartResult(await change_customer(ctx, command.target, decide), command.part_id)


async def _remove(ctx: Context, kind: PartKind, command: RemovePart) -> Customer:
    def decide(current: Customer) -> CustomerFields:
        index = position(current, kind, command.part_id)
        parts = parts_of(current, kind)
        _check_count(kind, len(parts) - 1)
        return cast("CustomerFields", {kind.list_name: [*parts[:index], *parts[index + 1 :]]})

    return await change_customer(ctx, command.target, decide)


async def _change_all(ctx: Context, kind: PartKind, command: ChangeCustomer) -> Customer:
    def edit(parts: list[Part]) -> list[Part]:
        after = command.change.apply(list[JsonValue](parts))
        if not isinstance(after, list):
            raise Problem(WRONG_TOP_LEVEL, "The body must be a JSON array.")
        changed = with_ids(_checked_all(ctx, kind, after, command.change, strict=command.strict), parts)
        if command.strict:
            _check_ids(after, changed, command.change)
        return changed

    return await _edit(ctx, command.target, kind, edit)


def _checked_all(ctx: Context, kind: PartKind, sent: list[JsonValue], change: Change, *, strict: bool) -> list[Part]:
    _check_count(kind, len(sent))  # first: a body may hold half a million items, and each could have its faults
    parts: list[Part] = []
    faults: list[Fault] = []
    for index, item in enumerate(sent):
        try:
            parts.append(_checked(ctx, kind, _without_id(item), _under(index, change), strict=strict))
        except Problem as problem:
            faults += _shifted(problem, index, change)
    if faults:
        raise refused(faults)
    return parts


def _check_ids(sent: list[JsonValue], changed: list[Part], change: Change) -> None:
    """Refuse ids that were sent with parts and would not stay theirs: whoever is strict wants nothing ignored."""
    places = [(index, "id") for index, (item, part) in enumerate(zip(sent, changed, strict=True)) if _other(item, part)]
    located = [(place, change.locate(place)) for place in places]
    faults = [Fault(place, "is made by the server and cannot be changed", at) for place, at in located if "id" in at]
    if faults:
        raise refused(faults)


def _other(item: JsonValue, part: Part) -> bool:
    return isinstance(item, dict) and item.get("id", part["id"]) != part["id"]


def _without_id(item: JsonValue) -> JsonValue:
    return {name: value for name, value in item.items() if name != "id"} if isinstance(item, dict) else item


def _under(index: int, change: Change) -> Locate:
    def locate(path: Path) -> Path:
        return change.locate((index, *path))

    return locate


def _shifted(problem: Problem, index: int, change: Change) -> list[Fault]:
    if problem.type is not VALIDATION_ERROR:
        return [Fault((index,), "must be an object", change.locate((index,)))]
    return [replace(fault, path=(index, *fault.path)) for fault in problem.faults]


def declare(kind: PartKind, one: str, many: str) -> PartOperations:
    """Declare the operations of a kind; `one` and `many` are its names in operation names."""
    all_parts = f"/customers/{{customerId}}/{kind.path}"
    one_part = f"{all_parts}/{{{kind.name}Id}}"

    @operation(
        f"list{many}", scope=Scope.READ, rest=(f"GET {all_parts}",), graphql=(f"Customer.{kind.list_name}",),
        summary=f"List the {kind.plural} of a customer",
    )  # fmt: skip
    async def list_parts(ctx: Context, command: GetCustomer) -> Customer:
        return await existing(ctx, command.id)

    @operation(
        f"get{one}", scope=Scope.READ, rest=(f"GET {one_part}",), graphql=(f"Customer.{kind.name}",),
        summary=f"Get one {kind.noun}",
    )  # fmt: skip
    async def get_part(ctx: Context, command: GetPart) -> PartResult:
        return await _get(ctx, kind, command)

    @operation(
        f"add{one}", scope=Scope.WRITE, rest=(f"POST {all_parts}",), graphql=(f"Mutation.add{one}",),
        summary=f"Add {_article(kind)}", keyed=keyed_add(kind),
    )  # fmt: skip
    async def add_part(ctx: Context, command: AddPart) -> PartResult:
        return await _add(ctx, kind, command)

    @operation(
        f"replace{one}", scope=Scope.WRITE, rest=(f"PUT {one_part}",), graphql=(f"Mutation.replace{one}",),
        summary=f"Replace {_article(kind)}", keyed=keyed_part_change,
    )  # fmt: skip
    async def replace_part(ctx: Context, command: ChangePart) -> PartResult:
        return await _change(ctx, kind, command)

    @operation(
        f"update{one}", scope=Scope.WRITE, rest=(f"PATCH {one_part}",), graphql=(f"Mutation.update{one}",),
        summary=f"Change parts of {_article(kind)}", keyed=keyed_part_change,
    )  # fmt: skip
    async def update_part(ctx: Context, command: ChangePart) -> PartResult:
        return await _change(ctx, kind, command)

    @operation(
        f"remove{one}", scope=Scope.WRITE, rest=(f"DELETE {one_part}",), graphql=(f"Mutation.remove{one}",),
        summary=f"Remove {_article(kind)}",
    )  # fmt: skip
    async def remove_part(ctx: Context, command: RemovePart) -> Customer:
        return await _remove(ctx, kind, command)

    @operation(
        f"replace{many}", scope=Scope.WRITE, rest=(f"PUT {all_parts}", f"DELETE {all_parts}"),
        graphql=(f"Mutation.replace{many}",), summary=f"Replace all {kind.plural} of a customer",
        keyed=keyed_change,
    )  # fmt: skip
    async def replace_parts(ctx: Context, command: ChangeCustomer) -> Customer:
        return await _change_all(ctx, kind, command)

    @operation(
        f"update{many}", scope=Scope.WRITE, rest=(f"PATCH {all_parts}",),
        graphql=("Mutation.updateCustomer",), summary=f"Change the list of {kind.plural} of a customer",
        keyed=keyed_change,
    )  # fmt: skip
    async def update_parts(ctx: Context, command: ChangeCustomer) -> Customer:
        return await _change_all(ctx, kind, command)

    return PartOperations(
        kind,
        list_parts,
        get_part,
        add_part,
        replace_part,
        update_part,
        remove_part,
        replace_parts,
        update_parts,
    )


def _article(kind: PartKind) -> str:
    return f"an {kind.noun}" if kind.noun.startswith("a") else f"a {kind.noun}"


ADDRESSES = declare(ADDRESS, "Address", "Addresses")
PHONE_NUMBERS = declare(PHONE_NUMBER, "PhoneNumber", "PhoneNumbers")
