"""From the arguments of mutations to the commands of operations, and from their results to what is shown."""

from __future__ import annotations

from typing import Annotated, Any, cast

import strawberry

from resolvers.changes import Target
from resolvers.commands import AddPart, ChangeCustomer, ChangePart, PartResult, RemovePart
from resolvers.context import IdempotencyKey
from resolvers.idempotency import idempotency_key, malformed
from resolvers.identifiers import customer_id, part_id
from resolvers.operation import Operation
from resolvers.part_operations import PartOperations
from resolvers.patches import Body, Change, MergePatch, Replace
from resolvers.preconditions import Precondition
from schema.inputs import to_json
from schema.selection import selected_fields
from schema.types import Customer, Info

Key = Annotated[
    str | None,
    strawberry.argument(
        description="Repeat with the same key for 24 hours, and nothing is done twice: "
        "the first outcome is answered again."
    ),
]


def key_of(info: Info, argument: str | None = None, *, dry_run: bool | None) -> IdempotencyKey | None:
    """Return the key of a change: the argument, or that of a request with this change alone; a dry run has none."""
    whole = info.context.key
    key = whole if argument is None else idempotency_key(argument)
    if whole is not None and key != whole:
        raise malformed("The header Idempotency-Key and the argument idempotencyKey differ.")
    return None if dry_run else key


def target_of(text: str, version: int | None, *, dry_run: bool | None) -> Target:
    """Return which customer is to change, from which version. Raises invalid-id."""
    return Target(customer_id(text), Precondition(version=version), bool(dry_run))


def body_of(value: object) -> Body:
    """Return an input as the body that REST would have been sent."""
    return lambda: to_json(value)


async def add_part(
    info: Info, parts: PartOperations, target: Target, value: object, key: IdempotencyKey | None
) -> Customer:
    """Add a part and return the customer."""
    return await changed(info, parts.add, AddPart(target, body_of(value), key=key))


async def replace_part(info: Info, parts: PartOperations, target: Target, text: str, value: object) -> Customer:
    """Replace a part and return the customer."""
    command = ChangePart(
        target, part_id(text, parts.kind.noun), Replace(body_of(value)), key=key_of(info, dry_run=target.dry_run)
    )
    return await changed(info, parts.replace, command)


async def update_part(info: Info, parts: PartOperations, target: Target, text: str, value: object) -> Customer:
    """Change a part and return the customer."""
    command = ChangePart(
        target, part_id(text, parts.kind.noun), MergePatch(body_of(value)), key=key_of(info, dry_run=target.dry_run)
    )
    return await changed(info, parts.update, command)


async def remove_part(info: Info, parts: PartOperations, target: Target, text: str) -> Customer:
    """Remove a part and return the customer."""
    command = RemovePart(target, part_id(text, parts.kind.noun))
    return await changed(info, parts.remove, command)


async def replace_parts(info: Info, parts: PartOperations, target: Target, value: object) -> Customer:
    """Replace all parts of a kind and return the customer."""
    return await changed(info, parts.replace_all, change_of(info, target, Replace(body_of(value))))


def change_of(info: Info, target: Target, change: Change) -> ChangeCustomer:
    """Return the command for a change of a customer."""
    return ChangeCustomer(target, change, key=key_of(info, dry_run=target.dry_run))


async def changed(info: Info, operation: Operation[Any, Any], command: object) -> Customer:
    """Change a customer and return it, where the caller may see what is selected of it.

    Raises:
        Problem: forbidden, before anything is changed; and those of the operation.
    """
    operation.permit(info.context, selected_fields(info))
    return shown(await operation(info.context, command))


def shown(result: object) -> Customer:
    """Return the result of an operation as GraphQL shows it."""
    return cast("Customer", result.customer if isinstance(result, PartResult) else result)
