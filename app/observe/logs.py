"""Logs: one JSON object a line on standard error.

Every line has timestamp, level, service, ip (of this server), requestId, userId and message. No line holds
personal data, a secret, a query string or a body. Source: CRM API Guidelines, Observability; REST API
Design Guidelines, Logging.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, TextIO

import orjson
import structlog
from starlette.types import Scope

from storage.documents import instant

SERVICE: Final = "customer-gateway"
LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_TEMPLATE_UNKNOWN = "(no route)"


def line(level: str, message: str, *, ip: str = "", request_id: str = "", user_id: str = "", **more: Any) -> bytes:
    """Return one log line, with its end; in ASCII, so that no reader finds a line's end within it."""
    entry = {
        "timestamp": instant(datetime.now(UTC)),
        "level": level,
        "service": SERVICE,
        "ip": ip,
        "requestId": request_id,
        "userId": user_id,
        "message": message,
        **more,
    }
    try:
        text = orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE, default=str)
    except TypeError:  # a lone surrogate, which UTF-8 cannot hold
        text = b"\xff"
    return text if text.isascii() else json.dumps(entry, default=str).encode() + b"\n"


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


@lru_cache(maxsize=16)
def _server_ip(server: tuple[str, int | None] | None) -> str:
    return server[0] if server else ""


@dataclass(frozen=True, slots=True)
class AccessLog:
    """The access line: written directly, because it is written for every request."""

    stream: TextIO
    enabled: bool = True

    def request(self, scope: Scope, status: int, seconds: float) -> None:
        """Write the line of one finished request; the path only as its template."""
        if not self.enabled:
            return
        template = scope.get("route_template", _TEMPLATE_UNKNOWN)
        milliseconds = round(seconds * 1000, 2)
        self._write(
            scope,
            "info",
            f"{scope['method'][:16]} {template} {status}",
            status=status,
            durationMs=milliseconds,
        )

    def failure(self, scope: Scope, error: BaseException) -> None:
        """Write the line of an error that should not have happened."""
        self._write(scope, "error", "Unexpected error", **failure_fields(error))

    def _write(self, scope: Scope, level: str, message: str, **more: Any) -> None:
        entry = line(
            level,
            message,
            ip=_server_ip(scope.get("server")),
            request_id=scope.get("request_id", ""),
            user_id=scope.get("caller_id", ""),
            **more,
        )
        self.stream.write(entry.decode())
        self.stream.flush()
