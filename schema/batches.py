"""Batches in GraphQL: operations as one-of inputs, and what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, Final, cast

import strawberry
from strawberry import UNSET

from resolvers.batches import Batch, Done, Item, Kind, check_size
from resolvers.changes import Target
from resolvers.commands import ChangeCustomer, CreateCustomer, DeleteCustomer
from resolvers.context import Context, IdempotencyKey
from resolvers.etags import etag
from resolvers.identifiers import customer_id
from resolvers.patches import Body, Change, MergePatch, Replace
from resolvers.preconditions import Precondition
from resolvers.problem import Path
from resolvers.problem import Problem as Refusal
from schema.fields import described
from schema.inputs import CreateCustomerInput, UpdateCustomerInput, to_json
from schema.types import Customer, key


@strawberry.input(description="A customer that takes another's place, in a batch.")
class CustomerReplacement:
    """A replacement."""

    id: strawberry.ID = described("The customer's UUID.")
    input: CreateCustomerInput = described("The whole customer.")
    if_version: int = described("The version that the change was made from; another one is refused.")


@strawberry.input(description="A change of a customer, in a batch.")
class CustomerUpdate:
    """A change."""

    id: strawberry.ID = described("The customer's UUID.")
    patch: UpdateCustomerInput = described("What to change.")
    if_version: int = described("The version that the change was made from; another one is refused.")


@strawberry.input(description="The end of a customer, in a batch.")
class CustomerDeletion:
    """A deletion."""

    id: strawberry.ID = described("The customer's UUID.")
    if_version: int | None = described("Refuse unless this is the present version.", None)


@strawberry.input(one_of=True, description="One operation of a batch: exactly one of these.")
class CustomerOperation:
    """An operation."""

    create: CreateCustomerInput | None = described("Create a customer.", UNSET)
    replace: CustomerReplacement | None = described("Replace a customer.", UNSET)
    update: CustomerUpdate | None = described("Change a customer.", UNSET)
    delete: CustomerDeletion | None = described("Erase a customer; this needs the scope customers:delete.", UNSET)


@strawberry.enum(description="What an operation of a batch does.")
class CustomerOperationKind(Enum):
    """Kinds of operations."""

    CREATE = strawberry.enum_value("create", description="Create a customer.")
    REPLACE = strawberry.enum_value("replace", description="Replace a customer.")
    UPDATE = strawberry.enum_value("update", description="Change a customer.")
    DELETE = strawberry.enum_value("delete", description="Erase a customer.")


@strawberry.type(description="One fault in what was sent.")
class Fault:
    """A fault."""

    field: str = described("Where it is, as people write it: addresses[0].postalCode.")
    pointer: str = described("Where it is, as a JSON Pointer into operations.")
    message: str = described("What is wrong.")


_SOMETIMES: Final = ("current_version", "differing_fields", "fields", "outcome")
"""What only some problems say."""


@strawberry.type(description="Why an operation of a batch was refused, as extensions tells it of a single one.")
class Problem:
    """A problem of the registry."""

    type: str = described("The page that describes the problem.")
    title: str = described("The kind of problem.")
    status: int = described("Its status.")
    detail: str = described("What is wrong here.")
    code: int = described("The gateway's own number of the problem.")
    errors: list[Fault] = described("All faults of what was sent; detail counts them where there are more.")
    current_version: int | None = described("The present version of a customer that has changed.")
    differing_fields: list[str] | None = described("Of such a customer, what differs from what was sent.")
    fields: list[str] | None = described("The fields in conflict.")
    outcome: str | None = described("Of a store that failed: none where nothing was changed, else unknown.")

    @staticmethod
    def of(refusal: Refusal, ctx: Context) -> Problem:
        """Return GraphQL's form of a problem."""
        told: dict[str, Any] = refusal.members(ctx.base_url, ctx.request_id)
        errors = [Fault(**fault) for fault in told.get("errors", ())]
        always = {name: told[name] for name in ("type", "title", "status", "detail", "code")}
        sometimes: dict[str, Any] = {name: told.get(key(name)) for name in _SOMETIMES}
        return Problem(errors=errors, **always, **sometimes)


@strawberry.type(description="What became of one operation of a batch.")
class OperationResult:
    """A result."""

    op: CustomerOperationKind = described("What was asked for.")
    status: int = described("Its status, as REST has it: 200, 201, 204, or that of its problem.")
    id: strawberry.ID | None = described("The customer's id, where there is one.")
    version: int | None = described("The version that the operation left.")
    etag: str | None = described("The ETag of the full customer, good as If-Match over REST.")
    customer: Customer | None = described("The customer as it is then.")
    problem: Problem | None = described("Why it was refused.")

    @staticmethod
    def of(done: Done, ctx: Context) -> OperationResult:
        """Return GraphQL's form of a result."""
        return OperationResult(
            op=cast("CustomerOperationKind", done.kind),
            status=done.status,
            id=None if done.id is None else strawberry.ID(done.id),
            version=done.version,
            etag=None if done.customer is None else etag(done.customer),
            customer=cast("Customer | None", done.customer),
            problem=None if done.problem is None else Problem.of(done.problem, ctx),
        )


@strawberry.type(description="What became of a batch.")
class BatchResult:
    """The results."""

    results: list[OperationResult] = described("In the order of the operations.")

    @staticmethod
    def of(results: Sequence[Done], ctx: Context) -> BatchResult:
        """Return GraphQL's form of the results."""
        return BatchResult(results=[OperationResult.of(done, ctx) for done in results])


def creates_alone(operations: Sequence[CustomerOperation]) -> bool:
    """Tell whether a batch changes no customer that there is already."""
    return all(one.create for one in operations)


def batch_of(
    operations: Sequence[CustomerOperation], *, atomic: bool | None, dry_run: bool | None, key: IdempotencyKey | None
) -> Batch:
    """Return the batch that these operations are, atomic unless that is false. Raises validation-error for too many."""
    check_size(len(operations), ("operations",))
    items = tuple(_item(one, index) for index, one in enumerate(operations))
    return Batch(items, atomic is not False, bool(dry_run), key)


def _item(sent: CustomerOperation, index: int) -> Item:
    if sent.create:
        return Item("create", CreateCustomer(_body(sent.create)), None, (index, "create"), sent.create.email)
    kind: Kind = "replace" if sent.replace else "update" if sent.update else "delete"
    named = cast("CustomerReplacement | CustomerUpdate | CustomerDeletion", getattr(sent, kind))
    try:
        identifier = customer_id(named.id)
    except Refusal as refusal:
        return Item(kind, refusal.with_traceback(None))
    target = Target(identifier, Precondition(version=named.if_version))
    if isinstance(named, CustomerDeletion):
        return Item(kind, DeleteCustomer(target), identifier)
    if isinstance(named, CustomerReplacement):
        change: Change = Replace(_body(named.input))
        at: Path = (index, "replace", "input")
        email: str | None = named.input.email
    else:
        change, at = MergePatch(_body(named.patch)), (index, "update", "patch")
        email = named.patch.email or None
    return Item(kind, ChangeCustomer(target, change), identifier, at, email)


def _body(value: object) -> Body:
    return lambda: to_json(value)
