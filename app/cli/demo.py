"""Demo customers: believable, varied, from many countries, always the same for the same number."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from storage.documents import Customer, instant, new_id

_PLACES: Final[tuple[tuple[str, str, tuple[str, ...], tuple[str, ...], tuple[tuple[str, str, str, str], ...]], ...]] = (
    ("USA", "+1", ("Ava", "Liam", "Grace", "Noah"), ("Johnson", "Nguyen", "Li", "Carter"),
     (("1 Market St.", "San Francisco", "CA", "94105"), ("350 5th Ave", "New York", "NY", "10118"))),
    ("DE", "+49", ("Jürgen", "Anna", "Bärbel", "Emil"), ("Müller", "Groß", "Schäfer", "Weiß"),
     (("Invalidenstraße 5", "Berlin", "Berlin", "10115"), ("Marienplatz 1", "München", "Bayern", "80331"))),
    ("FR", "+33", ("Zoé", "Élodie", "Chloé", "Rémi"), ("Lefèvre", "D'Aubigné", "Moreau", "Garçon"),
     (("12 rue de Rivoli", "Paris", "Île-de-France", "75001"), ("3 quai des Belges", "Marseille", "PACA", "13001"))),
    ("JP", "+81", ("さくら", "健", "陽子", "大輔"), ("佐藤", "鈴木", "高橋", "田中"),
     (("千代田1-1", "東京", "東京都", "100-0001"), ("北区梅田3", "大阪", "大阪府", "530-0001"))),
    ("BR", "+55", ("João", "Conceição", "Thaís", "Inácio"), ("Gonçalves", "Araújo", "Simões", "Conceição"),
     (("Av. Paulista 1578", "São Paulo", "SP", "01310-200"), ("Rua das Flores 9", "Belém", "PA", "66010"))),
    ("IN", "+91", ("Aarav", "Priya", "Ananya", "Rohan"), ("Sharma", "Iyer", "Patel", "Singh"),
     (("14 MG Road", "Bengaluru", "Karnataka", "560001"), ("2 Marine Drive", "Mumbai", "Maharashtra", "400020"))),
    ("PL", "+48", ("Łukasz", "Małgorzata", "Żaneta", "Paweł"), ("Wójcik", "Kowalska", "Dąbrowski", "Łoś"),
     (("Nowy Świat 15", "Warszawa", "Mazowieckie", "00-029"), ("Długa 4", "Kraków", "Małopolskie", "31-146"))),
    ("GR", "+30", ("Ελένη", "Νίκος", "Σοφία", "Γιώργος"), ("Παπαδόπουλος", "Νικολάου", "Γεωργίου", "Ιωάννου"),
     (("Ερμού 12", "Αθήνα", "Αττική", "105 63"), ("Τσιμισκή 7", "Θεσσαλονίκη", "Μακεδονία", "546 24"))),
    ("IE", "+353", ("Seán", "Aoife", "Niamh", "Conor"), ("O'Brien", "Ó Súilleabháin", "Ng", "Byrne"),
     (("8 Dame Street", "Dublin", "Leinster", "D02 X285"), ("5 Patrick Street", "Cork", "Munster", "T12 X70A"))),
    ("NG", "+234", ("Chidi", "Amara", "Ngozi", "Tunde"), ("Okafor", "Adébáyọ̀", "Eze", "Bello"),
     (("22 Broad Street", "Lagos", "Lagos", "100221"), ("6 Aguiyi Ironsi St", "Abuja", "FCT", "900271"))),
)  # fmt: skip
_ADDRESS_TYPES = ("home", "billing", "shipping", "work")
_PHONE_TYPES = ("mobile", "home", "work", "other")
_BEGIN = datetime(2025, 1, 1, tzinfo=UTC)


def demo_customers(count: int, seed: int = 2026) -> Iterator[Customer]:
    """Give `count` customers; e-mail addresses carry a random part, so that calling again adds new ones."""
    chance = random.Random(seed)  # noqa: S311 - demo data
    for number in range(count):
        yield _customer(chance, number)


def _customer(chance: random.Random, number: int) -> Customer:
    country, dialing, first, last, places = chance.choice(_PLACES)
    given, family = chance.choice(first), chance.choice(last)
    made = _BEGIN + timedelta(seconds=number * 37, milliseconds=chance.randrange(1000))
    time = instant(made)
    fields: dict[str, Any] = {
        "id": new_id(),
        "version": 1,
        "firstName": given,
        "middleName": chance.choice(first) if chance.random() < 0.2 else None,
        "lastName": family,
        "email": f"{_ascii(given)}.{_ascii(family)}.{new_id()[:12]}@example.com".replace("-", ""),
        "addresses": [_address(chance, country, places) for _ in range(chance.choice((1, 1, 2)))],
        "phoneNumbers": [_phone(chance, dialing) for _ in range(chance.choice((1, 1, 2)))],
        "notificationPreferences": {name: chance.random() < 0.5 for name in ("email", "sms", "push", "mail")},
        "createdAt": time,
        "updatedAt": time,
    }
    return cast("Customer", fields)


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "".join(letter for letter in plain if letter.isalnum()) or "customer"


def _address(chance: random.Random, country: str, places: tuple[tuple[str, str, str, str], ...]) -> dict[str, Any]:
    street, city, state, code = chance.choice(places)
    return {
        "id": new_id(),
        "type": chance.choice(_ADDRESS_TYPES),
        "street1": street,
        "street2": f"Apt. {chance.randrange(1, 99)}" if chance.random() < 0.3 else None,
        "city": city,
        "state": state,
        "postalCode": code,
        "country": country,
    }


def _phone(chance: random.Random, dialing: str) -> dict[str, Any]:
    number = f"{chance.randrange(100, 999)}-{chance.randrange(100, 999)}-{chance.randrange(1000, 9999)}"
    return {
        "id": new_id(),
        "type": chance.choice(_PHONE_TYPES),
        "countryCode": dialing,
        "number": number,
        "extension": str(chance.randrange(1, 999)) if chance.random() < 0.1 else None,
    }
