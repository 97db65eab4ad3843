"""Logs: one JSON object a line on standard error.

Every line has timestamp, level, service, ip (of this server), requestId, userId and message. No line holds
personal data, a secret, a query string or a body. Source: CRM API Guidelines, Observability; REST API
Design Guidelines, Logging.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
import time
import traceback
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, TextIO

import orjson
import structlog
from starlette.types import Scope

SERVICE: Final = "customer-gateway"
LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
TRACE_ID: Final = "trace_id"
"""Where a scope holds the id of the trace that the request belongs to, if there is one."""
_TEMPLATE_UNKNOWN = "(no route)"


def line(level: str, message: str, **more: Any) -> bytes:
    """Return one log line, with its end."""
    ids = {name: more.pop(name, "") for name in ("ip", "request_id", "user_id")}
    return encoded({**entry_of(level, message, **ids), **more})


def entry_of(level: str, message: str, ip: str, request_id: str, user_id: str) -> dict[str, Any]:
    """Return what every line has."""
    return {
        "timestamp": _timestamp(time.time()),
        "level": level,
        "service": SERVICE,
        "ip": ip,
        "requestId": request_id,
        "userId": user_id,
        "message": message,
    }


def encoded(entry: dict[str, Any]) -> bytes:
    """Return an entry as a line, with its end; in ASCII, so that no reader finds a line's end within it."""
    try:
        text = orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE, default=str)
    except TypeError:  # a lone surrogate, which UTF-8 cannot hold
        text = b"\xff"
    return text if text.isascii() else json.dumps(entry, default=str).encode() + b"\n"


def _timestamp(seconds: float) -> str:
    """Return a moment as logs and documents have it, in UTC and with milliseconds."""
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1000):03}Z"


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _render(_logger: object, level: str, event: structlog.typing.EventDict) -> str:
    return line(level, str(event.pop("event", "")), **event).decode().rstrip("\n")


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send structlog's, the standard library's and uvicorn's lines through the same form."""
    out = stream or sys.stderr
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _render],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler], level=max(LEVELS[level], logging.WARNING), force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    logging.getLogger("uvicorn.error").setLevel(LEVELS[level])
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("uvicorn.error").filters = [_tells_no_address]


def _tells_no_address(record: logging.LogRecord) -> bool:
    """Keep uvicorn's own lines about WebSockets out: they hold addresses with their query strings."""
    return "WebSocket" not in str(record.msg) and not str(record.msg).startswith("connection ")


def adopt_strays() -> None:
    """Send what Python itself would print on standard error (warnings, last exceptions) through our form too."""
    logging.captureWarnings(True)
    stray = logging.getLogger("python")

    def report(error: BaseException | None) -> None:
        stray.error("Unexpected error", exc_info=error or True)

    sys.excepthook = lambda _kind, error, _trace: report(error)
    threading.excepthook = lambda args: report(args.exc_value)
    sys.unraisablehook = lambda args: report(args.exc_value)


class JsonFormatter(logging.Formatter):
    """The standard library's records in our form; exceptions by type and place only."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        more = {"logger": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            more |= failure_fields(record.exc_info[1])
        return line(record.levelname.lower(), _headline(record.getMessage()), **more).decode().rstrip("\n")


def _headline(message: str) -> str:
    """Return a message's first line: what follows are traces and values, which may hold a person's data."""
    first = message.strip().partition("\n")[0]
    return "Unexpected error" if first.startswith("Traceback") else first


def failure_fields(error: BaseException) -> dict[str, str]:
    """Return an exception's type and places, without its text, which may hold a person's data."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    places = " < ".join(
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in reversed(frames)
    )
    return {"error": type(error).__qualname__, "at": places}


class AccessLog:
    """The access lines: made directly, as each request has one, and written together at the end of the loop's turn."""

    def __init__(self, stream: TextIO, *, enabled: bool = True) -> None:
        self._stream = stream
        self._enabled = enabled
        self._lines: list[bytes] = []

    def request(self, scope: Scope, status: int, seconds: float) -> None:
        """Write the line of one finished request; the path only as its template."""
        if self._enabled:
            template = scope.get("route_template", _TEMPLATE_UNKNOWN)
            entry = _of_request(scope, "info", f"{scope['method'][:16]} {template} {status}")
            entry["status"] = status
            entry["durationMs"] = round(seconds * 1000, 2)
            self.write(entry)

    def failure(self, scope: Scope, error: BaseException) -> None:
        """Write the line of an error that should not have happened."""
        self.write({**_of_request(scope, "error", "Unexpected error"), **failure_fields(error)})

    def flush(self) -> None:
        """Write what waits."""
        lines, self._lines = self._lines, []
        self._stream.write(b"".join(lines).decode())
        self._stream.flush()

    def write(self, entry: dict[str, Any]) -> None:
        """Write a line at the end of the loop's turn, whatever the level."""
        self._lines.append(encoded(entry))
        if len(self._lines) == 1:
            asyncio.get_running_loop().call_soon(self.flush)


def _of_request(scope: Scope, level: str, message: str) -> dict[str, Any]:
    server = scope.get("server")
    ip = server[0] if server else ""
    entry = entry_of(level, message, ip, scope.get("request_id", ""), scope.get("caller_id", ""))
    if TRACE_ID in scope:
        entry["traceId"] = scope[TRACE_ID]
    return entry
