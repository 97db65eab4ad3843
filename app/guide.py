"""The documentation site at /guide, as `make docs` has built it."""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.files import IMMUTABLE, coding_of, content_of, file_response, find
from app.graphql.answer import is_browser
from app.http.problems import problem_response
from app.pages import rendered
from app.rest.conditions import not_modified
from resolvers.problem import Problem
from resolvers.problems import NOT_FOUND

FOLDER: Final = Path(__file__).parent / "playground" / "guide"
_FIRST: Final = "index.html"
_FRESH: Final = "no-cache"
_HASHED: Final = re.compile(r"\.[0-9a-f]{8}\.min\.")
_SCRIPT: Final = re.compile(r"<script(?![^>]*\b(?:src|type)=)[^>]*>(.*?)</script>", re.DOTALL)
_CSP: Final = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_HOW: Final = (
    "<p>Run this in a copy of the repository, and load this page again; the gateway need not be started anew:</p>"
    "<pre><code>make docs</code></pre><p>The same pages are in its folder <code>docs</code>; begin with "
    "<code>docs/start.md</code>.</p>"
)


class Guide:
    """The files of one folder, which may not be there."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder

    async def entrance(self, request: Request) -> Response:
        """GET /guide: leads to the first page, whose links are relative to its own address."""
        request.scope["route_template"] = "/guide"
        if not (self._folder / _FIRST).is_file():
            return _not_built(request)
        return RedirectResponse(f"/guide/{_FIRST}", 308, headers={"Cache-Control": _FRESH})

    async def file(self, request: Request) -> Response:
        """GET /guide/{path}: a page or a part of one; the first page where the path is empty."""
        request.scope["route_template"] = "/guide/{path}"
        path = find(self._folder, request.path_params["path"] or _FIRST)
        if path is not None:
            return _answer(request, path)
        if not (self._folder / _FIRST).is_file():
            return _not_built(request)
        return problem_response(request, Problem(NOT_FOUND, "The guide has no such page.", resource="guide"))


def _answer(request: Request, path: Path) -> Response:
    coding = coding_of(request, path)
    body = content_of(path, coding)
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": IMMUTABLE if _HASHED.search(path.name) else _FRESH}
    if path.suffix == ".html":  # with a 304 too: a browser puts its headers in the place of those it has kept
        headers["Content-Security-Policy"] = _policy(path, path.stat().st_mtime_ns)
    if not_modified(request, tag):
        return Response(status_code=304, headers={**headers, "Vary": "Accept-Encoding"})
    return file_response(path, coding, body, headers)


@lru_cache(maxsize=256)
def _policy(path: Path, _changed: int) -> str:
    """Return the policy of a page: of the scripts within it only those may run that were there when it was built."""
    digests = (sha256(script.encode()).digest() for script in _SCRIPT.findall(path.read_text(encoding="utf-8")))
    return _CSP.format(scripts="".join(f" 'sha256-{base64.b64encode(one).decode()}'" for one in sorted(set(digests))))


def _not_built(request: Request) -> Response:
    """Return a problem, and to a browser a page that says the same: every page's bar leads here."""
    if is_browser(request):
        page = rendered("The guide is not built yet", _HOW, 404, _FRESH)
        page.headers["Vary"] = "Accept"
        return page
    return problem_response(request, Problem(NOT_FOUND, "The guide is not built: run `make docs`.", resource="guide"))
