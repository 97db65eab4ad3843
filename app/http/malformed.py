"""What is wrong with what the parser of HTTP cannot read."""

from __future__ import annotations

import re

import httptools

from resolvers.problem import Problem
from resolvers.problems import MALFORMED_REQUEST

_REQUEST_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ (/[!-~]*) HTTP/1\.[01]\r\n")
_NO_URI = "The request's target is not a URI (RFC 3986)."


def unknown_method(error: Exception, data: bytes) -> bytes | None:
    """Return the path of a request that is well-formed but for a method that the parser does not know, else None.

    RFC 9110 section 9.1 proposes 501. The gateway says 405 with Allow (404 where there is nothing), as for
    PROPFIND and the others that the parser happens to know: the client learns what works, and no 5xx is due.
    """
    line = _REQUEST_LINE.match(data) if isinstance(error, httptools.HttpParserInvalidMethodError) else None
    return line[1].partition(b"?")[0] if line else None


def malformed(error: Exception) -> Problem:
    """Return what the parser found; raises an error of our own that passed through it."""
    if isinstance(error, httptools.HttpParserCallbackError):
        if not isinstance(error.__context__, (httptools.HttpParserInvalidURLError, UnicodeDecodeError)):
            raise error
        return Problem(MALFORMED_REQUEST, _NO_URI)
    if isinstance(error, httptools.HttpParserInvalidURLError):
        return Problem(MALFORMED_REQUEST, _NO_URI)
    return Problem(MALFORMED_REQUEST, f"The request is not HTTP/1.1 (RFC 9112): {error}.")
