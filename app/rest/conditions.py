"""Conditional requests (RFC 9110 section 13): the headers' syntax; what they mean is the operations'."""

from __future__ import annotations

import re

from starlette.requests import Request

from app.http.heads import heads_of
from resolvers.preconditions import ANY, Precondition, Tags

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*")


def tags_of(request: Request, name: bytes) -> Tags | None:
    """Return the tags of a header, `ANY` for `*`, None when absent; what is no list of tags never matches."""
    heads = heads_of(request.scope)
    return parse_tags(heads.text(name)) if name in heads else None


def parse_tags(header: str) -> Tags:
    """Return the tags of a header's value, or of a member that has its form; an empty one lists none."""
    if not header:
        return ()
    if header == "*":
        return ANY
    return tuple(re.findall(_TAG, header)) if _TAGS.fullmatch(header) else (header,)


def precondition(request: Request, *, required: bool) -> Precondition:
    """Return what the request says of the version it was made from."""
    none_match = tags_of(request, b"if-none-match") or ()
    return Precondition(
        match=tags_of(request, b"if-match"),
        none_match=tuple(tag.removeprefix("W/") for tag in none_match),
        required=required,
    )


def not_modified(request: Request, tag: str) -> bool:
    """Tell whether a GET may be answered by 304: weak comparison, list and `*` (RFC 9110 section 13.1.2)."""
    tags = tags_of(request, b"if-none-match")
    return tags is not None and (tags == ANY or tag in (one.removeprefix("W/") for one in tags))
