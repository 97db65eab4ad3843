"""E-mail addresses as they are compared: one key for every way to write the same one.

A domain with letters beyond ASCII has two forms, the one that people read (U-label, `müller.example`) and the one of
the DNS (A-label, `xn--mller-kva.example`); they name the same domain (RFC 5890 section 2.3.2.1, RFC 6531 section 3.2).
"""

from __future__ import annotations

import unicodedata
from typing import Final

from idna import IDNAError, uts46_remap

from storage.text import fold

_ACE: Final = "xn--"
"""What an A-label begins with."""


def email_key(text: str) -> str:
    """Return the key under which addresses are the same one: the local part without case, the domain in U-labels.

    The domain keeps what domains tell apart: `straße` and `strasse` are two (RFC 5891, which has no case folding).
    Text that is no address, or whose domain is none, has a key too, and never that of a valid address but itself.
    """
    if text.isascii() and _ACE not in (plain := text.lower()):
        return plain
    local, at, domain = text.rpartition("@")
    return f"{fold(local)}@{_in_unicode(domain)}" if at else fold(text)


def email_terms(text: str) -> tuple[str, ...]:
    """Return what an address can be found by: its key, and where that differs the key with the domain in A-labels."""
    key = email_key(text)
    local, at, domain = key.rpartition("@")
    return (key,) if domain.isascii() else (key, f"{local}{at}{_in_ascii(domain)}")


def email_pieces(text: str) -> tuple[str, ...]:
    """Return how a piece of an address may stand in its terms; more than one where nobody knows of which part it is."""
    local, at, domain = text.rpartition("@")
    if at:
        return (f"{fold(local)}@{_lower(domain)}",)
    return tuple(dict.fromkeys((fold(text), _lower(text))))


def _in_unicode(domain: str) -> str:
    try:
        mapped = uts46_remap(domain, std3_rules=False)
    except IDNAError:
        return fold(domain)
    return ".".join([_u_label(label) if label.startswith(_ACE) else label for label in mapped.split(".")])


def _u_label(label: str) -> str:
    """Return what an A-label stands for; one that is not the Punycode of anything stays (RFC 5891 section 5.4)."""
    encoded = label.removeprefix(_ACE)
    try:
        decoded = encoded.encode("ascii").decode("punycode")
        good = decoded.encode("punycode") == encoded.encode() and decoded.encode() and not decoded.isascii()
    except UnicodeError:  # no Punycode, or that of half a surrogate pair
        return label
    return decoded if good else label


def _in_ascii(domain: str) -> str:
    labels = [label if label.isascii() else _ACE + label.encode("punycode").decode() for label in domain.split(".")]
    return ".".join(labels)


def _lower(text: str) -> str:
    return unicodedata.normalize("NFC", text.lower())
