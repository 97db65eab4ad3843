"""Operations that go on after their request: types, queries and mutations."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, cast

import strawberry

from resolvers.commands import DeleteCustomers, GetJob
from resolvers.deletions import delete_customers
from resolvers.filtering import all_of, search
from resolvers.identifiers import job_id
from resolvers.jobs import MOST_LISTED, cancel_job, get_job, list_jobs, shown_job
from resolvers.problem import Problem
from resolvers.problems import NOT_FOUND
from schema.commands import Key, key_of
from schema.fields import described
from schema.filters import CustomerFilter, where
from schema.types import DateTime, Info
from storage.jobs import Job
from storage.query import EVERYTHING


@strawberry.enum(description="What an operation does.")
class OperationKind(Enum):
    """Kinds of operations."""

    IMPORT = strawberry.enum_value("import", description="It stores the customers of a file; begun over REST.")
    DELETE = strawberry.enum_value("delete", description="It erases customers that a filter finds.")


@strawberry.enum(description="Whether an operation goes on, or how it ended.")
class OperationStatus(Enum):
    """States of operations."""

    RUNNING = strawberry.enum_value("running", description="It goes on, or waits for its turn.")
    SUCCEEDED = strawberry.enum_value(
        "succeeded", description="It came to its end; single lines may have been refused."
    )
    FAILED = strawberry.enum_value("failed", description="It could not be done to its end.")
    CANCELLED = strawberry.enum_value("cancelled", description="Its owner ended it; what was done stays.")


@strawberry.enum(description="A word that says that something far-reaching is meant.")
class Confirmation(Enum):
    """What may be confirmed."""

    ALL = strawberry.enum_value("all", description="Really all customers.")


@strawberry.type(description="One fault in what was sent.")
class OperationFault:
    """A fault of a line."""

    field: str = described("Where, as people write it: addresses[0].postalCode.")
    pointer: str = described("Where, as a JSON Pointer.")
    message: str = described("What is wrong.")


@strawberry.type(description="The problem that a request of its own would have had.")
class OperationProblem:
    """What is wrong with a line, or with the whole."""

    slug: str = described("The last part of the problem's type: its page is /problems/{slug}.")
    title: str = described("The kind of problem.")
    status: int = described("Its status over REST.")
    code: int = described("The gateway's own number of the problem.")
    detail: str = described("What is wrong here.")
    fields: list[str] = described("The fields in conflict with what is stored.")
    errors: list[OperationFault] = described("All faults of the line.")


@strawberry.type(description="A line that was refused.")
class OperationError:
    """An error of an operation."""

    line: int | None = described("The line, from 1; null where it is about the whole.")
    problem: OperationProblem = described("What is wrong with it.")


@strawberry.type(description="How often one outcome came.")
class OperationCount:
    """One of the counts."""

    outcome: str = described("created, updated, unchanged, skipped, refused or deleted.")
    count: int = described("How often it came.")


@strawberry.type(description="Work that goes on after its request was answered. Only who began it can see it.")
class Operation:
    """An operation."""

    id: strawberry.ID = described("The operation's UUID, the same that REST shows.")
    kind: OperationKind = described("What it does.")
    status: OperationStatus = described("Whether it goes on, or how it ended.")
    done: int = described("How many lines, or customers, are done.")
    total: int | None = described("Of how many; null until that is known.")
    failed: int = described("How many of those done were refused.")
    counts: list[OperationCount] = described("What became of those done.")
    errors: list[OperationError] = described("The first 100 lines that were refused.")
    dry_run: bool = described("Whether it only checks and stores nothing.")
    cancel_requested: bool = described("Whether its owner wants it to end.")
    created_at: DateTime = described("When it was begun.")
    updated_at: DateTime = described("When it last came further.")


@strawberry.type(description="What became of a deletion of many customers.")
class DeletedCustomers:
    """Customers that were erased."""

    deleted: int = described("How many customers were erased before this answer, or with dryRun would be.")
    operation: Operation | None = described("What erases the rest, where there are too many to wait for.")


def _shown(job: Job) -> Operation:
    """Return GraphQL's form of an operation."""
    shown = shown_job(job)
    counts = [{"outcome": name, "count": count} for name, count in shown["counts"].items()]
    return cast("Operation", {**shown, "counts": counts})


Id = Annotated[strawberry.ID, strawberry.argument(description="The operation's UUID.")]


@strawberry.type
class JobQueries:
    """The queries about operations."""

    @strawberry.field(description="One operation of the caller's own by id; null where there is none.")
    async def operation(self, info: Info, id: Id) -> Operation | None:  # noqa: A002 - the schema's name
        """Return one operation. Problems: invalid-id."""
        try:
            return _shown(await get_job(info.context, GetJob(job_id(id))))
        except Problem as problem:
            if problem.type is NOT_FOUND:
                return None
            raise

    @strawberry.field(description=f"The newest {MOST_LISTED} operations of the caller, the newest first.")
    async def operations(self, info: Info) -> list[Operation]:
        """Return operations."""
        return [_shown(job) for job in await list_jobs(info.context, None)]


Where = Annotated[
    CustomerFilter | None, strawberry.argument(description="The customers that fulfil this; the same as of customers.")
]
Words = Annotated[
    str | None,
    strawberry.argument(description="Only customers with words that begin so: names, e-mail, city, phone digits."),
]
Confirm = Annotated[
    Confirmation | None,
    strawberry.argument(description="ALL says that really all customers are meant, instead of a filter."),
]
DryRun = Annotated[bool | None, strawberry.argument(description="Count the customers; erase nobody.")]


@strawberry.type
class JobMutations:
    """The mutations that are operations, or end them."""

    @strawberry.mutation(description="Erase all customers that a filter finds; many of them by an operation.")
    async def delete_customers(
        self,
        info: Info,
        filter: Where = None,  # noqa: A002 - the schema's name
        search: Words = None,
        confirm: Confirm = None,
        idempotency_key: Key = None,
        dry_run: DryRun = False,
    ) -> DeletedCustomers:
        """Problems: invalid-parameter, invalid-filter, rate-limited."""
        meant = _meant(filter, search)
        key = key_of(info, idempotency_key, dry_run=dry_run)
        deleted = await delete_customers(info.context, DeleteCustomers(meant, confirm is not None, bool(dry_run), key))
        job = deleted.job
        return DeletedCustomers(deleted=deleted.count, operation=_shown(job) if job else None)

    @strawberry.mutation(description="Ask an operation to end; what is done stays done.")
    async def cancel_operation(self, info: Info, id: Id) -> Operation:  # noqa: A002 - the schema's name
        """Problems: invalid-id, not-found."""
        return _shown(await cancel_job(info.context, GetJob(job_id(id))))


def _meant(asked: CustomerFilter | None, words: str | None) -> Any:
    parts = [where(asked), search(words) if words is not None else None]
    return all_of(part for part in parts if part not in (None, EVERYTHING))
