"""What a client wants to become of a document: replace it, merge into it (RFC 7396), patch it (RFC 6902).

A change reads its body only when its turn comes, after scope, existence and preconditions.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast

import jsonpatch
from jsonpointer import JsonPointer, JsonPointerException

from resolvers.problem import JsonValue, Path, Problem
from resolvers.problems import BODY_TOO_LARGE, INVALID_PATCH, PATCH_CONFLICT, WRONG_TOP_LEVEL
from resolvers.validation import nearest

MAX_OPERATIONS: Final = 100
MAX_RESULT: Final = 1024 * 1024
"""The most operations of a JSON Patch, and the most characters that it may copy within the document."""

_MOST_DIGITS: Final = 9
"""Of an index: no list of a body has more items."""
_POINTER: Final = re.compile(r"(?:/(?:[^/~]|~[01])*)*")
_NEEDS: Final = {
    "add": ("path", "value"),
    "replace": ("path", "value"),
    "test": ("path", "value"),
    "remove": ("path",),
    "move": ("path", "from"),
    "copy": ("path", "from"),
}
_DOES_NOT_FIT: Final = (jsonpatch.JsonPatchException, JsonPointerException, TypeError)
"""What the library raises for operations that do not fit a document; `EndOfList` (`-`) is a TypeError."""

Step = dict[str, Any]
Body = Callable[[], JsonValue]
"""Gives the sent JSON, or raises the problem that it is."""


class Change(Protocol):
    """One way to change a document."""

    def apply(self, current: JsonValue) -> JsonValue:
        """Return the document as it should become; never alters `current`."""

    def locate(self, path: Path) -> Path:
        """Return the nearest place in the sent body for a place in the resulting document."""

    def meaning(self) -> JsonValue:
        """Return what was sent, and as what; the same for the same change."""


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

    def meaning(self) -> JsonValue:
        """Return the sent document; null and absent are the same in it."""
        return ["replace", _without_nulls(self.body())]


def _without_nulls(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


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

    def meaning(self) -> JsonValue:
        """Return the sent patch."""
        return ["merge", self.body()]


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
    _sent: list[Step] = field(default_factory=list, init=False)
    _wrote: list[tuple[int, Path, str]] = field(default_factory=list, init=False)

    def apply(self, current: JsonValue) -> JsonValue:
        """Return the patched document.

        Raises:
            Problem: invalid-patch, patch-conflict, or body-too-large when copies would let it grow.
        """
        self._sent, self._wrote = _well_formed(self.body()), []
        result, room = copy.deepcopy(current), MAX_RESULT
        for number, step in enumerate(self._sent):
            try:
                room -= _copied(result, step)
                if room < 0:
                    raise Problem(BODY_TOO_LARGE, f"Operation {number} makes the document too large.")
                self._note(number, step, result)
                result = jsonpatch.JsonPatch([step]).apply(result, in_place=True)
            except jsonpatch.JsonPatchTestFailed as error:
                raise Problem(PATCH_CONFLICT, f"The test in operation {number} failed.") from error
            except _DOES_NOT_FIT as error:
                raise Problem(PATCH_CONFLICT, f"Operation {number} names a place that is not there.") from error
        return result

    def _note(self, number: int, step: Step, document: JsonValue) -> None:
        """Note where an operation writes, and with what: `value`, or nothing that was sent."""
        if step["op"] == "test":
            return
        if step["op"] == "move":
            self._wrote.append((number, _steps(step["from"], document), "from"))
        self._wrote.append((number, _steps(step["path"], document), "value"))

    def locate(self, path: Path) -> Path:
        """Return the place in the last operation that wrote at, or above, this place."""
        for number, wrote, member in reversed(self._wrote):
            if path[: len(wrote)] == wrote:
                return nearest(list[JsonValue](self._sent))((number, member, *path[len(wrote) :]))
        return ()

    def meaning(self) -> JsonValue:
        """Return the sent operations."""
        return ["patch", self.body()]


def _well_formed(sent: JsonValue) -> list[Step]:
    """Return the operations, of which each has the form that RFC 6902 section 4 asks for."""
    if not isinstance(sent, list):
        raise Problem(INVALID_PATCH, "A JSON Patch must be an array of operations.")
    if len(sent) > MAX_OPERATIONS:
        raise Problem(INVALID_PATCH, f"A JSON Patch may have at most {MAX_OPERATIONS} operations.")
    for number, step in enumerate(sent):
        if not _is_operation(step):
            raise Problem(INVALID_PATCH, f"Operation {number} is not well-formed.")
    return cast("list[Step]", sent)


def _is_operation(step: JsonValue) -> bool:
    if not isinstance(step, dict) or not isinstance(step.get("op"), str):
        return False
    needs = _NEEDS.get(str(step["op"]))
    return needs is not None and all(name in step and (name == "value" or _is_pointer(step[name])) for name in needs)


def _is_pointer(value: JsonValue) -> bool:
    return isinstance(value, str) and _POINTER.fullmatch(value) is not None


def _copied(document: JsonValue, step: Step) -> int:
    """Return how many characters an operation copies within the document."""
    return len(json.dumps(JsonPointer(step["from"]).resolve(document))) if step["op"] == "copy" else 0


def _steps(pointer: str, document: JsonValue) -> Path:
    """Return a JSON Pointer as a path in the document it is about to be applied to."""
    path: list[str | int] = []
    here = document
    for part in JsonPointer(pointer).parts:
        if isinstance(here, list):
            index = len(here) if part == "-" else _index(part)
            path.append(index)
            here = here[index] if 0 <= index < len(here) else None
        else:
            path.append(part)
            here = here.get(part) if isinstance(here, dict) else None
    return tuple(path)


def _index(part: str) -> int:
    """Return the index that a reference token names, or -1; Python reads no number of thousands of digits."""
    return int(part) if part.isdecimal() and len(part) <= _MOST_DIGITS else -1
