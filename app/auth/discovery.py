"""What an issuer publishes about itself, read with bounds on size and address; the reader sets the time.

Source: OpenID Connect Discovery 1.0 section 4; RFC 8414 section 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from app.http.body import parse_json
from app.settings import is_loopback
from resolvers.problem import JsonValue, Problem

if TYPE_CHECKING:
    import httpx2

MAX_BYTES: Final = 256 * 1024
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}  # a compressed answer could be a bomb


class Unreadable(Exception):
    """An issuer's document that could not be had, or is not what it should be; its text may be logged."""


async def read_document(client: httpx2.AsyncClient, url: str) -> JsonValue:
    """Return the JSON at an address. No redirect is followed, and at most `MAX_BYTES` are held.

    Raises:
        Unreadable: no answer, another status than 200, too long, or not strict JSON.
    """
    import httpx2  # here, for most gateways ask no issuer and need not hold it

    body = bytearray()
    try:
        async with client.stream("GET", url, headers=_HEADERS, follow_redirects=False) as response:
            if response.status_code != 200:
                raise Unreadable(f"status {response.status_code}")
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise Unreadable(f"more than {MAX_BYTES} bytes")
        return parse_json(bytes(body))
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        raise Unreadable(type(error).__name__) from error
    except Problem as error:
        raise Unreadable(f"not JSON: {error.type.slug}") from error


async def find_jwks(client: httpx2.AsyncClient, issuer: str) -> str:
    """Return the address of an issuer's keys, from the first of its documents that is good.

    Raises:
        Unreadable: there is none, it is another issuer's, or the address that it names is not secure.
    """
    problem = Unreadable("no metadata")
    for url in _metadata_urls(issuer):
        try:
            return _jwks_uri(await read_document(client, url), issuer)
        except Unreadable as error:
            problem = error
    raise problem


def _metadata_urls(issuer: str) -> Iterator[str]:
    bare = issuer.rstrip("/")
    path = urlsplit(bare).path
    yield f"{bare}/.well-known/openid-configuration"
    yield f"{bare.removesuffix(path)}/.well-known/oauth-authorization-server{path}"


def _jwks_uri(document: JsonValue, issuer: str) -> str:
    if not isinstance(document, dict) or document.get("issuer") != issuer:
        raise Unreadable("the metadata names another issuer")
    url = document.get("jwks_uri")
    if not isinstance(url, str) or not _secure(url, issuer):
        raise Unreadable("jwks_uri is not a secure address")
    return url


def _secure(url: str, issuer: str) -> bool:
    """Tell whether keys may be read there: https, or this machine where the issuer is on it too."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    local = issuer.startswith("http://") and is_loopback(host or "")
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and local))
