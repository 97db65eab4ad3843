"""Text as the gateway keeps, compares, orders and searches it."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_TEXT: Final = 256
"""The longest text of any field, in characters (Unicode code points)."""

_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_ACCENTS = re.compile("[\u0300-\u036f]")
_WORD = re.compile(r"[^\W_]+")
_ABROAD: Final = re.compile(r"^(?:00)+")
_DIGITS = re.compile("[0-9]+")
_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
)
"""Letters that people type without their stroke though Unicode does not decompose them."""


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
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def bare(text: str) -> str:
    """Return text without case and accents: the first key of every order, and what is searched."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", decomposed)).translate(_LETTERS)


def order_key(text: str | None) -> str:
    """Return a key whose order ignores case and accents and falls back to the exact text; null comes first."""
    return "" if text is None else f"{bare(text)}\0{text}"


def words(text: str) -> list[str]:
    """Return the words of a text, without case and accents."""
    return _WORD.findall(bare(text))


def digits(text: str) -> str:
    """Return the digits of a text alone."""
    return "".join(_DIGITS.findall(text))


def dialled(text: str) -> str:
    """Return the digits of a phone number without the `00` that stands for the `+` of its country code."""
    return _ABROAD.sub("", digits(text))


def after_prefix(prefix: str) -> str | None:
    """Return the least text above all texts that begin with `prefix`; None when there is none."""
    for end in range(len(prefix), 0, -1):
        point = ord(prefix[end - 1])
        if point < 0x10FFFF:
            following = 0xE000 if point == 0xD7FF else point + 1
            return prefix[: end - 1] + chr(following)
    return None
