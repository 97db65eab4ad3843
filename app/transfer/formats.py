"""The formats of a file of customers: NDJSON, exact, and CSV, for spreadsheets; and the backup's lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final, Literal, Protocol

import orjson

from app.example import INPUT
from app.http.body import parse_json
from app.transfer.columns import CsvReader, CsvWriter
from resolvers.customers import representation
from resolvers.problem import JsonValue
from storage.documents import Customer

Format = Literal["ndjson", "csv"]
Read = Callable[[bytes], JsonValue]
"""From a line to its value; raises the problem for which it cannot be read."""


class Writer(Protocol):
    """Writes customers in one format."""

    def header(self) -> bytes:
        """Return what stands before the first customer."""

    def lines(self, customers: Sequence[Customer]) -> bytes:
        """Return the lines of customers."""


_ENDINGS: Final[dict[str, Format]] = {
    "": "ndjson",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".csv": "csv",
    ".tsv": "csv",
}


def format_of(path: str, chosen: Format | None) -> Format | None:
    """Return the format that was chosen, else that of the file's name; None where its ending is of neither."""
    return chosen or _ENDINGS.get(PurePath(path).suffix.lower())


def reader_of(form: Format, header: bytes) -> Read:
    """Return what reads the lines; `header` is the first line, for CSV. Raises `BadHeader`."""
    return CsvReader.of(header).read if form == "csv" else parse_json


class Ndjson:
    """One JSON object a line: the full representation of REST, or with `backup` all that is stored."""

    def __init__(self, *, backup: bool = False) -> None:
        self.backup = backup

    def header(self) -> bytes:
        """Return nothing."""
        return b""

    def lines(self, customers: Sequence[Customer]) -> bytes:
        """Return the lines of customers."""
        shown: Sequence[Mapping[str, Any]] = customers if self.backup else [representation(one) for one in customers]
        return json_lines(shown)


def json_lines(documents: Sequence[Mapping[str, Any]]) -> bytes:
    """Return documents as lines of JSON."""
    return b"".join(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE) for document in documents)


class Table:
    """CSV with columns for so many addresses and phone numbers."""

    def __init__(self, addresses: int, phone_numbers: int) -> None:
        self.writer = CsvWriter(addresses, phone_numbers)

    def header(self) -> bytes:
        """Return the line of column names."""
        return self.writer.header()

    def lines(self, customers: Sequence[Customer]) -> bytes:
        """Return the lines of customers; raises `TooFewColumns` where one has more parts."""
        return self.writer.lines([representation(one) for one in customers])


def template(form: Format) -> bytes:
    """Return a file with one customer in it, to write others like."""
    if form == "ndjson":
        return json_lines([INPUT])
    whole: dict[str, Any] = {"id": "", **INPUT, "createdAt": "", "updatedAt": ""}
    writer = CsvWriter(1, 1)
    return b"".join(_without_server_fields(line) for line in (writer.header() + writer.lines([whole])).splitlines(True))


def _without_server_fields(line: bytes) -> bytes:
    """Return a line without its first cell and its last two, which the server makes."""
    return b",".join(line.rstrip(b"\n").split(b",")[1:-2]) + b"\n"
