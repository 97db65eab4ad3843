"""Which representation the client asked for (RFC 9110 section 12.5.1, RFC 6906 profiles)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from starlette.requests import HTTPConnection

from app.http.requests import state_of
from resolvers.problems import NOT_ACCEPTABLE, Problem

PLAIN = "application/json; charset=utf-8"
ENVELOPED = "application/json; charset=utf-8; profile=enveloped"


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One entry of an Accept header."""

    type: str
    parameters: tuple[tuple[str, str], ...]
    quality: float

    def takes(self, media_type: str) -> bool:
        """Tell whether the entry covers a media type."""
        family = media_type.split("/", maxsplit=1)[0] + "/*"
        return self.quality > 0 and self.type in {media_type, family, "*/*"}


@lru_cache(maxsize=512)
def parse_accept(header: str) -> tuple[MediaRange, ...]:
    """Return the entries of an Accept header; an ill-formed entry takes nothing."""
    return tuple(_media_range(entry) for entry in header[:2000].split(",") if entry.strip())


def _media_range(entry: str) -> MediaRange:
    name, *rest = (part.strip() for part in entry.split(";"))
    pairs = [
        (key.strip().lower(), value.strip().strip('"').lower()) for key, _, value in (p.partition("=") for p in rest)
    ]
    quality = next((_quality(value) for key, value in pairs if key == "q"), 1.0)
    return MediaRange(name.lower(), tuple(pair for pair in pairs if pair[0] != "q"), quality)


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def accepted_quality(header: str, media_type: str) -> float:
    """Return how much a client wants a media type, 0 for not at all; the most exact entry decides."""
    ranges = [entry for entry in parse_accept(header) if entry.takes(media_type) or entry.type == media_type]
    return max(ranges, key=lambda entry: (-entry.type.count("*"), entry.quality)).quality if ranges else 0.0


def wants_envelope(request: HTTPConnection) -> bool:
    """Tell whether the answer is to be enveloped: asked for by profile, else by the setting."""
    for entry in parse_accept(request.headers.get("accept", "")):
        profile = dict(entry.parameters).get("profile")
        if profile in {"enveloped", "plain"} and entry.takes("application/json"):
            return profile == "enveloped"
    return state_of(request).settings.rest_profile == "enveloped"


def check_accept(request: HTTPConnection, *types: str) -> None:
    """Raise not-acceptable unless the client takes one of the media types (errors are always sent)."""
    header = request.headers.get("accept", "")
    if header and not any(accepted_quality(header, name) > 0 for name in types):
        raise Problem(NOT_ACCEPTABLE, f"This answers {' or '.join(types)}.")
