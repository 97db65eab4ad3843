"""Which fields an answer shows: names as clients write them into paths of the document."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Final, cast

from resolvers.filtering import camel_case
from resolvers.problem import JsonValue, Problem
from resolvers.problems import INVALID_PARAMETER
from storage.model import AddressInput, CustomerInput, Input, NotificationPreferencesInput, PhoneNumberInput

Selection = frozenset[str]
"""Paths of the full representation; `id` is always among them."""

_PARTS: Final[dict[str, type[Input]]] = {
    "addresses": AddressInput,
    "phoneNumbers": PhoneNumberInput,
    "notificationPreferences": NotificationPreferencesInput,
}
PATHS: Final = frozenset(
    {"id", "createdAt", "updatedAt", *CustomerInput.model_fields}
    | {f"{name}.{field}" for name, model in _PARTS.items() for field in model.model_fields}
)
"""Every path that can be selected."""
_OF_ELEMENTS: Final = {
    name: frozenset(path for path in PATHS if path.startswith(f"{name}.")) for name in ("addresses", "phoneNumbers")
}


def select(names: list[str]) -> Selection:
    """Return the selection of these names; raises invalid-parameter with the nearest known one."""
    chosen = {_path(name.strip()) for name in names}
    covered = {path for path in chosen if path.partition(".")[0] in chosen - {path}}
    return frozenset({"id", *(chosen - covered)})


def _path(name: str) -> str:
    path = camel_case(name).replace("/", ".")
    if path in PATHS:
        return path
    near = get_close_matches(path[:64], PATHS, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise Problem(INVALID_PARAMETER, f"fields: there is no field {name[:64]!r}.{hint}")


def paths_shown(selection: Selection) -> Selection:
    """Return the paths of all that a selection shows: of addresses and phone numbers all but their ids."""
    whole = selection & _OF_ELEMENTS.keys()
    return (selection - whole).union(*(_OF_ELEMENTS[name] for name in whole))


EVERYTHING_SHOWN: Final = paths_shown(frozenset(path for path in PATHS if "." not in path))
"""The paths of the full representation."""


def selected(body: dict[str, JsonValue], selection: Selection | None) -> dict[str, JsonValue]:
    """Return a full representation with only the selected paths, in their own order."""
    if selection is None:
        return body
    shown = {name: _below(value, name, selection) for name, value in body.items() if _wanted(name, selection)}
    return cast("dict[str, JsonValue]", shown)


def _wanted(name: str, selection: Selection) -> bool:
    return name in selection or any(path.startswith(f"{name}.") for path in selection)


def _below(value: Any, name: str, selection: Selection) -> Any:
    if name in selection:
        return value
    if isinstance(value, list):
        return [_below(item, name, selection) for item in value]
    return {key: item for key, item in value.items() if f"{name}.{key}" in selection}
