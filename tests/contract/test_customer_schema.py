"""The input model and the Customer JSON Schema agree on what a customer is."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import ValidationError

from app.example import INPUT
from app.rest.schemas import schemas
from resolvers.customers import representation
from storage.documents import PARTS, new_id
from storage.model import CustomerInput
from storage.schema import customer_schema
from storage.text import MAX_TEXT
from tests import factories
from tests.harness import Gateway
from tests.selections import fields_of

SCHEMA = Path(__file__).parents[2] / "storage" / "customer.schema.json"
SERVER_OWN = {"id": new_id(), "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"}
VALIDATOR = Draft202012Validator(customer_schema(), format_checker=FormatChecker())
VALID_INPUT = Draft202012Validator(
    {"components": {"schemas": schemas()}, "$ref": "#/components/schemas/CustomerInput"}, format_checker=FormatChecker()
)
MANY = settings(max_examples=200, derandomize=True, deadline=None)

# Text within the documented rules: no control characters, no blanks at the ends, at most 256 characters in NFC.
FLAGS = ("email", "sms", "push", "mail")
LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"))
TEXTS = (
    st.lists(st.text(LETTERS, min_size=1, max_size=8), max_size=3)
    .map(" ".join)
    .map(lambda text: unicodedata.normalize("NFC", text).strip())
    .filter(lambda text: len(text) <= MAX_TEXT)
)
EMAILS = st.from_regex(r"[a-z][a-z0-9]{0,8}(\.[a-z0-9]{1,8}){0,2}@[a-z]{1,8}\.(com|org|de)", fullmatch=True)


def matching(pattern: str) -> st.SearchStrategy[str]:
    """Draw text of a pattern that has no blanks at its ends."""
    return st.from_regex(pattern, fullmatch=True).filter(lambda text: text == text.strip())


ADDRESSES = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["billing", "shipping", "home", "work"]),
        "street1": TEXTS,
        "city": TEXTS,
        "state": TEXTS,
        "postalCode": matching(r"[0-9A-Za-z\- ]{1,12}"),
        "country": TEXTS,
    },
    optional={"street2": st.none() | TEXTS},
)
PHONES = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["mobile", "home", "work", "other"]),
        "countryCode": matching(r"\+?[0-9]{1,4}"),
        "number": matching(r"[0-9\- ]{1,12}"),
    },
    optional={"extension": st.none() | TEXTS},
)
GOOD = st.fixed_dictionaries(
    {
        "firstName": TEXTS.filter(bool),
        "lastName": TEXTS.filter(bool),
        "email": EMAILS,
        "addresses": st.lists(ADDRESSES, min_size=1, max_size=2),
        "phoneNumbers": st.lists(PHONES, min_size=1, max_size=2),
        "notificationPreferences": st.fixed_dictionaries({name: st.booleans() for name in FLAGS}),
    },
    optional={"middleName": st.none() | TEXTS.filter(bool)},
)
ODD_TEXT = ("", "x", "HOME", "home", "work", "1234_", "१२३", "+", "++1", "0x1", "+٤٩", "12a", "(12)", "a@b.co", "true")
ODD = st.one_of(
    st.sampled_from(ODD_TEXT), st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.just([]), TEXTS
)
MISSING = object()


@st.composite
def odd_customers(draw: st.DrawFn) -> Any:
    """Draw a customer in which one value is another one, or missing."""
    customer = draw(GOOD)
    holder: Any = customer
    while True:
        step = draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        if not isinstance(holder[step], dict | list) or draw(st.integers(0, 5)) == 0:
            break
        holder = holder[step]
    value = draw(st.just(MISSING) | ODD)
    if value is MISSING:
        del holder[step]
    else:
        holder[step] = value
    return customer


CUSTOMERS = st.one_of(GOOD, odd_customers(), ODD)


def model_accepts(value: Any) -> bool:
    """Tell whether the input model takes a customer."""
    try:
        CustomerInput.model_validate(value)
    except ValidationError:
        return False
    return True


def schema_accepts(value: Any) -> bool:
    """Tell whether the Customer JSON Schema takes a customer, with what the server adds."""
    return VALIDATOR.is_valid({**value, **SERVER_OWN} if isinstance(value, dict) else value)


def test_the_schema_that_is_served_is_the_canonical_one(gateway: Gateway) -> None:
    served = gateway.http.get("/schemas/customer.json")
    assert served.headers["Content-Type"].startswith("application/schema+json")
    assert served.json() == json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(served.json())


@pytest.mark.untraced
@MANY
@given(CUSTOMERS)
def test_what_one_accepts_the_other_accepts(customer: Any) -> None:
    assert model_accepts(customer) == schema_accepts(customer)


@pytest.mark.untraced
@MANY
@given(CUSTOMERS)
def test_openapi_describes_what_the_model_accepts(customer: Any) -> None:
    assert model_accepts(customer) == VALID_INPUT.is_valid(customer)


@pytest.mark.untraced
@MANY
@given(GOOD)
def test_what_the_model_makes_of_a_customer_follows_the_schema(customer: dict[str, Any]) -> None:
    stored: Any = {**SERVER_OWN, "version": 1, **CustomerInput.model_validate(customer).fields()}
    for part in (*stored["addresses"], *stored["phoneNumbers"]):
        part["id"] = new_id()
    VALIDATOR.validate(representation(stored))


PLACES: dict[str, Iterable[str]] = {
    "storage/customer.schema.json": customer_schema()["properties"],
    "storage/documents.py": PARTS,
    "schema/types.py: Customer": fields_of("Customer"),
    "schema/inputs.py: CreateCustomerInput": fields_of("CreateCustomerInput"),
    "schema/inputs.py: UpdateCustomerInput": fields_of("UpdateCustomerInput"),
    "app/example.py": INPUT,
    "tests/factories.py": factories.customer(),
}


@pytest.mark.parametrize("place", PLACES)
def test_every_field_that_is_checked_is_in_every_place_that_knows_them_by_name(place: str) -> None:
    of_the_door = {"version", "etag"} if place == "schema/types.py: Customer" else set()
    assert {*PLACES[place]} - {*SERVER_OWN} - of_the_door == {*CustomerInput.model_fields}


@pytest.mark.untraced
def test_the_generated_customers_are_of_both_kinds() -> None:
    drawn: list[bool] = []

    @settings(max_examples=200, derandomize=True, deadline=None, database=None)
    @given(CUSTOMERS)
    def draw(customer: Any) -> None:
        drawn.append(schema_accepts(customer))

    draw()
    assert min(drawn.count(True), drawn.count(False)) > len(drawn) / 10


def test_the_model_refuses_more_only_by_the_documented_rules() -> None:
    """Caps, trimming, control characters, full e-mail addresses: the schema knows none of them."""
    for changed in (
        {"firstName": "x" * (MAX_TEXT + 1)},
        {"firstName": " "},
        {"firstName": "a\x00b"},
        {"lastName": "a\u0085"},
        {"email": "person@localhost"},
        {"email": "two@at@example.com"},
        {"addresses": [factories.address()] * 51},
        {"addresses": [factories.address(postalCode=" ")]},
        {"phoneNumbers": [factories.phone_number(number="1\n")]},
    ):
        customer = factories.customer(**changed)
        assert not model_accepts(customer), changed
        assert schema_accepts(customer), changed


def test_the_model_accepts_more_only_where_it_ignores_properties() -> None:
    customer = {**factories.customer(), "nickname": "x"}
    assert model_accepts(customer)
    assert not schema_accepts(customer)
