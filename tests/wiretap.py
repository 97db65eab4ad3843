"""What is really sent to mongod: every command of a database, as the driver itself reports it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from pymongo import monitoring

Command = dict[str, Any]


class Recorder(monitoring.CommandListener):
    """Hears of every command of every client that is opened after it was made; keeps what is asked for."""

    def __init__(self) -> None:
        self._wanted: list[tuple[str, list[Command]]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Keep a command of a database that is recorded; not that a worker looks for operations now and then."""
        if event.command.get("findAndModify") == "operations":
            return
        for database, commands in self._wanted:
            if event.database_name == database:
                commands.append(dict(event.command))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing to do."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing to do."""

    @contextmanager
    def recording(self, database: str) -> Iterator[list[Command]]:
        """Give a list that grows by every command sent to a database within the block."""
        wanted: tuple[str, list[Command]] = (database, [])
        self._wanted.append(wanted)
        try:
            yield wanted[1]
        finally:
            self._wanted.remove(wanted)


@cache
def recorder() -> Recorder:
    """Return this process's recorder; ask for it before the clients are opened that it is to hear."""
    made = Recorder()
    monitoring.register(made)
    return made
