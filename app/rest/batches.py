"""From the body of a batch to its operations: the form of each, whose faults are its own."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Final

from app.rest.conditions import parse_tags
from resolvers.batches import Item, Kind, check_size
from resolvers.changes import Target
from resolvers.commands import ChangeCustomer, CreateCustomer, DeleteCustomer
from resolvers.identifiers import customer_id
from resolvers.patches import Body, Change, JsonPatch, MergePatch, Replace
from resolvers.preconditions import Precondition
from resolvers.problem import Fault, JsonValue, Path, Problem
from resolvers.problems import WRONG_TOP_LEVEL
from resolvers.validation import refused
from storage.documents import CustomerId

Json = dict[str, JsonValue]
_MEMBERS: Final[dict[Kind, tuple[str, ...]]] = {
    "create": ("customer",),
    "replace": ("id", "customer"),
    "update": ("id", "patch"),
    "delete": ("id",),
}
"""What the operations of a batch must have; those of a customer that exists may have `ifMatch` too."""
_UNKNOWN: Final = "is not a property of this document"


def batch_items(body: JsonValue, *, strict: bool) -> tuple[tuple[Item, ...], bool]:
    """Return the operations of `POST /customers:batch`, and whether they are to be done as a whole.

    Raises:
        Problem: wrong-top-level, validation-error for the batch itself; what is wrong with an operation is in its item.
    """
    if not isinstance(body, dict):
        raise Problem(WRONG_TOP_LEVEL, "The body must be a JSON object.")
    atomic, operations = body.get("atomic", True), body.get("operations")
    faults = [Fault((name,), told, (name,) if name in body else ()) for name, told in _envelope_faults(body, strict)]
    if faults or not isinstance(operations, list):
        raise refused(faults)
    check_size(len(operations), ("operations",))
    items = tuple(_item(one, ("operations", index), strict) for index, one in enumerate(operations))
    return items, atomic is not False


def _envelope_faults(body: Json, strict: bool) -> Iterator[tuple[str, str]]:
    if "operations" not in body:
        yield "operations", "is required"
    elif not isinstance(body["operations"], list):
        yield "operations", "must be an array"
    if not isinstance(body.get("atomic", True), bool):
        yield "atomic", "must be true or false"
    if strict:
        yield from ((name, _UNKNOWN) for name in body if name not in {"operations", "atomic"})


def collection_items(body: JsonValue, kind: Kind, *, strict: bool) -> tuple[Item, ...]:
    """Return the operations of a PUT or PATCH of the collection: an array of items, all of one kind.

    Raises:
        Problem: wrong-top-level, validation-error for too many items or none.
    """
    if not isinstance(body, list):
        raise Problem(WRONG_TOP_LEVEL, "The body must be a JSON array of items.")
    check_size(len(body), ())
    return tuple(_one(one, kind, (index,), strict) for index, one in enumerate(body))


def _item(sent: JsonValue, at: Path, strict: bool) -> Item:
    """Return an operation of a batch of several kinds: `op` says which."""
    if not isinstance(sent, dict):
        return Item(None, refused([Fault((), "must be an object", at)]))
    kind = sent.get("op")
    if not isinstance(kind, str) or kind not in _MEMBERS:
        told = f"must be one of {', '.join(_MEMBERS)}" if "op" in sent else "is required"
        return Item(None, refused([Fault(("op",), told, (*at, "op") if "op" in sent else at)]))
    return _one(sent, kind, at, strict, "op")


def _one(sent: JsonValue, kind: Kind, at: Path, strict: bool, *known: str) -> Item:
    """Return an operation of a kind. A replacement without `customer` is that itself, beside `id` and `ifMatch`."""
    if not isinstance(sent, dict):
        return Item(kind, refused([Fault((), "must be an object", at)]))
    if kind == "replace" and not known and "customer" not in sent:
        document: Json = {name: value for name, value in sent.items() if name not in {"id", "ifMatch"}}
        sent, place = {"customer": document, **{name: sent[name] for name in ("id", "ifMatch") if name in sent}}, at
    else:
        place = (*at, "patch" if kind == "update" else "customer")
    faults = [
        Fault((name,), told, (*at, name) if name in sent else at) for name, told in _faults(sent, kind, strict, known)
    ]
    if faults:
        return Item(kind, refused(faults))
    try:
        identifier = customer_id(str(sent["id"])) if "id" in _MEMBERS[kind] else None
    except Problem as problem:
        return Item(kind, problem.with_traceback(None))
    document_or_patch = sent.get("patch" if kind == "update" else "customer")
    return _command(kind, identifier, sent.get("ifMatch"), document_or_patch, place, strict)


def _faults(sent: Json, kind: Kind, strict: bool, known: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    yield from ((name, "is required") for name in _MEMBERS[kind] if name not in sent)
    if "id" in _MEMBERS[kind]:
        yield from ((name, "must be a string") for name in ("id", "ifMatch") if not isinstance(sent.get(name, ""), str))
        known = (*known, "ifMatch")
    if strict:
        yield from ((name, _UNKNOWN) for name in sent if name not in (*known, *_MEMBERS[kind]))


def _command(
    kind: Kind, identifier: CustomerId | None, tags: JsonValue, sent: JsonValue, at: Path, strict: bool
) -> Item:
    email = sent.get("email") if isinstance(sent, dict) else None
    hint = email if isinstance(email, str) else None
    if identifier is None:
        return Item(kind, CreateCustomer(_body(sent), strict=strict), None, at, hint)
    match = parse_tags(tags) if isinstance(tags, str) else None
    target = Target(identifier, Precondition(match=match, required=kind != "delete"))
    if kind == "delete":
        return Item(kind, DeleteCustomer(target), identifier)
    change = Replace(_body(sent)) if kind == "replace" else _patch(sent)
    return Item(kind, ChangeCustomer(target, change, strict=strict), identifier, at, hint)


def _patch(sent: JsonValue) -> Change:
    """Return a change by merge patch, or by JSON Patch where an array was sent: no merge patch of a customer is one."""
    if isinstance(sent, list):
        return JsonPatch(lambda: copy.deepcopy(sent))  # to apply one may change values that were sent
    return MergePatch(_body(sent))


def _body(sent: JsonValue) -> Body:
    give: Callable[[], JsonValue] = lambda: sent  # noqa: E731 - a Body is a function
    return give
