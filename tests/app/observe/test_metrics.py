"""`/metrics` of one process: exact counts, bounded labels, both formats, and who may see it."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.types import Scope

from app.graphql.persisted import digest
from app.observe.exposition import OPENMETRICS, PATH
from app.observe.families import DEPRECATED_USES, FAMILIES
from app.observe.metrics import BOUNDS, METHODS, MOST, OTHERS, Labels, Metrics
from resolvers.deprecation import DEPRECATIONS
from resolvers.problems import FORBIDDEN, UNAUTHORIZED, UNAVAILABLE
from storage.mongod import acquire
from storage.timing import StoreTime
from tests import factories
from tests.app.observe.reading import CUSTOMERS, GET_ONE, REQUESTS, Scrape, grown, parsed, scrape
from tests.commands import until
from tests.conftest import StartGateway
from tests.harness import Gateway, find_lost_sockets, running
from tests.wire import exchange

TOKEN = "a-token-for-metrics-of-32-characters"
SUFFIXES = {"counter": "_total", "info": "_info", "gauge": "", "histogram": ""}


@pytest.fixture
def own(start_gateway: StartGateway) -> Gateway:
    """A gateway to which nobody else sends anything."""
    return start_gateway()


def outcome(door: str, operation: str, method: str, status: int, ended: str) -> frozenset[tuple[str, str]]:
    """Return the labels of requests."""
    return frozenset(Labels(door, operation, method, str(status), ended)._asdict().items())  # type: ignore[arg-type]


ASKED = outcome("other", PATH, "GET", 200, "success")
"""The labels of the requests that ask for the metrics themselves."""


class TestRequests:
    def test_each_request_is_counted_once_by_door_operation_method_and_status(self, own: Gateway) -> None:
        before = scrape(own.http)
        one = own.create()["id"]
        for _ in range(3):
            own.http.get(f"{CUSTOMERS}/{one}")
        own.http.head(f"{CUSTOMERS}/{one}")
        own.http.get(f"{CUSTOMERS}/{uuid.uuid4()}")
        own.http.get("/customers")
        own.http.delete(f"{CUSTOMERS}/{one}")
        own.http.get("/health/live")
        own.http.get("/qanary/elsewhere")
        own.data("query($id: ID!) { other: customer(id: $id) { id } }", id=str(uuid.uuid4()))
        own.data("{ viewer { id } customers { nodes { id } } }")
        own.http.post("/graphql", json={"query": "{ nothing }"})
        own.http.get("/graphql", headers={"Accept": "text/html"})
        with own.client() as stranger:
            stranger.get(CUSTOMERS)
        after = scrape(own.http)
        assert grown(before, after, REQUESTS) == {
            ASKED: 1,
            outcome("rest", CUSTOMERS, "POST", 201, "success"): 1,
            outcome("rest", GET_ONE, "GET", 200, "success"): 3,
            outcome("rest", GET_ONE, "HEAD", 200, "success"): 1,
            outcome("rest", GET_ONE, "GET", 404, "client_error"): 1,
            outcome("rest", "/customers", "GET", 200, "success"): 1,
            outcome("rest", GET_ONE, "DELETE", 204, "success"): 1,
            outcome("other", "/health/live", "GET", 200, "success"): 1,
            outcome("other", "(no route)", "GET", 404, "client_error"): 1,
            outcome("graphql", "Query.customer", "POST", 200, "success"): 1,
            outcome("graphql", "Query.*", "POST", 200, "success"): 1,
            outcome("graphql", "/graphql", "POST", 200, "client_error"): 1,
            outcome("graphql", "/graphql", "GET", 200, "success"): 1,
            outcome("rest", CUSTOMERS, "GET", 401, "client_error"): 1,
        }
        assert after.value("gateway_http_requests_in_flight") == 1

    def test_a_field_that_fails_makes_the_outcome_of_a_graphql_answer_of_200(self, own: Gateway) -> None:
        before = scrape(own.http)
        query = 'mutation { deleteCustomer(id: "5aa7a1ca-1d9a-4a1c-9a55-3ab9ae3b6d0a") { id } }'
        with own.with_scopes("customers:read") as reader:
            assert reader.post("/graphql", json={"query": query}).status_code == 200
        after = scrape(own.http)
        wanted = outcome("graphql", "Mutation.deleteCustomer", "POST", 200, "client_error")
        assert grown(before, after, REQUESTS) == {ASKED: 1, wanted: 1}
        told = frozenset({("door", "graphql"), ("type", FORBIDDEN.slug)})
        assert grown(before, after, "gateway_problems_total") == {told: 1}

    def test_durations_have_as_many_observations_as_requests_in_buckets_that_only_rise(self, own: Gateway) -> None:
        for _ in range(5):
            own.http.get(CUSTOMERS)
        found = scrape(own.http)
        name = "gateway_http_request_duration_seconds"
        asked = {"door": "rest", "operation": CUSTOMERS, "method": "GET"}
        buckets = [found.value(f"{name}_bucket", le=bound, **asked) for bound in (*map(str, BOUNDS), "+Inf")]
        assert buckets == sorted(buckets)
        assert buckets[-1] == found.value(f"{name}_count", **asked) == found.value(REQUESTS, **asked) == 5
        assert 0 < found.value(f"{name}_sum", **asked) < 60
        waited = found.value("gateway_http_request_store_seconds_total", **asked)
        assert 0 < waited < found.value(f"{name}_sum", **asked)
        assert found.value("gateway_http_request_store_calls_total", **asked) >= 5

    def test_the_bytes_of_bodies_are_those_that_were_sent(self, own: Gateway) -> None:
        one = own.create()["id"]
        lengths = [len(own.http.get(f"{CUSTOMERS}/{one}").content) for _ in range(2)]
        own.http.head(f"{CUSTOMERS}/{one}")
        found = scrape(own.http)
        name = "gateway_http_response_body_bytes_total"
        assert found.value(name, operation=GET_ONE, method="GET") == sum(lengths)
        assert found.value(name, operation=GET_ONE, method="HEAD") == 0

    def test_what_is_no_http_is_counted_too(self, own: Gateway) -> None:
        before = scrape(own.http)
        exchange(own.url, b"QANARY\r\n\r\n", seconds=1)
        refused = outcome("other", "(no route)", "other", 400, "client_error")
        assert grown(before, scrape(own.http), REQUESTS) == {ASKED: 1, refused: 1}


class TestBounds:
    """Strangers cannot make the labels many, whatever they send."""

    def test_ten_thousand_paths_and_methods_make_no_more_than_one_row_each(self) -> None:
        metrics = Metrics()
        for number in range(10_000):
            for method in (f"M{number}", "GET"):
                scope: Scope = {"type": "http", "method": method, "path": f"/{number}", "headers": []}
                metrics.in_flight += 1
                metrics.request(scope, 404, 0.001, StoreTime(), 1)
        assert {labels.method: row.count for labels, row in metrics.rows.items()} == {"other": 10_000, "GET": 10_000}
        assert {labels.operation for labels in metrics.rows} == {"(no route)"}
        assert len(metrics._known) == 1
        assert metrics.in_flight == 0

    def test_what_the_code_itself_would_name_too_often_is_counted_together(self) -> None:
        metrics = Metrics()
        for number in range(MOST + 1000):
            scope: Scope = {"method": "GET", "route_template": f"/api/v1/{number}"}
            metrics.request(scope, 200, 0.001, StoreTime(), 1)
        assert len(metrics.rows) == MOST + 1
        assert metrics.rows[Labels("rest", OTHERS, "other", "200", "success")].count == 1000
        assert len(metrics._known) <= MOST

    def test_no_word_of_a_client_becomes_a_label(self, own: Gateway) -> None:
        words: dict[str, Any] = {
            "query": "query Qanary($qanary: ID!) { qanary: customer(id: $qanary) { qanary: id } }",
            "variables": {"qanary": "qanary"},
        }
        headers = {"User-Agent": "qanary", "X-Request-Id": "qanary", "Accept": "qanary/qanary"}
        with own.client(**{"X-API-Key": "qanary"}) as stranger:
            stranger.get("/api/v1/customers?qanary=1")
        with own.client(Authorization="Qanary qanary") as stranger:
            stranger.get("/metrics")
        own.http.post("/graphql", json=words)
        own.http.post("/graphql", json={"query": "{ qanary }"})
        own.http.get(f"{CUSTOMERS}/qanary?qanary=qanary", headers=headers)
        own.http.request("QANARY", "/api/v1/qanary")
        own.http.get("/problems/qanary")
        own.http.get("/assets/qanary")
        text = own.http.get(PATH).text
        assert 'operation="Query.customer"' in text
        assert "qanary" not in text.lower()


class TestRefusals:
    def test_limits_are_counted_by_policy(self, start_gateway: StartGateway) -> None:
        gateway = start_gateway(rate_limit="3/hour", metrics_token=TOKEN)
        for _ in range(5):
            gateway.http.get(f"{CUSTOMERS}?size=1")
        with gateway.client() as stranger:
            for _ in range(5):
                stranger.get("/")
        found = scrape_by_token(gateway)
        name = "gateway_limit_refusals_total"
        assert {policy: found.value(name, policy=policy) for policy in ("caller", "address", "daily")} == {
            "caller": 2, "address": 2, "daily": 0,
        }  # fmt: skip
        assert found.value(REQUESTS, status="429") == 4
        assert found.value("gateway_problems_total", type="rate-limited") == 4

    def test_a_quota_that_is_spent_is_counted(self, start_gateway: StartGateway) -> None:
        gateway = start_gateway(rate_limit="100/minute", daily_quota=1, metrics_token=TOKEN)
        for _ in range(3):
            gateway.http.get(f"{CUSTOMERS}?size=1")
        assert scrape_by_token(gateway).value("gateway_limit_refusals_total", policy="daily") == 2

    def test_credentials_that_are_not_good_are_counted_by_kind(self, own: Gateway) -> None:
        sent: list[dict[str, str]] = [
            {"X-API-Key": "cgw_no"},
            {"Authorization": "Basic bm86bm8="},
            {"Authorization": "Bearer a.b.c"},
            {"Authorization": "Bearer a.b.c"},
            {"Authorization": "Digest no"},
            {"X-API-Key": "cgw_no", "Authorization": "Bearer a.b.c"},
            {},
        ]
        for headers in sent:
            with own.client(**headers) as client:
                assert client.get(CUSTOMERS).status_code == 401
        form = {"grant_type": "client_credentials", "client_id": "no", "client_secret": "no"}
        with own.client() as client:
            assert client.post("/oauth/token", data=form).status_code == 401
        found = scrape(own.http)
        kinds = {dict(labels)["kind"]: 0 for labels in found.series("gateway_authentication_failures_total")}
        counted = {kind: found.value("gateway_authentication_failures_total", kind=kind) for kind in kinds}
        assert counted == {"api-key": 2, "basic": 1, "bearer": 2, "client": 1, "other": 1}
        assert found.value("gateway_problems_total", type=UNAUTHORIZED.slug, door="rest") == 7


class TestInside:
    def test_reads_that_wait_together_are_few_commands_for_many_items(self, own: Gateway) -> None:
        ids = [own.create()["id"] for _ in range(10)]
        before = scrape(own.http)
        own.data("{" + " ".join(f'c{n}: customer(id: "{one}") {{ id }}' for n, one in enumerate(ids)) + "}")
        own.http.get(CUSTOMERS)
        own.http.post(CUSTOMERS, json=factories.customer())
        after = scrape(own.http)
        items = grown(before, after, "gateway_store_gathered_items_total")
        batches = grown(before, after, "gateway_store_gathered_batches_total")
        reads, lists, inserts = (frozenset({("queue", name)}) for name in ("reads", "lists", "inserts"))
        assert items == {reads: 10, lists: 1, inserts: 1}
        assert 1 <= batches.pop(reads) <= 2
        assert batches == {lists: 1, inserts: 1}

    def test_plans_and_prepared_documents_are_counted(self, own: Gateway) -> None:
        before = scrape(own.http)
        for _ in range(3):
            own.data("{ customers(first: 1) { nodes { id } } }")
        after = scrape(own.http)
        assert grown(before, after, "gateway_graphql_values_total") == {frozenset({("way", "plan")}): 3}
        lookups = grown(before, after, "gateway_cache_lookups_total")
        documents = {result: lookups[frozenset({("cache", "prepared-documents"), ("result", result)})]
                     for result in ("hit", "miss")}  # fmt: skip
        assert documents == {"hit": 2, "miss": 1}
        assert after.value("gateway_cache_entries", cache="prepared-documents") == 1

    def test_a_document_by_its_hash_is_a_miss_and_then_a_hit(self, own: Gateway) -> None:
        query = "{ viewer { id } }"
        extensions = {"persistedQuery": {"version": 1, "sha256Hash": digest(query)}}
        for body in ({}, {"query": query}, {}, {}):
            own.http.post("/graphql", json={**body, "extensions": extensions})
        found = scrape(own.http)
        name = "gateway_cache_lookups_total"
        looked = [found.value(name, cache="persisted-documents", result=result) for result in ("hit", "miss")]
        assert looked == [2, 1]

    def test_keys_that_were_checked_are_found_again(self, own: Gateway) -> None:
        for _ in range(3):
            own.http.get("/api/v1/viewer")
        found = scrape(own.http)
        assert found.value("gateway_cache_lookups_total", cache="keys", result="miss") >= 1
        assert found.value("gateway_cache_lookups_total", cache="keys", result="hit") >= 1

    def test_the_process_tells_of_itself(self, own: Gateway) -> None:
        found = scrape(own.http)
        for name in ("process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total"):
            assert found.value(name) > 0
        assert found.value("process_max_fds") >= found.value("process_open_fds")
        assert 1e9 < found.value("process_start_time_seconds") < 1e10
        assert found.value("gateway_workers") == found.value("gateway_store_up") == 1
        assert len(found.series("python_gc_collections_total")) == 3


@pytest.fixture
def both(gateway: Gateway) -> tuple[Scrape, Scrape]:
    """The same metrics in both formats."""
    for query in ("{ viewer { id } }", "{ nothing }"):
        gateway.http.post("/graphql", json={"query": query})
    return scrape(gateway.http), scrape(gateway.http, Accept=OPENMETRICS)


class TestForm:
    @pytest.mark.parametrize(
        ("accept", "kind"),
        [
            ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
            ("text/plain", "text/plain; version=0.0.4; charset=utf-8"),
            ("text/plain; version=nonsense", "text/plain; version=0.0.4; charset=utf-8"),
            (
                "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            ),
            ("application/openmetrics-text;version=x", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
            ("application/openmetrics-text;q=0.1,text/plain", "text/plain; version=0.0.4; charset=utf-8"),
        ],
    )
    def test_accept_chooses_the_format(self, accept: str, kind: str, gateway: Gateway) -> None:
        response = gateway.http.get(PATH, headers={"Accept": accept})
        assert (response.status_code, response.headers["Content-Type"]) == (200, kind)
        assert response.headers["Cache-Control"] == "no-store"
        assert parsed(response).value("gateway_workers") == 1

    def test_another_format_is_406(self, gateway: Gateway) -> None:
        assert gateway.http.get(PATH, headers={"Accept": "application/json"}).status_code == 406

    def test_the_page_shows_exactly_the_metrics_of_the_table(self, both: tuple[Scrape, Scrape]) -> None:
        for found, stripped in zip(both, (False, True), strict=True):
            for family in FAMILIES:
                name = family.name.removesuffix(SUFFIXES[family.kind]) if stripped else family.name
                kind = "gauge" if family.kind == "info" and not stripped else family.kind
                name = name.removesuffix("_total") if family.kind == "counter" else name
                assert found.kinds.get(name) == kind, family.name
            assert len(found.kinds) == len(FAMILIES)

    def test_samples_have_the_labels_of_the_table(self, both: tuple[Scrape, Scrape]) -> None:
        for found in both:
            for family in FAMILIES:
                samples = f"{family.name}_count" if family.kind == "histogram" else family.name
                shown = {frozenset(name for name, _ in labels) for labels in found.series(samples)}
                nothing = family is DEPRECATED_USES and not DEPRECATIONS
                assert shown == (set() if nothing else {frozenset(family.labels)}), family.name

    def test_names_end_in_their_units_and_every_help_is_a_sentence(self) -> None:
        for family in FAMILIES:
            assert family.name.startswith(("gateway_", "process_", "python_gc_"))
            assert family.name.endswith("_total") == (family.kind == "counter")
            assert family.help.endswith(".")

    def test_the_versions_are_those_of_the_gateway(self, both: tuple[Scrape, Scrape]) -> None:
        (labels,) = both[0].series("gateway_build_info")
        assert dict(labels)["api_version"] == "1.0.0"

    def test_methods_are_those_that_http_knows(self, both: tuple[Scrape, Scrape]) -> None:
        methods = {dict(labels)["method"] for labels in both[0].series(REQUESTS)}
        assert methods <= METHODS | {"other"}


class TestWhoMay:
    """Never a stranger; a caller with customers:admin; the token of the setting."""

    def test_a_stranger_is_401_and_a_caller_without_the_scope_403(self, gateway: Gateway) -> None:
        with gateway.client() as stranger:
            refused(stranger.get(PATH), 401, UNAUTHORIZED.slug)
        others = ("customers:read", "customers:write", "customers:delete")
        with gateway.with_scopes(*others) as other, gateway.with_scopes("customers:admin") as admin:
            response = other.get(PATH)
            refused(response, 403, FORBIDDEN.slug)
            assert response.json()["scope"] == "customers:admin"
            assert scrape(admin).value("gateway_workers") == 1

    def test_the_token_is_good_for_the_metrics_alone(self, start_gateway: StartGateway) -> None:
        gateway = start_gateway(metrics_token=TOKEN)
        with gateway.client(Authorization=f"bearer {TOKEN}") as prometheus:
            assert scrape(prometheus).value("gateway_workers") == 1
            assert prometheus.get(CUSTOMERS).status_code == 401
            assert prometheus.head(PATH).content == b""
        wrong = [TOKEN[:-1], f"{TOKEN}x", TOKEN.upper()]
        for headers in [{"Authorization": f"Bearer {token}"} for token in wrong] + [
            {"Authorization": f"Basic {TOKEN}"},
            {"Authorization": f"Bearer {TOKEN}", "X-API-Key": gateway.key},
            {"X-API-Key": f"Bearer {TOKEN}"},
        ]:
            with gateway.client(**headers) as stranger:
                refused(stranger.get(PATH), 401, UNAUTHORIZED.slug)
        assert scrape(gateway.http).value("gateway_workers") == 1

    def test_without_the_setting_no_token_is_good(self, gateway: Gateway) -> None:
        for token in ("None", TOKEN):
            with gateway.client(Authorization=f"Bearer {token}") as stranger:
                refused(stranger.get(PATH), 401, UNAUTHORIZED.slug)

    def test_the_token_spends_nothing_and_wrong_ones_are_held_up(self, start_gateway: StartGateway) -> None:
        gateway = start_gateway(metrics_token=TOKEN, rate_limit="2/hour")
        with gateway.client(Authorization="Bearer wrong-wrong-wrong-wrong-wrong-wrong") as guesser:
            statuses = [guesser.get(PATH).status_code for _ in range(12)]
        assert statuses == [401] * 10 + [429] * 2
        found = [scrape_by_token(gateway) for _ in range(5)][-1]
        assert found.value(REQUESTS, operation=PATH, status="200") == 4


def scrape_by_token(gateway: Gateway) -> Scrape:
    """Return the metrics as Prometheus gets them."""
    with gateway.client(Authorization=f"Bearer {TOKEN}") as prometheus:
        return scrape(prometheus)


def refused(response: httpx2.Response, status: int, slug: str) -> None:
    """Assert that an answer is a problem, with no metric in it."""
    assert response.status_code == status
    assert response.json()["type"].endswith(f"/{slug}")
    assert "gateway_workers" not in response.text


def test_while_the_store_is_away_the_token_still_reads_the_metrics(tmp_path: Path) -> None:
    with acquire(tmp_path / "away", timeout=60) as mongod:
        with running(mongod.url, "away", metrics_token=TOKEN, request_timeout=2) as gateway:
            assert scrape_by_token(gateway).value("gateway_store_up") == 1
            mongod.release()
            until(lambda: gateway.http.get(f"{CUSTOMERS}?size=1").status_code == 503, what="503")
            found = scrape_by_token(gateway)
        find_lost_sockets()
    assert found.value("gateway_store_up") == 0
    assert found.value("gateway_problems_total", type=UNAVAILABLE.slug) == 1
