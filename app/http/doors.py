"""The doors' own paths, found at once: most requests go to a few routes, and the framework looks at all in turn."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send


class Doors:
    """Hands requests to the ASGI applications among the routes, and everything else to `others`.

    These applications answer every method, and every problem, by themselves. Paths without parameters are looked
    up; the others are tried in their order, which is that of the list: put first what is asked for most.
    """

    def __init__(self, routes: Sequence[BaseRoute], others: ASGIApp) -> None:
        doors = [route for route in routes if isinstance(route, Route) and route.methods is None]
        self._fixed = {route.path: route.app for route in doors if not route.param_convertors}
        self._patterns = [(route.path_regex.match, route.app) for route in doors if route.param_convertors]
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        app = self._others if scope["type"] != "http" or scope.get("root_path") else self._find(scope)
        await app(scope, receive, send)

    def _find(self, scope: Scope) -> ASGIApp:
        path = scope["path"]
        fixed = self._fixed.get(path)
        if fixed is not None:
            return fixed
        for match, app in self._patterns:
            if (found := match(path)) is not None:
                scope["path_params"] = found.groupdict()
                return app
        return self._others


class GatewayApplication(Starlette):
    """Starlette with its routes behind `Doors`, and without the error page of its own: the edge is the last border."""

    def build_middleware_stack(self) -> ASGIApp:
        """Return the middleware around the doors."""
        app: ASGIApp = Doors(self.routes, ExceptionMiddleware(self.router, handlers=dict(self.exception_handlers)))
        for cls, args, kwargs in reversed(self.user_middleware):
            app = cls(app, *args, **kwargs)
        return app
