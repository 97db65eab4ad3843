"""Connections to what a name means now, and only where that is allowed: looked up once, checked, and connected to.

Between the look and the connection nobody is asked again, so a name cannot mean one thing here and another there
(DNS rebinding). TLS is still checked against the name.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import httpcore2

from resolvers.webhook_rules import LookUp
from resolvers.webhook_targets import is_address, is_public

_THREADS: Final = 32
"""How many names are looked up at once: the system's look-up blocks, and one that hangs must not keep the others."""


class Refused(Exception):
    """A name leads to an address that nothing is sent to."""


class Names:
    """Looks names up by the system's own means, in threads of its own. To be closed."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="names")

    async def look_up(self, host: str) -> Sequence[str]:
        """Return the addresses of a name, each once; raises OSError where it has none."""
        found = await asyncio.get_running_loop().run_in_executor(self._threads, _addresses, host)
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """Begin no more looks; those under way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _addresses(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that no name can have
        raise OSError("no such name") from error
    return [str(address[0]) for *_, address in found]


@dataclass(frozen=True, slots=True)
class PinnedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to checked addresses alone; one private address among a name's is enough to refuse it."""

    look_up: LookUp
    allow_private: bool = False
    inner: httpcore2.AsyncNetworkBackend = field(default_factory=httpcore2.AnyIOBackend)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as httpcore calls it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address that answers; raises `Refused` and what httpcore raises."""
        failure: Exception = httpcore2.ConnectError("no address")
        for address in await self._checked(host):
            try:
                return await self.inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore2.ConnectError as error:
                failure = error
        raise failure

    async def _checked(self, host: str) -> Sequence[str]:
        addresses = [host] if is_address(host) else await self.look_up(host)
        if not self.allow_private and not all(map(is_public, addresses)):
            raise Refused
        return addresses

    async def connect_unix_socket(self, *_args: Any, **_options: Any) -> httpcore2.AsyncNetworkStream:
        """Refuse; raises `Refused`."""
        raise Refused

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
