"""Budgets as HTTP headers. Source: RateLimit Header Fields for HTTP (draft-ietf-httpapi-ratelimit-headers-10)."""

from __future__ import annotations

from collections.abc import Sequence

from resolvers.context import Budget


def limit_headers(budgets: Sequence[Budget]) -> dict[str, str]:
    """Return `RateLimit-Policy` of all budgets, and `RateLimit` of the first, which has the least left.

    Both are Lists of Structured Fields (RFC 9651); none where there are no budgets.
    """
    if not budgets:
        return {}
    least = budgets[0]
    return {
        "RateLimit-Policy": ", ".join(f'"{budget.name}";q={budget.limit};w={budget.window}' for budget in budgets),
        "RateLimit": f'"{least.name}";r={least.left};t={least.reset}',
    }
