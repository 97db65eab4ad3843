"""How types and inputs declare what they have."""

from __future__ import annotations

from typing import Any

import strawberry


def described(description: str, default: Any = ...) -> Any:
    """Declare a field by its description; with a default an input may omit it."""
    if default is ...:
        return strawberry.field(description=description)
    return strawberry.field(description=description, default=default)
