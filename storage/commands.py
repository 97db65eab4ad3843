"""Who wants to see the commands that go to the store, with their names only, as traces do."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol

from pymongo import monitoring

from storage.timing import StoreTime, askers


class Watch(Protocol):
    """What is told of each command: its name, its collection (empty where it has none), and who waits for it."""

    def begun(self, command: str, collection: str, asked_by: Collection[StoreTime]) -> object:
        """Return what stands for the command until it has ended."""

    def ended(self, begun: Any, *, failed: bool) -> None:
        """Take note of its end. May be called from another thread."""


class CommandWatcher(monitoring.CommandListener):
    """Tells a watch of the driver's commands; filters, documents and errors stay here."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._begun: dict[int, object] = {}

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Take note of a command that is sent."""
        name = event.command_name
        named = event.command.get("collection" if name == "getMore" else name)
        collection = named if isinstance(named, str) else ""
        self._begun[event.request_id] = self._watch.begun(name, collection, askers())

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Take note of an answer."""
        self._end(event.request_id, failed=False)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Take note of a refusal, or of an answer that did not come."""
        self._end(event.request_id, failed=True)

    def _end(self, request_id: int, *, failed: bool) -> None:
        begun = self._begun.pop(request_id, None)
        if begun is not None:
            self._watch.ended(begun, failed=failed)
