"""`filter=`: a subset of OData 4 (REST API Design Guidelines, Advanced Filtering) into the filter tree.

Operators eq ne gt ge lt le in, and or not, brackets, startswith, contains, any on nested lists; typed
literals, and timestamps, numbers and UUIDs also without quotes. Faults are told with their position.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, cast

from lark import Lark, Token, Tree, UnexpectedInput, UnexpectedToken

from resolvers.filtering import check_size, compare, condition, find_element_field, unknown
from resolvers.problem import Problem
from resolvers.problems import INVALID_FILTER
from storage.query import PART_FIELDS, And, Filter, ListName, Not, Or, Some

MAX_LENGTH: Final = 8000
_MAX_NESTING: Final = 20
_NESTS = re.compile(r"'(?:[^']|'')*'|[()]|\bnot\b", re.IGNORECASE)

_PARSER: Final = Lark(
    r"""
    ?start: or_
    ?or_: and_ (_OR and_)*
    ?and_: not_ (_AND not_)*
    ?not_: _NOT not_ -> negation | atom
    ?atom: "(" or_ ")"
        | PATH COMPARISON literal -> comparison
        | PATH _IN "(" literal ("," literal)* ")" -> membership
        | FUNCTION "(" PATH "," literal ")" -> call
        | ANY "(" PATH ":" or_ ")" -> some
        | PATH -> truth
    ?literal: GUID | TIMESTAMP | NUMBER | STRING | TRUE | FALSE | NULL
    _OR.4: /or\b/i
    _AND.4: /and\b/i
    _NOT.4: /not\b/i
    _IN.4: /in\b(?=\s*\()/i
    COMPARISON.4: /(eq|ne|gt|ge|lt|le)\b/i
    TRUE.4: /true\b/i
    FALSE.4: /false\b/i
    NULL.4: /null\b/i
    ANY.3: /[A-Za-z_][A-Za-z0-9_]*\/any(?=\s*\()/i
    FUNCTION.2: /[A-Za-z_]+(?=\s*\()/
    GUID.3: /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i
    TIMESTAMP.2: /[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}(:[0-9]{2}){1,2}([.:][0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?)?/i
    NUMBER: /-?[0-9]+(\.[0-9]+)?/
    STRING: /'(?:[^']|'')*'/
    PATH: /[A-Za-z_][A-Za-z0-9_]*([\/.][A-Za-z_][A-Za-z0-9_]*)*/
    %ignore /\s+/
    """,
    parser="lalr",
    lexer="contextual",
)
_FUNCTIONS: Final = {"startswith": "startsWith", "contains": "contains"}
_OPERATORS: Final = ("eq", "ne", "gt", "ge", "lt", "le", "in")
_SIGNS: Final = {"=": "eq", "==": "eq", "!=": "ne", "<>": "ne", ">": "gt", ">=": "ge", "<": "lt", "<=": "le"}
"""What people write who know other languages, and what it is here."""
_AS_OPERATOR: Final = re.compile(r"([a-z]{1,32}|[=!<>~]{1,3})(?=\s*(?:['(0-9-]|true\b|false\b|null\b))", re.IGNORECASE)
"""What stands where an operator does: before a value."""
_CALLS: Final = re.compile(
    r"'(?:[^']|'')*+'|(?<![\w/.$])((?:[A-Za-z_$][\w$]*+[/.])*+)([A-Za-z_$][\w$]*+)\s*+\(", re.ASCII
)
"""What is called: a list and its function, or a function alone; what stands in quotes is none."""
_BEFORE_BRACKETS: Final = frozenset({*_OPERATORS, *_FUNCTIONS, "and", "or", "not"})
"""What may stand before a bracket without a list."""


@dataclass(frozen=True, slots=True)
class Variable:
    """The name that stands for one element inside `any`."""

    name: str
    list_name: ListName


def parse_filter(text: str) -> Filter:
    """Return the filter tree of an OData expression; raises invalid-filter, which names the position."""
    if len(text) > MAX_LENGTH:
        raise Problem(INVALID_FILTER, f"A filter may have at most {MAX_LENGTH} characters.")
    _check_nesting(text)
    try:
        tree = _PARSER.parse(text)
    except UnexpectedInput as error:
        raise _fault(text, error) from error
    return check_size(_read(tree, None))


def _check_nesting(text: str) -> None:
    """Bound what the readers recurse into, before they do; what stands in quotes does not count."""
    depth = negations = 0
    for found in _NESTS.finditer(text):
        word = found[0].lower()
        depth += {"(": 1, ")": -1}.get(word, 0)
        negations += 1 if word == "not" else 0
        if max(depth, negations) > _MAX_NESTING:
            raise Problem(
                INVALID_FILTER,
                f"A filter may nest {_MAX_NESTING} brackets and have {_MAX_NESTING} not;"
                f" there are more at position {found.start() + 1}.",
            )


def _fault(text: str, error: UnexpectedInput) -> Problem:
    position = cast("int | None", error.pos_in_stream)
    ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    if ended or position is None or not 0 <= position < len(text):
        return Problem(INVALID_FILTER, f"The filter ends too early, at position {len(text) + 1}.")
    written = _AS_OPERATOR.match(text, position)
    if written and written[1].lower() not in _OPERATORS and "COMPARISON" in _wanted(error):
        return _no_operator(written[1], position)
    for call in _CALLS.finditer(text):
        if call[2] and call.start() <= position and not _is_known(call[1], call[2].lower()):
            return _no_function(call[2], call.start(2), on_list=bool(call[1]))
    near = text[position : position + 20]
    return Problem(INVALID_FILTER, f"The filter cannot be read from position {position + 1}: {near!r}.")


def _is_known(path: str, function: str) -> bool:
    return function == "any" if path else function in _BEFORE_BRACKETS


def _no_function(written: str, position: int, *, on_list: bool = False) -> Problem:
    """Return the problem for a function that does not exist: with the nearest one, or all that there are."""
    near = get_close_matches(written.lower()[:64], _FUNCTIONS, 1, 0.5)
    hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(_FUNCTIONS)}, and any of a list."
    if written.lower() == "any":
        hint = "It stands behind a list, as in addresses/any(a: a/city eq 'Berlin')."
    told = "Of a list there is any alone." if on_list else hint
    return Problem(INVALID_FILTER, f"There is no function {written[:64]!r}. {told} See position {position + 1}.")


def _wanted(error: UnexpectedInput) -> Collection[str]:
    """Return the names of what could have stood there."""
    found: Collection[str] | None = getattr(error, "accepts" if isinstance(error, UnexpectedToken) else "allowed", None)
    return found or ()


def _no_operator(written: str, position: int) -> Problem:
    """Return the problem for an operator that does not exist: with the nearest one, or all that there are."""
    near = [_SIGNS[written]] if written in _SIGNS else get_close_matches(written.lower(), _OPERATORS, 1, 0.5)
    hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(_OPERATORS)}."
    return Problem(INVALID_FILTER, f"There is no operator {written!r}. {hint} See position {position + 1}.")


Reader = Callable[[list[Any], Variable | None], Filter]


def _read(node: Tree[Token] | Token, inside: Variable | None) -> Filter:
    if isinstance(node, Token):
        raise Problem(INVALID_FILTER, f"A condition is missing at position {(node.start_pos or 0) + 1}.")
    return _READERS[str(node.data)](node.children, inside)


def _or(children: list[Any], inside: Variable | None) -> Filter:
    return Or(tuple(_read(child, inside) for child in children))


def _and(children: list[Any], inside: Variable | None) -> Filter:
    return And(tuple(_read(child, inside) for child in children))


def _negation(children: list[Any], inside: Variable | None) -> Filter:
    return Not(_read(children[0], inside))


def _comparison(children: list[Any], inside: Variable | None) -> Filter:
    path, operator, literal = children
    return _condition(path, operator.lower(), _literal(literal), inside)


def _membership(children: list[Any], inside: Variable | None) -> Filter:
    path, *literals = children
    return _condition(path, "in", [_literal(literal) for literal in literals], inside)


def _truth(children: list[Any], inside: Variable | None) -> Filter:
    return _condition(children[0], "eq", True, inside)


def _call(children: list[Any], inside: Variable | None) -> Filter:
    function, path, literal = children
    operator = _FUNCTIONS.get(function.lower())
    if operator is None:
        raise _no_function(str(function), function.start_pos or 0)
    return _condition(path, operator, _literal(literal), inside)


def _some(children: list[Any], inside: Variable | None) -> Filter:
    head, name, body = children
    if inside is not None:
        raise Problem(INVALID_FILTER, f"any cannot stand inside any, at position {head.start_pos + 1}.")
    written = head.rpartition("/")[0]
    list_name = {"addresses": "addresses", "phoneNumbers": "phoneNumbers", "phone_numbers": "phoneNumbers"}.get(written)
    if list_name is None:
        raise _at(head, unknown(written, "list", list(PART_FIELDS)))
    return Some(list_name, _read(body, Variable(str(name), list_name)))  # type: ignore[arg-type]


_READERS: Final[dict[str, Reader]] = {
    "or_": _or,
    "and_": _and,
    "negation": _negation,
    "comparison": _comparison,
    "membership": _membership,
    "truth": _truth,
    "call": _call,
    "some": _some,
}


def _condition(path: Token, operator: str, value: object, inside: Variable | None) -> Filter:
    try:
        if inside is None:
            return condition(str(path), operator, value)
        variable, _, name = path.replace(".", "/").partition("/")
        if variable != inside.name or not name:
            raise Problem(INVALID_FILTER, f"Inside any, fields begin with {inside.name}/.")
        return compare(find_element_field(inside.list_name, name), operator, value, name)
    except Problem as problem:
        raise _at(path, problem) from problem


def _at(token: Token, problem: Problem) -> Problem:
    return Problem(problem.type, f"{problem.detail} See position {(token.start_pos or 0) + 1}.")


def _literal(token: Token) -> object:
    if token.type == "STRING":
        return str(token)[1:-1].replace("''", "'")
    return {"TRUE": True, "FALSE": False, "NULL": None}.get(token.type, str(token))
