"""Requests as they arrive: bodies, heads, paths, methods, and the headers of every answer."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import re
import time
import unicodedata
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send

from app.http.body import parse_json, read_body
from app.http.edge import Edge
from app.observe.logs import AccessLog
from app.version import API_VERSION
from resolvers.problem import Problem
from tests import factories
from tests.conftest import StartGateway
from tests.harness import Gateway
from tests.wire import exchange, head

CUSTOMERS = "/api/v1/customers"
MIB = 1024 * 1024
JSON = {"Content-Type": "application/json"}


def slug(body: dict[str, Any]) -> str:
    return str(body["type"]).rsplit("/", 1)[-1]


def post(gateway: Gateway, content: bytes, **headers: str) -> httpx2.Response:
    return gateway.http.post(CUSTOMERS, content=content, headers={**JSON, **headers})


STRICT_JSON: list[tuple[bytes, str]] = [
    (b"", "empty-body"),
    (b"  \r\n\t ", "empty-body"),
    (b"{", "json-syntax"),
    (b"{'a': 1}", "json-syntax"),
    (b'{"a": 1,}', "json-syntax"),
    (b'{"a": 01}', "json-syntax"),
    (b'{"a": +1}', "json-syntax"),
    (b'{"a": .5}', "json-syntax"),
    (b'{"a": True}', "json-syntax"),
    (b'{"a": "\n"}', "json-syntax"),
    (b'{"a": "\\x41"}', "json-syntax"),
    (b'{"a": "\\u12"}', "json-syntax"),
    (b"{a: 1}", "json-syntax"),
    (b"/* */ {}", "json-syntax"),
    (b"\x0c{}", "json-syntax"),
    ("\u00a0{}".encode(), "json-syntax"),
    (b"firstName=Alex", "json-syntax"),
    (b"]", "json-syntax"),
    (b'"', "json-syntax"),
    (b"{} {}", "json-trailing-data"),
    (b"{}x", "json-trailing-data"),
    (b"{}]", "json-trailing-data"),
    (b"1 2", "json-trailing-data"),
    (b'{"a": 1, "a": 1}', "json-duplicate-key"),
    (b'{"a": 1, "\\u0061": 2}', "json-duplicate-key"),
    (b'{"b": [{"a": 1, "c": 0, "a": 2}]}', "json-duplicate-key"),
    (b'{"a": NaN}', "json-number"),
    (b'{"a": Infinity}', "json-number"),
    (b'{"a": -Infinity}', "json-number"),
    (b'{"a": 9223372036854775808}', "json-number"),
    (b'{"a": -9223372036854775809}', "json-number"),
    (b'{"a": ' + b"9" * 5000 + b"}", "json-number"),
    (b'{"a": 1e999}', "json-number"),
    (b'{"a": -1e999}', "json-number"),
    (b'{"a": "\\ud800"}', "json-surrogate"),
    (b'{"a": "\\udc00\\ud800"}', "json-surrogate"),
    (b'{"\\ud800": 1}', "json-surrogate"),
    (b'{"a": "\xff"}', "json-encoding"),
    (b'{"a": "\xc0\xaf"}', "json-encoding"),
    (b'{"a": "\xed\xa0\x80"}', "json-encoding"),
    (b'{"a": "\xe2\x82"}', "json-encoding"),
    ('{"a": "é"}'.encode("latin-1"), "json-encoding"),
    ('{"a": 1}'.encode("utf-16"), "json-encoding"),
    ('{"a": 1}'.encode("utf-16-le"), "json-encoding"),
    ('{"a": 1}'.encode("utf-32"), "json-encoding"),
    (b'\xef\xbb\xbf{"a": 1}', "json-encoding"),
    (b"[" * 33 + b"]" * 33, "json-too-deep"),
    (b'{"a":' * 33 + b"1" + b"}" * 33, "json-too-deep"),
    (b"[" * 500_000, "json-too-deep"),
    (b'[{"a":' * 100_000, "json-too-deep"),
    (b"null", "wrong-top-level"),
    (b"7", "wrong-top-level"),
    (b"-0.5", "wrong-top-level"),
    (b'"text"', "wrong-top-level"),
    (b"true", "wrong-top-level"),
    (b"[]", "wrong-top-level"),
    (b"[{}]", "wrong-top-level"),
    (b"[" * 32 + b"]" * 32, "wrong-top-level"),
]


@pytest.mark.parametrize(("content", "expected"), STRICT_JSON, ids=lambda value: str(value)[:24])
def test_c014_each_kind_of_bad_json_is_400_with_its_own_type_at_once(
    gateway: Gateway, content: bytes, expected: str
) -> None:
    began = time.perf_counter()
    response = post(gateway, content)
    assert (response.status_code, slug(response.json())) == (400, expected)
    print(f"refused in {(time.perf_counter() - began) * 1000:.0f} ms")


@pytest.mark.untraced
@pytest.mark.parametrize(
    "content",
    [
        b'{"firstName": "' + b"x" * 1_000_000 + b'"}',
        b'{"firstName": "' + b'\\"' * 500_000 + b'"}',
        b'{"firstName": [' + b"0," * 500_000 + b"0]}",
        b'{"firstName": [' + b'"",' * 330_000 + b'""]}',
        b'{"a": "' + b"\\u0041" * 170_000 + b'"}',
        b'"' * 1_000_000,
        b"\\" * 1_000_000,
        b'{"a' + b'": 1, "a' * 100_000,
    ],
    ids=lambda value: str(value)[:24],
)
def test_c014_the_largest_bodies_are_read_in_a_moment(content: bytes) -> None:
    began = time.process_time()
    try:
        parse_json(content)
    except Problem as problem:
        assert problem.type.status == 400  # noqa: PT017 - some of them are good
    assert time.process_time() - began < 2  # what grows with the square of a body would take minutes


@pytest.mark.parametrize(
    "text", ['{"a": 9223372036854775807}', '{"a": -9223372036854775808}', '{"a": 1e308}', '{"a": "\\ud83d\\ude00"}',
             '{"a": "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}', "[" * 32 + "]" * 32, ' \r\n\t{"a": {"a": 1}}\n'],
)  # fmt: skip
def test_c014_good_json_at_its_limits_is_read(text: str) -> None:
    assert parse_json(text.encode()) == json.loads(text)


@pytest.mark.parametrize("above", [1, MIB])
def test_c011_a_body_over_a_mebibyte_is_413_by_its_content_length(gateway: Gateway, above: int) -> None:
    assert slug(post(gateway, b" " * (MIB + above)).json()) == "body-too-large"
    assert slug(post(gateway, b" " * MIB).json()) == "empty-body"


def test_c011_a_body_is_refused_by_content_length_before_it_is_read(gateway: Gateway) -> None:
    lines = ("Content-Type: application/json", "Content-Length: 99999999999999999999")
    (answer,) = exchange(gateway.url, head("POST", CUSTOMERS, gateway.key, *lines), seconds=1)
    assert answer.status in {400, 413}
    (answer,) = exchange(
        gateway.url, head("POST", CUSTOMERS, gateway.key, lines[0], "Content-Length: 9999999"), seconds=1
    )
    assert (answer.status, slug(answer.json())) == (413, "body-too-large")


def test_c011_a_chunked_body_is_counted(gateway: Gateway) -> None:
    def chunks(count: int) -> Any:
        yield from [b" " * 65536] * count

    headers = JSON
    over = gateway.http.post(CUSTOMERS, content=chunks(17), headers=headers)
    under = gateway.http.post(CUSTOMERS, content=chunks(16), headers=headers)
    assert (slug(over.json()), slug(under.json())) == ("body-too-large", "empty-body")


def test_c011_the_limit_is_a_setting(start_gateway: StartGateway) -> None:
    gateway = start_gateway(max_body=2048)
    assert post(gateway, b" " * 2049).status_code == 413
    assert post(gateway, b" " * 2048).status_code == 400


async def test_c013_a_body_that_comes_too_slowly_is_408() -> None:
    async def trickle() -> AsyncIterator[bytes]:
        for _ in range(100):
            await asyncio.sleep(0.02)
            yield b"x"

    with pytest.raises(Problem) as raised:
        await read_body(body_of(trickle()), 1000, patience=0.1)
    assert (raised.value.type.slug, raised.value.type.status) == ("request-timeout", 408)


async def test_c013_a_body_that_comes_steadily_may_take_long() -> None:
    async def steady() -> AsyncIterator[bytes]:
        for _ in range(10):
            await asyncio.sleep(0.02)
            yield b"x" * 100

    assert len(await read_body(body_of(steady()), 1000, patience=0.1)) == 1000


def body_of(chunks: AsyncIterator[bytes]) -> Request:
    """Return a request whose body comes in these chunks."""

    async def receive() -> Message:
        try:
            return {"type": "http.request", "body": await anext(chunks), "more_body": True}
        except StopAsyncIteration:
            return {"type": "http.request", "body": b"", "more_body": False}

    return Request({"type": "http", "headers": []}, receive)


def test_the_time_of_a_request_begins_when_its_body_is_there(start_gateway: StartGateway) -> None:
    gateway = start_gateway(request_timeout=0.6)

    def slow() -> Any:
        raw = json.dumps(factories.customer()).encode()
        yield raw[:20]
        time.sleep(0.8)  # the point of the test: a slow client, within what a body may take
        yield raw[20:]

    assert gateway.http.post(CUSTOMERS, content=slow(), headers=JSON).status_code == 201


async def test_a_client_that_goes_away_in_the_middle_of_its_body_is_no_internal_error() -> None:
    async def interrupted(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ClientDisconnect

    async def nothing(_message: Message) -> None:
        raise AssertionError("nobody is there to be answered")

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    log = io.StringIO()
    scope = {"type": "http", "method": "POST", "headers": [], "raw_path": b"/", "query_string": b""}
    lines = AccessLog(log)
    await Edge(interrupted, lines)(scope, receive, nothing)
    lines.flush()
    (line,) = map(json.loads, log.getvalue().splitlines())
    assert (line["level"], line["status"]) == ("info", 499)


def test_c012_a_head_over_16_kib_or_100_fields_is_431(gateway: Gateway) -> None:
    size = gateway.http.get(CUSTOMERS, headers={"X-Much": "x" * 17_000})
    count = gateway.http.get(CUSTOMERS, headers={f"X-{number}": "1" for number in range(101)})
    good = gateway.http.get(CUSTOMERS, headers={f"X-{number}": "1" * 100 for number in range(80)})
    assert (slug(size.json()), slug(count.json()), good.status_code) == ("headers-too-large", "headers-too-large", 200)


@pytest.mark.parametrize("form", ["query", "path"])
def test_c012_a_uri_over_2000_characters_is_414(gateway: Gateway, form: str) -> None:
    ids = "id=00000000-0000-4000-8000-000000000000&" * 48
    start = f"{CUSTOMERS}?{ids}q=" if form == "query" else f"{CUSTOMERS}/"
    good = gateway.http.get(start + "x" * (2000 - len(start)))
    over = gateway.http.get(start + "x" * (2001 - len(start)))
    assert good.status_code == (200 if form == "query" else 400)
    assert (over.status_code, slug(over.json())) == (414, "uri-too-long")


@pytest.mark.parametrize(
    "text",
    [
        "Zoë",
        "王小明",
        "😀👩\u200d👩\u200d👧",
        "Ünïcödé ß ẞ İ \u0131",
        "עִבְרִית",
        "नमस्ते",
        "\U00020000\U0010fffd",
        "a\u2028b",
    ],
)
def test_c015_text_in_nfc_returns_byte_for_byte(gateway: Gateway, text: str) -> None:
    sent = unicodedata.normalize("NFC", text)
    raw = json.dumps(factories.customer(firstName=sent), ensure_ascii=False).encode()
    response = post(gateway, raw)
    assert response.status_code == 201, response.text
    read = gateway.http.get(response.headers["Location"])
    assert sent.encode() in read.content
    assert json.loads(read.content)["firstName"] == sent


@pytest.mark.parametrize("name", ["firstName", "middleName", "lastName", "email"])
def test_c015_nul_in_text_is_422(gateway: Gateway, name: str) -> None:
    response = gateway.http.post(CUSTOMERS, json=factories.customer(**{name: "a\0b@example.com"}))
    assert response.status_code == 422


@pytest.mark.parametrize(
    "url",
    [
        f"{CUSTOMERS}/%00",
        f"{CUSTOMERS}?email=%00",
        f"{CUSTOMERS}?%00=1",
        f"{CUSTOMERS}?page=%00",
        f"{CUSTOMERS}?id=%00",
    ],
)
def test_c015_nul_in_a_uri_is_400(gateway: Gateway, url: str) -> None:
    response = gateway.http.get(url)
    assert (response.status_code, response.headers["Content-Type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("line", [b"X-API-Key: a\0b", b"Prefer: a\0b", b"X-Request-Id: a\0b", b'If-Match: "\0"'])
def test_c015_nul_in_a_header_is_400(gateway: Gateway, line: bytes) -> None:
    sent = b"GET /api/v1/viewer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + line + b"\r\n\r\n"
    answers = exchange(gateway.url, sent)
    assert [(answer.status, slug(answer.json())) for answer in answers] == [(400, "malformed-request")]


@pytest.mark.parametrize("value", [b"a\r\nX-Evil: 1", b"a\nX-Evil: 1", b"a\rX-Evil: 1", b"a%0d%0aX-Evil: 1"])
@pytest.mark.parametrize("name", [b"X-Request-Id", b"Request-Id", b"If-Match", b"Prefer", b"Host", b"Accept"])
def test_c016_a_header_that_is_echoed_cannot_make_another_one(gateway: Gateway, name: bytes, value: bytes) -> None:
    lines = [b"GET /api/v1/customers/1 HTTP/1.1", b"Connection: close", b"X-API-Key: " + gateway.key.encode()]
    lines += [b"Host: gateway"] if name != b"Host" else []
    for answer in exchange(gateway.url, b"\r\n".join([*lines, name + b": " + value, b"", b""])):
        assert answer.every("x-evil") == []


@pytest.mark.parametrize(
    "query", ["email=a%0d%0aX-Evil:%201", "email=a%0aX-Evil", "cursor=%0d%0aX-Evil:1", "page=1%0d%0aX"]
)
@pytest.mark.parametrize("path", [CUSTOMERS, "/customers"])
def test_c016_a_query_that_is_echoed_cannot_make_a_header(gateway: Gateway, path: str, query: str) -> None:
    (answer,) = exchange(gateway.url, head("GET", f"{path}?{query}", gateway.key))
    assert answer.status == 400
    assert answer.every("x-evil") == []


@pytest.mark.parametrize("query", ["email=a>b", 'email=a"b', "email=a<b", "email=a>;rel=next,<b", "email=%3E"])
def test_c016_a_link_cannot_be_ended_by_what_a_client_sent(gateway: Gateway, query: str) -> None:
    (answer,) = exchange(gateway.url, head("GET", f"/customers?{query}&count=none", gateway.key))
    assert answer.status == 200
    (link,) = answer.every("link")
    assert re.match(r"""<[^<>"]*>; rel="canonical"(, |$)""", link)


