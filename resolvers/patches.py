"""What a client wants to become of a document: replace it, merge into it (RFC 7396), patch it (RFC 6902).

A change reads its body only when its turn comes, after scope, existence and preconditions.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import jsonpatch
from jsonpointer import JsonPointer, JsonPointerException

from resolvers.problems import (
    BODY_TOO_LARGE,
    INVALID_PATCH,
    PATCH_CONFLICT,
    WRONG_TOP_LEVEL,
    JsonValue,
    Path,
    Problem,
)
from resolvers.validation import nearest

MAX_OPERATIONS: Final = 100
MAX_RESULT: Final = 1024 * 1024
"""The most operations of a JSON Patch, and the most characters its result may have on the way."""

Body = Callable[[], JsonValue]
"""Gives the sent JSON, or raises the problem that it is."""


class Change(Protocol):
    """One way to change a document."""

    def apply(self, current: JsonValue) -> JsonValue:
        """Return the document as it should become; never alters `current`."""

    def locate(self, path: Path) -> Path:
        """Return the nearest place in the sent body for a place in the resulting document."""


@dataclass(slots=True)
class Replace:
    """Put the sent document in the place of the present one."""

    body: Body
    _sent: JsonValue = field(default=None, init=False)

    def apply(self, current: JsonValue) -> JsonValue:  # noqa: ARG002 - the protocol's shape
        """Return the sent document."""
        self._sent = self.body()
        return self._sent

    def locate(self, path: Path) -> Path:
        """Return the same place, as far as it was sent."""
        return nearest(self._sent)(path)


@dataclass(slots=True)
class MergePatch:
    """Merge the sent document into the present one; null takes a member away (RFC 7396)."""

    body: Body
    _sent: JsonValue = field(default=None, init=False)

    def apply(self, current: JsonValue) -> JsonValue:
        """Return the merged document.

        Raises:
            Problem: wrong-top-level when the patch is neither an object nor, for a list, an array.
        """
        self._sent = self.body()
        if not isinstance(self._sent, dict | (list if isinstance(current, list) else dict)):
            raise Problem(WRONG_TOP_LEVEL, "A merge patch must be a JSON object (or an array, for a list).")
        return _merge(current, self._sent)

    def locate(self, path: Path) -> Path:
        """Return the same place, as far as it was sent."""
        return nearest(self._sent)(path)


def _merge(target: JsonValue, patch: JsonValue) -> JsonValue:
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merge(merged.get(name), value)
    return merged


@dataclass(slots=True)
class JsonPatch:
    """Apply the sent operations one after the other, all or none (RFC 6902)."""

    body: Body
    _sent: list[Any] = field(default_factory=list, init=False)

    def apply(self, current: JsonValue) -> JsonValue:
        """Return the patched document.

        Raises:
            Problem: invalid-patch, patch-conflict, or body-too-large when copies would let it grow.
        """
        sent = self.body()
        if not isinstance(sent, list):
            raise Problem(INVALID_PATCH, "A JSON Patch must be an array of operations.")
        if len(sent) > MAX_OPERATIONS:
            raise Problem(INVALID_PATCH, f"A JSON Patch may have at most {MAX_OPERATIONS} operations.")
        self._sent = sent
        for number, step in enumerate(sent):
            current = _apply_one(current, step, number)
        return current

    def locate(self, path: Path) -> Path:
        """Return the value of the last operation that wrote at, or above, this place."""
        for number in range(len(self._sent) - 1, -1, -1):
            step = self._sent[number]
            wrote = tuple(str(part) for part in JsonPointer(step["path"]).parts)
            if tuple(str(part) for part in path[: len(wrote)]) == wrote:
                return nearest(self._sent)((number, "value", *path[len(wrote) :]))
        return ()


def _apply_one(current: JsonValue, step: Any, number: int) -> JsonValue:
    try:
        result: JsonValue = jsonpatch.JsonPatch([step]).apply(current)
    except jsonpatch.InvalidJsonPatch as error:
        raise Problem(INVALID_PATCH, f"Operation {number} is not well-formed.") from error
    except jsonpatch.JsonPatchTestFailed as error:
        raise Problem(PATCH_CONFLICT, f"The test in operation {number} failed.") from error
    except (jsonpatch.JsonPatchConflict, JsonPointerException) as error:
        raise Problem(PATCH_CONFLICT, f"Operation {number} names a place that is not there.") from error
    except (TypeError, AttributeError, KeyError, ValueError, IndexError) as error:
        raise Problem(INVALID_PATCH, f"Operation {number} is not well-formed.") from error
    if step["op"] == "copy" and len(json.dumps(result)) > MAX_RESULT:
        raise Problem(BODY_TOO_LARGE, f"Operation {number} makes the document too large.")
    return result
