"""The keys of a customer: what it is found and ordered by, kept in the document at write time.

`keys.terms` holds every value that can be asked for as a marked text, and the beginnings of every word
that can be searched, so that one index (`terms`, then the place in the default order) answers every
equality and every search in order, at a cost that does not grow with the collection. Nothing of `keys`
is ever shown.
"""

from __future__ import annotations

from datetime import datetime
from operator import itemgetter
from typing import Any, Final, cast

from storage.documents import Customer, Instant, moment
from storage.driver import Document
from storage.emails import email_terms
from storage.query import CUSTOMER_FIELDS, PART_FIELDS
from storage.text import dialled, fold, order_key, words

WORD_MARK: Final = "w:"
GRAM: Final = 6
"""Beginnings of words are kept up to this length, and the whole word; longer questions look at a range."""

Terms = set[str]
Marks = tuple[tuple[str, str], ...]
"""Names of fields, each with the mark of its terms."""

_BEGINNINGS: Final = itemgetter(*(slice(len(WORD_MARK) + length) for length in range(1, GRAM + 1)), slice(None))
"""Gives the beginnings of a marked word, and the whole word; of a short word the same more than once."""
_YEAR_ONE: Final = datetime.fromisoformat("0001-01-01T00:00:00Z")
_TIME_BYTES: Final = 7
_ID_BYTES: Final = 8
_NAMES: Final = tuple((name, CUSTOMER_FIELDS[name].mark) for name in ("firstName", "middleName", "lastName"))
_EMAIL: Final = CUSTOMER_FIELDS["email"].mark
_ORDERED: Final = ("firstName", "middleName", "lastName", "email")
_FLAGS: Final = tuple(
    (name, CUSTOMER_FIELDS[f"notificationPreferences.{name}"].mark) for name in ("email", "sms", "push", "mail")
)
_PARTS: Final = tuple(
    (list_name, tuple((name, field.mark) for name, field in fields.items()))
    for list_name, fields in PART_FIELDS.items()
)
PHONE_MARK: Final = CUSTOMER_FIELDS["phone"].mark
TRUE, FALSE = "1", "0"


def keys_of(customer: Customer) -> Document:
    """Return what is kept beside a customer to find and order it."""
    document = cast("dict[str, Any]", customer)
    emails = email_terms(customer["email"])
    terms: Terms = {_EMAIL + email for email in emails}
    keys = {
        "email": emails[0],
        "place": place(customer["createdAt"], customer["id"]),
        "order": {name: order_key(document.get(name)) for name in _ORDERED},
    }
    parts: Document = {name: [_folded(part, marks, terms) for part in document[name]] for name, marks in _PARTS}
    _add_fields(terms, document)
    _add_words(terms, document, emails)
    return {**keys, "terms": sorted(terms), **parts}


def milliseconds(instant: datetime) -> int:
    """Return whole milliseconds since year one, rounded down."""
    return (instant - _YEAR_ONE) // _MILLISECOND


_MILLISECOND = datetime.resolution * 1000


def place(created_at: Instant, customer_id: str) -> bytes:
    """Return the place in the default order: creation, then id, in 15 bytes whose order is theirs.

    Half of the id tells apart what one millisecond creates (60 random bits, and the index of places is
    unique). The place stands in every entry of the largest index, where the other half would be a quarter.
    """
    since_year_one = milliseconds(moment(created_at))
    return since_year_one.to_bytes(_TIME_BYTES, "big") + bytes.fromhex(customer_id.replace("-", ""))[:_ID_BYTES]


def place_at(since_year_one: int) -> bytes:
    """Return the least place of a millisecond, as long as all others: MongoDB compares the length first."""
    return since_year_one.to_bytes(_TIME_BYTES, "big") + bytes(_ID_BYTES)


def _folded(document: dict[str, Any], marks: Marks, terms: Terms) -> dict[str, str | None]:
    """Return the folded texts of a document, and add each as a term."""
    folded: dict[str, str | None] = {}
    for name, mark in marks:
        text = document.get(name)
        if text is None:
            folded[name] = None
        else:
            folded[name] = key = fold(text)
            terms.add(mark + key)
    return folded


def _add_fields(terms: Terms, document: dict[str, Any]) -> None:
    _folded(document, _NAMES, terms)
    preferences = document["notificationPreferences"]
    for flag, mark in _FLAGS:
        terms.add(mark + (TRUE if preferences[flag] else FALSE))


def _add_words(terms: Terms, document: dict[str, Any], emails: tuple[str, ...]) -> None:
    """Add the words that are searched, and their beginnings; of phone numbers both forms, as field and as word."""
    texts = [document.get(name) or "" for name in _ORDERED]
    if len(emails) > 1:
        texts += emails
    texts += [address["city"] for address in document["addresses"]]
    found = set(words(" ".join(texts)))
    for phone in document["phoneNumbers"]:
        number = phone["number"]
        numbers = {dialled(number), dialled(phone["countryCode"] + number)}
        terms.update(PHONE_MARK + form for form in numbers)
        found |= numbers
    found.discard("")
    for word in found:
        terms.update(_BEGINNINGS(WORD_MARK + word))
