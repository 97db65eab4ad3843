"""What the answer to a change shows of a customer to a caller who may not read customers.

A create shows what was sent. Any other change shows only what makes the next one possible: who it was about, and which
version it left. Both doors ask here (docs/decisions/0021-write-without-read.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from resolvers.context import Context, Scope
from resolvers.problem import Problem
from resolvers.problems import FORBIDDEN

OPEN_FIELDS: Final = frozenset({"id", "version", "etag", "updatedAt", "__typename"})
"""What of a customer everybody may see who may change it."""


def sees_changed(ctx: Context) -> bool:
    """Tell whether a change of a customer may be answered with that customer."""
    return ctx.allows(Scope.READ)


def check_selected(ctx: Context, fields: Iterable[str]) -> None:
    """Let a change pass that is to be answered with these fields of a customer.

    Raises:
        Problem: forbidden, which names the fields and the scope that they need.
    """
    if sees_changed(ctx):
        return
    if beyond := sorted(set(fields) - OPEN_FIELDS):
        raise Problem(
            FORBIDDEN,
            f"To be answered with {', '.join(beyond)} needs the scope {Scope.READ}, which your credentials lack. "
            "Nothing was changed; select id, version, etag and updatedAt.",
            extra={"error": "insufficient_scope", "scope": Scope.READ.value},
        )
