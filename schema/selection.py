"""Which parts of the document a query needs, so that the store reads no more than that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode

from schema.types import Info

_NEEDS: Final = {
    "address": "addresses",
    "phoneNumber": "phoneNumbers",
    "etag": "id",
    "version": "id",
    "__typename": "id",
}
_LARGE: Final = frozenset({"addresses", "phoneNumbers"})
"""What nearly all of a document is: where both are wanted, a projection would cost more than it saves."""


def needed_fields(info: Info, *path: str) -> frozenset[str] | None:
    """Return the top-level fields that a query selects of customers, None for all.

    `path` are the fields between the query's own field and the customers, several ways split by `|`.
    """
    nodes: list[Any] = list(info._raw_info.field_nodes)  # noqa: SLF001 - Strawberry's copy is built anew for each call
    fragments = info._raw_info.fragments  # noqa: SLF001
    for step in path:
        wanted = step.split("|")
        nodes = [node for node in _below(nodes, fragments) if node.name.value in wanted]
        nodes = [inner for node in nodes for inner in _through(node, fragments)]
    names = {_NEEDS.get(node.name.value, node.name.value) for node in _below(nodes, fragments)}
    return None if names >= _LARGE else frozenset({"id", *names})


def counts(info: Info) -> bool:
    """Tell whether a page's totals are asked for."""
    pages = [node for node in _below(info._raw_info.field_nodes, info._raw_info.fragments) if node.name.value == "page"]  # noqa: SLF001
    inner = _below(pages, info._raw_info.fragments)  # noqa: SLF001
    return any(node.name.value in {"totalElements", "totalPages"} for node in inner)


def _through(node: FieldNode, fragments: Any) -> Iterator[FieldNode]:
    """Go from edges on to their nodes."""
    if node.name.value != "edges":
        yield node
        return
    yield from (inner for inner in _below([node], fragments) if inner.name.value == "node")


def _below(nodes: Sequence[Any], fragments: Any) -> Iterator[FieldNode]:
    for node in nodes:
        for item in node.selection_set.selections if node.selection_set else ():
            if isinstance(item, FieldNode):
                yield item
            elif isinstance(item, InlineFragmentNode):
                yield from _below([item], fragments)
            elif isinstance(item, FragmentSpreadNode):
                yield from _below([fragments[item.name.value]], fragments)
