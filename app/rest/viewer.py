"""The handler that tells callers who they are."""

from __future__ import annotations

from starlette.responses import Response

from app.rest.call import Call
from app.rest.representations import json_response
from resolvers.viewer import get_viewer


async def get(call: Call) -> Response:
    """GET /viewer."""
    viewer = await get_viewer(call.ctx, None)
    caller = viewer.caller
    body = {
        "id": caller.id,
        "name": caller.name,
        "scopes": sorted(caller.scopes),
        "quota": [budget._asdict() for budget in viewer.quota],
    }
    return json_response(call, {"viewer": body} if call.enveloped else body)
