"""What a read must see: all that a majority has acknowledged, by whichever primary.

Read concern `majority` alone does not promise that after an election: a new primary has every acknowledged change,
but learns only with the first writes of its own that a majority has them, and shows what it knew before until then.
So every read asks for the moment of the election too, which the primary itself told when it was found, and waits for
it. That is once; afterwards the moment has long passed, and nothing waits (MongoDB Manual, Read Concern "majority"
and `afterClusterTime`).
"""

from __future__ import annotations

from typing import Any, Protocol

from bson.objectid import ObjectId
from pymongo.read_concern import ReadConcern
from pymongo.topology_description import TopologyDescription


class Observer(Protocol):
    """Knows the members of a store: a client of either driver."""

    @property
    def topology_description(self) -> TopologyDescription:
        """What is known of the members now."""


class SinceElection(ReadConcern):
    """`majority`, and nothing older than what the present primary had when it was found.

    The driver asks for `document` whenever it sends a read, so one that waited for an election asks for that one.
    """

    def __init__(self, observer: Observer) -> None:
        super().__init__("majority")
        self._observer = observer
        self._election: ObjectId | None = None
        self._document: dict[str, Any] = super().document

    @property
    def document(self) -> dict[str, Any]:
        """The read concern, as it stands in a command that is sent now."""
        topology = self._observer.topology_description
        if topology.max_election_id != self._election:
            self._learn(topology)
        return self._document.copy()

    def _learn(self, topology: TopologyDescription) -> None:
        """Take over the time that the newest elected primary told; while none is known, the former stays."""
        for member in topology.server_descriptions().values():
            if member.election_id == topology.max_election_id and member.cluster_time is not None:
                after = member.cluster_time["clusterTime"]
                self._document = {**super().document, "afterClusterTime": after}
                self._election = topology.max_election_id