@pytest.mark.parametrize(
    "host", ["gateway/evil", "[", "a b", "evil.example:99999999", "@", "", "é", "x" * 300, "a#b", "a?b"]
)
def test_c016_a_bad_host_is_not_echoed_and_breaks_nothing(gateway: Gateway, host: str) -> None:
    sent = f"GET /api/v1/customers/1 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nX-API-Key: {gateway.key}\r\n\r\n"
    (answer,) = exchange(gateway.url, sent.encode("latin-1"))
    assert answer.status == 400
    problem = answer.json()
    assert problem["instance"] == "/api/v1/customers/1"
    assert problem["type"].startswith("http://127.0.0.1:")


@pytest.mark.parametrize("host", ["a b", "a/b", "a@b", "[::1", "a:b", "a#b", "\x80"])
def test_a_host_header_that_names_no_host_is_400(gateway: Gateway, host: str) -> None:
    sent = f"GET /health/live HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    (answer,) = exchange(gateway.url, sent.encode("latin-1"))
    assert (answer.status, answer.json()["detail"]) == (400, "The Host header names no host.")


@pytest.mark.parametrize("host", ["", "gateway", "my_gateway:8000", "[::1]:80", "127.0.0.1:", "xn--mller-kva.example"])
def test_a_host_header_may_name_any_host(gateway: Gateway, host: str) -> None:
    sent = f"GET /health/live HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    (answer,) = exchange(gateway.url, sent.encode("latin-1"))
    assert answer.status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/customers/..", "/api/v1/customers/../../etc/passwd", "/api/v1/customers/%2e%2e%2f%2e%2e%2fetc",
        "/api/v1/customers/%2f", "/api/v1/customers%2F0d047d80-eb69-4665-9395-6df5a5e569a4", "/api/v1%2fcustomers",
        "/api/v1/customers/%2F%2e", "/api/v1/customers/%00", "/api/v1/customers/;",
        "/api/v1/customers/a;b=c", "/api/v1/customers/%5c..%5c", "/api/v1/customers/%", "/api/v1/customers/%zz",
        "/api/v1/customers/%ff", "/api/v1/customers/%252e", "/api/v1/customers/*", "/api/v1/customers/$where",
        "/api/v1/customers/" + "a" * 1900, "/api/v1/./customers", "/api/v1/customers/.", "//api/v1/customers",
        "/api/v1/customers/%0d%0aX-Evil:1", "/api/v1/customers/\x7f", "/api/v1/customers/{customerId}",
    ],
)  # fmt: skip
def test_c017_tricks_with_paths_are_400_or_404_as_problems(gateway: Gateway, path: str) -> None:
    (answer,) = exchange(gateway.url, head("GET", path, gateway.key))
    assert answer.status in {400, 404}
    assert answer.every("x-evil") == []
    assert answer.every("content-type") == ["application/problem+json"]
    assert answer.json()["status"] == answer.status


