"""What is done to the gateways and to MongoDB, when, and by which seed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.commands import until
from tests.faults.faults import KILL, LOST_REPLIES, OTHERS, STOP, Fault
from tests.faults.replica_set import ReplicaSet
from tests.soak.site import Site

CALM: Final = "none"
RESTART: Final = "gateway restarted"
_FROM_FAULTS: Final = (
    "primary stepped down",
    "links slow",
    "workers killed",
    "clients gone",
    "links reset",
    "links refused",
)
FAULTS: Final = (KILL, STOP, LOST_REPLIES, *(fault for fault in OTHERS if fault.name in _FROM_FAULTS))
"""What is done beside restarts; `make faults` does the others."""


@dataclass(frozen=True)
class Done:
    """A fault that was done: when, for how long with its recovery, and after how long a change was acknowledged."""

    name: str
    at: float
    seconds: float


def plan(seed: int, many: int) -> list[str]:
    """Return the names of faults in their order: each of them before any comes again."""
    chance, names = random.Random(seed), [*(fault.name for fault in FAULTS), RESTART]
    planned: list[str] = []
    while len(planned) < many:
        planned += chance.sample(names, len(names))
    return planned[:many]


def inflict(site: Site, name: str) -> None:
    """Do one fault to the first gateway or to the store, and return when all is whole and changes are acknowledged."""
    assert site.replica_set is not None
    site.model.fault = name
    if name == RESTART:
        restart(site, 0)
    else:
        _inflict(site, site.replica_set, next(fault for fault in FAULTS if fault.name == name))
    site.replica_set.wait_writes()
    site.replica_set.wait_whole()
    before = site.tally.outcomes["done"]
    until(lambda: site.tally.outcomes["done"] > before + 50, 60, f"answers after {name}")
    site.model.fault = CALM


def _inflict(site: Site, replica_set: ReplicaSet, fault: Fault) -> None:
    election, _ = replica_set.wait_primary()
    with fault.does(site.stage()):
        if fault.fails_over:
            replica_set.wait_writes(after=election)
        time.sleep(fault.seconds)


def restart(site: Site, number: int) -> None:
    """End a gateway as an operator does, and start it again: the other serves meanwhile, and no request is lost."""
    gateway = site.gateways[number]
    code = gateway.stop()
    if code != 0:
        site.model.accuse("SIGTERM", f"the gateway ended with {code}")
    site.down.add(gateway.url)
    gateway.start()
    site.down.discard(gateway.url)


def carry_out(site: Site, names: Sequence[str], seconds: float, said: Callable[[Done], None]) -> None:
    """Do faults one after the other over so many seconds, with calm stretches of equal length between them."""
    began = time.monotonic()
    for number, name in enumerate(names):
        _wait(site, began + seconds * (number + 0.5) / len(names))
        at = time.monotonic()
        inflict(site, name)
        said(Done(name, at - began, time.monotonic() - at))
    _wait(site, began + seconds)


def _wait(site: Site, until_then: float) -> None:
    while (left := until_then - time.monotonic()) > 0 and len(site.model.wrong) < 100:
        time.sleep(min(left, 1.0))
