"""Limits on the text of GraphQL documents, checked before they are parsed; linear in its length."""

from __future__ import annotations

import re
from dataclasses import dataclass

from resolvers.problem import JsonValue, Problem, ProblemType
from resolvers.problems import GRAPHQL_LIMIT, GRAPHQL_TOKENS, GRAPHQL_TOO_LONG

_TOKEN = re.compile(
    r'"""(?:\\"""|[^"]|"(?!""))*"""|"(?:\\.|[^"\\\n\r])*"|#[^\n\r]*'
    r"|(?P<open>[{(\[])|(?P<close>[})\]])|\.\.\.|[!$&:=@|]|[_A-Za-z][_0-9A-Za-z]*|(?P<number>-?[0-9][0-9.eE+-]*)"
)
_MAX_NUMBER = 64
"""Characters of a number; to read one of thousands of digits takes time that grows with their square."""


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """How large a document and each of its operations may be, its fragments in place.

    `document` is in bytes, `depth` in levels of fields (introspection apart); `cost` is explained in `schema.cost`.
    `repeats` are fields that stand again in one selection set, which are compared with each other pair by pair;
    `nesting` is that of brackets and of selection sets, which the recursion of parser and validation must bear.
    """

    document: int = 16 * 1024
    tokens: int = 1000
    depth: int = 10
    aliases: int = 15
    directives: int = 50
    root_fields: int = 20
    cost: int = 3000
    fields: int = 1000
    repeats: int = 50
    nesting: int = 64


def check_text(query: str, limits: DocumentLimits) -> None:
    """Check a document before it is parsed.

    Raises:
        Problem: graphql-document-size, graphql-tokens or graphql-limit, which name the limit and what was found.
    """
    length = len(query.encode("utf-8", "replace"))
    if length > limits.document:
        raise over(GRAPHQL_TOO_LONG, "bytes", length, limits.document)
    tokens = nesting = deepest = digits = 0
    for found in _TOKEN.finditer(query):
        tokens += found[0][0] != "#"
        if found.lastgroup == "open":
            nesting += 1
            deepest = max(deepest, nesting)
        elif found.lastgroup == "close":
            nesting -= 1
        elif found.lastgroup == "number":
            digits = max(digits, len(found[0]))
    if tokens > limits.tokens:
        raise over(GRAPHQL_TOKENS, "tokens", tokens, limits.tokens)
    if deepest > limits.nesting:
        raise over(GRAPHQL_LIMIT, "levels of brackets", deepest, limits.nesting)
    if digits > _MAX_NUMBER:
        raise over(GRAPHQL_LIMIT, "digits of a number", digits, _MAX_NUMBER)


def over(kind: ProblemType, what: str, found: int, limit: int) -> Problem:
    """Return the problem of a limit that is passed: what there is too much of, how much, and the limit."""
    shown = min(found, 10**12)  # numbers that double with each fragment have no end
    extra: dict[str, JsonValue] = {"limit": limit, "found": shown, "what": what}
    return Problem(kind, f"The document has {shown} {what}; at most {limit} are taken.", extra=extra)
