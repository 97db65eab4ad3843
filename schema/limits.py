"""Limits on GraphQL documents, checked before anything runs; each is linear in the document's size."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationRule,
)

from resolvers.problems import GRAPHQL_LIMIT, JsonValue, Problem

_NESTING = 64
"""How deep brackets of any kind may nest: below what the parser's recursion can bear."""

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


def check_text(query: str, limits: DocumentLimits) -> None:
    """Check a document before it is parsed; raises the problem graphql-limit, which names the limit."""
    if len(query) > limits.characters:
        raise _over("characters", len(query), limits.characters)
    tokens = nesting = deepest = 0
    for found in _TOKEN.finditer(query):
        kind = found.lastgroup
        if kind == "open":
            nesting += 1
            deepest = max(deepest, nesting)
        elif kind == "close":
            nesting -= 1
        tokens += not found[0].startswith("#")
    if tokens > limits.tokens:
        raise _over("tokens", tokens, limits.tokens)
    if deepest > _NESTING:
        raise _over("levels of brackets", deepest, _NESTING)


def _over(what: str, found: int, limit: int) -> Problem:
    extra: dict[str, JsonValue] = {"limit": limit, "found": found, "what": what}
    return Problem(GRAPHQL_LIMIT, f"The document has {found} {what}; at most {limit} are taken.", extra=extra)


def depth_rule(limit: int) -> type[ValidationRule]:
    """Return the validation rule that refuses operations with more than `limit` levels of fields."""

    class DepthRule(ValidationRule):
        """Measures every operation, each fragment once."""

        def enter_document(self, node: DocumentNode, *_args: Any) -> None:
            """Report every operation that is too deep."""
            fragments = {item.name.value: item for item in node.definitions if isinstance(item, FragmentDefinitionNode)}
            measure = _Measure(fragments)
            for item in node.definitions:
                if isinstance(item, OperationDefinitionNode):
                    depth = measure.levels(item.selection_set)
                    if depth > limit:
                        problem = _over("levels of fields", depth, limit)
                        self.report_error(GraphQLError(str(problem), item, original_error=problem))

    return DepthRule


class _Measure:
    """The depth of selections, with a memo per fragment; a cycle, refused elsewhere, adds nothing."""

    def __init__(self, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._memo: dict[str, int] = {}

    def levels(self, selections: SelectionSetNode | None) -> int:
        """Return how many levels of fields there are below."""
        return max((self._of(item) for item in selections.selections), default=0) if selections else 0

    def _of(self, item: Any) -> int:
        if isinstance(item, FieldNode):
            introspection = item.name.value.startswith("__")
            return 0 if introspection else 1 + self.levels(item.selection_set)
        if isinstance(item, FragmentSpreadNode):
            return self._fragment(item.name.value)
        return self.levels(item.selection_set)

    def _fragment(self, name: str) -> int:
        if name not in self._memo and name in self._fragments:
            self._memo[name] = 0
            self._memo[name] = self.levels(self._fragments[name].selection_set)
        return self._memo.get(name, 0)
