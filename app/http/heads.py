"""The head of a request, as often as it is looked at read only once."""

from __future__ import annotations

from itertools import chain
from typing import Final

from starlette.types import Scope

_KEPT: Final = "gateway.heads"


class Heads(dict[bytes, bytes]):
    """Headers by their names in lower case; one that is sent several times is one list (RFC 9110 section 5.3)."""

    __slots__ = ("repeated",)

    def __init__(self, sent: list[tuple[bytes, bytes]]) -> None:
        super().__init__(sent)
        self.repeated = len(self) != len(sent)
        """Whether any header was sent several times."""
        if self.repeated:
            self.clear()
            for name, value in sent:
                self[name] = self[name] + b", " + value if name in self else value

    def text(self, name: bytes) -> str:
        """Return a header's text, empty where it was not sent."""
        value = self.get(name)
        return "" if value is None else value.decode("latin-1").strip()


def head_bytes(sent: list[tuple[bytes, bytes]]) -> int:
    """Return how many bytes headers have as they are sent, with colon, space and line end."""
    return sum(map(len, chain.from_iterable(sent))) + 4 * len(sent)


def heads_of(scope: Scope) -> Heads:
    """Return the headers of a request."""
    if _KEPT not in scope:
        scope[_KEPT] = Heads(scope["headers"])
    heads: Heads = scope[_KEPT]
    return heads
