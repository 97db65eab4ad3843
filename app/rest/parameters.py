"""Query parameters: known ones in camelCase and snake_case; unknown ones are refused, never ignored."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from resolvers.problem import JsonValue, Problem
from resolvers.problems import INVALID_PARAMETER, MALFORMED_REQUEST, UNKNOWN_PARAMETER, WRONG_TOP_LEVEL

_CONTROL = re.compile("[\x00-\x1f\x7f]")
_NUMBER = re.compile(r"[0-9]{1,10}")
_TRUE = {"true", "1"}
_FALSE = {"false", "0"}


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """A query parameter: its name in camelCase, its JSON Schema, what it does. Equal to itself alone."""

    name: str
    schema: Mapping[str, Any]
    description: str
    repeatable: bool = False
    aliases: tuple[str, ...] = ()
    example: Any = None

    @property
    def names(self) -> tuple[str, ...]:
        """All names it is taken under."""
        return (self.name, *{snake_case(self.name), *self.aliases} - {self.name})


def snake_case(name: str) -> str:
    """Return a camelCase name in snake_case."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found[1].lower(), name)


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of one request, by their camelCase names."""

    values: Mapping[str, tuple[str, ...]]

    def one(self, name: str) -> str | None:
        """Return a parameter's only value, or None."""
        values = self.values.get(name)
        return values[0] if values else None

    def every(self, name: str) -> tuple[str, ...]:
        """Return all values of a repeatable parameter."""
        return self.values.get(name, ())

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a parameter as true or false; raises invalid-parameter."""
        text = self.one(name)
        if text is None:
            return default
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        raise Problem(INVALID_PARAMETER, f"{name} must be true or false.")

    def number(self, name: str, default: int, *, most: int = 2**31 - 1) -> int:
        """Return a parameter as an integer from 1 to `most`; raises invalid-parameter."""
        text = self.one(name)
        if text is None:
            return default
        if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= most:
            raise Problem(INVALID_PARAMETER, f"{name} must be a whole number from 1 to {most}.")
        return int(text)

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        """Return a parameter that is one of several words; raises invalid-parameter."""
        text = self.one(name)
        if text is None:
            return default
        if text not in choices:
            raise Problem(INVALID_PARAMETER, f"{name} must be one of {', '.join(choices)}.")
        return text


@lru_cache(maxsize=64)
def _by_name(known: tuple[Parameter, ...]) -> Mapping[str, Parameter]:
    """Return the parameters of an endpoint under every name they are taken under."""
    return {name: parameter for parameter in known for name in parameter.names}


def parse_parameters(query: bytes, known: tuple[Parameter, ...]) -> Parameters:
    """Return the parameters of a query string.

    Raises:
        Problem: unknown-parameter with the nearest known name, invalid-parameter for one sent twice,
            malformed-request for what is not percent-encoded UTF-8.
    """
    if not query:
        return Parameters({})
    by_name = _by_name(known)
    values: dict[str, list[str]] = {}
    for name, value in _pairs(query):
        parameter = by_name.get(name)
        if parameter is None:
            raise _unknown(name, by_name)
        given = values.setdefault(parameter.name, [])
        if given and not parameter.repeatable:
            raise Problem(INVALID_PARAMETER, f"{parameter.name} may be sent only once.")
        given.append(value)
    return Parameters({name: tuple(given) for name, given in values.items()})


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(query.decode(), keep_blank_values=True, errors="strict", max_num_fields=200)
    except (UnicodeDecodeError, ValueError) as error:
        raise Problem(MALFORMED_REQUEST, "The query string is not percent-encoded UTF-8.") from error
    if _CONTROL.search("".join(map("".join, pairs))):
        raise Problem(MALFORMED_REQUEST, "The query string holds a control character.")
    return pairs


def _unknown(name: str, known: Mapping[str, Parameter]) -> Problem:
    near = get_close_matches(name[:64], known, n=1, cutoff=0.5)
    hint = (
        f" Did you mean {near[0]}?"
        if near
        else (f" Known: {', '.join(sorted({p.name for p in known.values()}))}." if known else " It takes none.")
    )
    return Problem(UNKNOWN_PARAMETER, f"There is no parameter {name[:64]!r} here.{hint}")


def from_body(body: JsonValue, known: tuple[Parameter, ...]) -> Parameters:
    """Return the parameters of a JSON object whose members are text, numbers, true or false, or lists of text.

    Raises:
        Problem: wrong-top-level, unknown-parameter, invalid-parameter.
    """
    if not isinstance(body, dict):
        raise Problem(WRONG_TOP_LEVEL, "The body must be a JSON object.")
    by_name = _by_name(known)
    values: dict[str, tuple[str, ...]] = {}
    for name, value in body.items():
        parameter = by_name.get(name)
        if parameter is None:
            raise _unknown(name, by_name)
        if parameter.name in values:
            raise Problem(INVALID_PARAMETER, f"{parameter.name} may be sent only once.")
        if value is not None:
            values[parameter.name] = _texts(parameter, value)
    return Parameters(values)


def _texts(parameter: Parameter, value: JsonValue) -> tuple[str, ...]:
    if isinstance(value, list):
        texts = tuple(_text(parameter, item) for item in value)
        return texts if parameter.repeatable else (",".join(texts),)
    return (_text(parameter, value),)


def _text(parameter: Parameter, value: JsonValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int):
        raise Problem(INVALID_PARAMETER, f"{parameter.name} must be text, a whole number, or a list of texts.")
    return str(value)


INTEGER = {"type": "integer", "minimum": 1}
BOOLEAN = {"type": "boolean"}
DRY_RUN = Parameter(
    "dryRun",
    {**BOOLEAN, "default": False},
    "`true` checks everything and answers what would happen, with `Dry-Run: true`, and stores nothing.",
    example=True,
)
RESOURCE = Parameter(
    "resource",
    {**BOOLEAN, "default": True},
    "`false` answers only `id` and `updatedAt`, as `Prefer: return=minimal` does.",
    example=False,
)
