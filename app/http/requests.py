"""What both doors need to know of a request."""

from __future__ import annotations

import re
from typing import cast
from urllib.parse import quote

from starlette.requests import HTTPConnection

from app.state import State
from resolvers.context import Caller, Context

_IN_PATH = "!$%&'()*+,-./:;=@_~"
"""What may stand in a path (RFC 3986 section 3.3)."""
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")


def state_of(request: HTTPConnection) -> State:
    """Return what the application holds."""
    return cast("State", request.scope["state"]["gateway"])


def request_id(request: HTTPConnection) -> str:
    """Return the request's id, the client's own or a new one."""
    return cast("str", request.scope.get("request_id", ""))


def path_of(request: HTTPConnection) -> str:
    """Return the path as the client sent it, percent-encoded whatever it holds."""
    return quote(request.scope["raw_path"], safe=_IN_PATH)


def base_url(request: HTTPConnection) -> str:
    """Return how clients reach the gateway: the setting, else as this request reached it."""
    settings = state_of(request).settings
    if settings.public_url:
        return settings.public_url
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        host = f"{settings.host}:{settings.port}"
    return f"{request.scope['scheme']}://{host}"


def context_of(request: HTTPConnection, caller: Caller | None) -> Context:
    """Return the operations' context for a request; its time begins now."""
    return Context(state_of(request).services, caller, request_id(request))
