"""Remembering what was made of short texts that clients send: long ones would make a cache as large as they like."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Concatenate, Final, ParamSpec, TypeVar

P = ParamSpec("P")
S = TypeVar("S", str, bytes)
T = TypeVar("T")
LONGEST: Final = 200
"""Characters of a text that is remembered; what browsers and libraries send by themselves is shorter."""


def remembered(
    most: int,
) -> Callable[[Callable[Concatenate[S, P], T]], Callable[Concatenate[S, P], T]]:
    """Remember what a function of a text gives for the `most` last texts, as `lru_cache` does, if they are short.

    A head may have 16 KiB, and what is made of it more: of a long text it is made every time.
    """

    def decorate(function: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
        known = lru_cache(maxsize=most)(function)

        @wraps(function)
        def ask(text: S, /, *args: P.args, **options: P.kwargs) -> T:
            return known(text, *args, **options) if len(text) <= LONGEST else function(text, *args, **options)  # type: ignore[arg-type]

        return ask

    return decorate
