"""Rows: objects of an answer that were checked as a whole and are written as JSON as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from types import NoneType
from typing import Any, Final, NamedTuple, cast, get_args, get_origin

import msgspec
import orjson


def _plain(value: object) -> str | int:
    """Return text or a number of a type of its own, as the driver makes for some of the store's, without the type."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    raise TypeError(type(value).__name__)


_encode: Final = msgspec.json.Encoder(enc_hook=_plain).encode


class Row(msgspec.Struct, gc=False):
    """An object as an answer shows it; each selection of fields has a class of its own."""

    @staticmethod
    def below(rows: Sequence[Row]) -> int:  # noqa: ARG004 - those that hold objects count them
        """Return how many objects these rows, all of this class, hold; themselves not counted."""
        return 0


class Member(NamedTuple):
    """A field of a row: code reads it by `name`, documents and answers have it by `key`; `kind` is for msgspec.

    A `constant` is what the answer shows where nothing is read.
    """

    name: str
    key: str
    kind: Any
    constant: str | None = None


def row_type(name: str, members: Iterable[Member]) -> type[Row]:
    """Return the class of rows with these members in this order.

    Each must be there in what a row is made of; what may be null is null where it is not, as in documents that were
    stored before there was such a field.
    """
    fields = [
        (member.name, member.kind, member.constant)
        if member.constant is not None or NoneType in get_args(member.kind)
        else (member.name, member.kind)
        for member in members
    ]
    made = msgspec.defstruct(
        name,
        fields,
        bases=(Row,),
        namespace={"below": staticmethod(_below(members))},
        rename={member.name: member.key for member in members},
        kw_only=True,
        gc=False,
    )
    return cast("type[Row]", made)


def is_countable(kind: Any) -> bool:
    """Tell whether a member of this kind lets a row tell how many objects it holds."""
    one, many = _rows_of(kind)
    if one or many:
        return not many or not _holds(many)
    return not any(isinstance(part, type) and issubclass(part, Row) for part in get_args(kind))


def _rows_of(kind: Any) -> tuple[type[Row] | None, type[Row] | None]:
    """Return the class of rows that a kind is, or is a list of."""
    items = get_args(kind)[0] if get_origin(kind) is list else None
    one, many = (part if isinstance(part, type) and issubclass(part, Row) else None for part in (kind, items))
    return one, many


def _below(members: Iterable[Member]) -> Any:
    """Return the method that counts what rows of these members hold."""
    single = [member for member in members if _rows_of(member.kind)[0]]
    deep = [(attrgetter(member.name), one) for member in single if (one := _rows_of(member.kind)[0]) and _holds(one)]
    lists = [attrgetter(member.name) for member in members if _rows_of(member.kind)[1]]
    if not single and not lists:
        return Row.below
    fixed = len(single)

    def below(rows: Sequence[Row]) -> int:
        total = fixed * len(rows)
        for listed in lists:
            total += sum(map(len, map(listed, rows)))
        for found, kind in deep:
            total += kind.below(list(map(found, rows)))
        return total

    return below


def _holds(kind: type[Row]) -> bool:
    return kind.below is not Row.below


def rows_of_one_kind(values: Sequence[object]) -> type[Row] | None:
    """Return the class that all of these are rows of, None where there is no such class."""
    kinds = set(map(type, values))
    kind = kinds.pop() if len(kinds) == 1 else None
    return kind if kind is not None and issubclass(kind, Row) else None


def rendered_row(row: object) -> tuple[bytes, int]:
    """Return a row's JSON and how many objects are below it. Raises TypeError for anything else."""
    if not isinstance(row, Row):
        raise TypeError(type(row).__name__)
    return _encode(row), row.below([row])


def row_json(value: object) -> orjson.Fragment:
    """Return a row's JSON for orjson, as its `default`. Raises TypeError for all else that orjson does not know."""
    if isinstance(value, Row):
        return orjson.Fragment(_encode(value))
    raise TypeError(type(value).__name__)


def rows_json(rows: Sequence[Row]) -> bytes:
    """Return the JSON of rows, a list."""
    return _encode(rows)
