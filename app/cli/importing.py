"""What `gateway import` keeps beside its file: how far it is, and a report of the lines that were refused."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from app.cli.progress import Tell
from app.cli.session import ERR, printable
from app.transfer import state
from app.transfer.importing import faults_of
from app.transfer.state import ImportState
from resolvers.imports import Importer, Keep
from resolvers.problem import JsonValue, Problem
from storage.driver import Session
from storage.errors import Unavailable

T = TypeVar("T")
_PATIENCE: Final = 60.0
"""Seconds for which a store that does not answer is asked again."""
_TOLD: Final = 5
"""How many refused lines are told on standard error; the report has all."""


@dataclass(slots=True)
class Report:
    """The file of refused lines: a row with line, field and reason for each fault. None: nowhere."""

    path: Path | None
    size: int = 0
    told: int = 0

    def begin(self) -> None:
        """Cut off what was written after the state was kept."""
        if self.path is None or not self.path.exists():
            self.size = 0
            return
        self.size = min(self.size, self.path.stat().st_size)  # else blanks would stand for what others took away
        os.truncate(self.path, self.size)
        if self.size == 0:
            self.path.unlink()

    def add(self, refused: Mapping[int, Problem]) -> None:
        """Write refused lines by their numbers, so that they stay whatever happens."""
        rows = [(line, *told) for line, problem in refused.items() for told in faults_of(problem)]
        for line, name, reason in rows[: max(_TOLD - self.told, 0)]:
            told = printable(f"line {line}: {f'{name} ' if name else ''}{reason}")
            ERR.print(told, markup=False, highlight=False, soft_wrap=True)
        self.told += len(rows)
        if self.path is None or not rows:
            return
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(_csv([*([] if self.size else [("line", "field", "reason")]), *rows]))
            file.flush()
            os.fsync(file.fileno())
            self.size = file.tell()


def _csv(rows: Sequence[tuple[object, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


@dataclass(slots=True)
class FileJournal:
    """The journal of an import from a file: the state is kept at `kept` (None: nowhere) until the import has ended."""

    kept: Path | None
    report: Report
    total: int | None
    tell: Tell

    async def begin(self, state: ImportState) -> None:
        """Keep the state, and cut the report off where the state has it."""
        self.report.begin()
        self._keep(state)

    async def record(self, state: ImportState, refused: Mapping[int, Problem], _: Session | None, /) -> None:
        """Write the refused lines, then keep the state, and tell how far it is."""
        self.report.add(refused)
        state.report = self.report.size
        self._keep(state)
        self.tell(f"{state.line} lines", state.offset / self.total if self.total else None)

    def end(self) -> None:
        """Forget the state: everything is done."""
        if self.kept is not None:
            self.kept.unlink(missing_ok=True)

    def _keep(self, found: ImportState) -> None:
        if self.kept is not None:
            state.write(found, self.kept)


@dataclass(frozen=True, slots=True)
class PatientImporter:
    """An importer that waits for a store that is away for a while."""

    inner: Importer

    def prepare(self, line: int, value: JsonValue) -> Any:
        """Prepare a line; raises the problem for which it is refused."""
        return self.inner.prepare(line, value)

    async def store(self, ready: Sequence[Any], keep: Keep) -> None:
        """Store a batch. Raises `Unavailable` where the store stays away."""
        await patient(lambda: self.inner.store(ready, keep))


async def patient(work: Callable[[], Awaitable[T]]) -> T:
    """Do what is safe to do again, until the store answers or has been away for `_PATIENCE` seconds."""
    end, pause = time.monotonic() + _PATIENCE, 0.2
    while True:
        try:
            return await work()
        except Unavailable:
            if time.monotonic() > end:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, 5.0)
