"""What import and export read from and write into: a file that is there for good, or a stream such as a pipe."""

from __future__ import annotations

import io
import os
import select
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from app.cli.exporting import opened
from app.cli.session import fail, misuse

if TYPE_CHECKING:
    from typing_extensions import Buffer

STANDARD: Final = "-"
_STREAMS: Final = ("/dev/std", "/dev/fd/", "/proc/")


def is_stream(file: str) -> bool:
    """Tell whether a name is of no regular file: nothing can be kept beside it, and nobody goes back in it."""
    if file == STANDARD or file.startswith(_STREAMS):
        return True
    try:
        return not stat.S_ISREG(os.stat(file or ".").st_mode)  # noqa: PTH116 - the name as it was said
    except OSError:
        return False


def beside(file: str, ending: str) -> Path:
    """Return the name of what is kept beside a file."""
    path = Path(file)
    return path.with_name(f"{path.name}.{ending}")


class Interruptible(io.RawIOBase):
    """A descriptor that a thread reads, and waits for only until it is told to stop; then it is at its end."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._told, self._tell = os.pipe()

    def stop(self) -> None:
        """End a read that waits, and all later ones."""
        os.write(self._tell, b".")

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Read some bytes, none at the end."""
        ready, _, _ = select.select([self._descriptor, self._told], [], [])
        return 0 if self._told in ready else os.readv(self._descriptor, [buffer])

    def close(self) -> None:
        """Give back what it took; the descriptor itself is others'."""
        if not self.closed:
            os.close(self._told)
            os.close(self._tell)
        super().close()


@contextmanager
def reading(file: str) -> Iterator[BinaryIO]:
    """Give the file, or stream, of a name; ends the command where it cannot be read."""
    if file == STANDARD:
        if sys.stdin is None:
            misuse("standard input is closed.")
        with _interruptible(sys.stdin.buffer) as source:
            yield source
        return
    try:
        found = Path(file).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        misuse(f"the file {file} cannot be read: {(error.strerror or 'unknown').lower()}.")
    with found, _interruptible(found) if is_stream(file) else found as source:
        yield source


def _interruptible(source: BinaryIO) -> BinaryIO:
    try:
        descriptor = source.fileno()
    except io.UnsupportedOperation:  # standard input that is none of the system's
        return source
    return cast("BinaryIO", io.BufferedReader(Interruptible(descriptor)))


@contextmanager
def let_go(source: BinaryIO) -> Iterator[None]:
    """Let nothing wait for more of a stream after the block: Ctrl-C is not to wait for who sends nothing."""
    try:
        yield
    finally:
        raw = getattr(source, "raw", None)
        if isinstance(raw, Interruptible):
            raw.stop()


@contextmanager
def writing(file: str, offset: int) -> Iterator[BinaryIO]:
    """Give where an export goes: a stream, or what stands for a file until it is whole, cut off after so many bytes."""
    if file == STANDARD:
        if sys.stdout is None:
            misuse("standard output is closed.")
        yield sys.stdout.buffer
        return
    path = Path(file) if is_stream(file) else beside(file, "partial")
    try:
        target = path.open("ab") if is_stream(file) else opened(path, offset)
    except OSError as error:
        misuse(f"{path} cannot be written: {(error.strerror or 'unknown').lower()}.")
    with target:
        yield target


def give_name(file: str, kept: Path) -> None:
    """Give a whole file its name, and forget how far it was; ends the command where that cannot be."""
    try:
        beside(file, "partial").replace(file)
        kept.unlink(missing_ok=True)
    except OSError as error:
        fail(f"{file} cannot be written: {(error.strerror or 'unknown').lower()}.")
