"""Which sites' pages may send requests through a browser: protection against forged ones (CSRF).

A browser adds Basic credentials that it remembers to every request, so a page of another site could change
customers with them. The signals are those of Fetch Metadata, else Origin compared with Host.
Source: Fetch Metadata Request Headers (W3C), Sec-Fetch-Site; RFC 6454 section 7.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from app.http.heads import Heads
from resolvers.problem import Problem
from resolvers.problems import ORIGIN_REFUSED

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def check_origin(method: str, heads: Heads, allowed: Sequence[str], own: Callable[[], str]) -> None:
    """Let requests pass that read, or that no other site's page has sent; `own` gives the gateway's own address.

    Raises:
        Problem: origin-refused.
    """
    if method not in _SAFE and not is_own(heads, allowed, own):
        raise Problem(ORIGIN_REFUSED, "A page of another site may not send this.", resource="origins")


def is_own(heads: Heads, allowed: Sequence[str], own: Callable[[], str]) -> bool:
    """Tell whether a request comes from no browser, from the gateway's own pages or from a listed origin."""
    if b"origin" not in heads and b"sec-fetch-site" not in heads:
        return True
    origin, site = heads.text(b"origin"), heads.text(b"sec-fetch-site")
    if origin in allowed:
        return True
    if b"sec-fetch-site" in heads:
        return site in {"same-origin", "none"}
    host = origin.partition("://")[2]
    return host != "" and host in {heads.text(b"host"), own().partition("://")[2].partition("/")[0]}
