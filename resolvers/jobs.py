"""Operations that go on after the answer to their request: done by any worker, read by their owner alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any, Final

from resolvers.commands import GetJob
from resolvers.context import Caller, Context
from resolvers.operation import operation
from resolvers.problem import Problem
from resolvers.problems import NOT_FOUND, PROBLEM_TYPES, RATE_LIMITED, UNAUTHORIZED
from storage.documents import instant, new_id
from storage.jobs import Job, JobError, JobId, JobKind

RESOURCE: Final = "operations"
MOST_RUNNING: Final = 20
"""How many operations of one caller may be under way."""
MOST_LISTED: Final = 50
"""How many operations a list shows: no more than one document of GraphQL may ask for with all that they have."""
POLL_SECONDS: Final = 1
"""After how long it is worth to ask again."""
SHOWN: Final = (
    "id", "kind", "status", "done", "total", "failed", "counts", "errors", "dryRun", "cancelRequested", "createdAt",
    "updatedAt",
)  # fmt: skip
"""What is shown of an operation."""
_LONGEST: Final = 400
"""How many characters of a text are told: the name of an unknown property may be as long as a line."""
_WAIT_SECONDS: Final = 5
_TYPES: Final = {kind.slug: kind for kind in PROBLEM_TYPES}


@operation(
    "getOperation",
    scope=None,
    rest=("GET /operations/{operationId}",),
    graphql=("Query.operation",),
    summary="Get one operation: its progress, its result",
)
async def get_job(ctx: Context, command: GetJob) -> Job:
    """Return an operation of the caller's own. Raises not-found, for another caller's too."""
    return _found(await ctx.store.jobs.get(command.id, _caller(ctx).id))


@operation(
    "listOperations",
    scope=None,
    rest=("GET /operations",),
    graphql=("Query.operations",),
    summary="List the caller's operations",
)
async def list_jobs(ctx: Context, command: None) -> list[Job]:  # noqa: ARG001 - every operation takes a command
    """Return the newest operations of the caller, the newest first."""
    return await ctx.store.jobs.newest(_caller(ctx).id, MOST_LISTED)


@operation(
    "cancelOperation",
    scope=None,
    rest=("POST /operations/{operationId}:cancel",),
    graphql=("Mutation.cancelOperation",),
    summary="Cancel an operation",
)
async def cancel_job(ctx: Context, command: GetJob) -> Job:
    """Ask for the end of an operation, which comes after what is under way; one that has ended stays as it is.

    Raises not-found, for another caller's too.
    """
    return _found(await ctx.store.jobs.request_cancel(command.id, _caller(ctx).id, instant(ctx.now())))


@operation(
    "getRefusedLines",
    scope=None,
    rest=("GET /operations/{operationId}/refused-lines",),
    rest_alone="its answer is a file of any size; `errors` of the operation tells the first 100.",
    summary="Get the lines that an import refused",
)
async def get_refused_lines(ctx: Context, command: GetJob) -> AsyncIterator[bytes]:
    """Return the report of an operation in pieces, still to be read. Raises not-found, for another caller's too.

    A piece holds whole lines of JSON, each a `JobError`.
    """
    job = await get_job.run(ctx, command)
    return ctx.store.chunks.all(job["id"], "refused")


def _found(job: Job | None) -> Job:
    if job is None:
        raise Problem(NOT_FOUND, "There is no operation with this id.", resource=RESOURCE)
    return job


def _caller(ctx: Context) -> Caller:
    if ctx.caller is None:
        raise Problem(UNAUTHORIZED, "This needs credentials.")
    return ctx.caller


def new_job_id() -> JobId:
    """Return the id of an operation that is to begin."""
    return JobId(new_id())


async def check_room(ctx: Context) -> None:
    """Raise rate-limited where too many operations of the caller are under way."""
    if await ctx.store.jobs.count_running(_caller(ctx).id) >= MOST_RUNNING:
        told = f"{MOST_RUNNING} of your operations are under way. Wait until one has ended, or cancel one."
        raise Problem(RATE_LIMITED, told, extra={"retryAfter": _WAIT_SECONDS}, resource=RESOURCE)


async def begin_job(
    ctx: Context, kind: JobKind, task: Mapping[str, Any], *, job_id: JobId | None = None, **said: Any
) -> Job:
    """Keep a new operation, as the outcome where it has an idempotency key, and return it.

    `said` are members of `Job` that begin with another value than nothing.
    """
    job = _new_job(ctx, kind, task, job_id or new_job_id())
    job |= said  # type: ignore[typeddict-item]
    if ctx.claim is None:
        await ctx.store.jobs.create(job)
    else:
        shown = {name: value for name, value in job.items() if name in SHOWN}
        await ctx.claim.complete({"job": shown}, partial(ctx.store.jobs.insert, job))
    ctx.services.begun()
    return job


def _new_job(ctx: Context, kind: JobKind, task: Mapping[str, Any], job_id: JobId) -> Job:
    """Return an operation of the caller's of which nothing is done."""
    now = instant(ctx.now())
    return {
        "id": job_id,
        "owner": _caller(ctx).id,
        "kind": kind,
        "status": "running",
        "done": 0,
        "total": None,
        "failed": 0,
        "counts": {},
        "errors": [],
        "dryRun": False,
        "cancelRequested": False,
        "createdAt": now,
        "updatedAt": now,
        "attempts": 0,
        "task": {**task, "asked": {"kind": _caller(ctx).kind, "door": ctx.door, "requestId": ctx.request_id}},
        "position": {},
    }


def job_error(problem: Problem, line: int | None = None) -> JobError:
    """Return a problem as operations keep it: without what was sent."""
    faults = [
        {"field": one.field[:_LONGEST], "pointer": one.pointer[:_LONGEST], "message": one.message[:_LONGEST]}
        for one in problem.faults
    ]
    fields = problem.extra.get("fields")
    return {
        "line": line,
        "slug": problem.type.slug,
        "detail": problem.detail[:_LONGEST],
        "faults": faults,  # type: ignore[typeddict-item]
        "fields": [str(name) for name in fields] if isinstance(fields, list) else [],
    }


def shown_job(job: Job) -> dict[str, Any]:
    """Return an operation as both doors show it; where REST has the type of a problem, this has its slug."""
    shown: dict[str, Any] = {name: value for name, value in job.items() if name in SHOWN}
    return {**shown, "errors": [shown_error(error) for error in job["errors"]]}


def shown_error(error: JobError) -> dict[str, Any]:
    """Return the line of an error, and the problem that a request of its own would have had."""
    kind = _TYPES[error["slug"]]
    problem = {
        "slug": kind.slug,
        "title": kind.title,
        "status": kind.status,
        "detail": error["detail"],
        "code": kind.code,
        "fields": error["fields"],
        "errors": error["faults"],
    }
    return {"line": error["line"], "problem": problem}
