"""What is recognised as clean is what the models make of it, and what they would refuse is never recognised."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import pytest
from email_validator import SPECIAL_USE_DOMAIN_NAMES, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from storage.model import (
    _PLAIN_EMAIL,
    _PLAIN_EMAIL_LENGTH,
    MAX_PARTS,
    AddressInput,
    CustomerInput,
    Input,
    NotificationPreferencesInput,
    PhoneNumberInput,
    check_email,
)
from storage.plain import LETTERS, plain_fields
from storage.text import MAX_TEXT, clean
from tests import factories

MANY = settings(max_examples=1500, deadline=None, derandomize=True)
PIECES = [
    "a", "B", "7", "-", "+", " ", "é", "e", "\u0301", "\u0131", "中", "가", "ᄀ", "ᅡ", "か", "\u3099", "\xa0", "\xad",
    "\x85", "\u2028", "\n", "\t", "\x7f", "\0", "😀", "Ω", "\u2126", "\u0387", "\ud800", "x" * 255,
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=4).map("".join) | st.text(max_size=6)
ODD: st.SearchStrategy[Any] = st.one_of(
    TEXTS, st.none(), st.booleans(), st.integers(0, 1), st.floats(), st.just([]), st.just({}), st.binary(max_size=2)
)
EMAIL_PIECES = [
    "a", "A", "9", "-", "--", ".", "..", "@", "@", "_", "+", "'", '"', " ", "xn--", "xn--4dbc", "é", "\u017f", "\u212a",
    "example.org", "com", "test", "TEST", "localhost", "local", "LOCAL", "arpa", "in-addr.arpa", "invalid", "onion",
    "<", ">", "(", "[127.0.0.1]", "\n", "。", "b" * 61, "1.2.3.4", "info", "İ", "ß",
]  # fmt: skip
EMAILS = st.one_of(
    st.lists(st.sampled_from(EMAIL_PIECES), max_size=7).map("".join),
    st.tuples(TEXTS, TEXTS).map("@".join),
    st.emails(),
    st.from_regex(_PLAIN_EMAIL, fullmatch=True),
    st.from_regex(r"[a-z0-9.!+-]{1,5}@[a-zA-Z0-9.-]{1,12}\.[a-zA-Z0-9]{1,3}", fullmatch=True),
)


def _mixed(made: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**made, **changes}.items() if value != "absent"}


def _changed(make: Any, **good: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw a valid input of which some fields are drawn anew, odd, absent or unknown."""
    odd = ODD | st.just("absent")
    names = {name: good.get(name, TEXTS) | odd for name in (*make(), "unknown")}
    return st.fixed_dictionaries({}, optional=names).map(lambda changes: _mixed(make(), changes))


TYPES = st.sampled_from(["home", "work", "billing", "mobile", "HOME", "castle"])
ADDRESSES = _changed(factories.address, type=TYPES)
PHONE_NUMBERS = _changed(factories.phone_number, type=TYPES)
PREFERENCES = _changed(factories.preferences, **dict.fromkeys(factories.preferences(), st.booleans()))
CUSTOMERS = _changed(
    factories.customer,
    email=EMAILS,
    addresses=st.lists(ADDRESSES, max_size=2),
    phoneNumbers=st.lists(PHONE_NUMBERS, max_size=2) | st.just([factories.phone_number()] * (MAX_PARTS + 1)),
    notificationPreferences=PREFERENCES,
)
INPUTS = st.one_of(
    st.tuples(st.just(CustomerInput), CUSTOMERS),
    st.tuples(st.just(AddressInput), ADDRESSES),
    st.tuples(st.just(PhoneNumberInput), PHONE_NUMBERS),
    st.tuples(st.just(NotificationPreferencesInput), PREFERENCES),
)


def modelled(model: type[Input], value: dict[str, Any], *, strict: bool) -> str | None:
    """Return what a model makes of an input, every type and the order of fields included; None where it refuses."""
    try:
        return repr(model.model_validate(value, extra="forbid" if strict else "ignore").fields())
    except ValidationError:
        return None


