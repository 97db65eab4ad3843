"""Streams whose credentials are looked at again and again."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from app.auth.standing import Standings
from app.http.heads import Heads
from resolvers.problem import Problem
from resolvers.problems import UNAUTHORIZED


class Failing:
    """An issuer's verifier with a fault in it, at whose second look the credentials are not good any more."""

    def __init__(self) -> None:
        self._looks = iter([ValueError("a fault"), Problem(UNAUTHORIZED, "The API key is not good.")])

    def remembered(self, _heads: Heads) -> None:
        """Know nobody."""

    async def authenticate(self, _heads: Heads, _guard: Any) -> None:
        """Fail."""
        raise next(self._looks)


async def test_a_fault_while_credentials_are_looked_at_is_logged_and_leaves_no_stream_unlooked_at() -> None:
    ended: asyncio.Future[Problem] = asyncio.get_running_loop().create_future()
    standings: Any = Standings(Failing())  # type: ignore[arg-type]
    with structlog.testing.capture_logs() as logged, standings.kept(Heads([]), lambda _: None, ended.set_result):
        async with asyncio.timeout(20):
            assert (await ended).type is UNAUTHORIZED
    assert [line["event"] for line in logged] == ["Unexpected error"]
