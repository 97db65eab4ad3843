"""Operations for tests: one that has ended, with everything in it that one can show."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import httpx2

from storage.documents import Instant
from storage.jobs import Job, JobId
from storage.store import StoreOptions, open_store
from tests.harness import Gateway

THEN = Instant("2026-01-31T12:00:00.000Z")


def store_operation(gateway: Gateway, client: httpx2.Client | None = None) -> str:
    """Store an import of the client's own that has ended, and return its id."""
    job: Job = {
        "id": JobId(str(uuid4())),
        "owner": (client or gateway.http).get("/api/v1/viewer").json()["id"],
        "kind": "import",
        "status": "succeeded",
        "done": 3,
        "total": 3,
        "failed": 2,
        "counts": {"created": 1, "refused": 2},
        "errors": [
            {
                "line": 2,
                "slug": "validation-error",
                "detail": "One field is not valid: email.",
                "faults": [{"field": "email", "pointer": "/email", "message": "must be an e-mail address"}],
                "fields": [],
            },
            {
                "line": 3,
                "slug": "conflict",
                "detail": "Another customer has this email address.",
                "faults": [],
                "fields": ["email"],
            },
        ],
        "dryRun": False,
        "cancelRequested": False,
        "createdAt": THEN,
        "updatedAt": THEN,
        "attempts": 1,
    }

    async def store() -> None:
        async with open_store(StoreOptions(gateway.store_url, gateway.database)) as opened:
            await opened.jobs.create(job)

    asyncio.run(store())
    return job["id"]
