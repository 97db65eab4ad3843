"""The bare handler that the gateway is measured against: the same customers served by as little code as can be.

Starlette, PyMongo's asynchronous client and orjson, as a plain developer would put them together: nothing is
validated, nobody is authenticated, nothing is limited or logged. It runs under uvicorn as the gateway does.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson
from pymongo import AsyncMongoClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_SHOWN: Final = {"_id": 0, "keys": 0}


def bare_app() -> Starlette:
    """Return the application; `YARDSTICK_URL` and `YARDSTICK_DATABASE` say where the customers are."""
    client = AsyncMongoClient[dict[str, Any]](os.environ["YARDSTICK_URL"], w="majority")
    database = client[os.environ["YARDSTICK_DATABASE"]]
    customers, created = database["customers"], database["created"]  # the gateway's indexes want keys of their own

    async def get(request: Request) -> Response:
        found = await customers.find_one({"id": request.path_params["id"]}, _SHOWN)
        return _json(found, 200 if found else 404)

    async def get_page(request: Request) -> Response:
        page, size = (int(request.query_params[name]) for name in ("page", "size"))
        cursor = customers.find({}, _SHOWN).sort("id").skip((page - 1) * size).limit(size)
        return _json({"content": await cursor.to_list()})

    async def create(request: Request) -> Response:
        customer = {"id": str(uuid.uuid4()), **orjson.loads(await request.body())}
        await created.insert_one({**customer})  # a copy, to which the driver adds `_id`
        return _json(customer, 201)

    async def ready(_request: Request) -> Response:
        return _json(await client.admin.command("ping", maxTimeMS=1000) and {"status": "ready"})

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    return Starlette(
        routes=[
            Route("/customers", get_page, methods=["GET"]),
            Route("/customers", create, methods=["POST"]),
            Route("/customers/{id}", get),
            Route("/ready", ready),
        ],
        lifespan=lifespan,
    )


def _json(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
