"""Text as the gateway folds, orders and searches it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from storage import text
from storage.text import after_prefix, bare, clean, digits, fold, order_key, words
from tests import evaluate

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LETTERS = st.text("aAbBeéÉEèßẞsSİIıi̇oöÖÓłŁøØæÆœþðđħzZžŽ王佐がガΑαάΆσςΣΐᾳ ͅ'-.0 \u0301\u0308\u0327", max_size=8)  # noqa: RUF001
_MANY = settings(max_examples=300, deadline=None, derandomize=True)


def _stored(value: str) -> str:
    return unicodedata.normalize("NFC", value)


# --- the text above a prefix


@_MANY
@given(prefix=st.one_of(TEXTS, LETTERS), tail=TEXTS, other=TEXTS)
@example(prefix="a\ud7ff", tail="", other="a\ue000")
@example(prefix="a\U0010ffff", tail="\U0010ffff", other="b")
@example(prefix="", tail="x", other="y")
def test_between_a_prefix_and_the_text_above_it_stand_just_those_that_begin_with_it(
    prefix: str, tail: str, other: str
) -> None:
    above = after_prefix(prefix)
    for value in (prefix + tail, other, prefix[:-1] + other):
        within = prefix.encode() <= value.encode() and (above is None or value.encode() < above.encode())
        assert within == value.startswith(prefix)


@pytest.mark.parametrize(
    ("prefix", "above"),
    [
        ("a", "b"),
        ("ab", "ac"),
        ("az", "a{"),
        ("", None),
        ("\U0010ffff", None),
        ("a\U0010ffff\U0010ffff", "b"),
        ("\ud7ff", "\ue000"),
        ("\x7f", "\x80"),
        ("\uffff", "\U00010000"),
        ("fn:", "fn;"),
    ],
)
def test_the_least_text_above_a_prefix(prefix: str, above: str | None) -> None:
    assert after_prefix(prefix) == above


# --- equality without case


@_MANY
@given(value=st.one_of(TEXTS, LETTERS))
def test_folding_ignores_case_and_composition_and_is_stable(value: str) -> None:
    folded = fold(value)
    assert folded == fold(unicodedata.normalize("NFD", value)) == fold(_stored(value))
    assert folded == fold(_stored(value).casefold())
    assert folded == fold(folded)
    assert unicodedata.is_normalized("NFC", folded)


def _letters_with_a_case_or_accent() -> list[str]:
    """Return every character that any of the forms changes, and every mark."""
    letters = [chr(point) for point in range(0x20000) if not 0xAC00 <= point <= 0xDFFF]
    return [
        letter
        for letter in letters
        if letter.casefold() != letter
        or unicodedata.decomposition(letter)
        or unicodedata.category(letter).startswith("M")
    ]


def test_folding_every_character_of_unicode_is_stable_and_ignores_its_case() -> None:
    for letter in _letters_with_a_case_or_accent():
        folded = fold(letter)
        assert folded == fold(folded) == fold(unicodedata.normalize("NFD", letter)), hex(ord(letter))
        if letter.lower().upper() == letter:
            assert folded == fold(letter.lower()), hex(ord(letter))


@pytest.mark.parametrize(
    ("one", "other"),
    [("STRASSE", "Straße"), ("WEIẞ", "weiss"), ("ΣΟΦΟΣ", "σοφος"), ("É", "e\u0301"), ("\u212b", "å"), ("ﬁ", "FI")],
)
def test_texts_that_differ_only_in_case_are_equal(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("e", "é"), ("\u0131", "i"), ("o", "ø"), ("ss", "s"), ("a", "a "), ("王", "玉")]
)
def test_texts_that_differ_in_more_are_not_equal(one: str, other: str) -> None:
    assert fold(one) != fold(other)


# --- without accents


@_MANY
@given(value=st.one_of(TEXTS, LETTERS))
def test_bare_text_ignores_case_accents_and_composition(value: str) -> None:
    stored = _stored(value)
    assert bare(stored) == bare(fold(stored)) == bare(unicodedata.normalize("NFD", stored))
    assert bare(bare(stored)) == bare(stored)
    assert bare(stored) == evaluate.bare(stored)
    assert not any("\u0300" <= letter <= "\u036f" for letter in unicodedata.normalize("NFD", bare(stored)))


def test_every_character_of_unicode_has_one_bare_form() -> None:
    for letter in _letters_with_a_case_or_accent():
        stored = _stored(letter)
        assert bare(stored) == bare(bare(stored)) == bare(fold(stored)), hex(ord(letter))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Müller", "muller"),
        ("São Tomé", "sao tome"),
        ("Łoś", "los"),
        ("Ærøskøbing", "aeroskobing"),
        ("Þórður", "thordur"),
        ("İSTANBUL", "istanbul"),
        ("\u0131stanbul", "istanbul"),
        ("Œuvre", "oeuvre"),
        ("Đặng", "dang"),
        ("ガガ", "ガガ"),
        ("Ελένη", "ελενη"),
        ("Weiß", "weiss"),
        ("Adébáyọ̀", "adebayo"),
    ],
)
def test_accents_and_strokes_fall_away(value: str, expected: str) -> None:
    assert bare(value) == expected


# --- order


@_MANY
@given(one=st.one_of(TEXTS, LETTERS), other=st.one_of(TEXTS, LETTERS))
def test_an_order_goes_by_the_bare_text_and_then_by_the_exact_one(one: str, other: str) -> None:
    one, other = one.replace("\0", ""), other.replace("\0", "")
    keys, plain = (order_key(one), order_key(other)), ((bare(one), one), (bare(other), other))
    assert (keys[0] < keys[1]) == (plain[0] < plain[1])
    assert (keys[0] == keys[1]) == (one == other)


def test_null_stands_before_every_text() -> None:
    assert order_key(None) == "" < order_key("") < order_key("a")


# --- words, digits, cleaning


@_MANY
@given(value=st.one_of(TEXTS, LETTERS))
def test_words_are_bare_letters_and_digits(value: str) -> None:
    for word in words(value):
        assert word
        assert all(letter.isalnum() for letter in word)
        assert words(word) == [word]


def test_words_end_at_what_is_no_letter_and_no_digit() -> None:
    assert words("Jean-Luc d'Aubigné_2 (x@y.de)") == ["jean", "luc", "d", "aubigne", "2", "x", "y", "de"]
    assert words(" !_- ") == []


def test_digits_are_those_of_ascii() -> None:
    assert digits("+1 (202) 875-٣4") == "12028754"


@pytest.mark.parametrize("bad", ["\0", "a\n", "\x7f", "\x85", "\ud800", "a\x1b[0m"])
def test_control_characters_are_refused_before_trimming(bad: str) -> None:
    with pytest.raises(ValueError, match="control characters"):
        clean(bad)


def test_clean_text_is_composed_trimmed_and_not_too_long() -> None:
    assert clean(" e\u0301 ") == "é"
    assert clean("e\u0301" * text.MAX_TEXT) == "é" * text.MAX_TEXT
    assert clean(" " * 300 + "x") == "x"
    with pytest.raises(ValueError, match="256"):
        clean("x" * (text.MAX_TEXT + 1))
