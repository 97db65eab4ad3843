"""Which parts of the document a query needs, so that the store reads no more than that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    VariableNode,
)

from resolvers.context import Context
from resolvers.renderings import Renderings
from schema.types import Info

if TYPE_CHECKING:
    from strawberry.types.field import StrawberryField

FoundT = TypeVar("FoundT")
_NEEDS: Final = {
    "address": "addresses",
    "phoneNumber": "phoneNumbers",
    "etag": "id",
    "version": "id",
    "__typename": "id",
}
_LARGE: Final = frozenset({"addresses", "phoneNumbers"})
"""What nearly all of a document is: where both are wanted, a projection would cost more than it saves."""


LISTED: Final = "listed"
"""Under which a lone root field knows what renders its customers."""
_FORM: Final = "form"


class LoneInfo(Info):
    """What the resolver of a lone root field is told; `raw` gives what it does not ask for but rarely.

    `known` holds what was found in the selection before: it is the same for all requests of one document.
    """

    def __init__(
        self, context: Context, field: StrawberryField, known: dict[object, Any], raw: Callable[[], Any]
    ) -> None:
        self._context = context
        self._field = field
        self._raw = raw
        self.known = known
        self.renderings: Renderings | None = None

    @property
    def context(self) -> Context:
        """The request's context."""
        return self._context

    @cached_property
    def _raw_info(self) -> Any:  # type: ignore[override]
        return self._raw()


def needed_fields(info: Info, *path: str) -> frozenset[str] | None:
    """Return the top-level fields that a query selects of customers, None for all.

    `path` are the fields between the query's own field and the customers, several ways split by `|`.
    """
    return _known(info, _needed_fields, *path)


def selected_fields(info: Info, *path: str) -> frozenset[str]:
    """Return the names of the fields that will be answered of what lies at `path` below the field."""
    return _known(info, _selected_fields, *path)


def renderings_of(info: Info, fields: frozenset[str] | None) -> Renderings | None:
    """Return the renderings of a page's list of customers, of which these fields are needed; None where there are none.

    They are there where the page's plan shows its customers by this list alone, and more of them than a few fields.
    """
    if not isinstance(info, LoneInfo) or (fields is not None and not fields & _LARGE):
        return None
    memory, render = info.context.services.renderings, info.known.get(LISTED)
    if memory is None or render is None:
        return None
    if _FORM not in info.known:
        info.known[_FORM] = memory.form(fields, render)
    info.renderings = info.known[_FORM]
    return info.renderings


def counts(info: Info) -> bool:
    """Tell whether a page's totals are asked for."""
    return _known(info, _counts)


def _known(info: Info, find: Callable[..., FoundT], *path: str) -> FoundT:
    """Return what is found in a selection, found once where that is remembered."""
    if not isinstance(info, LoneInfo):
        return find(info, *path)
    place = (find, *path)
    if place not in info.known:
        info.known[place] = find(info, *path)
    found: FoundT = info.known[place]
    return found


def _needed_fields(info: Info, *path: str) -> frozenset[str] | None:
    nodes: list[Any] = list(info._raw_info.field_nodes)  # noqa: SLF001 - Strawberry's copy is built anew for each call
    fragments = info._raw_info.fragments  # noqa: SLF001
    for step in path:
        wanted = step.split("|")
        nodes = [node for node in _below(nodes, fragments) if node.name.value in wanted]
        nodes = [inner for node in nodes for inner in _through(node, fragments)]
    names = {_NEEDS.get(node.name.value, node.name.value) for node in _below(nodes, fragments)}
    return None if names >= _LARGE else frozenset({"id", *names})


def _selected_fields(info: Info, *path: str) -> frozenset[str]:
    raw = info._raw_info  # noqa: SLF001
    nodes: list[FieldNode] = raw.field_nodes
    for step in (*path, None):
        below = _below(nodes, raw.fragments, lambda node: _is_included(node, raw.variable_values))
        nodes = [node for node in below if step is None or node.name.value == step]
    return frozenset(node.name.value for node in nodes)


def _is_included(node: Any, variables: Any) -> bool:
    """Tell what @skip and @include say of a node; Strawberry has the values of variables as a mapping."""
    said = {"skip": False, "include": True}
    for directive in node.directives or ():
        if directive.name.value in said:
            value = directive.arguments[0].value
            said[directive.name.value] = variables[value.name.value] if isinstance(value, VariableNode) else value.value
    return said["include"] and not said["skip"]


def _counts(info: Info) -> bool:
    pages = [node for node in _below(info._raw_info.field_nodes, info._raw_info.fragments) if node.name.value == "page"]  # noqa: SLF001
    inner = _below(pages, info._raw_info.fragments)  # noqa: SLF001
    return any(node.name.value in {"totalElements", "totalPages"} for node in inner)


def _through(node: FieldNode, fragments: Any) -> Iterator[FieldNode]:
    """Go from edges on to their nodes."""
    if node.name.value != "edges":
        yield node
        return
    yield from (inner for inner in _below([node], fragments) if inner.name.value == "node")


def _below(
    nodes: Sequence[Any], fragments: Any, included: Callable[[Any], bool] = lambda _: True
) -> Iterator[FieldNode]:
    for node in nodes:
        for item in node.selection_set.selections if node.selection_set else ():
            if not included(item):
                continue
            if isinstance(item, FieldNode):
                yield item
            elif isinstance(item, InlineFragmentNode):
                yield from _below([item], fragments, included)
            elif isinstance(item, FragmentSpreadNode):
                yield from _below([fragments[item.name.value]], fragments, included)
