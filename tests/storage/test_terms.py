"""The keys of a customer are what their description says, for any text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from hypothesis import example, given, settings
from hypothesis import strategies as st

from storage.documents import Customer, new_id
from storage.emails import email_terms
from storage.query import CUSTOMER_FIELDS, PART_FIELDS
from storage.terms import GRAM, keys_of
from storage.text import digits, fold, order_key, words

MANY = settings(max_examples=500, deadline=None, derandomize=True)
PIECES = [
    "a", "Alex", "straße", "İ", "\u0131", "é", "e", "\u0301", "\u0345", "Łódź", "\ufb01", "σς", "中文", "가", "ᄀ", "ᅡ",
    "\u05b0", " ", "-", "_", "'", "@", ".", "9", "\u0663", "²", "x" * (GRAM + 2), "y" * GRAM,
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=5).map("".join) | st.text(max_size=5)
NUMBERS = st.text("0123456789- +", max_size=12)
NULLABLE = {"street2", "extension"}
NAMES = ("firstName", "middleName", "lastName", "email")
FLAGS = ("email", "sms", "push", "mail")


def _parts(**kinds: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(st.fixed_dictionaries(kinds), max_size=2)


def _kinds(list_name: str, **own: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    names = PART_FIELDS[list_name]  # type: ignore[index]
    return {name: own.get(name, st.none() | TEXTS if name in NULLABLE else TEXTS) for name in names}


EMAILS = st.sampled_from(["j@müller.example", "J@XN--MLLER-KVA.example", "ß@STRAẞE.example", "j@b.example"]) | TEXTS
CUSTOMERS = st.fixed_dictionaries(
    {
        "id": st.builds(new_id),
        "createdAt": st.just("2026-01-02T03:04:05.678Z"),
        **dict.fromkeys(("firstName", "lastName"), TEXTS),
        "email": EMAILS,
        "middleName": st.none() | TEXTS,
        "addresses": _parts(**_kinds("addresses")),
        "phoneNumbers": _parts(**_kinds("phoneNumbers", number=NUMBERS, countryCode=NUMBERS)),
        "notificationPreferences": st.fixed_dictionaries(
            dict.fromkeys(("email", "sms", "push", "mail"), st.booleans())
        ),
    }
)


def phones(customer: dict[str, Any]) -> Iterator[str]:
    """Give the digits of every phone number, without and with its country code, and never with `00` before them."""
    for phone in customer["phoneNumbers"]:
        for form in (digits(phone["number"]), digits(phone["countryCode"]) + digits(phone["number"])):
            yield form[len(form) - len(form.lstrip("0")) & ~1 :]


def expected(customer: dict[str, Any]) -> Iterator[str]:
    """Give every term as it is described: marked values, and words with their beginnings."""
    for name in NAMES[:-1]:
        if customer[name] is not None:
            yield CUSTOMER_FIELDS[name].mark + fold(customer[name])
    yield from (CUSTOMER_FIELDS["email"].mark + form for form in email_terms(customer["email"]))
    for flag, on in customer["notificationPreferences"].items():
        yield CUSTOMER_FIELDS[f"notificationPreferences.{flag}"].mark + str(int(on))
    for list_name, fields in PART_FIELDS.items():
        for part in customer[list_name]:
            yield from (field.mark + fold(part[name]) for name, field in fields.items() if part[name] is not None)
    yield from (CUSTOMER_FIELDS["phone"].mark + number for number in phones(customer))
    texts = [*(customer[name] or "" for name in NAMES), *(address["city"] for address in customer["addresses"])]
    texts += email_terms(customer["email"]) if len(email_terms(customer["email"])) > 1 else ()
    found = {word for text in texts for word in words(text)} | set(filter(None, phones(customer)))
    yield from (f"w:{word[:length]}" for word in found for length in (*range(1, GRAM + 1), len(word)))


@MANY
@given(customer=CUSTOMERS)
def test_the_keys_are_what_they_are_described_to_be(customer: dict[str, Any]) -> None:
    keys = keys_of(cast("Customer", customer))
    assert keys["terms"] == sorted(set(expected(customer)))
    assert keys["email"] == email_terms(customer["email"])[0]
    assert keys["order"] == {name: order_key(customer[name]) for name in NAMES}
    for list_name, fields in PART_FIELDS.items():
        folded = [
            {name: None if part[name] is None else fold(part[name]) for name in fields} for part in customer[list_name]
        ]
        assert keys[list_name] == folded


@MANY
@given(one=TEXTS, other=TEXTS)
@example(one="a ", other="\u0301b")
@example(one="\u1100", other="\u1161")
def test_the_words_of_two_texts_are_those_of_both_with_a_blank_between(one: str, other: str) -> None:
    assert words(f"{one} {other}") == words(one) + words(other)


@given(text=st.text("0123456789abc +-٣²", max_size=12))
def test_digits_are_ascii_digits_alone(text: str) -> None:
    assert digits(text) == "".join(letter for letter in text if letter in "0123456789")
