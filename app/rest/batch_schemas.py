"""The schemas of batches: operations, and what becomes of each."""

from __future__ import annotations

from typing import Final

from app.http.edge import MAX_HEADER_BYTES
from app.rest.shapes import TEXT, UUID, Schema, closed_object, open_object, ref
from resolvers.batches import MAX_ITEMS

_KINDS: Final = ("create", "replace", "update", "delete")
_ID: Final[Schema] = {**UUID, "description": "The customer's id."}
_MATCH: Final[Schema] = {
    "type": "string",
    "maxLength": MAX_HEADER_BYTES,
    "description": "The ETag of the version that the change was made from, as the header has it, quotes included; `*` "
    "for whatever is there.",
}
_PATCH: Final[Schema] = {
    "description": "A merge patch (RFC 7396), or a JSON Patch (RFC 6902) where it is an array.",
    "oneOf": [ref("CustomerPatch"), ref("JsonPatch")],
}
_ENTRIES: Final = 10_000


def batch_schemas() -> dict[str, Schema]:
    """Return them by name."""
    customer: Schema = {"customer": ref("CustomerInput")}
    existing: Schema = {"id": _ID, "ifMatch": _MATCH}
    operations = [
        _operation("create", "A new customer.", customer),
        _operation("replace", "A customer that takes another's place.", {**existing, **customer}),
        _operation("update", "A change of a customer.", {**existing, "patch": _PATCH}),
        _operation("delete", "The end of a customer; `ifMatch` may be left out.", existing, "ifMatch"),
    ]
    atomic = {"type": "boolean", "default": True, "description": "Whether all is done or nothing."}
    return {
        "CustomerOperation": {"description": "One operation, by its `op`.", "oneOf": operations},
        "CustomerBatch": open_object(
            {"operations": _items(ref("CustomerOperation")), "atomic": atomic}, "Operations in their order.", "atomic"
        ),
        "CustomerReplacements": _items(open_object({**existing, **customer}, "A customer that takes another's place.")),
        "CustomerPatches": _items(open_object({**existing, "patch": _PATCH}, "A change of a customer.")),
        "BatchResult": _result({"problem": ref("ItemProblem")}, "What became of an operation."),
        "BatchResults": closed_object({"results": _results("BatchResult")}, "In the order of the operations."),
        "BatchFailure": open_object(
            {"index": {"type": "integer", "format": "int32", "minimum": 0, "maximum": MAX_ITEMS - 1}, **_named(),
             "status": _status(), "problem": ref("ItemProblem")},
            "An operation that could not be done: its place from 0, and why.", "op", "id",
        ),
    }  # fmt: skip


def enveloped_batch_schemas(metadata: Schema) -> dict[str, Schema]:
    """Return those of the enveloped profile, `metadata` being that of its lists."""
    entries: Schema = {"type": "array", "items": ref("EnvelopedError"), "maxItems": _ENTRIES}
    whole = {"results": _results("EnvelopedBatchResult"), "metadata": metadata}
    return {
        "EnvelopedBatchResult": _result({"errors": entries}, "What became of an operation, enveloped."),
        "EnvelopedBatchResults": closed_object(whole, "BatchResults, enveloped."),
    }


def _operation(kind: str, description: str, members: Schema, *optional: str) -> Schema:
    return open_object({"op": {"type": "string", "enum": [kind]}, **members}, description, *optional)


def _items(item: Schema) -> Schema:
    return {"type": "array", "items": item, "minItems": 1, "maxItems": MAX_ITEMS, "description": "In their order."}


def _results(name: str) -> Schema:
    return {"type": "array", "items": ref(name), "maxItems": MAX_ITEMS}


def _result(refusal: Schema, description: str) -> Schema:
    done: Schema = {"etag": {**TEXT, "maxLength": 128, "description": "The ETag of the customer as it is then."}}
    done["customer"] = ref("Customer")
    told = "It has `etag`, and with `Prefer: return=representation` the customer, or else what was wrong."
    members = {**_named(), "status": _status(), **done, **refusal}
    return open_object(members, f"{description} {told}", "op", "id", *done, *refusal)


def _named() -> Schema:
    return {"op": {"type": "string", "enum": list(_KINDS), "description": "What was asked for."}, "id": _ID}


def _status() -> Schema:
    said = "As the single operation has it."
    return {"type": "integer", "format": "int32", "minimum": 200, "maximum": 599, "description": said}