BODY = b'{"x":1}'
SMUGGLED = b"GET /api/v1/viewer HTTP/1.1\r\nHost: evil\r\n\r\n"


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        ([b"Content-Length: 5", b"Transfer-Encoding: chunked"], b"0\r\n\r\n" + SMUGGLED),
        ([b"Transfer-Encoding: chunked", b"Content-Length: 5"], b"0\r\n\r\n" + SMUGGLED),
        ([b"Content-Length: 7", b"Content-Length: 0"], BODY),
        ([b"Content-Length: 0", b"Content-Length: 7"], BODY),
        ([b"Content-Length: 7, 0"], BODY),
        ([b"Content-Length: +7"], BODY),
        ([b"Content-Length: -1"], BODY),
        ([b"Content-Length: 0x7"], BODY),
        ([b"Content-Length : 7"], BODY),
        ([b"Transfer-Encoding : chunked"], b"0\r\n\r\n"),
        ([b"Transfer-Encoding: chunked, identity"], b"0\r\n\r\n"),
        ([b"Transfer-Encoding: xchunked"], b"0\r\n\r\n"),
        ([b"X-Y: 1\nContent-Length: 7"], BODY),
        ([b" folded: 1"], b""),
        ([b"No colon"], b""),
        ([b"Transfer-Encoding: chunked"], b"5;\r\nhello\n0\r\n\r\n"),
        ([b"Transfer-Encoding: chunked"], b"-1\r\nhello\r\n0\r\n\r\n"),
    ],
    ids=lambda value: str(value)[:44],
)
def test_c018_a_request_of_two_minds_is_refused_and_the_connection_closed(
    gateway: Gateway, lines: list[bytes], body: bytes
) -> None:
    start = [b"POST /api/v1/customers HTTP/1.1", b"Host: x", b"Content-Type: application/json"]
    start.append(b"X-API-Key: " + gateway.key.encode())
    answers = exchange(gateway.url, b"\r\n".join([*start, *lines, b"", b""]) + body, seconds=1)
    assert answers, "closed without a word"
    assert [(answer.status, slug(answer.json())) for answer in answers] == [(400, "malformed-request")]
    assert answers[-1].closed