@MANY
@given(given=INPUTS, strict=st.booleans())
@example(given=(CustomerInput, factories.customer(addresses=[factories.address(unknown=1)])), strict=True)
@example(given=(CustomerInput, factories.customer(addresses=[factories.address()] * (MAX_PARTS + 1))), strict=False)
@example(given=(AddressInput, factories.address(street1="x" * MAX_TEXT + "\n")), strict=False)
@example(given=(PhoneNumberInput, factories.phone_number(number="1\n", countryCode="1\n")), strict=False)
def test_what_is_recognised_is_what_the_model_makes_of_it(
    given: tuple[type[Input], dict[str, Any]], strict: bool
) -> None:
    model, value = given
    fields = plain_fields(model, value, strict=strict)
    assert fields is None or repr(fields) == modelled(model, value, strict=strict)


@MANY
@given(value=st.fixed_dictionaries(dict.fromkeys(("firstName", "lastName"), TEXTS)))
def test_text_is_recognised_just_where_cleaning_leaves_it_as_it_is(value: dict[str, str]) -> None:
    """The letters are so chosen that this holds for all of `PIECES` but a few rare ones."""
    customer = factories.customer(**value)
    plain = plain_fields(CustomerInput, customer, strict=False)
    if plain is not None:
        assert all(clean(text) == text == plain[name] for name, text in value.items())
    elif all(re.fullmatch(f"[{LETTERS}]{{1,{MAX_TEXT}}}", text) for text in value.values()):
        pytest.fail("clean text was not recognised")


def test_no_letter_changes_in_nfc_alone_or_after_another() -> None:
    letters = re.compile(f"[{LETTERS}]")
    chosen = [letter for letter in map(chr, range(0x110000)) if letters.match(letter)]
    print(f"{len(chosen)} letters")
    assert all(clean(letter) == letter and not unicodedata.combining(letter) for letter in chosen)
    seconds = {part for letter in map(chr, range(0x110000)) for part in unicodedata.normalize("NFD", letter)[1:]}
    assert not seconds & set(chosen)
    assert unicodedata.is_normalized("NFC", "".join(chosen) + "".join(reversed(chosen)))


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (CustomerInput, factories.customer()),
        (CustomerInput, factories.customer(firstName="Zoë", lastName="Đa", middleName="Jürgen Śmiały")),
        (CustomerInput, factories.customer(firstName="太郎", lastName="김", unknown=1)),
        (CustomerInput, {name: value for name, value in factories.customer().items() if name != "middleName"}),
        (AddressInput, factories.address(street2="Apt. 5", postalCode="SW1A 1AA", state="")),
        (PhoneNumberInput, factories.phone_number(countryCode="49", extension="x")),
        (NotificationPreferencesInput, factories.preferences()),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_what_clients_usually_send_needs_no_model(model: type[Input], value: dict[str, Any]) -> None:
    fields = plain_fields(model, value, strict=False)
    assert fields is not None
    assert repr(fields) == modelled(model, value, strict=False)


# --- e-mail addresses


@settings(MANY, max_examples=500)
@given(text=EMAILS)
@example(text=f"a@{'b' * 60}.c")
@example(text="\u017f@\u017f.org")
@example(text=f"a@{'b' * 59}.org")
def test_the_quick_pattern_takes_only_addresses_that_the_library_takes(text: str) -> None:
    if _PLAIN_EMAIL.fullmatch(text) and len(text) <= _PLAIN_EMAIL_LENGTH:
        taken = validate_email(text, check_deliverability=False, globally_deliverable=False, test_environment=True)
        assert text.isascii()
        assert "." in taken.ascii_domain
        assert (taken.original, taken.normalized.lower()) == (text, text.lower())
        assert check_email(text) == text


@pytest.mark.parametrize("name", SPECIAL_USE_DOMAIN_NAMES)
def test_reserved_domains_are_left_to_the_library(name: str) -> None:
    for domain in (f"a.{name}", f"a.{name.upper()}", name):
        assert not _PLAIN_EMAIL.fullmatch(f"a@{domain}")


@pytest.mark.parametrize("text", ["a.b+c@example.com", "o'neil_1@mail-2.example.co.uk", "A@B.DE"])
def test_usual_addresses_do_not_need_the_library(text: str) -> None:
    assert _PLAIN_EMAIL.fullmatch(text)
