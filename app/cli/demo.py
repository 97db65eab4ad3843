# ruff: noqa: RUF001 - letters of several languages
"""Demo customers: believable, varied, from many countries, always the same for the same seed."""

from __future__ import annotations

import random
import unicodedata
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from app.cli.demo_countries import COUNTRIES, LATIN, Country
from storage.documents import Customer, instant

_ADDRESS_TYPES: Final = ("home", "billing", "shipping", "work")
_PHONE_TYPES: Final = ("mobile", "home", "work", "other")
_NO_MIDDLE_NAMES: Final = {"CN", "EG", "IS", "JP", "KR", "TH", "VN"}
_BEGIN: Final = datetime(2025, 1, 1, tzinfo=UTC)
_STROKES: Final = str.maketrans({"ł": "l", "Ł": "l", "ı": "i", "đ": "d", "Đ": "d", "Þ": "th", "þ": "th", "ð": "d",
                                 "æ": "ae", "Æ": "ae", "ß": "ss", "ø": "o"})  # fmt: skip
"""Letters that Unicode does not take apart."""


def demo_customers(count: int, seed: int = 2026) -> Iterator[Customer]:
    """Give `count` customers; another seed gives others, with other ids and e-mail addresses."""
    chance = random.Random(seed)  # noqa: S311 - demo data
    names = random.Random(f"names of {seed}")  # noqa: S311 - demo data
    for number in range(count):
        yield _customer(chance, names, number)


def _customer(chance: random.Random, names: random.Random, number: int) -> Customer:
    country = chance.choice(COUNTRIES[number // 100 % len(COUNTRIES)])
    given, family = chance.choice(country.first), chance.choice(country.last)
    made = _BEGIN + timedelta(seconds=number * 37, milliseconds=chance.randrange(1000))
    time = instant(made)
    fields: dict[str, Any] = {
        "id": _id(names),
        "version": 1,
        "firstName": given,
        "middleName": _middle(chance, country, given),
        "lastName": family,
        "email": f"{_latin(given)}.{_latin(family)}.{names.getrandbits(44):011x}@example.com",
        "addresses": [_address(chance, names, country) for _ in range(chance.choice((1, 1, 2)))],
        "phoneNumbers": [_phone(chance, names, country) for _ in range(chance.choice((1, 1, 2)))],
        "notificationPreferences": {name: chance.random() < 0.5 for name in ("email", "sms", "push", "mail")},
        "createdAt": time,
        "updatedAt": time,
    }
    return cast("Customer", fields)


def _middle(chance: random.Random, country: Country, given: str) -> str | None:
    """Return a middle name for some, where people have one: another than their first."""
    middle = chance.choice(country.first) if chance.random() < 0.2 else None
    return middle if middle != given and country.code not in _NO_MIDDLE_NAMES else None


def _id(names: random.Random) -> str:
    return str(uuid.UUID(int=names.getrandbits(128), version=4))


def _latin(name: str) -> str:
    spelled = LATIN.get(name, name.translate(_STROKES))
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode().lower()
    return "".join(letter for letter in plain if letter.isalnum())


def _address(chance: random.Random, names: random.Random, country: Country) -> dict[str, Any]:
    street, city, state, code = chance.choice(country.places)
    return {
        "id": _id(names),
        "type": chance.choice(_ADDRESS_TYPES),
        "street1": street,
        "street2": f"Apt. {chance.randrange(1, 99)}" if chance.random() < 0.3 else None,
        "city": city,
        "state": state,
        "postalCode": code,
        "country": country.code,
    }


def _phone(chance: random.Random, names: random.Random, country: Country) -> dict[str, Any]:
    digits = iter(f"{chance.randrange(100, 999)}{chance.randrange(100, 999)}{chance.randrange(1000, 9999)}"[::-1])
    kind = chance.choice(_PHONE_TYPES)
    form = country.mobile if kind == "mobile" else country.line
    return {
        "id": _id(names),
        "type": kind,
        "countryCode": country.dialing,
        "number": "".join(next(digits) if sign == "#" else sign for sign in form),
        "extension": str(chance.randrange(1, 999)) if chance.random() < 0.1 else None,
    }
