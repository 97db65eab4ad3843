"""The Prefer header (RFC 7240): what the client would like, and what was done of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from app.http.remembered import remembered

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ENTRY = re.compile(rf"(?:{_QUOTED}|[^,\"])+")
_PREFERENCE = re.compile(rf"([\w!#$%&'*+.^`|~-]+)[ \t]*(?:=[ \t]*({_QUOTED}|[^\";\s]*))?[ \t]*(?:;.*)?", re.ASCII)

_LONGEST = 2000
"""How many characters of the header are read."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """The preferences that the gateway knows; others are ignored."""

    handling: Literal["strict", "lenient"] | None = None
    returns: Literal["minimal", "representation"] | None = None

    @property
    def strict(self) -> bool:
        """Whether unknown properties are to be refused."""
        return self.handling == "strict"

    @property
    def minimal(self) -> bool:
        """Whether a short answer is wanted."""
        return self.returns == "minimal"

    def without_representation(self) -> Preferences:
        """Return these, less a wish for the whole resource, where the URI asks for a short answer."""
        return replace(self, returns="minimal" if self.minimal else None)

    def applied(self, names: Sequence[str]) -> dict[str, str]:
        """Return the header that says which preferences, of those with these names, were kept."""
        pairs = (("handling", self.handling), ("return", self.returns))
        said = ", ".join(f"{name}={value}" for name, value in pairs if value and name in names)
        return {"Preference-Applied": said} if said else {}


@remembered(64)
def parse_prefer(header: str) -> Preferences:
    """Return the preferences of the Prefer header; the first of a name counts."""
    found: dict[str, str] = {}
    for entry in _ENTRY.findall(header[:_LONGEST]):
        match = _PREFERENCE.fullmatch(entry.strip())
        if match:
            found.setdefault(match[1].lower(), (match[2] or "").strip('"').lower())
    handling, returns = found.get("handling"), found.get("return")
    return Preferences(
        "strict" if handling == "strict" else "lenient" if handling == "lenient" else None,
        "minimal" if returns == "minimal" else "representation" if returns == "representation" else None,
    )
