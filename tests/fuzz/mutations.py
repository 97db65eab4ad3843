"""Small accidents and ill will: texts, bytes and JSON that are nearly what was meant."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

from tests.corpus import EVIL, REDOS

WRONG: Final = "\ufffd"
"""Stands for a byte that is no text."""
ODD: Final = (
    WRONG,
    f"{WRONG}a",
    *EVIL,
    *REDOS,
    "",
    " ",
    "\x00",
    "\r\nX-Odd: 1",
    "a" * 300,
    "null",
    "true",
    "-1",
    "0",
    "1e999",
    "[]",
    "{}",
)
_LETTERS: Final = "aZ0'\"\\/?#%&=+-:;,.()[]{}<>$*!|@~ \t\x00\x7fé\u202e\ufeff🦊"
_NUMBERS: Final = (0, -1, 1, 101, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 0.1, 1e308, 10**40)
_TOKENS: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'|\w+|\s+|[^\w\s]")
_BODIES: Final = (
    b"", b"null", b"5", b"[]", b"{}", b"NaN", b'"x"', b"[" * 5000, b'{"a":' * 40 + b"1" + b"}" * 40, b"9" * 5000,
    b'{"a":1,"a":2}', b'{"a":"\\ud800"}', b'{"a":"\xff"}', b"\xef\xbb\xbf{}", '{"a":1}'.encode("utf-16"), b"{} {}",
    b'{"a":Infinity}', b'{"a":-0}', b'{"__proto__":{"a":1}}', b'{"$where":"1"}', b"[[],[]]", b'{"":""}', b"{'a':1}",
)  # fmt: skip


def text(random: Random, value: str) -> str:
    """Return a text with one to three accidents."""
    for _ in range(random.randint(1, 3)):
        value = random.choice(_ACCIDENTS)(random, value)
    return value[:4000]


def _place(random: Random, value: Sequence[Any]) -> tuple[int, int]:
    start = random.randint(0, len(value))
    return start, min(len(value), start + random.choice((0, 1, 1, 2, 5, 40)))


def _another(random: Random, value: str) -> str:
    start, end = _place(random, value)
    return value[:start] + random.choice(_LETTERS) * random.choice((1, 1, 1, 2, 30)) + value[end:]


def _without(random: Random, value: str) -> str:
    start, end = _place(random, value)
    return value[:start] + value[end:]


def _twice(random: Random, value: str) -> str:
    start, end = _place(random, value)
    return value[:end] + value[start:]


def _odd(random: Random, value: str) -> str:
    start, end = _place(random, value)
    return value[:start] + random.choice(ODD) + value[end:]


_ACCIDENTS: Final[tuple[Callable[[Random, str], str], ...]] = (
    _another,
    _without,
    _twice,
    _odd,
    lambda random, value: value[: _place(random, value)[0]],
    lambda _random, value: value.swapcase(),
    lambda random, value: value * random.choice((0, 2, 3)),
    lambda random, _value: random.choice(ODD),
)


def words(random: Random, value: str, others: Sequence[str]) -> str:
    """Return a text of a grammar with words taken out, doubled, exchanged, or replaced by others."""
    found = _TOKENS.findall(value) or [""]
    for _ in range(random.choice((0, 1, 1, 1, 2, 4))):
        one, two = random.randrange(len(found)), random.randrange(len(found))
        match random.randrange(5):
            case 0:
                found[one] = ""
            case 1:
                found[one] += f" {found[two]}"
            case 2:
                found[one], found[two] = found[two], found[one]
            case 3:
                found[one] = random.choice(others)
            case _:
                found[one] = text(random, found[one])
    return "".join(found)


def octets(random: Random, value: bytes) -> bytes:
    """Return bytes with one to three of them changed, cut out or doubled."""
    for _ in range(random.randint(1, 3)):
        start, end = _place(random, value)
        put = random.choice((bytes([random.randrange(256)]), b"", value[start:end] * 2, b"\xff\xfe", b"\x00"))
        value = value[:start] + put + value[end:]
    return value


def value(random: Random, given: Any) -> Any:
    """Return a JSON value in which one thing, at any depth, is another one, is missing, or has company."""
    if isinstance(given, dict) and given and random.random() < 0.9:
        return _object(random, given)
    if isinstance(given, list) and given and random.random() < 0.9:
        return _array(random, given)
    if isinstance(given, str) and random.random() < 0.6:
        return text(random, given)
    return random.choice((None, True, "", random.choice(_NUMBERS), random.choice(ODD), [], {}, [given], {"a": given}))


def _object(random: Random, given: dict[str, Any]) -> dict[str, Any]:
    name = random.choice(list(given))
    changed = dict(given)
    match random.randrange(8):
        case 0:
            del changed[name]
        case 1:
            changed[text(random, name)] = changed.pop(name)
        case 2:
            changed[random.choice(ODD)] = given[name]
        case _:
            changed[name] = value(random, given[name])
    return changed


def _array(random: Random, given: list[Any]) -> list[Any]:
    place = random.randrange(len(given))
    match random.randrange(6):
        case 0:
            return given[:place] + given[place + 1 :]
        case 1:
            return given * random.choice((2, 3, 51))
        case 2:
            return given[::-1]
        case _:
            return [*given[:place], value(random, given[place]), *given[place + 1 :]]


def body(random: Random, given: Any) -> bytes:
    """Return the bytes of a body that was to be this JSON value or this text."""
    if random.random() < 0.06:
        return random.choice(_BODIES)
    for _ in range(random.choice((0, 1, 1, 1, 2))):
        given = value(random, given)
    sent = (given if isinstance(given, str) else json.dumps(given, ensure_ascii=random.random() < 0.5)).encode()
    return octets(random, sent) if random.random() < 0.2 else sent
