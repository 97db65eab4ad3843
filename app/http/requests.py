"""What both doors need to know of a request."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from starlette.requests import HTTPConnection

from app.http.heads import heads_of
from app.state import State

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
"""What a client's own request id must match to be taken."""
_IN_PATH = "!$%&'()*+,-./:;=@_~"
"""What may stand in a path (RFC 3986 section 3.3)."""
_SLASH = re.compile("%(?=2[Ff])")
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")


def state_of(request: HTTPConnection) -> State:
    """Return what the application holds."""
    state: State = request.scope["state"]["gateway"]
    return state


def request_id(request: HTTPConnection) -> str:
    """Return the request's id, the client's own or a new one."""
    identifier: str = request.scope.get("request_id", "")
    return identifier


def decoded(path: str) -> str:
    """Return a path without percent-encoding, but for slashes: encoded ones separate nothing (RFC 3986 section 2.2)."""
    return unquote(_SLASH.sub("%25", path)) if "%" in path else path


def path_of(request: HTTPConnection) -> str:
    """Return the path as the client sent it, percent-encoded whatever it holds."""
    return quote(request.scope["raw_path"], safe=_IN_PATH)


def base_url(request: HTTPConnection) -> str:
    """Return how clients reach the gateway: the setting, else as this request reached it."""
    settings = state_of(request).settings
    if settings.public_url:
        return settings.public_url
    host = heads_of(request.scope).text(b"host")
    if not _HOST.fullmatch(host):
        host = f"{settings.host}:{settings.port}"
    return f"{request.scope['scheme']}://{host}"
