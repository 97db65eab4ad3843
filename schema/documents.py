"""From the text of a document to what can run: parsed, measured and validated once, and remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    MaxIntrospectionDepthRule,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from resolvers.problem import JsonValue, Problem
from resolvers.problems import GRAPHQL_COST, GRAPHQL_VALIDATION
from schema.cost import changes, is_fixed, page_size, units
from schema.deprecation import Places, Uses, uses_of
from schema.limits import DocumentLimits, check_text
from schema.measure import Measure, Size, check_repeats
from schema.recent import Recent
from schema.variants import Plans

_REMEMBERED: Final = 256 * 1024
_MOST: Final = 256
"""How many characters of documents, and how many documents, are remembered, prepared."""
_NO_PLACES: Final[Places] = MappingProxyType({})
MAX_FAULTS: Final = 20
"""How many faults of a document or of its variables are told: names near to an unknown one take time to find."""
_RULES: Final = (*specified_rules, MaxIntrospectionDepthRule, MaybeNullValidationRule, OneOfInputValidationRule)


class DocumentErrors(Exception):
    """What is wrong with a document, each fault as GraphQL has it."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Price:
    """What an operation costs: `cost` in objects, the most that is taken, and `units` of the caller's budget."""

    cost: int
    limit: int
    units: int


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document that is good to run; `fixed` is its price where no variable changes it."""

    document: DocumentNode
    node: OperationDefinitionNode
    size: Size
    limits: DocumentLimits
    plans: Plans
    uses: Uses | None = None
    """What is deprecated of what it names; None where nothing of the schema is."""
    fixed: Price | None = field(init=False)
    label: str = field(init=False)
    """What it asks for, in the words of the schema alone: `Query.customer`, or `Query.*` for several fields."""

    def __post_init__(self) -> None:
        fixed = all(is_fixed(root.node) for root in self.size.roots) and self._cost({}) <= self.limits.cost
        object.__setattr__(self, "fixed", self._price({}) if fixed else None)
        names = {root.node.name.value for root in self.size.roots}
        object.__setattr__(self, "label", f"{self.type.value.title()}.{names.pop() if len(names) == 1 else '*'}")

    @property
    def name(self) -> str | None:
        """The name, None where it has none."""
        return self.node.name.value if self.node.name else None

    @property
    def type(self) -> OperationType:
        """Whether it is a query, a mutation or a subscription."""
        return self.node.operation

    @property
    def changes(self) -> int:
        """How many mutations it has."""
        return sum(not root.node.name.value.startswith("__") for root in self.size.roots)

    def price(self, variables: Mapping[str, Any]) -> Price:
        """Return what the operation costs with these variables.

        Raises:
            Problem: graphql-cost, with the cost and the limit.
        """
        return self.fixed or self._price(variables)

    def _price(self, variables: Mapping[str, Any]) -> Price:
        cost = self._cost(variables)
        limit = self.limits.cost
        if cost > limit:
            extra: dict[str, JsonValue] = {"cost": min(cost, 10**12), "limit": limit}
            raise Problem(
                GRAPHQL_COST, f"The operation costs {extra['cost']}; at most {limit} is taken at once.", extra=extra
            )
        done = sum(changes(root.node, self.node, variables) for root in self.size.roots)
        return Price(cost, limit, units(cost, done))

    def _cost(self, variables: Mapping[str, Any]) -> int:
        return sum(root.cost.at(page_size(root.node, self.node, variables)) for root in self.size.roots)


def _parsed(text: str) -> DocumentNode:
    """Return the tree of a text, whose tokens are no chain any more: a chain refers to itself, there and back.

    So a document that nobody remembers goes at once. Else only a full run of the collector would find it, as it has
    lived long, and each one takes 140 bytes for each of its characters.
    """
    document = parse(text)
    token = document.loc.start_token if document.loc else None
    while token is not None:
        following, token.prev, token.next = token.next, None, None
        token = following
    return document


class Documents:
    """Prepares documents for one schema; good ones are remembered, the one not used longest goes first."""

    def __init__(
        self, schema: GraphQLSchema, limits: DocumentLimits, places: Places = _NO_PLACES, *, introspection: bool
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._places = places
        self._suggest = introspection
        self._rules = _RULES if introspection else (*_RULES, NoSchemaIntrospectionCustomRule)
        self.recent: Recent[dict[str | None, Operation]] = Recent(_REMEMBERED, _MOST)

    def operation(self, text: str, name: str | None) -> Operation:
        """Return the operation that is to run.

        Raises:
            Problem: a limit of the text or of its operations; graphql-validation where it is unclear what is to run.
            DocumentErrors: the document is not well-formed or not valid.
        """
        operations = self.recent.get(text) or self.recent.keep(text, self._prepare(text))
        if name is None and len(operations) == 1:
            return next(iter(operations.values()))
        if name is None:
            raise Problem(GRAPHQL_VALIDATION, "The document has several operations: operationName must say which.")
        if name not in operations:
            raise Problem(GRAPHQL_VALIDATION, "The document has no operation of that name.")
        return operations[name]

    def _prepare(self, text: str) -> dict[str | None, Operation]:
        check_text(text, self._limits)
        try:
            document = _parsed(text)
        except GraphQLError as error:
            raise DocumentErrors([error]) from error
        check_repeats(document, self._limits.repeats)
        measure = Measure(self._schema, document, self._limits)
        operations = [
            Operation(document, item, measure.operation(item), self._limits, Plans(document, item))
            for item in document.definitions
            if isinstance(item, OperationDefinitionNode)
        ]
        errors = validate(
            self._schema, document, self._rules, max_errors=MAX_FAULTS, hide_suggestions=not self._suggest
        )
        if errors:
            raise DocumentErrors(errors)
        if not operations:
            raise Problem(GRAPHQL_VALIDATION, "The document has no operation.")
        uses = uses_of(self._schema, self._places, document) if self._places else {}
        return {
            operation.name: replace(operation, uses=uses[operation.name]) if uses else operation
            for operation in operations
        }
