"""`gateway export` at work: pages out, one read while another is written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from app.cli.progress import Tell
from app.transfer import state
from app.transfer.exporting import read_ahead
from app.transfer.formats import Format, Ndjson, Table, Writer, json_lines
from app.transfer.state import ExportState
from resolvers.exports import Export
from storage.query import Key

_PAGES_BETWEEN: Final = 10
"""How many pages are written between two moments at which the state is kept."""


@dataclass(slots=True)
class ExportJob:
    """One export: what is read, where it goes, and where it keeps how far it is (None: nowhere)."""

    export: Export
    file: BinaryIO
    state: ExportState
    kept: Path | None
    form: Format
    backup: bool
    erased: bool
    tell: Tell

    async def run(self) -> None:
        """Write all that is left.

        Raises:
            Unavailable: the store does not answer.
            TooFewColumns: a customer has got more addresses or phone numbers than there are columns for.
        """
        total = await self.export.count()
        writer = await self._writer()
        if self.state.tombstone is None:
            await self._customers(writer, total)
        if self.erased:
            await self._tombstones()
        self._keep()

    async def _writer(self) -> Writer:
        if self.form == "csv" and not self.state.columns:
            self.state.columns = list(await self.export.most_parts())
        writer: Writer = Table(*self.state.columns) if self.form == "csv" else Ndjson(backup=self.backup)
        if self.state.offset == 0:
            self._write(writer.header())
        return writer

    async def _customers(self, writer: Writer, total: int) -> None:
        after = None if self.state.after is None else Key(tuple(self.state.after))
        pages = 0
        async for page in read_ahead(self.export.pages(after)):
            self._write(writer.lines(page.customers))
            self.state.after = list(page.after.values)
            self.state.customers += len(page.customers)
            pages += 1
            if pages % _PAGES_BETWEEN == 0:
                self._keep()
            self.tell(f"{self.state.customers} customers", min(self.state.customers / max(total, 1), 1.0))

    async def _tombstones(self) -> None:
        async for page in self.export.tombstones(self.state.tombstone or ""):
            self._write(json_lines(page))
            self.state.tombstone = page[-1]["id"]
            self.state.tombstones += len(page)
            self._keep()

    def _write(self, text: bytes) -> None:
        self.file.write(text)
        self.state.offset += len(text)

    def _keep(self) -> None:
        self.file.flush()
        if self.kept is not None:
            os.fsync(self.file.fileno())
            state.write(self.state, self.kept)


def opened(path: Path, offset: int) -> BinaryIO:
    """Open a file for its owner alone, cut off after so many bytes, and stand at its end."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(descriptor, offset)
    file = os.fdopen(descriptor, "r+b")
    file.seek(offset)
    return file


def summary(told: Sequence[tuple[str, Any]]) -> str:
    """Return counts as people read them; those of nothing are left out."""
    return ", ".join(f"{count} {name}" for name, count in told if count) or "nothing"