@pytest.mark.parametrize(
    "url",
    [CUSTOMERS, f"{CUSTOMERS}?cursor=", "{customer}", "{customer}/addresses", "/api/v1/viewer", "/openapi.json",
     "/health/live", "/health/ready", "/problems/conflict"],
)  # fmt: skip
def test_c019_head_is_get_without_its_body(start_gateway: StartGateway, url: str) -> None:
    gateway = start_gateway()
    body = gateway.create()
    address = url.replace("{customer}", f"{CUSTOMERS}/{body['id']}")
    got, headed = gateway.http.get(address), gateway.http.head(address)
    assert (headed.status_code, headed.content) == (got.status_code, b"")
    moving = {"date", "expires", "x-request-id", "request-id", "server-timing"}
    if "cursor" in url:
        moving |= {"link", "next-cursor"}
    same = {name: value for name, value in got.headers.items() if name not in moving}
    assert {name: value for name, value in headed.headers.items() if name not in moving} == same


@pytest.mark.parametrize("status", [204, 304])
def test_c019_answers_without_a_body_say_nothing_of_one(gateway: Gateway, status: int) -> None:
    body, tag = gateway.created()
    method, lines = ("DELETE", []) if status == 204 else ("GET", [f"If-None-Match: {tag}"])
    (answer,) = exchange(gateway.url, head(method, f"{CUSTOMERS}/{body['id']}", gateway.key, *lines))
    assert (answer.status, answer.body) == (status, b"")
    assert answer.every("content-type") == []
    assert answer.every("transfer-encoding") == []


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "GZIP", "identity, gzip", "gzip, gzip"])
def test_c020_compressed_bodies_are_415(gateway: Gateway, coding: str) -> None:
    response = post(gateway, gzip.compress(b" " * 10 * MIB), **{"Content-Encoding": coding})
    assert (response.status_code, slug(response.json())) == (415, "unsupported-media-type")
    assert response.headers["Accept-Encoding"] == "identity"


