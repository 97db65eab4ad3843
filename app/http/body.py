"""The one strict JSON reader, for both doors (RFC 8259, RFC 7493 I-JSON)."""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from collections.abc import AsyncIterator
from typing import Final, NoReturn

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from app.http.heads import heads_of
from resolvers.problem import JsonValue, Problem
from resolvers.problems import (
    BODY_TOO_LARGE,
    EMPTY_BODY,
    JSON_DUPLICATE_KEY,
    JSON_ENCODING,
    JSON_NUMBER,
    JSON_SURROGATE,
    JSON_SYNTAX,
    JSON_TOO_DEEP,
    JSON_TRAILING_DATA,
    REQUEST_TIMEOUT,
)
from storage.deadlines import HardEnd

MAX_DEPTH: Final = 32
WHOLE: Final = "whole"
"""What a scope has in it from when the whole request has come: nothing of it has to be waited for any more."""
SLOWEST: Final = 1000
"""How many bytes of a body must come in a second, on the average."""
PATIENCE: Final = 10.0
_STRINGS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_BRACKETS = re.compile(r"[\[\]{}]")
_INT64 = range(-(2**63), 2**63)
_NUMBERS = bytes.maketrans(b"[:-123456789", b",,0000000000")
"""Makes of every number that follows a bracket, comma or colon a text that begins with `,0`."""


async def read_body(request: Request, limit: int, *, patience: float = PATIENCE) -> bytes:
    """Return the body of a request, of at most `limit` bytes, counted as they come.

    `patience` is how many seconds it may be behind `SLOWEST`.

    Raises:
        Problem: body-too-large, before more than `limit` bytes are held; request-timeout.
        ClientDisconnect: the client is gone.
    """
    declared = heads_of(request.scope).text(b"content-length")
    if declared.isdecimal() and int(declared[:19]) > limit:
        raise _too_large(limit)
    if WHOLE in request.scope:
        piece, _ = await _piece(request.receive, limit)
        return piece
    body = bytearray()
    began = time.monotonic()
    end = HardEnd(patience, lambda: began + patience + len(body) / SLOWEST - time.monotonic())
    try:
        await _read_into(body, request.receive, limit)
    except asyncio.CancelledError as error:
        if not end.over(error):
            raise
        raise _too_slow() from error
    finally:
        end.stop()
    return bytes(body)


async def body_pieces(request: Request, *, patience: float = PATIENCE) -> AsyncIterator[bytes]:
    """Give the body of a request as it comes, however large; what is done with it meanwhile counts for nobody.

    `patience` is how many seconds the client may be behind `SLOWEST`.

    Raises:
        Problem: request-timeout.
        ClientDisconnect: the client is gone.
    """
    left, more = patience, True
    while more:
        began = time.monotonic()
        message = await _received(request.receive, left)
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece: bytes = message.get("body", b"")
        left += len(piece) / SLOWEST - (time.monotonic() - began)
        yield piece
        more = message.get("more_body", False)


async def _received(receive: Receive, seconds: float) -> Message:
    end = HardEnd(seconds)
    try:
        return await receive()
    except asyncio.CancelledError as error:
        if not end.over(error):
            raise
        raise _too_slow() from error
    finally:
        end.stop()


def _too_slow() -> Problem:
    return Problem(REQUEST_TIMEOUT, f"The body came more slowly than {SLOWEST} bytes a second.")


async def _read_into(body: bytearray, receive: Receive, limit: int) -> None:
    more = True
    while more:
        piece, more = await _piece(receive, limit, len(body))
        body += piece


async def _piece(receive: Receive, limit: int, before: int = 0) -> tuple[bytes, bool]:
    """Return what has come of a body since `before` bytes of it, and whether more follows."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    piece = message.get("body", b"")
    if before + len(piece) > limit:
        raise _too_large(limit)
    return piece, message.get("more_body", False)


def _too_large(limit: int) -> Problem:
    return Problem(BODY_TOO_LARGE, f"The body may have at most {limit} bytes.")


def parse_json(raw: bytes) -> JsonValue:
    """Return the JSON value of a body.

    Raises:
        Problem: empty-body, or the json- problem that names what is wrong.
    """
    try:
        return _plain_json(raw)
    except ValueError:
        return _strict_json(raw)


def _plain_json(raw: bytes) -> JsonValue:
    """Return the value of an object or array that is beyond doubt, at a fraction of the strict reader's cost.

    Text without escapes holds as many quotes as its value written anew, unless a key stood twice.

    Raises:
        ValueError: the strict reader has to say whether something is wrong, and what.
    """
    if b"\\" in raw:
        raise ValueError
    value: JsonValue = orjson.loads(raw)
    if not isinstance(value, dict | list) or (raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and not _fits(value)):
        raise ValueError
    compact = orjson.dumps(value)
    if compact.count(b'"') != raw.count(b'"') or (b",0" in compact.translate(_NUMBERS) and not _fits(value)):
        raise ValueError
    return value


def _fits(value: JsonValue, depth: int = 0) -> bool:
    """Tell whether all numbers are integers of 64 bits, and nothing nests too deep."""
    if isinstance(value, dict | list):
        members = value.values() if isinstance(value, dict) else value
        return depth < MAX_DEPTH and all(_fits(member, depth + 1) for member in members)
    return not isinstance(value, float) and (not isinstance(value, int) or value in _INT64)


def _strict_json(raw: bytes) -> JsonValue:
    text = _decoded(raw)
    _check_depth(text)
    try:
        value: JsonValue = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        kind = JSON_TRAILING_DATA if error.msg == "Extra data" else JSON_SYNTAX
        raise Problem(kind, f"{error.msg} at line {error.lineno}, column {error.colno}.") from error
    if "\\u" in text:
        _check_surrogates(value)
    return value


def _decoded(raw: bytes) -> str:
    if not raw.strip(b" \t\r\n"):
        raise Problem(EMPTY_BODY, "This needs a JSON body.")
    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) or b"\0" in raw:
        raise Problem(JSON_ENCODING, "The body must be UTF-8 without a byte order mark.")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Problem(JSON_ENCODING, f"The body is not UTF-8: see byte {error.start}.") from error


def _check_depth(text: str) -> None:
    depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise Problem(JSON_TOO_DEEP, f"The body nests more than {MAX_DEPTH} levels deep.")


def _check_surrogates(value: JsonValue) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise Problem(JSON_SURROGATE, "A string of the body holds half a surrogate pair.") from error


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        again = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise Problem(JSON_DUPLICATE_KEY, f"The key {again[:64]!r} stands twice in one object.")
    return members


def _integer(digits: str) -> int:
    if len(digits) > 20 or (number := int(digits)) not in _INT64:
        raise Problem(JSON_NUMBER, "An integer of the body does not fit in 64 bits.")
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Problem(JSON_NUMBER, "A number of the body is too large.")
    return number


def _constant(name: str) -> NoReturn:
    raise Problem(JSON_NUMBER, f"{name} is not JSON.")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)
