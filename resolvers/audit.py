"""The audit: who changed, or tried to change, which customer; names and ids only, never a value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple, Protocol

CallerKind = Literal["api-key", "token", "command"]
"""How a caller has shown who they are: an API key or a token made from one, a token of another issuer, the shell."""
Outcome = Literal["done", "refused", "unknown"]
"""`done` is stored, `refused` certainly is not, and of `unknown` either may be true: the store did not say."""


class Entry(NamedTuple):
    """One change, or one that was asked for and not made.

    `customer` is the id, empty where none is known or many are meant; `version` is the one after the change, 0 where
    there is none; `changed` names the parts of an update; `problem` is the slug for which it was refused.
    """

    caller: str
    kind: CallerKind
    door: str
    operation: str
    outcome: Outcome
    request_id: str = ""
    customer: str = ""
    version: int = 0
    changed: tuple[str, ...] = ()
    problem: str = ""


Audit = Callable[[Entry], None]
"""Keeps an entry; never raises, and never waits."""


class Told(Protocol):
    """Takes what became of one customer of many, after it is stored: with its id, its version, and what has changed."""

    def __call__(self, outcome: Outcome, customer: str = "", version: int = 0, changed: Iterable[str] = (), /) -> None:
        """Take it; never raises, and never waits."""


def unheard(_entry: Entry) -> None:
    """Keep nothing: for work that nobody asked for by name, such as a test's."""