def test_identity_is_no_compression(gateway: Gateway) -> None:
    raw = json.dumps(factories.customer()).encode()
    assert post(gateway, raw, **{"Content-Encoding": "identity"}).status_code == 201


@pytest.mark.parametrize(
    "media_type",
    ["", "text/plain", "text/json", "application/xml", "application/x-www-form-urlencoded",
     "multipart/form-data; boundary=x", "application/merge-patch+json", "application/vnd.api+json",
     "application/json; charset=latin-1",
     "application/json; charset=utf-16", "application/json; charset=utf-8x", "application/json, application/json",
     "application/jsonx", "*/*"],
)  # fmt: skip
def test_c008_another_media_type_is_415_and_says_what_is_taken(gateway: Gateway, media_type: str) -> None:
    response = post(gateway, json.dumps(factories.customer()).encode(), **{"Content-Type": media_type})
    assert (response.status_code, slug(response.json())) == (415, "unsupported-media-type")
    assert response.headers["Accept"] == "application/json"


def test_c008_a_body_without_a_media_type_or_with_two_is_415(gateway: Gateway) -> None:
    raw = json.dumps(factories.customer()).encode()
    none = gateway.http.post(CUSTOMERS, content=raw)
    two = [("Content-Type", "application/json"), ("Content-Type", "text/plain")]
    assert none.status_code == 415
    for headers in (two, two[::-1], two[:1] * 2):
        assert gateway.http.post(CUSTOMERS, content=raw, headers=httpx2.Headers(headers)).status_code == 415


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "application/json; charset=utf-8", 'application/json;charset="UTF-8"', "APPLICATION/JSON",
     "application/json ; x=y", "application/json;"],
)  # fmt: skip
def test_json_in_utf_8_is_taken_however_it_is_spelt(gateway: Gateway, media_type: str) -> None:
    raw = json.dumps(factories.customer()).encode()
    assert post(gateway, raw, **{"Content-Type": media_type}).status_code == 201


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200), ("application/json", 200), ("application/*", 200), ("text/html, */*;q=0.1", 200),
        ("application/json;charset=utf-8", 200), ("application/json;q=0.001", 200), ("", 200),
        ("application/problem+json", 200), ("text/html", 406), ("application/xml", 406), ("text/*", 406),
        ("application/json;q=0", 406), ("*/*;q=0", 406), ("application/json;q=0, */*;q=0", 406), ("nonsense", 406),
        ("application/vnd.api+json", 406),
    ],
)  # fmt: skip
def test_c008_what_cannot_be_accepted_is_406(gateway: Gateway, accept: str, status: int) -> None:
    response = gateway.http.get("/api/v1/viewer", headers={"Accept": accept})
    assert response.status_code == status
    if status == 406:
        assert slug(response.json()) == "not-acceptable"


