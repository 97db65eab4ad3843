"""The pages a browser sees: home, playground, REST documentation, problem pages, and their assets."""

from __future__ import annotations

import html
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.files import IMMUTABLE, coding_of, content_of, file_response, find
from app.http.problems import problem_response
from app.http.requests import state_of
from app.settings import is_loopback
from resolvers.problem import Problem, ProblemType
from resolvers.problems import NOT_FOUND, PROBLEM_TYPES

DIST: Final = Path(__file__).parent / "playground" / "dist"
_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_BRIEF: Final = "public, max-age=300"
_PORT: Final = re.compile(r":[0-9]*$")
_HASHED: Final = re.compile(r"-[0-9a-f]{8}\.")
_BY_SLUG: Final = {kind.slug: kind for kind in PROBLEM_TYPES}


@lru_cache(maxsize=8)
def _built(name: str) -> str | None:
    path = DIST / name
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _page(request: Request, name: str) -> Response:
    text = _built(name)
    if text is None:
        return problem_response(
            request, Problem(NOT_FOUND, "The pages are not built: run `make setup`.", resource="pages")
        )
    key = state_of(request).settings.dev_key
    if key and _is_local(request):
        meta = f'<meta name="gateway-demo-key" content="{html.escape(key)}">'
        text = text.replace("</head>", f"{meta}</head>", 1)
    return HTMLResponse(
        text, headers={"Content-Security-Policy": _CSP, "Cache-Control": "no-store" if key else "no-cache"}
    )


def _is_local(request: Request) -> bool:
    """Tell whether the page was opened by an address of this machine: a site's name that leads here is that site."""
    return is_loopback(_PORT.sub("", request.headers.get("host", "")).strip("[]"))


def playground(request: Request) -> Response:
    """Return GraphiQL's page."""
    return _page(request, "graphql.html")


async def home(request: Request) -> Response:
    """GET /."""
    request.scope["route_template"] = "/"
    return _page(request, "home.html")


async def docs(request: Request) -> Response:
    """GET /docs."""
    request.scope["route_template"] = "/docs"
    return _page(request, "docs.html")


async def asset(request: Request) -> Response:
    """GET /assets/{path}: built files, compressed where there is a compressed one and the client takes it."""
    request.scope["route_template"] = "/assets"
    found = find(DIST / "assets", request.path_params["path"])
    if found is None:
        return problem_response(request, Problem(NOT_FOUND, "There is no such file.", resource="assets"))
    coding = coding_of(request, found)
    headers = {"Cache-Control": IMMUTABLE if _HASHED.search(found.name) else _BRIEF}
    return file_response(found, coding, content_of(found, coding), headers)


async def problem_page(request: Request) -> Response:
    """GET /problems/{slug}: cause and cure of one kind of problem."""
    request.scope["route_template"] = "/problems/{slug}"
    kind = _BY_SLUG.get(request.path_params["slug"])
    if kind is None:
        return problem_response(request, Problem(NOT_FOUND, "There is no such problem.", resource="problems"))
    return rendered(kind.title, _described(kind))


async def problem_index(request: Request) -> Response:
    """GET /problems: every kind of problem."""
    request.scope["route_template"] = "/problems"
    rows = "".join(
        f'<tr><td><a href="/problems/{kind.slug}">{kind.slug}</a></td><td>{kind.status}</td><td>{kind.code}</td>'
        f"<td>{html.escape(kind.title)}</td></tr>"
        for kind in PROBLEM_TYPES
    )
    head = "<tr><th>Type</th><th>Status</th><th>Code</th><th>Title</th></tr>"
    return rendered(
        "Problems",
        f"<p>Both doors answer with these.</p><table><thead>{head}</thead><tbody>{rows}</tbody></table>",
    )


def _described(kind: ProblemType) -> str:
    return (
        f"<p><code>{kind.slug}</code> · HTTP status {kind.status} · code {kind.code}</p>"
        f"<h2>What it means</h2><p>{_prose(kind.cause)}</p>"
        f"<h2>What to do</h2><p>{_prose(kind.cure)}</p>"
        '<p><a href="/problems">All problems</a></p>'
    )


def _prose(text: str) -> str:
    """Return a sentence of the registry as HTML: what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def rendered(title: str, body: str, status: int = 200, cached: str = _BRIEF) -> Response:
    """Return a page in the look that all share, of a title as text and a body as HTML."""
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)} · Customer Gateway</title>"
        '<link rel="icon" type="image/svg+xml" href="/assets/gateway.svg">'
        f'<link rel="stylesheet" href="/assets/gateway.css"></head><body>{_bar()}'
        f'<main id="main" class="gateway-page" tabindex="-1"><h1>{html.escape(title)}</h1>{body}</main></body></html>'
    )
    return HTMLResponse(text, status, {"Content-Security-Policy": _CSP, "Cache-Control": cached})


@lru_cache(maxsize=1)
def _bar() -> str:
    """Return the bar that all pages share."""
    return (DIST.parent / "src" / "bar.html").read_text(encoding="utf-8")
