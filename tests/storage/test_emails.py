"""One address has one key, in whichever form its domain is written; other addresses have others."""

from __future__ import annotations

import string

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from storage.emails import email_key, email_pieces, email_terms
from storage.model import check_email
from storage.text import clean, fold

MANY = settings(max_examples=500, deadline=None, derandomize=True)
LETTERS = "aÄäßẞø\u0131İς\u03c3µéÉ中文가日本語ки\u0430\u0391Ωאבג\u0661\u0301\u200d\u00adﬁ"
LABELS = st.text(LETTERS + "bz09-", min_size=1, max_size=8) | st.sampled_from(
    ["xn--mller-kva", "XN--Strae-OQA", "xn--p1ai", "xn--a", "xn--", "xn--zzzz", "xn---bbk", "xn--ab-", "xn--0ca" * 9]
)
DOMAINS = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
LOCALS = st.text(string.ascii_letters + LETTERS + ".+_", min_size=1, max_size=8)
ADDRESSES = st.builds("{}@{}".format, LOCALS, DOMAINS) | st.text(LETTERS + "@.xn-", max_size=12) | st.text(max_size=12)


def validated(text: str) -> tuple[str, str] | None:
    """Return the two forms of the domain of an address that may be stored, None for others."""
    try:
        check_email(clean(text))
        found = validate_email(clean(text), check_deliverability=False, globally_deliverable=False)
    except (EmailNotValidError, ValueError):
        return None
    return found.domain, found.ascii_domain


@MANY
@given(text=ADDRESSES)
@example(text="a@MÜLLER.example")
@example(text="a@xn--mller-kva。com")
@example(text="ß@ｆａß.de")
@example(text="a@1.xn--4dbc.com")
def test_a_valid_address_has_the_key_that_the_library_says_its_domain_has(text: str) -> None:
    found = validated(text)
    if found is not None:
        local = clean(text).rpartition("@")[0]
        assert email_key(clean(text)) == f"{fold(local)}@{found[0]}"
        assert email_terms(clean(text)) == tuple(dict.fromkeys(f"{fold(local)}@{form}" for form in found))


@MANY
@given(local=LOCALS, domain=DOMAINS)
@example(local="a", domain="STRAẞE.de")
def test_both_forms_of_a_domain_have_one_key(local: str, domain: str) -> None:
    found = validated(f"{local}@{domain}")
    if found is not None:
        keys = {email_key(f"{local}@{form}") for form in (domain, domain.upper(), *found, found[1].upper())}
        upper = domain.upper() != domain and validated(f"{local}@{domain.upper()}") != found  # ß has SS as its capitals
        assert len(keys) == 1 + upper


@MANY
@given(one=ADDRESSES, other=ADDRESSES)
@example(one="a@straße.de", other="a@strasse.de")
@example(one="a@bbk.de", other="a@xn---bbk.de")
def test_addresses_of_two_domains_have_two_keys(one: str, other: str) -> None:
    first, second = validated(one), validated(other)
    if first is not None and second is not None and first != second:
        assert email_key(clean(one)) != email_key(clean(other))
    if first is not None and second is None:
        assert email_key(clean(one)) != email_key(other) or fold(one) == fold(other)


@MANY
@given(text=st.text(max_size=30) | ADDRESSES)
@example(text="a@xn--" + "9" * 250)
@example(text="@" * 256)
@example(text="a@" + "xn--." * 50)
@example(text="a@xn--uo-jc6a")
@example(text="a@" + "\ufdfa" * 250)
def test_whatever_is_asked_for_has_a_key_that_can_be_sent_to_the_store(text: str) -> None:
    for made in (email_key(text), *email_terms(text), *email_pieces(text)):
        made.encode("utf-8", "surrogatepass" if any("\ud800" <= letter <= "\udfff" for letter in text) else "strict")


def test_half_a_surrogate_pair_in_punycode_is_not_made_one() -> None:
    for code in ("\ud800", "\udfff", "a\udc00"):
        label = "xn--" + code.encode("punycode").decode()
        assert email_key(f"a@{label}.de") == f"a@{label}.de"


@given(local=st.text(string.ascii_letters + string.digits + ".", min_size=1), domain=st.text("abzAZ09.-", min_size=1))
def test_of_plain_addresses_the_key_is_the_address_without_case(local: str, domain: str) -> None:
    text = f"{local}@{domain}"
    if "xn--" not in text.lower():
        assert email_terms(text) == (text.lower(),) == email_pieces(text)


@MANY
@given(text=ADDRESSES, begin=st.integers(0, 20), end=st.integers(0, 20))
@example(text="Straße@STRAẞE.de", begin=1, end=4)
@example(text="Straße@STRAẞE.de", begin=7, end=11)
@example(text="a@xn--mller-kva.de", begin=3, end=9)
def test_a_piece_of_an_address_is_found_in_its_terms(text: str, begin: int, end: int) -> None:
    found = validated(text)
    if found is not None:
        for domain in found:
            shown = f"{clean(text).rpartition('@')[0]}@{domain}"
            terms, piece = email_terms(shown), shown[begin : begin + end]
            if fold(shown) == "".join(fold(letter) for letter in shown):  # no letter that melts with the next
                assert any(one in term for one in email_pieces(piece) for term in terms)


@pytest.mark.parametrize(
    "text", ["a@xn--zzzz.de", "a@xn--a.de", "a@xn---bbk.de", "a@-.de", "a@é..de", "a@é" + "b" * 63]
)
def test_a_malformed_domain_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="must be an e-mail address"):
        check_email(text)