def test_c008_a_change_whose_answer_cannot_be_accepted_is_not_made(gateway: Gateway) -> None:
    sent = factories.customer()
    assert gateway.http.post(CUSTOMERS, json=sent, headers={"Accept": "text/html"}).status_code == 406
    assert gateway.http.get(CUSTOMERS, params={"email": sent["email"]}).json()["content"] == []


@pytest.mark.parametrize("name", ["X-Request-Id", "Request-Id"])
@pytest.mark.parametrize("value", ["a", "A-b_c.9", "x" * 128, "00000000-0000-4000-8000-000000000000"])
def test_a_good_request_id_is_echoed_under_both_names(gateway: Gateway, name: str, value: str) -> None:
    response = gateway.http.get("/api/v1/viewer", headers={name: value})
    assert (response.headers["X-Request-Id"], response.headers["Request-Id"]) == (value, value)


@pytest.mark.parametrize("value", ["", "a b", "x" * 129, "a/b", "<script>", "é", "a,b", '{"$ne":1}', "a;b"])
def test_a_bad_request_id_is_replaced_by_a_new_one(gateway: Gateway, value: str) -> None:
    response = gateway.http.get("/api/v1/viewer", headers=[(b"X-Request-Id", value.encode("latin-1"))])
    assert response.headers["X-Request-Id"] != value
    assert str(uuid.UUID(response.headers["X-Request-Id"])) == response.headers["X-Request-Id"]


def test_of_two_request_ids_the_first_good_one_is_taken(gateway: Gateway) -> None:
    both = gateway.http.get("/api/v1/viewer", headers={"X-Request-Id": "one", "Request-Id": "two"})
    bad = gateway.http.get("/api/v1/viewer", headers={"X-Request-Id": "a b", "Request-Id": "two"})
    assert (both.headers["X-Request-Id"], bad.headers["X-Request-Id"]) == ("one", "two")


def test_every_request_without_an_id_gets_its_own(gateway: Gateway) -> None:
    assert len({gateway.http.get("/health/live").headers["X-Request-Id"] for _ in range(20)}) == 20


