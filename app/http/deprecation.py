"""Telling and counting the use of what is deprecated, for both doors. Source: RFC 9745, RFC 8594, RFC 5829."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email.utils import formatdate
from typing import Final

from starlette.requests import HTTPConnection, Request
from starlette.types import Scope

from app.http.requests import state_of
from resolvers.context import Context
from resolvers.deprecation import Deprecation

DEPRECATED: Final = "deprecated"
"""Where a scope holds what its answer tells is deprecated: by name, with whether the request names it."""
Told = dict[str, tuple[Deprecation, bool]]


def announce(scope: Scope, entries: Iterable[Deprecation]) -> None:
    """Let the answer's head tell that these are deprecated."""
    told: Told = scope.setdefault(DEPRECATED, {})
    for one in entries:
        told.setdefault(one.name, (one, False))


def use(request: Request, ctx: Context, entries: Iterable[Deprecation]) -> None:
    """Count that the request names these, each once, and let the answer's head tell.

    Raises:
        Problem: retired, for the first whose sunset has passed.
    """
    told: Told = request.scope.setdefault(DEPRECATED, {})
    used = [one for one in entries if not told.get(one.name, (one, False))[1]]
    told |= {one.name: (one, True) for one in used}
    count(request, ctx, used)


def count(connection: HTTPConnection, ctx: Context, entries: Iterable[Deprecation]) -> None:
    """Count that an operation names these, each once; on a socket, whose head has gone, that is all.

    Raises:
        Problem: retired, for the first whose sunset has passed.
    """
    used = tuple(dict.fromkeys(entries))
    for one in used:
        state_of(connection).metrics.used(one.name, ctx.caller.id if ctx.caller else None)
    for one in used:
        one.check(ctx.now())


def deprecation_headers(told: Told) -> Iterator[tuple[bytes, bytes]]:
    """Yield the headers for what is deprecated: the earliest moments, and links for each."""
    entries = [one for one, _ in told.values()]
    if not entries:
        return
    yield b"deprecation", b"@%d" % min(one.since.timestamp() for one in entries)
    if sunsets := [one.sunset.timestamp() for one in entries if one.sunset is not None]:
        yield b"sunset", formatdate(min(sunsets), usegmt=True).encode()
    yield b"link", ", ".join(dict.fromkeys(link for one in entries for link in _links(one))).encode()


def _links(one: Deprecation) -> Iterator[str]:
    yield f'<{one.link}>; rel="deprecation"; type="text/html"'
    if one.sunset is not None:
        yield f'<{one.link}>; rel="sunset"; type="text/html"'
    if one.successor is not None:
        yield f'<{one.successor}>; rel="successor-version"'
