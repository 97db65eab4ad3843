"""What browsers ask before a page of another origin may send a request (CORS).

A preflight has no body that a page gets to see: a browser looks at status and headers, and shows both to whoever
debugs the page. So an origin that is not let in is told so by a problem without a header that would let it in. A
listed one is told what it may send, and the browser compares: refused by a status, it could only say that something
failed, and not which header or method.
Source: Fetch Standard (WHATWG), CORS-preflight fetch.
"""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.http.heads import heads_of
from app.http.problems import problem_response
from resolvers.problem import Problem
from resolvers.problems import ORIGIN_REFUSED

_VARY: Final = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"


class CrossOrigin(CORSMiddleware):
    """Starlette's middleware, but for the answers to preflights."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer the question of a browser whether it may be sent."""
        if scope["type"] == "http" and scope["method"] == "OPTIONS" and self._refuses(scope):
            refused = Problem(ORIGIN_REFUSED, "Pages of this origin may not use the gateway.", resource="origins")
            await problem_response(Request(scope), refused, {"Vary": _VARY})(scope, receive, send)
            return
        await super().__call__(scope, receive, send)

    def _refuses(self, scope: Scope) -> bool:
        heads = heads_of(scope)
        asks = b"origin" in heads and b"access-control-request-method" in heads
        return asks and not self.is_allowed_origin(heads.text(b"origin"))

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return what a listed origin may send, whatever it asks for."""
        allowed = {"Access-Control-Allow-Origin": request_headers["origin"], "Vary": _VARY}
        return Response(headers={**self.preflight_headers, **allowed})
