"""Which sites' pages may send requests through a browser: protection against forged ones (CSRF).

A browser adds Basic credentials that it remembers to every request, so a page of another site could change
customers with them. The signals are those of Fetch Metadata, else Origin compared with Host.
Source: Fetch Metadata Request Headers (W3C), Sec-Fetch-Site; RFC 6454 section 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers

from resolvers.problems import ORIGIN_REFUSED, Problem

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def check_origin(method: str, headers: Headers, allowed: Sequence[str], own: str) -> None:
    """Let requests pass that read, or that no other site's page has sent; `own` is the gateway's own address.

    Raises:
        Problem: origin-refused.
    """
    if method not in _SAFE and not is_own(headers, allowed, own):
        raise Problem(ORIGIN_REFUSED, "A page of another site may not send this.", resource="origins")


def is_own(headers: Headers, allowed: Sequence[str], own: str) -> bool:
    """Tell whether a request comes from no browser, from the gateway's own pages or from a listed origin."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and origin in allowed:
        return True
    if site is not None:
        return site in {"same-origin", "none"}
    if origin is None:
        return True
    host = origin.partition("://")[2]
    return host != "" and host in {headers.get("host", ""), own.partition("://")[2].partition("/")[0]}
