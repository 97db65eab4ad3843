"""The handlers of operations, and of what becomes one."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from app.http.requests import base_url
from app.rest.call import Call
from app.rest.customers import PREFIX
from app.rest.questions import where_of
from app.rest.representations import collection_body, json_response
from resolvers.commands import DeleteCustomers, GetJob
from resolvers.deletions import delete_customers
from resolvers.identifiers import job_id
from resolvers.jobs import POLL_SECONDS, cancel_job, get_job, list_jobs, shown_job
from storage.jobs import Job


async def get(call: Call) -> Response:
    """GET /operations/{operationId}."""
    return job_response(call, await get_job(call.ctx, asked_job(call)))


async def list_all(call: Call) -> Response:
    """GET /operations."""
    jobs = await list_jobs(call.ctx, None)
    return json_response(call, collection_body(call, "operations", [_shown(call, job) for job in jobs]))


async def cancel(call: Call) -> Response:
    """POST /operations/{operationId}:cancel."""
    return job_response(call, await cancel_job(call.ctx, asked_job(call)))


async def delete(call: Call) -> Response:
    """DELETE /customers."""
    everything = call.parameters.choice("confirm", ("all",), "") == "all"
    command = DeleteCustomers(where_of(call.parameters), everything, call.dry_run, call.key())
    deleted = await delete_customers(call.ctx, command)
    if deleted.job is not None:
        return begun_response(call, deleted.job)
    return json_response(call, {"deleted": deleted.count})


def asked_job(call: Call) -> GetJob:
    """Return which operation is meant; raises invalid-id."""
    return GetJob(job_id(call.request.path_params["operationId"]))


def begun_response(call: Call, job: Job) -> Response:
    """Return the 202 for an operation that has just begun."""
    return job_response(call, job, status=202, headers={"Location": f"{PREFIX}/operations/{job['id']}"})


def job_response(call: Call, job: Job, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return an operation; one that has not ended says when to ask again."""
    shown = _shown(call, job)
    again = {"Retry-After": str(POLL_SECONDS)} if job["status"] == "running" else {}
    body = {"operation": shown} if call.enveloped else shown
    return json_response(call, body, status=status, headers={**again, **(headers or {})})


def _shown(call: Call, job: Job) -> dict[str, Any]:
    shown = shown_job(job)
    return {**shown, "errors": [rest_error(error, base_url(call.request)) for error in shown["errors"]]}


def rest_error(error: dict[str, Any], site: str) -> dict[str, Any]:
    """Return an error with the problem as RFC 9457 has it: its type is its page, and it has no empty members."""
    problem = {name: value for name, value in error["problem"].items() if value not in ([], None)}
    return {"line": error["line"], "problem": {"type": f"{site}/problems/{problem.pop('slug')}", **problem}}
