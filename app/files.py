"""Built files: found by their address inside one folder, compressed where the client takes it."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from app.http.remembered import remembered

IMMUTABLE: Final = "public, max-age=31536000, immutable"
"""For names that change with the content."""
_CODINGS: Final = {"br": ".br", "gzip": ".gz"}
_TYPES: Final = {
    ".graphql": "text/plain",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".py": "text/plain",
    ".ts": "text/plain",
    ".map": "application/json",
}
"""Types that must not depend on what the machine knows of them."""


def find(folder: Path, text: str) -> Path | None:
    """Return the file of that path inside a folder; None for what is none, lies outside, or is a packed form."""
    root = folder.resolve()
    try:
        path = (root / text.lstrip("/")).resolve() if "\0" not in text else root
        found = path.is_relative_to(root) and path.is_file() and path.suffix not in _CODINGS.values()
    except OSError:  # no file system has such a name: it is too long
        return None
    return path if found else None


def coding_of(request: Request, path: Path) -> str | None:
    """Return the smallest coding that the file was built in and the client takes, None for the file as it is."""
    accepted = request.headers.get("accept-encoding", "")
    for coding, suffix in _CODINGS.items():
        if takes(accepted, coding) and path.with_name(path.name + suffix).is_file():
            return coding
    return None


def content_of(path: Path, coding: str | None) -> bytes:
    """Return what to send of a file in a coding."""
    packed = path.with_name(path.name + _CODINGS[coding]) if coding else path
    return packed.read_bytes()


def file_response(path: Path, coding: str | None, body: bytes, headers: Mapping[str, str]) -> Response:
    """Return a file with its type and its coding."""
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    coded = {"Content-Encoding": coding} if coding else {}
    return Response(body, headers={"Vary": "Accept-Encoding", **coded, **headers}, media_type=kind)


@remembered(256)
def takes(accepted: str, coding: str) -> bool:
    """Tell whether Accept-Encoding names a coding, with any weight but zero (RFC 9110 section 12.5.3)."""
    for entry in accepted.lower().split(","):
        name, _, weight = entry.partition(";")
        if name.strip() == coding:
            return not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight)
    return False
