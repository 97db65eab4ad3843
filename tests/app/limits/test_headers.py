"""How an answer tells what is left: the RateLimit headers and Retry-After."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from app.http.admission import charge
from app.http.edge import Edge
from app.http.problems import problem_response
from app.limits.headers import limit_headers
from app.limits.limiter import open_limiter
from app.limits.prices import PRICES, price
from app.main import create_app
from app.observe.logs import AccessLog
from app.observe.metrics import Metrics
from app.rest.endpoints import ENDPOINTS
from app.settings import Settings
from resolvers.context import Allowance, Budget, Caller
from resolvers.problem import Problem
from storage.store import StoreOptions, open_store
from tests.app.limits.hammer import ROOT
from tests.app.limits.structured import read_list

MANY = {"erase", "import", "export"}
"""Kinds of endpoints whose requests are about many customers."""
BUDGETS = st.builds(
    Budget,
    st.sampled_from(["caller", "daily", "address", "failed-credentials"]),
    st.integers(1, 10**12),
    st.integers(0, 10**12),
    st.integers(1, 36_000_000),
    st.integers(0, 72_000_000),
)


@given(st.lists(BUDGETS, min_size=1, max_size=2, unique_by=lambda budget: budget.name))
def test_c046_the_headers_are_structured_fields_that_fit_each_other(budgets: list[Budget]) -> None:
    headers = dict(limit_headers(budgets))
    policies, shown = (read_list(headers[name].decode()) for name in (b"ratelimit-policy", b"ratelimit"))
    assert [(name, set(parameters)) for name, parameters in policies] == [(b.name, {"q", "w"}) for b in budgets]
    assert shown == [(budgets[0].name, {"r": budgets[0].left, "t": budgets[0].reset})]


def test_without_budgets_there_are_no_headers() -> None:
    assert limit_headers(()) == ()


@pytest.mark.parametrize("text", ["", "caller;q=1", '"a";q=1,', '"a";q=x', '"a";q=1 "b";q=1', '"a";q=1;q=2', '"é";q=1'])
def test_the_reader_of_these_tests_is_strict(text: str) -> None:
    with pytest.raises(AssertionError):
        read_list(text)


@pytest.fixture
def client() -> Iterator[TestClient]:
    """A small application with our edge, whose one route spends `?units` of a caller or of an address."""
    settings = Settings(_env_file=None, rate_limit="10/minute")

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, Any]]:
        nowhere = StoreOptions("mongodb://127.0.0.1:1", timeout=0.1)
        async with open_store(nowhere) as store, open_limiter(settings, store.quotas) as limiter:
            yield {"gateway": SimpleNamespace(settings=settings, limiter=limiter, metrics=Metrics())}

    async def spend(request: Request) -> Response:
        units = int(request.query_params.get("units", 1))
        own = Allowance(request.query_params.get("rate"))
        caller = Caller("one", "one", frozenset(), own) if "units" in request.query_params else None
        try:
            await charge(request, caller, units)
        except Problem as problem:
            return problem_response(request, problem)
        return Response()

    edge = Middleware(Edge, log=AccessLog(io.StringIO(), enabled=False))
    with TestClient(Starlette(routes=[Route("/", spend)], middleware=[edge], lifespan=lifespan)) as started:
        yield started


def test_every_answer_shows_the_budget(client: TestClient) -> None:
    answers = [client.get("/?units=4") for _ in range(2)]
    assert [answer.headers["RateLimit"].split(";")[1] for answer in answers] == ["r=6", "r=2"]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"caller";q=10;w=60'}
    assert client.get("/").headers["RateLimit-Policy"] == '"address";q=10;w=60'


def test_c047_a_refusal_has_retry_after_and_t_of_the_same_moment(client: TestClient) -> None:
    client.get("/?units=10")
    for _ in range(20):
        refused = client.get("/?units=3")
        assert refused.status_code == 429
        ((name, shown),) = read_list(refused.headers["RateLimit"])
        assert (name, shown["r"]) == ("caller", 0)
        assert int(refused.headers["Retry-After"]) == shown["t"] == refused.json()["retryAfter"]
        assert refused.json()["type"].endswith("/problems/rate-limited")
        assert name in dict(read_list(refused.headers["RateLimit-Policy"]))


def test_a_refusal_that_waiting_does_not_cure_has_no_retry_after(client: TestClient) -> None:
    refused = client.get("/?units=11")
    assert refused.status_code == 429
    assert "Retry-After" not in refused.headers
    assert refused.headers["RateLimit"] == '"caller";r=10;t=0'


def test_pages_of_other_origins_may_read_the_headers() -> None:
    settings = Settings(_env_file=None, cors_origins=("https://app.example.com",))
    (cors,) = [one for one in create_app(settings).user_middleware if "expose_headers" in one.kwargs]
    exposed = cors.kwargs["expose_headers"]
    assert isinstance(exposed, list)
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(exposed)


def test_every_endpoint_has_a_price() -> None:
    assert {endpoint.kind for endpoint in ENDPOINTS} <= set(PRICES)
    assert all(price(endpoint.kind) == 1 for endpoint in ENDPOINTS if endpoint.kind not in MANY)
    assert {price(kind) for kind in MANY} == {10, 50}


def test_the_page_of_limits_shows_the_table_of_prices() -> None:
    page = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
    rows = [f"| {one.what} | {one.units}{' for each item' if one.each_item else ''} |" for one in PRICES.values()]
    assert "| Request to REST | Units |\n|---|---|\n" + "\n".join(rows) in page


@pytest.mark.parametrize(
    ("kind", "items", "units"),
    [("read", 1, 1), ("explain", 1, 10), ("batch", 0, 1), ("bulk", 250, 250), ("import", 9, 50)],
)
def test_prices_count_items_where_each_has_its_price(kind: str, items: int, units: int) -> None:
    assert price(kind, items) == units
