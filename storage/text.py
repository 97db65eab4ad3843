"""Text as the gateway keeps and compares it."""

from __future__ import annotations

import re
import unicodedata

MAX_TEXT = 256
"""The longest text of any field, in characters (Unicode code points)."""

_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def clean(text: str) -> str:
    """Return `text` in Unicode NFC without blanks at its ends.

    Raises:
        ValueError: it holds a control character, NUL or half a surrogate pair (looked for before
            trimming), or is longer than `MAX_TEXT`; the message is meant for the client.
    """
    if not (text.isascii() and text.isprintable()):
        if _FORBIDDEN.search(text):
            raise ValueError("must not contain control characters")
        text = unicodedata.normalize("NFC", text)
    text = text.strip()
    if len(text) > MAX_TEXT:
        raise ValueError(f"must be at most {MAX_TEXT} characters long")
    return text


def fold(text: str) -> str:
    """Return the key under which texts that differ only in case are equal."""
    return unicodedata.normalize("NFC", text.casefold())
