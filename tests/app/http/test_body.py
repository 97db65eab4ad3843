"""The quick reader of JSON and the strict one are one reader: same values, same problems."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.http.body import MAX_DEPTH, _plain_json, _strict_json, parse_json
from resolvers.problem import Problem
from resolvers.problems import JSON_DUPLICATE_KEY
from tests import factories

MANY = settings(max_examples=2000, deadline=None, derandomize=True)

# --- JSON as clients write it, right and wrong

SPACE = st.sampled_from(["", "", "", " ", "\n", "\t\r ", "\x0b", "\ufeff", "\xa0"])
PIECES = [
    "a", "b", "ab", "é", "e\u0301", "\u2028", "\x7f", "😀", ",5", ":-1", "[0", "{", "[", "]", "}", ",", ":", " ",
    "\\n", '\\"', "\\\\", "\\/", "\\u0061", "\\ud83d\\ude00", "\\ud83d", "\\u0000", "\\x", "\\", "\x01",
    "\n", "\x00", '"',
]  # fmt: skip
QUOTED = st.lists(st.sampled_from(PIECES), max_size=4).map(lambda pieces: f'"{"".join(pieces)}"')
KEYS = st.sampled_from(['"a"', '"b"', '"\\u0061"', '"ab"', '""', '"é"', '"e\u0301"']) | QUOTED
NUMBERS = st.one_of(
    st.integers(-(2**64) - 2, 2**64 + 2).map(str),
    st.floats(allow_nan=False).map(repr),
    st.from_regex(r"-?[0-9]{1,22}(\.[0-9]{0,3})?([eE][-+]?[0-9]{0,4})?", fullmatch=True),
    st.sampled_from(["-0", "-0.0", "1e400", "-1e400", "01", "+1", "NaN", "Infinity", "-Infinity", "1_0", ".5", "1."]),
    st.sampled_from([str(edge) for edge in (2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64 - 1, 2**64)]),
)
LEAVES = st.one_of(QUOTED, NUMBERS, st.sampled_from(["true", "false", "null", "True", "nul", "'a'", ""]))


def _spaced(parts: tuple[str, ...]) -> str:
    return "".join(parts)


def _texts(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    member = st.tuples(SPACE, KEYS, SPACE, st.just(":"), SPACE, inner, SPACE).map(_spaced)
    item = st.tuples(SPACE, inner, SPACE).map(_spaced)
    comma = st.sampled_from([",", ",", ",", ",,", ""])
    objects = st.tuples(comma, st.lists(member, max_size=4)).map(lambda both: f"{{{both[0].join(both[1])}}}")
    arrays = st.tuples(comma, st.lists(item, max_size=4)).map(lambda both: f"[{both[0].join(both[1])}]")
    deeper = st.tuples(st.integers(1, MAX_DEPTH), inner).map(lambda both: "[" * both[0] + both[1] + "]" * both[0])
    return objects | arrays | deeper


TEXTS = st.tuples(SPACE, st.recursive(LEAVES, _texts, max_leaves=12), SPACE, st.sampled_from(["", "", "", "1", "}"]))
BODIES = st.one_of(
    TEXTS.map(lambda parts: "".join(parts).encode()),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    ).map(lambda value: json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass")),
    st.binary(max_size=12),
)


def _told(read: Any, raw: bytes) -> tuple[str, str]:
    """Return what a reader makes of a body: every type and every bit of its value, or what it has against it."""
    try:
        return "value", repr(read(raw))
    except Problem as problem:
        return problem.type.slug, problem.detail


@pytest.mark.untraced
@MANY
@given(raw=BODIES, cut=st.integers(0, 40), junk=st.binary(max_size=2))
@example(raw=b'{"a": 1, "a": 1}', cut=0, junk=b"")
@example(raw=b'{"a": {"b": "x", "b": "x"}}', cut=0, junk=b"")
@example(raw=b'[{"a": "\\"", "a": ""}]', cut=0, junk=b"")
@example(raw=b'{"a": "", "a": "\\u0022\\u0022\\u0022\\u0022"}', cut=0, junk=b"")
@example(raw=b'\xef\xbb\xbf{"a": 1}', cut=0, junk=b"")
@example(raw=b'{"a": "\xed\xa0\x80"}', cut=0, junk=b"")
@example(raw=b'{"a": "\xc0\xaf"}', cut=0, junk=b"")
@example(raw=b'{"a": -0}', cut=0, junk=b"")
@example(raw=b'{"a": 18446744073709551615}', cut=0, junk=b"")
@example(raw=b"[" * 32 + b"]" * 32, cut=0, junk=b"")
@example(raw=b"[" * 33 + b"]" * 33, cut=0, junk=b"")
@example(raw=b'{"a":' * 2000 + b"1" + b"}" * 2000, cut=0, junk=b"")
@example(raw=b"[" * 300 + b"]" * 300, cut=0, junk=b"")
@example(raw=b'["' + b"[" * 40 + b'"]', cut=0, junk=b"")
@example(raw=b'"a"', cut=0, junk=b"")
@example(raw=b"9223372036854775808", cut=0, junk=b"")
def test_both_readers_tell_the_same_of_any_bytes(raw: bytes, cut: int, junk: bytes) -> None:
    for sent in (raw, raw[:cut] + junk + raw[cut:], raw[:cut] + raw[cut + 1 :]):
        assert _told(parse_json, sent) == _told(_strict_json, sent)


@MANY
@given(value=st.dictionaries(st.sampled_from("abc"), st.sampled_from([1, "x", None])), key=st.sampled_from("abc"))
def test_no_key_that_stands_twice_passes_the_quick_reader(value: dict[str, Any], key: str) -> None:
    members = [f"{json.dumps(name)}: {json.dumps(one)}" for name, one in [*value.items(), (key, "x")]]
    raw = f'{{"outer": [{{{", ".join(members)}}}]}}'.encode()
    told = _told(parse_json, raw)
    assert (told[0] == JSON_DUPLICATE_KEY.slug) == (key in value)


@pytest.mark.parametrize(
    "value",
    [
        factories.customer(),
        factories.customer(firstName="Zoë", addresses=[factories.address() for _ in range(50)]),
        {"query": "query($size: Int!) { a { b { c } } }" * 20, "variables": {"size": 10, "after": None}},
        [{"op": "replace", "path": "/phoneNumbers/0/number", "value": "1, 2"}],
    ],
    ids=["customer", "largest", "graphql", "patch"],
)
def test_what_clients_usually_send_needs_no_more_than_the_quick_reader(value: Any) -> None:
    assert _plain_json(json.dumps(value, ensure_ascii=False).encode()) == value
