"""The body of a token request, read strictly (RFC 6749 section 3.2 and appendix B)."""

from __future__ import annotations

from typing import Final

from authlib.oauth2.rfc6749.errors import InvalidRequestError
from starlette.requests import Request

from app.auth.client_authentication import decoded
from app.http.body import read_body
from resolvers.problem import Problem
from resolvers.problems import UNSUPPORTED_MEDIA_TYPE

FORM: Final = "application/x-www-form-urlencoded"
MAX_BODY: Final = 16 * 1024
"""In bytes."""
_UTF_8: Final = {"charset=utf-8", 'charset="utf-8"'}


async def read_form(request: Request) -> dict[str, str]:
    """Return the parameters of a token request; one without a value counts as left out.

    Raises:
        Problem: unsupported-media-type, body-too-large, request-timeout.
        InvalidRequestError: no form, a parameter twice, no grant_type, or parameters in the address, where
            logs would keep them.
    """
    _check_type(request)
    raw = await read_body(request, MAX_BODY)
    if request.scope["query_string"]:
        raise InvalidRequestError("Send the parameters in the body, not in the address.")
    form = {name: value for name, value in _parse(raw).items() if value}
    if "grant_type" not in form:
        raise InvalidRequestError("The parameter grant_type is missing.")
    return form


def _check_type(request: Request) -> None:
    kind, *parameters = (part.strip().lower() for part in _header(request, "content-type").split(";"))
    if kind != FORM or not set(parameters) <= _UTF_8:
        raise Problem(UNSUPPORTED_MEDIA_TYPE, f"Tokens are asked for by {FORM} in UTF-8.", resource="tokens")
    if _header(request, "content-encoding").lower() not in {"", "identity"}:
        raise Problem(UNSUPPORTED_MEDIA_TYPE, "Compressed bodies are not read.", resource="tokens")


def _header(request: Request, name: str) -> str:
    return ", ".join(request.headers.getlist(name)).strip()


def _parse(raw: bytes) -> dict[str, str]:
    try:
        pairs = [pair.partition("=") for pair in raw.decode("ascii").split("&") if pair]
        form = {decoded(name): decoded(value) for name, _, value in pairs}
    except ValueError as error:
        raise InvalidRequestError("The body is not a form in UTF-8.") from error
    if len(form) != len(pairs):
        raise InvalidRequestError("Send each parameter once.")
    return form
