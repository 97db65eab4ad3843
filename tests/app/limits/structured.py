"""A strict reader of Structured Fields (RFC 9651), as far as the RateLimit headers go."""

from __future__ import annotations

import re

_STRING = r'"(?P<name>(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"'
_PARAMETERS = r"(?P<parameters>(?:; *[a-z*][a-z0-9_.*-]*=-?[0-9]{1,15})*)"
_ITEM = re.compile(_STRING + _PARAMETERS)
_COMMA = re.compile(r"[ \t]*,[ \t]*")


def read_list(text: str) -> list[tuple[str, dict[str, int]]]:
    """Return the Strings of a List with their Integer parameters; fails for anything else (sections 4.2.1, 4.2.3)."""
    found: list[tuple[str, dict[str, int]]] = []
    place = 0
    while True:
        item = _ITEM.match(text, place)
        assert item, f"no String with parameters at {place} of {text!r}"
        pairs = [part.strip(" ").split("=") for part in item["parameters"].split(";")[1:]]
        assert len({name for name, _ in pairs}) == len(pairs)
        found.append((item["name"], {name: int(value) for name, value in pairs}))
        if item.end() == len(text):
            return found
        comma = _COMMA.match(text, item.end())
        assert comma, f"no comma at {item.end()} of {text!r}"
        place = comma.end()
