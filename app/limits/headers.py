"""Budgets as HTTP headers. Source: RateLimit Header Fields for HTTP (draft-ietf-httpapi-ratelimit-headers-10)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from resolvers.context import Budget


def limit_headers(budgets: Sequence[Budget]) -> tuple[tuple[bytes, bytes], ...]:
    """Return `RateLimit-Policy` of all budgets, and `RateLimit` of the first, which has the least left.

    Both are Lists of Structured Fields (RFC 9651); none where there are no budgets.
    """
    if not budgets:
        return ()
    least = budgets[0]
    policies = [_policy(budget.name, budget.limit, budget.window) for budget in budgets]
    left = f'"{least.name}";r={least.left};t={least.reset}'
    return (b"ratelimit-policy", b", ".join(policies)), (b"ratelimit", left.encode())


@lru_cache(maxsize=256)
def _policy(name: str, limit: int, window: int) -> bytes:
    return f'"{name}";q={limit};w={window}'.encode()
