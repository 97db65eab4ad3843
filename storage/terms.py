"""The keys of a customer: what it is found and ordered by, kept in the document at write time.

`keys.terms` holds every value that can be asked for as a marked text, and the beginnings of every word
that can be searched, so that one index (`terms`, then the place in the default order) answers every
equality and every search in order, at a cost that does not grow with the collection. Nothing of `keys`
is ever shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, cast

from storage.documents import Customer, Instant, moment
from storage.driver import Document
from storage.query import CUSTOMER_FIELDS, PART_FIELDS, ListName
from storage.text import digits, fold, order_key, words

WORD_MARK: Final = "w:"
GRAM: Final = 6
"""Beginnings of words are kept up to this length, and the whole word; longer questions look at a range."""

_YEAR_ONE: Final = datetime.fromisoformat("0001-01-01T00:00:00Z")
_TIME_BYTES: Final = 7
_ID_BYTES: Final = 8
_NAMES: Final = ("firstName", "middleName", "lastName")
_FLAGS: Final = ("email", "sms", "push", "mail")
_LISTS: Final[tuple[ListName, ...]] = ("addresses", "phoneNumbers")
TRUE, FALSE = "1", "0"


def keys_of(customer: Customer) -> Document:
    """Return what is kept beside a customer to find and order it."""
    document = cast("dict[str, Any]", customer)
    return {
        "email": fold(customer["email"]),
        "place": place(customer["createdAt"], customer["id"]),
        "order": {name: order_key(document[name]) for name in (*_NAMES, "email")},
        "terms": sorted({*_field_terms(document), *_part_terms(document), *_word_terms(customer)}),
        **{name: [_folded(part, name) for part in document[name]] for name in _LISTS},
    }


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


def _field_terms(document: dict[str, Any]) -> Iterator[str]:
    for name in (*_NAMES, "email"):
        if document[name] is not None:
            yield CUSTOMER_FIELDS[name].mark + fold(document[name])
    for flag in _FLAGS:
        on = document["notificationPreferences"][flag]
        yield CUSTOMER_FIELDS[f"notificationPreferences.{flag}"].mark + (TRUE if on else FALSE)
    for phone in document["phoneNumbers"]:
        for number in _phone_digits(phone):
            yield CUSTOMER_FIELDS["phone"].mark + number


def _phone_digits(phone: dict[str, Any]) -> tuple[str, str]:
    number = digits(phone["number"])
    return number, digits(phone["countryCode"]) + number


def _part_terms(document: dict[str, Any]) -> Iterator[str]:
    for list_name in _LISTS:
        for part in document[list_name]:
            for name, field in PART_FIELDS[list_name].items():
                if part[name] is not None:
                    yield field.mark + fold(part[name])


def _folded(part: dict[str, Any], list_name: ListName) -> dict[str, str | None]:
    return {name: None if part[name] is None else fold(part[name]) for name in PART_FIELDS[list_name]}


def _word_terms(customer: Customer) -> Iterator[str]:
    for word in _searched(customer):
        for length in range(1, min(len(word), GRAM) + 1):
            yield WORD_MARK + word[:length]
        yield WORD_MARK + word


def _searched(customer: Customer) -> set[str]:
    texts = [customer["firstName"], customer["middleName"] or "", customer["lastName"], customer["email"]]
    texts += [address["city"] for address in customer["addresses"]]
    found = {word for text in texts for word in words(text)}
    for phone in customer["phoneNumbers"]:
        found |= {number for number in _phone_digits(cast("dict[str, Any]", phone)) if number}
    return found
