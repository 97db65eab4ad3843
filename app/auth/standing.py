"""Whether those who have a stream open may still have it: looked at again and again, once for all with one key.

So a key that was revoked, or a token that has expired, ends its streams within seconds, and a thousand idle streams
of one caller ask the store no more often than one.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context as Variables
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import structlog

from app.auth.credentials import Authenticator
from app.http.heads import Heads
from app.observe.logs import failure_fields
from resolvers.context import Caller
from resolvers.problem import Problem
from resolvers.problems import UNAUTHORIZED
from storage.deadlines import wire_deadline
from storage.errors import StoreError

CHECK_SECONDS: Final = 1.5
"""With the seconds for which a caller is remembered, and one look, less than five."""
_LOOK_SECONDS: Final = 1.0


class _Stream(NamedTuple):
    renewed: Callable[[Caller], None]
    ended: Callable[[Problem], None]


@dataclass(slots=True, eq=False)
class _Kept:
    """Streams with the same credentials, and what looks at these."""

    streams: set[_Stream] = field(default_factory=set)
    task: asyncio.Task[None] | None = None


@dataclass(slots=True)
class Standings:
    """Looks at the credentials of open streams. Belongs to one event loop."""

    authenticator: Authenticator
    _kept: dict[bytes, _Kept] = field(default_factory=dict)

    @contextmanager
    def kept(self, heads: Heads, renewed: Callable[[Caller], None], ended: Callable[[Problem], None]) -> Iterator[None]:
        """Tell, inside the block, what the credentials in `heads` allow now, or that they are not good any more."""
        name = _name(heads)
        kept = self._kept.get(name)
        if kept is None:
            kept = self._kept[name] = _Kept()
            kept.task = asyncio.get_running_loop().create_task(
                self._look(heads, kept), name="standing", context=Variables()
            )
        stream = _Stream(renewed, ended)
        kept.streams.add(stream)
        try:
            yield
        finally:
            kept.streams.discard(stream)
            if not kept.streams and kept.task is not None:
                kept.task.cancel()
                if self._kept.get(name) is kept:
                    del self._kept[name]

    async def _look(self, heads: Heads, kept: _Kept) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                with wire_deadline(_LOOK_SECONDS):
                    caller = await self._caller(heads)
            except StoreError:
                continue  # nothing can be said, and nothing new be told, while the store is away
            except Problem as problem:
                if problem.type is UNAUTHORIZED:
                    for stream in tuple(kept.streams):
                        stream.ended(problem)
                continue
            except Exception as error:  # noqa: BLE001 - a fault in here must not let streams go on unlooked at, nor be silent
                structlog.get_logger().error("Unexpected error", **failure_fields(error))
                continue
            for stream in tuple(kept.streams):
                stream.renewed(caller)

    async def _caller(self, heads: Heads) -> Caller:
        known = self.authenticator.remembered(heads) or await self.authenticator.authenticate(heads, _unguarded)
        if known is None:
            raise Problem(UNAUTHORIZED, "This needs credentials.")
        return known


async def _unguarded() -> None:
    """Let credentials be looked at again that were good when the stream began."""


def _name(heads: Heads) -> bytes:
    return hashlib.sha256(b"\0".join(heads.get(name, b"") for name in (b"x-api-key", b"authorization"))).digest()
