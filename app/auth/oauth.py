"""The addresses of OAuth 2.0: tokens (RFC 6749), public keys (RFC 7517), and what the issuer can (RFC 8414)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import orjson
import structlog
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidClientError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.auth.client_authentication import METHODS, authenticate_client
from app.auth.issuer import key_caller
from app.auth.signing import SealedKey
from app.auth.token_form import FORM, read_form
from app.auth.token_server import TokenAnswer
from app.http.admission import charge, check_failures, count_failure, public
from app.http.problems import problem_response
from app.http.requests import state_of
from app.rest.conditions import not_modified
from resolvers.context import ALL_SCOPES
from resolvers.operation import unavailable
from resolvers.problem import Problem
from resolvers.problems import UNAVAILABLE, UNSUPPORTED_MEDIA_TYPE
from storage.deadlines import wire_deadline
from storage.errors import Unavailable

TOKEN_PATH: Final = "/oauth/token"
JWKS_PATH: Final = "/.well-known/jwks.json"
METADATA_PATH: Final = "/.well-known/oauth-authorization-server"
GRANT: Final = "client_credentials"
JWKS_MEDIA: Final = "application/jwk-set+json"
_CHALLENGE: Final = 'Basic realm="customer-gateway", charset="UTF-8"'
_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_BRIEF: Final = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}
_WIRE_MARGIN: Final = 0.25


def oauth_routes() -> list[BaseRoute]:
    """Return the routes, all of them public."""
    return [
        Route(TOKEN_PATH, token, methods=["POST"]),
        Route(JWKS_PATH, public(jwks)),
        Route(METADATA_PATH, public(metadata)),
    ]


async def token(request: Request) -> Response:
    """POST /oauth/token: an access token for client credentials (RFC 6749 section 4.4)."""
    request.scope["route_template"] = TOKEN_PATH
    try:
        return _rendered(await _issued(request))
    except OAuth2Error as error:
        status, body, headers = error()
        return _rendered(TokenAnswer(status, body, dict(headers)))
    except Problem as problem:
        accepted = {"Accept": FORM} if problem.type is UNSUPPORTED_MEDIA_TYPE else {}
        return problem_response(request, problem, {**_NO_STORE, **accepted})


async def _issued(request: Request) -> TokenAnswer:
    form = await read_form(request)
    issuer = state_of(request).issuer
    await check_failures(request)
    async with _within_time(request):
        try:
            client = await authenticate_client(
                request.headers.getlist("authorization"), form, issuer.keys, issuer.clock()
            )
        except InvalidClientError:
            await count_failure(request)
            raise
        request.scope["caller_id"] = client.id
        await charge(request, key_caller(client, frozenset()))
        return await issuer.issue(client, form)


def _rendered(answer: TokenAnswer) -> Response:
    challenge = {"WWW-Authenticate": _CHALLENGE} if answer.status == 401 else {}
    return Response(orjson.dumps(answer.body), answer.status, {**answer.headers, **_NO_STORE, **challenge})


async def jwks(request: Request) -> Response:
    """GET /.well-known/jwks.json: the public keys by which the gateway's tokens are verified."""
    request.scope["route_template"] = JWKS_PATH
    try:
        async with _within_time(request):
            keys = await state_of(request).issuer.signing.published()
    except Problem as problem:
        return problem_response(request, problem, {"Cache-Control": "no-store"})
    body = orjson.dumps({"keys": keys})
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    headers = {**_BRIEF, "ETag": tag}
    if not_modified(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=JWKS_MEDIA)


async def metadata(request: Request) -> Response:
    """GET /.well-known/oauth-authorization-server: what the issuer can (RFC 8414)."""
    request.scope["route_template"] = METADATA_PATH
    url = state_of(request).issuer.url
    body = {
        "issuer": url,
        "token_endpoint": url + TOKEN_PATH,
        "jwks_uri": url + JWKS_PATH,
        "service_documentation": f"{url}/docs",
        "scopes_supported": ALL_SCOPES,
        "response_types_supported": [],
        "grant_types_supported": [GRANT],
        "token_endpoint_auth_methods_supported": METHODS,
    }
    return Response(orjson.dumps(body), headers=_BRIEF, media_type="application/json")


@asynccontextmanager
async def _within_time(request: Request) -> AsyncIterator[None]:
    """Do inside what needs the store, within the time of a request.

    Raises:
        Problem: unavailable where the store or the time fails, or no key can sign.
    """
    seconds = state_of(request).settings.request_timeout
    try:
        async with asyncio.timeout(seconds):
            with wire_deadline(seconds - _WIRE_MARGIN):
                yield
    except (TimeoutError, Unavailable) as error:
        raise unavailable("none") from error
    except SealedKey as error:
        structlog.get_logger().error(str(error))
        raise Problem(UNAVAILABLE, "The gateway cannot sign tokens at present.", extra={"outcome": "none"}) from error
