"""Which representation the client asked for (RFC 9110 section 12.5.1, RFC 6906 profiles)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from app.http.heads import heads_of
from app.http.remembered import remembered
from app.http.requests import state_of
from resolvers.problem import Problem
from resolvers.problems import NOT_ACCEPTABLE

_JSON = "application/json"
_QUALITY = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One entry of an Accept header."""

    type: str
    profile: str | None
    quality: float

    def takes(self, media_type: str) -> bool:
        """Tell whether the entry speaks of a media type."""
        family = media_type.split("/", maxsplit=1)[0] + "/*"
        return self.type in {media_type, family, "*/*"}


def accept_of(request: HTTPConnection) -> str:
    """Return the Accept header; several of them are one list (RFC 9110 section 5.3)."""
    return heads_of(request.scope).text(b"accept")


@remembered(128)
def parse_accept(header: str) -> tuple[MediaRange, ...]:
    """Return the entries of an Accept header; an ill-formed entry takes nothing."""
    return tuple(_media_range(entry) for entry in header[:2000].split(",") if entry.strip())


def _media_range(entry: str) -> MediaRange:
    name, *rest = (part.strip().lower() for part in entry.split(";"))
    pairs = {key.strip(): value.strip().strip('"') for key, _, value in (part.partition("=") for part in rest)}
    return MediaRange(name, pairs.get("profile"), _quality(pairs.get("q", "1")))


def _quality(text: str) -> float:
    return float(text) if _QUALITY.fullmatch(text) else 0.0


def accepted_quality(header: str, media_type: str) -> float:
    """Return how much a client wants a media type, 0 for not at all; the most exact entry decides."""
    ranges = [entry for entry in parse_accept(header) if entry.takes(media_type)]
    return max(ranges, key=lambda entry: (-entry.type.count("*"), entry.quality)).quality if ranges else 0.0


def wants_envelope(request: HTTPConnection) -> bool:
    """Tell whether the answer is to be enveloped: asked for by profile, else by the setting."""
    asked = _profile(heads_of(request.scope).get(b"accept", b""))
    return (asked or state_of(request).settings.rest_profile) == "enveloped"


@remembered(512)
def _profile(header: bytes) -> str | None:
    """Return the profile that the client wants most, the first of equals; None where it names none."""
    entries = [entry for entry in parse_accept(header.decode("latin-1")) if entry.takes(_JSON) and entry.quality > 0]
    named = [entry for entry in entries if entry.profile in {"enveloped", "plain"}]
    best = max(named, key=lambda entry: entry.quality, default=None)
    without = max((entry.quality for entry in entries if entry.profile is None), default=0.0)
    return best.profile if best and best.quality >= without else None


def check_accept(request: HTTPConnection, *types: str) -> None:
    """Raise not-acceptable unless the client takes one of the media types (errors are always sent)."""
    header = heads_of(request.scope).get(b"accept")
    if header and not _takes(header, types):
        raise Problem(NOT_ACCEPTABLE, f"This answers {' or '.join(types)}.")


@remembered(512)
def _takes(header: bytes, types: tuple[str, ...]) -> bool:
    text = header.decode("latin-1").strip()
    return not text or any(accepted_quality(text, name) > 0 for name in types)