EVERYWHERE = [
    "/",
    "/api/v1/viewer",
    f"{CUSTOMERS}/1",
    "/nowhere",
    "/openapi.json",
    "/health/live",
    "/problems",
    "/graphql",
]


@pytest.mark.parametrize("url", EVERYWHERE)
def test_every_answer_tells_version_date_and_how_long_it_keeps(gateway: Gateway, url: str) -> None:
    headers = gateway.http.get(url).headers
    assert headers["API-Version"] == API_VERSION
    assert len(API_VERSION.split(".")) == 3
    date, expires = parsedate_to_datetime(headers["Date"]), parsedate_to_datetime(headers["Expires"])
    age = next((int(part.split("=")[1]) for part in headers["Cache-Control"].split(", ") if "max-age" in part), 0)
    assert len(headers.get_list("Date")) == len(headers.get_list("Expires")) == 1
    assert expires - date == timedelta(seconds=age)
    assert abs(date - datetime.now(UTC)) < timedelta(seconds=60)


@pytest.mark.parametrize("url", EVERYWHERE)
def test_c126_every_answer_has_the_security_headers_and_hides_the_server(gateway: Gateway, url: str) -> None:
    headers = gateway.http.get(url).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "server" not in headers
    assert "x-powered-by" not in headers


def test_c126_customers_are_private_and_checked_again_each_time(gateway: Gateway) -> None:
    body, tag = gateway.created()
    url = f"{CUSTOMERS}/{body['id']}"
    for response in (
        gateway.http.get(url),
        gateway.http.get(CUSTOMERS, params={"size": 1}),
        gateway.http.get(url, headers={"If-None-Match": tag}),
        gateway.http.get(f"{CUSTOMERS}/{uuid.uuid4()}"),
    ):
        assert response.headers["Cache-Control"] == "private, no-cache"


def test_c126_without_the_setting_no_other_origin_is_let_in(gateway: Gateway) -> None:
    origin = {"Origin": "https://app.example.com"}
    response = gateway.http.get("/api/v1/viewer", headers=origin)
    assert not [name for name in response.headers if name.startswith("access-control-")]


def test_c126_only_the_origins_of_the_setting_are_let_in(start_gateway: StartGateway) -> None:
    gateway = start_gateway(cors_origins="https://app.example.com, https://other.example.com")
    good = gateway.http.get("/api/v1/viewer", headers={"Origin": "https://app.example.com"})
    bad = gateway.http.get("/api/v1/viewer", headers={"Origin": "https://evil.example.com"})
    assert good.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "Origin" in good.headers["Vary"]
    assert "ETag" in good.headers["Access-Control-Expose-Headers"]
    assert "access-control-allow-credentials" not in good.headers
    assert "access-control-allow-origin" not in bad.headers
    preflight = gateway.http.options(
        f"{CUSTOMERS}/1",
        headers={
            "Origin": "https://app.example.com",
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "if-match, x-api-key, content-type",
        },
    )
    assert (preflight.status_code, preflight.content) == (200, b"")
    assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("enveloped", [False, True])
def test_a_preflight_of_an_origin_that_is_not_let_in_is_a_problem_and_lets_nothing_in(
    start_gateway: StartGateway, enveloped: bool
) -> None:
    gateway = start_gateway(cors_origins="https://app.example.com")
    asked = {"Origin": "https://evil.example.com", "Access-Control-Request-Method": "PUT"}
    accept = {"Accept": "application/json;profile=enveloped"} if enveloped else {}
    refused = gateway.http.options(CUSTOMERS, headers={**asked, **accept})
    assert refused.status_code == 403
    assert not [name for name in refused.headers if name.startswith("access-control-")]
    assert "Origin" in refused.headers["Vary"].split(", ")
    assert refused.headers["X-Request-Id"]
    if enveloped:
        assert refused.json()["errors"][0]["httpStatus"] == 403
    else:
        assert slug(refused.json()) == "origin-refused"


