"""One request to one endpoint: never redirected, never long, and every end of it has a name."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from app.webhooks.failures import Failed, Refused
from resolvers.webhook_rules import LookUp
from resolvers.webhook_targets import BadTarget, target_of

if TYPE_CHECKING:
    from app.webhooks.connections import Connections

TIMEOUT_SECONDS: Final = 15.0
"""How long one try may take, looking up and connecting included (Standard Webhooks: 15 to 30 seconds)."""
_LONGEST_WAIT: Final = 24 * 3600.0


class Answer(NamedTuple):
    """What came of a try: a status, or what went wrong; `retry_after` are the seconds that the endpoint asks for."""

    status: int | None
    error: str | None
    seconds: float
    retry_after: float | None = None

    @property
    def good(self) -> bool:
        """Whether the endpoint has taken it: only 2xx says so."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(slots=True)
class Endpoints:
    """Sends to endpoints, over connections that it keeps for a while. To be closed.

    `timeout` are the seconds of each try; `tls` stands in place of the machine's certificates.
    """

    look_up: LookUp
    allow_private: bool
    tls: ssl.SSLContext | None = None
    timeout: float = TIMEOUT_SECONDS
    _connections: Connections | None = field(default=None, init=False)

    async def post(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Answer:
        """Send one request and return what came of it; raises nothing of its own."""
        began = time.monotonic()
        try:
            target_of(url, allow_private=self.allow_private)
            async with asyncio.timeout(self.timeout):
                head = await self._opened().post(url, headers, body)
        except TimeoutError:
            return Answer(None, f"no answer within {self.timeout:g} s", time.monotonic() - began)
        except (Refused, BadTarget):
            return Answer(None, "address refused: private network", time.monotonic() - began)
        except Failed as failure:
            return Answer(None, str(failure), time.monotonic() - began)
        return Answer(head.status, None, time.monotonic() - began, retry_after(head.headers, datetime.now(UTC)))

    def _opened(self) -> Connections:
        if self._connections is None:
            from app.webhooks.connections import Connections  # an HTTP client, which gateways without webhooks spare

            self._connections = Connections(self.look_up, allow_private=self.allow_private, tls=self.tls)
        return self._connections

    async def aclose(self) -> None:
        """Close all connections."""
        if self._connections is not None:
            await self._connections.close()


def retry_after(headers: Sequence[tuple[bytes, bytes]], now: datetime) -> float | None:
    """Return the seconds that Retry-After asks to wait (RFC 9110 section 10.2.3), a day at most; None without one."""
    found = next((value for name, value in headers if name.lower() == b"retry-after"), b"").decode("latin-1").strip()
    if found.isascii() and found.isdigit():
        return min(float(found[:9]), _LONGEST_WAIT)
    try:
        seconds = (parsedate_to_datetime(found) - now).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT)
