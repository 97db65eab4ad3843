"""The Prefer header (RFC 7240): what the client would like, and what was done of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_PREFERENCE = re.compile(r'\s*([A-Za-z0-9!#$%&\'*+.^_`|~-]+)\s*(?:=\s*("[^"]*"|[^",;\s]*))?\s*(?:;[^,]*)?')


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

    def applied(self) -> dict[str, str]:
        """Return the header that says which preferences were kept."""
        pairs = (("handling", self.handling), ("return", self.returns))
        said = ", ".join(f"{name}={value}" for name, value in pairs if value)
        return {"Preference-Applied": said} if said else {}


def parse_prefer(headers: list[str]) -> Preferences:
    """Return the preferences of all Prefer headers; the first of a name counts."""
    found: dict[str, str] = {}
    for entry in ",".join(headers)[:2000].split(","):
        match = _PREFERENCE.fullmatch(entry)
        if match:
            found.setdefault(match[1].lower(), (match[2] or "").strip('"').lower())
    handling, returns = found.get("handling"), found.get("return")
    return Preferences(
        "strict" if handling == "strict" else "lenient" if handling == "lenient" else None,
        "minimal" if returns == "minimal" else "representation" if returns == "representation" else None,
    )
