"""Answers whose head is made of parts that are ready."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from starlette.responses import Response

RawHeaders = Iterable[tuple[bytes, bytes]]


class Answer(Response):
    """An answer with its head as it is sent, in lower case; of 204 and 304, which have no body, without a length."""

    def __init__(self, body: bytes, status: int, headers: RawHeaders, more: Mapping[str, str] | None = None) -> None:
        self.body = body
        self.status_code = status
        self.background = None
        self.raw_headers = [*headers]
        if status not in {204, 304}:
            self.raw_headers.append((b"content-length", b"%d" % len(body)))
        if more:
            self.raw_headers += [(_lower(name), value.encode("latin-1")) for name, value in more.items()]


@lru_cache(maxsize=128)
def _lower(name: str) -> bytes:
    return name.lower().encode("latin-1")
