"""From documents to records of the code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, TypeVar


class Record(Protocol):
    """A dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


RecordT = TypeVar("RecordT", bound=Record)


def record(kind: type[RecordT], document: Mapping[str, Any], **members: Any) -> RecordT:
    """Return the record of a document, with these members in place of its own.

    What a newer gateway on the same store has added to it is left out: while gateways are replaced one by one, the
    older ones go on.
    """
    found = {**document, **members}
    return kind(**{name: found[name] for name in kind.__dataclass_fields__ if name in found})
