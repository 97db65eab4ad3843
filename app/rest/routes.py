"""REST's routes: one for each path, which knows its methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from app.http.admission import admit, pay
from app.http.heads import heads_of
from app.http.idempotency import sent_key
from app.http.negotiation import check_accept, wants_envelope
from app.http.problems import problem_response
from app.limits.prices import price
from app.rest.call import JSON, PATCH_TYPES, Call
from app.rest.customers import PREFIX
from app.rest.deprecation import Notices, check_places, notices_of
from app.rest.endpoints import ENDPOINTS, Endpoint
from app.rest.parameters import parse_parameters
from app.rest.preferences import parse_prefer
from resolvers.deprecation import DEPRECATIONS, Deprecations
from resolvers.problem import Problem
from resolvers.problems import METHOD_NOT_ALLOWED

ALIAS = "/customers"
"""The path of the Customer Management API, served by the same handlers."""
_KEYED = {"POST", "PUT", "PATCH"}
_IN_QUERY = "!$%&'()*+,-./:;=?@_~"
"""What may stand in a query (RFC 3986 section 3.4); anything else would end the link early."""


@dataclass(frozen=True, slots=True)
class Resource:
    """All methods of one path, as an ASGI application."""

    template: str
    endpoints: dict[str, Endpoint]
    notices: Mapping[str, Notices]
    canonical: bool = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every problem is an answer too."""
        scope["route_template"] = self.template
        response = await self._respond(Request(scope, receive, send), scope["method"])
        await response(scope, receive, send)

    async def _respond(self, request: Request, method: str) -> Response:
        try:
            endpoint = self.endpoints.get("GET" if method == "HEAD" else method)
            if endpoint is not None:
                return await endpoint.handler(await self._call(request, endpoint))
            if method == "OPTIONS":
                return Response(status_code=204, headers={**self._options(), **self._link(request)})
            raise Problem(METHOD_NOT_ALLOWED, f"{method[:32]} does not work here.")
        except Problem as problem:
            return problem_response(request, problem, {**self._hints(problem, method), **self._link(request)})

    async def _call(self, request: Request, endpoint: Endpoint) -> Call:
        ctx = await admit(request)
        parameters = parse_parameters(request.scope["query_string"], endpoint.parameters)
        asked = endpoint.asked(parameters)
        asked.permit(ctx)
        if endpoint.method in _KEYED:
            sent_key(request.scope)  # what is no key is told where none is looked at, too
        notices = self.notices.get(endpoint.method)
        await pay(request, ctx, price("explain" if asked is endpoint.explain else endpoint.kind))
        check_accept(request, *endpoint.answers)
        return Call(
            request,
            ctx,
            parameters,
            parse_prefer(heads_of(request.scope).text(b"prefer")),
            enveloped=wants_envelope(request),
            dry_run=parameters.flag("dryRun", default=False),
            resource=parameters.flag("resource", default=True),
            canonical=self._canonical(request),
            usage=notices.usage(request, ctx, parameters) if notices is not None else None,
        )

    def _link(self, request: Request) -> dict[str, str]:
        """Return the header that leads from the alias to the address itself."""
        canonical = self._canonical(request)
        return {"Link": f'<{canonical}>; rel="canonical"'} if canonical else {}

    def _canonical(self, request: Request) -> str | None:
        if self.canonical:
            return None
        query = quote(request.scope["query_string"], safe=_IN_QUERY)
        return PREFIX + ALIAS + (f"?{query}" if query else "")

    def _options(self) -> dict[str, str]:
        methods = [*self.endpoints, *(["HEAD"] if "GET" in self.endpoints else []), "OPTIONS"]
        patch = {"Accept-Patch": ", ".join(self._patch_types())} if "PATCH" in self.endpoints else {}
        return {"Allow": ", ".join(methods), **patch}

    def _patch_types(self) -> tuple[str, ...]:
        return PATCH_TYPES if self.endpoints["PATCH"].kind == "patch" else (JSON,)

    def _hints(self, problem: Problem, method: str) -> dict[str, str]:
        if problem.type is METHOD_NOT_ALLOWED:
            return self._options()
        if problem.type.status == 415:
            patch = {name: value for name, value in self._options().items() if name == "Accept-Patch"}
            reads = ", ".join(self.endpoints[method].reads)
            return {"Accept": reads, "Accept-Encoding": "identity", **patch}
        return {}


def rest_routes(
    endpoints: Sequence[Endpoint] = ENDPOINTS, deprecations: Deprecations = DEPRECATIONS
) -> list[BaseRoute]:
    """Return the routes of /api/v1 and of the alias /customers.

    Raises:
        ValueError: something is deprecated that is nowhere.
    """
    paths: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    alias = {method: paths[ALIAS][method] for method in ("GET", "POST")}
    in_order = sorted(paths.items(), key=lambda item: "}:" not in item[0])  # an id would take in `:action`
    resources = [
        *(_resource(PREFIX + path, methods, deprecations) for path, methods in in_order),
        _resource(ALIAS, alias, deprecations, canonical=False),
    ]
    check_places(deprecations, [(method, one.template) for one in resources for method in one.endpoints])
    return [Route(resource.template, resource) for resource in resources]


def _resource(
    template: str, methods: dict[str, Endpoint], deprecations: Deprecations, *, canonical: bool = True
) -> Resource:
    """Return the application of an address; it knows of no notices where nothing is deprecated."""
    found = {method: notices_of(template, endpoint, deprecations) for method, endpoint in methods.items()}
    notices = {method: said for method, said in found.items() if said}
    return Resource(template, methods, notices, canonical)
