"""Limits on GraphQL documents, checked before anything runs; each is linear in the document's size."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationRule,
)
from graphql.validation.validate import ValidationAbortedError

from resolvers.problems import GRAPHQL_LIMIT, JsonValue, Problem

_NESTING = 64
"""How deep brackets of any kind may nest: below what the parser's recursion can bear."""

_FIELDS = 1000
"""How many fields an operation may have once each fragment stands wherever it is spread."""

_TOKEN = re.compile(
    r'"""(?:\\"""|[^"]|"(?!""))*"""|"(?:\\.|[^"\\\n\r])*"|#[^\n\r]*'
    r"|(?P<open>[{(\[])|(?P<close>[})\]])|\.\.\.|[!$&:=@|]|[_A-Za-z][_0-9A-Za-z]*|-?[0-9][0-9.eE+-]*"
)


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """How large a document may be: characters, tokens, and levels of fields (introspection apart)."""

    characters: int = 16 * 1024
    tokens: int = 1000
    depth: int = 10


@dataclass(slots=True)
class _Scan:
    """What one pass over the tokens finds."""

    tokens: int = 0
    operations: int = 0
    deepest: int = 0
    _nesting: int = 0
    _first: str = ""

    def take(self, token: str, kind: str | None) -> None:
        """Count one token."""
        if token.startswith("#"):
            return
        self.tokens += 1
        if self._nesting == 0 and not self._first and not token.startswith('"'):
            self._first = token
            self.operations += token != "fragment"
        if kind == "open":
            self._nesting += 1
            self.deepest = max(self.deepest, self._nesting)
        elif kind == "close":
            self._nesting -= 1
            if self._nesting == 0 and token == "}":
                self._first = ""


def check_text(query: str, limits: DocumentLimits) -> int:
    """Check a document before it is parsed, and return how many operations it has.

    Raises:
        Problem: graphql-limit, which names the limit.
    """
    if len(query) > limits.characters:
        raise _over("characters", len(query), limits.characters)
    scan = _Scan()
    for found in _TOKEN.finditer(query):
        scan.take(found[0], found.lastgroup)
    if scan.tokens > limits.tokens:
        raise _over("tokens", scan.tokens, limits.tokens)
    if scan.deepest > _NESTING:
        raise _over("levels of brackets", scan.deepest, _NESTING)
    return scan.operations


def _over(what: str, found: int, limit: int) -> Problem:
    extra: dict[str, JsonValue] = {"limit": limit, "found": found, "what": what}
    return Problem(GRAPHQL_LIMIT, f"The document has {found} {what}; at most {limit} are taken.", extra=extra)


def depth_rule(limit: int) -> type[ValidationRule]:
    """Return the validation rule that refuses operations with more than `limit` levels of fields.

    Where it refuses, it ends the validation, before the rules that compare fields with each other.
    """

    class DepthRule(ValidationRule):
        """Measures every operation, each fragment once."""

        def enter_document(self, node: DocumentNode, *_args: Any) -> None:
            """Refuse the first operation that is too deep or, with its fragments in place, too wide."""
            fragments = {item.name.value: item for item in node.definitions if isinstance(item, FragmentDefinitionNode)}
            measure = _Measure(fragments)
            for item in node.definitions:
                if isinstance(item, OperationDefinitionNode):
                    _check_size(item, measure.of(item.selection_set), limit)

    return DepthRule


def _check_size(operation: OperationDefinitionNode, size: _Size, depth: int) -> None:
    for what, found, limit in (("levels of fields", size.levels, depth), ("fields", size.fields, _FIELDS)):
        if found > limit:
            problem = _over(what, found, limit)
            raise ValidationAbortedError(str(problem), operation, original_error=problem)


class _Size(NamedTuple):
    """How many levels of fields there are (introspection apart), and how many fields once fragments are in place."""

    levels: int = 0
    fields: int = 0


class _Measure:
    """The size of selections, with a memo per fragment; a cycle, refused elsewhere, adds nothing."""

    def __init__(self, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._memo: dict[str, _Size] = {}

    def of(self, selections: SelectionSetNode | None) -> _Size:
        """Return the size of all that is selected."""
        sizes = [self._item(item) for item in selections.selections] if selections else []
        return _Size(max((size.levels for size in sizes), default=0), sum(size.fields for size in sizes))

    def _item(self, item: Any) -> _Size:
        if isinstance(item, FragmentSpreadNode):
            return self._fragment(item.name.value)
        below = self.of(item.selection_set)
        if not isinstance(item, FieldNode):
            return below
        introspection = item.name.value.startswith("__")
        return _Size(0 if introspection else 1 + below.levels, 1 + below.fields)

    def _fragment(self, name: str) -> _Size:
        if name not in self._memo and name in self._fragments:
            self._memo[name] = _Size()
            self._memo[name] = self.of(self._fragments[name].selection_set)
        return self._memo.get(name, _Size())
