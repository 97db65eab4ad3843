"""What a read must see: all that a majority has acknowledged, by whichever primary.

Read concern `majority` alone does not promise that after an election: a new primary has every acknowledged change,
but learns only with the first writes of its own that a majority has them, and shows what it knew before until then.
So every read asks for the moment of the election too, which is the newest change that the primary had when it was
found, and waits for it. That is once; afterwards the moment has long passed, and nothing waits (MongoDB Manual, Read
Concern "majority" and `afterClusterTime`; Server Discovery and Monitoring, `hello`).
"""

from __future__ import annotations

from typing import Any

from bson.objectid import ObjectId
from pymongo.monitoring import (
    ServerHeartbeatFailedEvent,
    ServerHeartbeatListener,
    ServerHeartbeatStartedEvent,
    ServerHeartbeatSucceededEvent,
)
from pymongo.read_concern import ReadConcern


class SinceElection(ServerHeartbeatListener, ReadConcern):
    """`majority`, and nothing older than what the present primary had when it was found.

    It must be told the heartbeats of its client: the driver tells them before it sends anything to a primary that it
    has found. The driver asks for `document` whenever it sends a read, so one that waited for an election asks for
    that one. The newest change stands in each `hello` of a replica set's member; its `$clusterTime` does not, for a
    member that was just elected may have no key yet to sign that with.
    """

    def __init__(self) -> None:
        super().__init__("majority")
        self._election: ObjectId | None = None
        self._document: dict[str, Any] = super().document

    @property
    def document(self) -> dict[str, Any]:
        """The read concern, as it stands in a command that is sent now."""
        return self._document.copy()

    def succeeded(self, event: ServerHeartbeatSucceededEvent) -> None:
        """Learn of an election that is newer than the one known."""
        hello = event.reply
        newest = hello.election_id if hello.is_writable else None
        if newest is not None and (self._election is None or newest > self._election):
            self._document = {**super().document, "afterClusterTime": hello.document["lastWrite"]["opTime"]["ts"]}
            self._election = newest

    def started(self, event: ServerHeartbeatStartedEvent) -> None:
        """Learn nothing."""

    def failed(self, event: ServerHeartbeatFailedEvent) -> None:
        """Learn nothing: while no newer primary is known, the former stays."""
