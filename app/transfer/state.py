"""How far an import or an export has come, beside its file: after a kill the same command goes on there."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T", "ImportState", "ExportState")


class OtherState(Exception):
    """The state is not of this command; the message says what differs."""


@dataclass(slots=True)
class ImportState:
    """An import: what it was told, and what it has done. `seed` is that of its ids, in hexadecimal digits."""

    told: dict[str, Any]
    seed: str
    line: int = 0
    offset: int = 0
    report: int = 0
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class ExportState:
    """An export: what it was told, and what is in the file. `after` is the place of the last customer."""

    told: dict[str, Any]
    after: list[str | None] | None = None
    tombstone: str | None = None
    """The id of the last tombstone; None while customers are written."""
    columns: list[int] = field(default_factory=list)
    offset: int = 0
    customers: int = 0
    tombstones: int = 0


def read(kind: type[T], path: Path, told: dict[str, Any]) -> T | None:
    """Return the state of a command that was told the same, None where there is none.

    Raises:
        OtherState: it was told something else, or the file of the state is not one.
    """
    try:
        state = kind(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise OtherState("cannot be read") from error
    before: object = state.told
    if not isinstance(before, dict) or before.keys() != told.keys():
        raise OtherState("is of another version")
    differing = [name for name, value in told.items() if before[name] != value]
    if differing:
        raise OtherState(f"is of one with another {' and another '.join(differing)}")
    return state


def write(state: ImportState | ExportState, path: Path) -> None:
    """Keep a state, whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(asdict(state), file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
