"""The lines of a file, one customer each, read in memory that does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

LONGEST: Final = 1024 * 1024
"""Bytes of a line, as of a body."""
_MARK: Final = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One line: its number from 1, its bytes without the end, and where the next one begins.

    `raw` is None where it is longer than `LONGEST`.
    """

    number: int
    raw: bytes | None
    end: int


def lines(file: BinaryIO, number: int = 0, end: int = 0) -> Iterator[Line]:
    """Give the lines that follow the first `number` ones, which take `end` bytes; the file stands there.

    A byte order mark at the beginning of a file is no part of its first line.
    """
    while raw := file.readline(LONGEST + 1):
        number += 1
        end += len(raw)
        if len(raw) > LONGEST and not raw.endswith(b"\n"):
            end += _skip(file)
            yield Line(number, None, end)
            continue
        text = raw.rstrip(b"\r\n")
        yield Line(number, text.removeprefix(_MARK) if number == 1 else text, end)


def first_line(beginning: bytes) -> bytes:
    """Return the first line of a file that begins so, as `lines` would."""
    return beginning.partition(b"\n")[0].rstrip(b"\r").removeprefix(_MARK)


def _skip(file: BinaryIO) -> int:
    """Read to the end of a line and return how many bytes that were."""
    skipped = 0
    while raw := file.readline(LONGEST):
        skipped += len(raw)
        if raw.endswith(b"\n"):
            break
    return skipped
