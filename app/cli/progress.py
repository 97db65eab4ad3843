"""How far long work has come, on standard error: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from app.cli.session import ERR

_LINE_SECONDS: Final = 10.0

Tell = Callable[[str, float | None], None]
"""Takes what is done, such as `1200 customers`, and which part of all that is, from 0 to 1, None where unknown."""


@contextmanager
def telling_progress() -> Iterator[Tell]:
    """Give what the work inside tells how far it is."""
    if not ERR.is_terminal:
        yield _lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=ERR, transient=True) as progress:
        yield _bar(progress)


def _bar(progress: Progress) -> Tell:
    task = progress.add_task("", total=None)

    def tell(done: str, part: float | None) -> None:
        total = None if part is None else 1.0
        progress.update(task, description=done, completed=part or 0.0, total=total)

    return tell


def _lines() -> Tell:
    due = time.monotonic() + _LINE_SECONDS

    def tell(done: str, part: float | None) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + _LINE_SECONDS
            ERR.print(done if part is None else f"{done}, {part:.0%}", highlight=False)

    return tell
