"""The faults: each is done to a replica set, or to the gateway before it, and mended at the end of its block."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from tests.commands import Started, children_of, command_line, until
from tests.faults.replica_set import Member, ReplicaSet


class Crowd(Protocol):
    """The clients, of whose requests some share may be left before the answer comes."""

    leaving: float


@dataclass(frozen=True)
class Stage:
    """What faults are done to. `small_disk` is a member's folder that can be filled up, where there is one."""

    replica_set: ReplicaSet
    gateway: Started
    crowd: Crowd
    small_disk: Path | None = None

    @property
    def primary(self) -> Member:
        """The present primary."""
        return self.replica_set.wait_primary()[1]


@dataclass(frozen=True)
class Fault:
    """A fault, how long it lasts in seconds, and whether the store must come back before it is mended."""

    name: str
    does: Callable[[Stage], AbstractContextManager[None]]
    seconds: float = 3.0
    fails_over: bool = True


@contextmanager
def _kill(stage: Stage) -> Iterator[None]:
    victim = stage.primary
    victim.kill()
    yield
    victim.start()


@contextmanager
def _step_down(stage: Stage) -> Iterator[None]:
    stage.replica_set.step_down(stage.primary)
    yield


@contextmanager
def _stop(stage: Stage) -> Iterator[None]:
    victim = stage.primary
    victim.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        victim.signal(signal.SIGCONT)


@contextmanager
def _partition(stage: Stage) -> Iterator[None]:
    """Cut the primary off from everybody."""
    victim = stage.primary
    stage.replica_set.isolate(victim, "held", gateway=True)
    yield
    stage.replica_set.isolate(victim, "open", gateway=True)


@contextmanager
def _minority(stage: Stage) -> Iterator[None]:
    """Cut the primary off from the members, while the gateway still reaches all."""
    victim = stage.primary
    stage.replica_set.isolate(victim, "held", gateway=False)
    yield
    stage.replica_set.isolate(victim, "open", gateway=False)


@contextmanager
def _lose_replies(stage: Stage) -> Iterator[None]:
    victim = stage.primary
    stage.replica_set.links(victim, ("gateway",), "muted")
    yield
    stage.replica_set.links(victim, ("gateway",), "open")


@contextmanager
def _reset_links(stage: Stage) -> Iterator[None]:
    """Reset all the gateway's links, again and again."""
    for _ in range(10):
        for member in stage.replica_set.members:
            stage.replica_set.relays.do(lambda member=member: member.relay.reset("gateway"))  # type: ignore[misc]
        time.sleep(0.2)
    yield


@contextmanager
def _refuse(stage: Stage) -> Iterator[None]:
    """Let no member be reached by the gateway."""
    for member in stage.replica_set.members:
        stage.replica_set.links(member, ("gateway",), "refused")
    yield
    for member in stage.replica_set.members:
        stage.replica_set.links(member, ("gateway",), "open")


@contextmanager
def _slow(stage: Stage) -> Iterator[None]:
    for member in stage.replica_set.members:
        stage.replica_set.links(member, ("gateway",), "slow")
    yield
    for member in stage.replica_set.members:
        stage.replica_set.links(member, ("gateway",), "open")


@contextmanager
def _read_only(stage: Stage) -> Iterator[None]:
    """Take the right to write away from the gateway's user."""
    stage.replica_set.allow("reading")
    yield
    stage.replica_set.allow("writing")


@contextmanager
def _lose_majority(stage: Stage) -> Iterator[None]:
    """Kill both secondaries."""
    victims = stage.replica_set.others(stage.primary)
    for victim in victims:
        victim.kill()
    yield
    for victim in victims:
        victim.start()


@contextmanager
def _stop_secondaries(stage: Stage) -> Iterator[None]:
    victims = stage.replica_set.others(stage.primary)
    for victim in victims:
        victim.signal(signal.SIGSTOP)
    yield
    for victim in victims:
        victim.signal(signal.SIGCONT)


@contextmanager
def _fill_disk(stage: Stage) -> Iterator[None]:
    """Let the primary's disk be full: MongoDB ends itself then."""
    assert stage.small_disk is not None
    victim = next(one for one in stage.replica_set.members if one.folder.is_relative_to(stage.small_disk))
    stage.replica_set.make_primary(victim)
    ballast = stage.small_disk / "ballast"
    try:
        with ballast.open("wb") as file:
            while file.write(bytes(1 << 20)):
                file.flush()
    except OSError:
        pass
    until(lambda: not victim.runs, 60, "the end of a mongod without disk")
    yield
    ballast.unlink()
    victim.start()


@contextmanager
def _kill_workers(stage: Stage) -> Iterator[None]:
    """Kill one worker of the gateway, then the other."""
    for pid in workers(stage.gateway):
        kill_worker(stage.gateway, pid)
        time.sleep(2)
    yield


@contextmanager
def _leave(stage: Stage) -> Iterator[None]:
    """Let every second client go away before it is answered."""
    stage.crowd.leaving = 0.5
    yield
    stage.crowd.leaving = 0.0


def workers(gateway: Started) -> list[int]:
    """Return the worker processes of a gateway."""
    return [pid for pid in children_of(gateway.process.pid) if "multiprocessing.spawn" in command_line(pid)]


def kill_worker(gateway: Started, pid: int) -> None:
    """Kill a worker of a gateway, and return once another has taken its place."""
    many = len(workers(gateway))
    os.kill(pid, signal.SIGKILL)
    until(lambda: _replaced(gateway, pid, many), 30, "a new worker")


def _replaced(gateway: Started, killed: int, many: int) -> bool:
    now = workers(gateway)
    return killed not in now and len(now) == many


KILL: Final = Fault("primary killed", _kill, 0.0)
LOST_REPLIES: Final = Fault("answers lost", _lose_replies, 3.0, fails_over=False)
STOP: Final = Fault("primary stopped", _stop, 3.0)
OTHERS: Final = (
    Fault("primary stepped down", _step_down, 0.0),
    STOP,
    Fault("primary cut off", _partition, 6.0),
    Fault("primary cut off from members", _minority, 6.0),
    LOST_REPLIES,
    Fault("links reset", _reset_links, 0.0, fails_over=False),
    Fault("links refused", _refuse, 3.0, fails_over=False),
    Fault("links slow", _slow, 4.0, fails_over=False),
    Fault("user may only read", _read_only, 3.0, fails_over=False),
    Fault("secondaries killed", _lose_majority, 4.0, fails_over=False),
    Fault("secondaries stopped", _stop_secondaries, 4.0, fails_over=False),
    Fault("disk full", _fill_disk, 0.0),
    Fault("workers killed", _kill_workers, 0.0, fails_over=False),
    Fault("clients gone", _leave, 3.0, fails_over=False),
)
"""Every fault but the one that there are most of."""
