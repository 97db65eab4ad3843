"""What the gateway promises while MongoDB fails, counted: `python -m tests.faults.run`, or `make faults`.

The primary is killed `KILLS` times (100), and between the kills every other fault is done in turn, three times each
where there are kills enough. It ends earlier after `MINUTES` (60). `CLIENTS` (24) clients write meanwhile, at both
doors, a third as many more with idempotency keys, and one reads the events. In the end `KEYS` (1000) keys are sent
five times each, many at a time, over one more kill. `WRITE=1` puts the table into docs/faults.md. It ends with 1 where
the gateway did not keep its word.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

from pymongo import version as pymongo_version

from tests.bench.report import put, table
from tests.faults.faults import KILL, OTHERS, Fault
from tests.faults.ledger import Count, total
from tests.faults.listener import Verdict, p99
from tests.faults.trial import CALM, Recovery, Trial, running, verdict

KILLS: Final = int(os.environ.get("KILLS", "100"))
MINUTES: Final = float(os.environ.get("MINUTES", "60"))
CLIENTS: Final = int(os.environ.get("CLIENTS", "24"))
KEYS: Final = int(os.environ.get("KEYS", "1000"))
PAGE: Final = Path(__file__).parents[2] / "docs" / "faults.md"
DISK_MEGABYTES: Final = 2048
_HEAD: Final = (
    "Fault", "times", "acknowledged", "lost", "doubled", "none", "none, and done", "unknown", "unknown, and done",
    "reads", "reads failed", "500", "no answer", "slowest answer", "back after", "slowest write then",
)  # fmt: skip


def main() -> None:
    """Do the faults, count, print, and say whether all was well."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-") as name, small_disk(Path(name) / "disk") as disk:
        with running(Path(name), size=CLIENTS, keyed=CLIENTS // 3, think=0.02, gateways=2, small_disk=disk) as trial:
            _all(trial, began + MINUTES * 60)
            trial.crowd.rest()
            longest = trial.ledger.longest
            raced, there = trial.race(KEYS, parallel=KEYS // 5, often=5, seconds=2)
            time.sleep(1)  # what was sent late has come
            trial.witness.catch_up()
            counts = trial.ledger.judge(trial.witness.done)
            events = trial.events()
            wrong = verdict(trial, counts) + trial.missing()[:20] + events.wrong
            wrong += [f"{there} customers of {KEYS} keys"] * (there != KEYS)
            wrong += [f"{raced['other']} keys with several answers"] * (raced["other"] > 0)
    report = _report(trial.recoveries, counts, (time.monotonic() - began) / 60, disk=disk is not None)
    report += f"\n\n{_keys(trial.crowd.keys, raced, there, longest[0])}\n\n{_events(events)}"
    print(report, f"The slowest change with a key: {longest[1]}", sep="\n\n")
    for line in wrong:
        print(line[:4000])
    if os.environ.get("WRITE") == "1":
        put(PAGE, "faults", report)
    sys.exit(1 if wrong else 0)


def _keys(crowd: Counter[str], raced: Counter[str], there: int, longest: float) -> str:
    """Return what became of the requests with idempotency keys."""
    both = crowd + raced
    return (
        f"{both['keys']:,} of these writes were sent with an idempotency key, at one door after the other, until they "
        f"were acknowledged: {both['tries']:,} requests, {both['replays']:,} of them answered by replays, and "
        f"{both['other']} by something else than before; the slowest was acknowledged after {longest:.1f} s. "
        f"{KEYS:,} keys, each sent five times, {KEYS // 5} requests at "
        f"a time while the primary was killed, made {there:,} customers."
    )


def _events(events: Verdict) -> str:
    """Return what became of the events."""
    calm, killed = (p99(events.lags.get(fault, [])) for fault in (CALM, KILL.name))
    others = p99([lag for fault, lags in events.lags.items() if fault != CALM for lag in lags])
    return (
        f"{events.told:,} events were read meanwhile by one who had to come back {events.resumed} times: "
        f"{events.lost} were lost, {events.phantom} told of nothing, {events.doubled} came twice, and "
        f"{events.disordered} out of the order of their customer. 99 of 100 came within {calm:.3f} s of the "
        f"acknowledgement while nothing was done to MongoDB, within {killed:.3f} s when the primary was killed, and "
        f"within {others:.3f} s over all faults."
    )


def plan(kills: int, *, disk: bool) -> list[Fault]:
    """Return the faults in their order: the kills, and the others spread evenly among them."""
    others = [fault for fault in OTHERS if disk or fault.name != "disk full"] * (3 if kills >= 60 else 1)
    faults: list[Fault] = []
    for number in range(kills):
        faults.append(KILL)
        faults += others[number * len(others) // kills : (number + 1) * len(others) // kills]
    return faults


def _all(trial: Trial, end: float) -> dict[str, Count]:
    time.sleep(3)
    for number, fault in enumerate(plan(KILLS, disk=trial.stage.small_disk is not None), 1):
        if time.monotonic() > end:
            break
        recovery = trial.inflict(fault)
        print(
            f"{number:4} {fault.name:28} back after {recovery.back:5.2f} s, clean after {recovery.clean:5.2f} s, "
            f"{trial.ledger.acknowledged():7} acknowledged",
            flush=True,
        )
        if number % 10 == 0:
            found = total(trial.audit().values())
            print(f"     lost {found.lost}, doubled {found.doubled}, none and done {found.false_none}", flush=True)
    return trial.audit()


def _report(recoveries: list[Recovery], counts: dict[str, Count], minutes: float, *, disk: bool) -> str:
    everything = total(counts.values())
    by_fault = {fault.name: [one for one in recoveries if one.fault == fault.name] for fault in (KILL, *OTHERS)}
    rows = [_cells(name, done, counts.get(name, Count())) for name, done in by_fault.items() if done]
    rows.append(_cells("nothing", [], counts.get(CALM, Count())))
    rows.append(_cells("**all**", recoveries, everything))
    skipped = "" if disk else "The disk was not filled up: only root can make a small one. "
    where = (
        f"Run on {datetime.now(UTC):%d %B %Y} in {minutes:.0f} minutes: {os.cpu_count()} cores, three members of "
        f"MongoDB {_mongod_version()}, PyMongo {pymongo_version}, two gateways of two workers each, {CLIENTS} clients. "
    )
    return f"{where}{skipped}Times are in seconds.\n\n{table(_HEAD, rows)}"


def _cells(name: str, recoveries: list[Recovery], count: Count) -> list[str]:
    back = [one.back for one in recoveries]
    slowest = max((one.slowest for one in recoveries), default=None)
    numbers = (
        len(recoveries), count.acknowledged, count.lost, count.doubled, count.none, count.false_none, count.unknown,
        count.unknown_done, count.reads, count.reads_failed, count.internal_errors, count.unanswered,
    )  # fmt: skip
    return [
        name,
        *(f"{number:,}" for number in numbers),
        f"{count.worst:.1f}",
        f"{median(back):.2f}, most {max(back):.2f}" if back else "",
        "" if slowest is None else f"{slowest:.2f}",
    ]


def _mongod_version() -> str:
    from storage.mongod import find_mongod

    said = subprocess.run([str(find_mongod()), "--version"], capture_output=True, text=True, check=True, timeout=20)
    return said.stdout.split()[2].removeprefix("v")


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """Give a folder on a small disk of its own, which is memory; None where that cannot be made."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "faults", str(folder)]
    try:
        made = subprocess.run(["mount", *options], capture_output=True, check=False, timeout=20).returncode == 0
    except OSError:
        made = False
    if not made:
        print("No small disk can be made (that takes root): the fault of a full disk is left out.")
    try:
        yield folder if made else None
    finally:
        if made:
            subprocess.run(["umount", str(folder)], check=True, timeout=20)


if __name__ == "__main__":
    main()