@pytest.mark.parametrize(
    "asked",
    [
        {"Access-Control-Request-Method": "TRACE"},
        {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-unknown"},
        {"Access-Control-Request-Method": "GET", "Access-Control-Request-Private-Network": "true"},
    ],
)
def test_a_preflight_of_a_listed_origin_is_told_what_may_be_sent_and_the_browser_compares(
    start_gateway: StartGateway, asked: dict[str, str]
) -> None:
    gateway = start_gateway(cors_origins="https://app.example.com")
    told = gateway.http.options(CUSTOMERS, headers={"Origin": "https://app.example.com", **asked})
    assert (told.status_code, told.headers["Access-Control-Allow-Origin"]) == (200, "https://app.example.com")
    assert told.headers["Access-Control-Allow-Methods"] == "GET, POST, PUT, PATCH, DELETE"
    assert "x-unknown" not in told.headers["Access-Control-Allow-Headers"].lower()
    assert "access-control-allow-private-network" not in told.headers


@pytest.mark.parametrize(
    "path",
    ["/", "/graphql", "/docs", "/openapi.json", "/openapi.yaml", "/schemas/customer.json", "/problems",
     "/problems/not-found", "/health/live", "/health/ready", "/.well-known/jwks.json",
     "/.well-known/oauth-authorization-server"],
)  # fmt: skip
def test_what_is_public_and_takes_no_parameters_ignores_them(gateway: Gateway, path: str) -> None:
    pages = {"Accept": "text/html"} if path in {"/", "/graphql", "/docs"} else {}
    plain, asked = (gateway.http.get(f"{path}{query}", headers=pages) for query in ("", "?_=1796072139&probe=lb"))
    assert (asked.status_code, asked.content) == (plain.status_code, plain.content)
    assert asked.status_code == 200


def test_a_parameter_sent_twice_is_400(gateway: Gateway) -> None:
    for query in ("page=1&page=1", "size=1&page_size=2", "dryRun=true&dry_run=true"):
        method = "POST" if "dry" in query else "GET"
        response = gateway.http.request(method, f"{CUSTOMERS}?{query}")
        assert (response.status_code, slug(response.json())) == (400, "invalid-parameter")


@pytest.mark.parametrize(
    ("query", "near"),
    [
        ("pages=1", "page"),
        ("sizes=3", "size"),
        ("Email=x", "email"),
        ("cusror=", "cursor"),
        ("dry_rum=true", "dry_run"),
    ],
)
def test_an_unknown_parameter_is_400_and_the_nearest_is_named(gateway: Gateway, query: str, near: str) -> None:
    method = "POST" if "dry" in query else "GET"
    response = gateway.http.request(method, f"{CUSTOMERS}?{query}")
    assert (response.status_code, slug(response.json())) == (400, "unknown-parameter")
    assert f"Did you mean {near}?" in response.json()["detail"]


@pytest.mark.parametrize("url", ["/api/v1/viewer", f"{CUSTOMERS}/00000000-0000-4000-8000-000000000000"])
def test_a_parameter_where_none_is_known_is_400(gateway: Gateway, url: str) -> None:
    response = gateway.http.get(f"{url}?verbose=1")
    assert (response.status_code, slug(response.json())) == (400, "unknown-parameter")


@pytest.mark.parametrize(
    "query", ["email=%FF", "email=%C0%AF", "email=%ED%A0%80", "%FF=1", "email=%00", "email=a%0Ab", "email=\x7f"]
)
def test_a_query_that_is_no_utf_8_or_holds_control_characters_is_400(gateway: Gateway, query: str) -> None:
    (answer,) = exchange(gateway.url, head("GET", f"{CUSTOMERS}?{query}", gateway.key))
    assert answer.status == 400


def test_expect_100_continue_is_answered(gateway: Gateway) -> None:
    raw = json.dumps(factories.customer()).encode()
    lines = ("Content-Type: application/json", f"Content-Length: {len(raw)}", "Expect: 100-continue")
    answers = exchange(gateway.url, head("POST", CUSTOMERS, gateway.key, *lines) + raw)
    assert [answer.status for answer in answers] in ([100, 201], [201])


def test_http_1_0_is_answered(gateway: Gateway) -> None:
    sent = f"GET /api/v1/viewer HTTP/1.0\r\nX-API-Key: {gateway.key}\r\n\r\n"
    (answer,) = exchange(gateway.url, sent.encode())
    assert answer.status == 200


def test_an_address_of_the_whole_may_stand_in_the_request_line(gateway: Gateway) -> None:
    (answer,) = exchange(gateway.url, head("GET", "http://gateway/api/v1/viewer", gateway.key))
    assert answer.status == 200


@pytest.mark.parametrize("target", ["http://gateway", "http://gateway?x=1", "http://[::1]:80", "a://b"])
def test_an_address_of_the_whole_without_a_path_is_that_of_the_first_page(gateway: Gateway, target: str) -> None:
    """RFC 9110, section 4.2.3: an empty path is `/`."""
    (answer,) = exchange(gateway.url, head("GET", target, gateway.key))
    (page,) = exchange(gateway.url, head("GET", "/", gateway.key))
    assert (answer.status, answer.body) == (page.status, page.body)
