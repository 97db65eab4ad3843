"""The documentation at /guide: every page and part of it, compressed, kept by its tag, running its own scripts."""

from __future__ import annotations

import gzip
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from urllib.parse import urljoin

import httpx2
import pytest

from app.guide import FOLDER
from tests.conftest import StartGateway
from tests.harness import Gateway

FIRST = "/guide/index.html"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".graphql": "text/plain; charset=utf-8",
    ".ts": "text/plain; charset=utf-8",
    ".py": "text/plain; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
}
LINK = re.compile(r'(?:href|src)="?([^">\s]+)')


@pytest.fixture(scope="module")
def pages(gateway: Gateway) -> dict[str, httpx2.Response]:
    """Everything that can be reached from the first page, by its address."""
    assert (FOLDER / "index.html").is_file(), "the guide is not built: run `make docs`"
    found: dict[str, httpx2.Response] = {}
    waiting = [FIRST]
    with gateway.client() as anyone:
        while waiting:
            path = waiting.pop()
            found[path] = anyone.get(path)
            if path.endswith(".html"):
                linked = {urljoin(path, link.partition("#")[0]) for link in LINK.findall(found[path].text)}
                waiting += [link for link in linked if link.startswith("/guide/") and link not in {*found, *waiting}]
    return found


def test_every_page_and_part_is_there_for_anyone(pages: dict[str, httpx2.Response], gateway: Gateway) -> None:
    assert {path: page.status_code for path, page in pages.items() if page.status_code != 200} == {}
    for path, page in pages.items():
        assert page.headers["content-type"] == TYPES[Path(path).suffix], path
    built = {f"/guide/{page.relative_to(FOLDER).as_posix()}" for page in FOLDER.rglob("*.html")}
    assert built - {"/guide/404.html"} <= pages.keys()
    with gateway.client() as anyone:
        entrance = anyone.get("/guide")
        assert (entrance.status_code, entrance.headers["location"]) == (308, FIRST)
        assert anyone.get("/guide/").content == pages[FIRST].content
        assert anyone.get("/guide/search/search_index.json").json()["docs"]


def test_only_the_scripts_that_were_built_into_a_page_may_run(pages: dict[str, httpx2.Response]) -> None:
    for path, page in pages.items():
        if path.endswith(".html"):
            policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
            inline = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
            digests = {f"'sha256-{b64encode(sha256(one.encode()).digest()).decode()}'" for one in inline}
            assert inline
            assert set(policy["script-src"].split()) == {"'self'", *digests}
            assert not re.search(r"<[^>]+ on\w+=", page.text), path


@pytest.mark.parametrize(("accepted", "coding"), [("gzip, br", "br"), ("gzip", "gzip"), ("identity", None)])
def test_a_page_comes_compressed_and_only_once(gateway: Gateway, accepted: str, coding: str | None) -> None:
    with gateway.client(**{"Accept-Encoding": accepted}) as anyone:
        with anyone.stream("GET", FIRST) as response:
            raw = b"".join(response.iter_raw())
        tag = response.headers["etag"]
        again = anyone.get(FIRST, headers={"If-None-Match": tag})
    plain = (FOLDER / "index.html").read_bytes()
    assert response.headers.get("content-encoding") == coding
    assert response.headers["vary"] == again.headers["vary"] == "Accept-Encoding"
    assert len(raw) < len(plain) / 3 if coding else raw == plain
    assert gzip.decompress(raw) == plain if coding == "gzip" else True
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    # A browser replaces what it has kept by the headers of a 304 (RFC 9111 section 3.2).
    assert again.headers["content-security-policy"] == response.headers["content-security-policy"]


def test_names_that_change_with_their_content_are_kept_for_good_and_others_are_asked_for_again(
    pages: dict[str, httpx2.Response],
) -> None:
    kept = {path: page.headers["cache-control"] for path, page in pages.items()}
    assert kept[FIRST] == kept["/guide/assets/guide.css"] == "no-cache"
    (bundle,) = [path for path in kept if "/bundle." in path]
    assert kept[bundle] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "path",
    [
        "none.html",
        "index.html.br",
        "..%2fdist%2fhome.html",
        "%2e%2e/dist/home.html",
        "a%00b",
        "assets",
        "404",
        "a" * 300,
    ],
)
def test_c017_what_is_no_part_of_the_guide_is_not_found(gateway: Gateway, path: str) -> None:
    with gateway.client() as anyone:
        answer = anyone.get(f"/guide/{path}")
    assert answer.status_code in {400, 404}
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["requestId"]


def test_a_guide_that_is_not_built_names_the_command(start_gateway: StartGateway, tmp_path: Path) -> None:
    gateway = start_gateway(guide=tmp_path / "none")
    for path in ("/guide", "/guide/", FIRST):
        answer = gateway.http.get(path)
        assert (answer.status_code, answer.json()["detail"]) == (404, "The guide is not built: run `make docs`.")


def test_a_browser_gets_a_page_that_names_the_command_where_the_guide_is_not_built(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    gateway = start_gateway(guide=tmp_path / "none")
    for path in ("/guide", FIRST):
        answer = gateway.http.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert (answer.status_code, answer.headers["Vary"]) == (404, "Accept")
        assert "<pre><code>make docs</code></pre>" in answer.text
        assert 'href="/graphql"' in answer.text  # the bar of all pages: there is a way on
        assert answer.headers["Cache-Control"] == "no-cache"


def test_code_in_tables_breaks_between_words_and_says_what_its_source_says() -> None:
    built = (FOLDER / "security.html").read_text(encoding="utf-8")
    cells = re.findall(r"<td[^>]*>(?:(?!</td>).)*<code>([^<]*(?:<wbr>[^<]*)*)</code>", built)
    assert "GET /api<wbr>/v1<wbr>/customers?<wbr>id={id}&amp;id={id}" in cells
    assert "GATEWAY_<wbr>GRAPHQL_<wbr>MAX_<wbr>DEPTH" in cells
    for cell in cells:
        assert not re.search(r"&\w*<wbr>\w*;", cell), "a character reference is broken"
