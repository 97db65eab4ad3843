"""Built files: compressed where the client takes it, kept for good where their names change with their content."""

from __future__ import annotations

import gzip
import re

import pytest

from app.pages import DIST
from tests.harness import Gateway


def script() -> str:
    """The address of the largest script."""
    return f"/assets/{max((DIST / 'assets').glob('*.js'), key=lambda path: path.stat().st_size).name}"


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0, GZIP;q=0.5", "gzip"),
        ("identity", None),
        ("brotli, xgzip", None),
        ("", None),
    ],
)
def test_a_file_comes_in_the_smallest_coding_that_the_client_takes(
    gateway: Gateway, accepted: str, coding: str | None
) -> None:
    with gateway.http.stream("GET", script(), headers={"Accept-Encoding": accepted}) as response:
        raw = b"".join(response.iter_raw())
    assert response.headers.get("content-encoding") == coding
    assert response.headers["vary"] == "Accept-Encoding"
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert int(response.headers["content-length"]) == len(raw)
    plain = (DIST / script().lstrip("/")).read_bytes()
    assert len(raw) < len(plain) / 3 if coding else raw == plain
    if coding == "gzip":
        assert gzip.decompress(raw) == plain


def test_packed_files_have_no_address_of_their_own_and_fixed_names_are_kept_briefly(gateway: Gateway) -> None:
    assert gateway.http.get(f"{script()}.br").status_code == 404
    assert gateway.http.get(f"{script()}.gz").status_code == 404
    assert gateway.http.get("/assets/gateway.css").headers["cache-control"] == "public, max-age=300"


def test_every_file_that_a_page_names_is_hashed_or_known(gateway: Gateway) -> None:
    page = gateway.http.get("/graphql", headers={"Accept": "text/html"}).text
    named = re.findall(r'"(/assets/[^"]+)"', page)
    assert [one for one in named if not re.search(r"-[0-9a-f]{8}\.|/gateway\.(css|svg)$", one)] == []
    assert {gateway.http.get(one).status_code for one in named} == {200}


@pytest.mark.parametrize("path", ["/openapi.json", "/openapi.yaml"])
@pytest.mark.parametrize(
    ("accepted", "coding"), [("gzip", "gzip"), ("br, GZIP;q=0.1", "gzip"), ("gzip;q=0, identity", None), ("", None)]
)
def test_openapi_is_compressed_for_those_who_take_that(
    gateway: Gateway, path: str, accepted: str, coding: str | None
) -> None:
    answer = gateway.http.get(path, headers={"Accept-Encoding": accepted})
    assert (answer.status_code, answer.headers.get("Content-Encoding")) == (200, coding)
    assert "Accept-Encoding" in answer.headers["Vary"]
