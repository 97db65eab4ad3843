"""An hour of mixed work with faults and restarts: `python -m tests.soak.run`, or `make soak`.

For `MINUTES` (60) `CLIENTS` (12) clients read, list, create, change, import, export and erase at both doors of two
gateways, of two workers each, over three members of MongoDB. Every `CALM` (30) seconds something is done to a gateway
or to MongoDB. A model says what every customer must be; each answer, list, export and event is compared with it, and in
the end the whole store. The second gateway is watched: what it holds may not grow. `SEED` repeats a run's chances, and
`WRITE=1` puts the report into docs/faults.md. It ends by itself, with 1 where anything was not as it must be.
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.bench.report import put, table
from tests.soak.audit import audit
from tests.soak.schedule import Done, carry_out, plan, restart
from tests.soak.site import Site, running
from tests.soak.watch import Growth, Watch, growth

MINUTES: Final = float(os.environ.get("MINUTES", "60"))
CLIENTS: Final = int(os.environ.get("CLIENTS", "12"))
EVERY: Final = float(os.environ.get("CALM", "30"))
SEED: Final = int(os.environ.get("SEED", "0")) or secrets.randbelow(10**6) + 1
PAGE: Final = Path(__file__).parents[2] / "docs" / "faults.md"


def main() -> None:
    """Work, do faults, watch, compare, and say whether all was well."""
    print(f"SEED={SEED} MINUTES={MINUTES:g} CLIENTS={CLIENTS}", flush=True)
    faults: list[Done] = []
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        with running(Path(name), SEED, clients=CLIENTS, think=0.1) as site:
            watches = [Watch(gateway, site.key) for gateway in site.gateways]
            with ExitStack() as stack:
                for watch in watches:
                    stack.enter_context(watch.looking())
                _work(site, watches, faults)
            there = _end(site)
            grown = growth(watches[-1].looks)
            report = _report(site, faults, there, grown)
            wrong = site.model.wrong + [line for gateway in site.gateways for line in gateway.unexpected()]
    print(report)
    wrong += [f"{one.name} grew from {one.first:.0f} to {one.last:.0f}" for one in grown if not one.flat]
    for line in wrong[:100]:
        print(line[:1500])
    print(f"{len(wrong)} differences; SEED={SEED}")
    if os.environ.get("WRITE") == "1":
        put(PAGE, "soak", report)
    sys.exit(1 if wrong else 0)


def _work(site: Site, watches: Sequence[Watch], faults: list[Done]) -> None:
    """Do the faults, and tell of each, and of every difference at once."""
    told = [0]

    def said(done: Done) -> None:
        faults.append(done)
        looks = [watch.looks[-1] for watch in watches if watch.looks]
        held = "; ".join(f"{one.memory:.0f} MB {one.files} files {one.tasks:.0f} tasks" for one in looks)
        for line in site.model.wrong[told[0] :]:
            print(line[:1500])
        told[0] = len(site.model.wrong)
        print(
            f"{done.at:5.0f} {done.name:20} whole after {done.seconds:4.1f} s, {site.tally.outcomes['done']:7,} done, "
            f"{site.model.compared:8,} compared, {len(site.model.wrong)} wrong; {held}",
            flush=True,
        )

    carry_out(site, plan(SEED, max(1, round(MINUTES * 60 / EVERY))), MINUTES * 60, said)


def _end(site: Site) -> dict[str, int]:
    """Restart the gateway that was watched, let everything settle, and compare the whole store."""
    site.model.fault = "the end"
    restart(site, -1)
    site.crowd.settle()
    there = audit(site)
    deadline = time.monotonic() + 30
    while site.crowd.watcher.missing() and time.monotonic() < deadline:
        time.sleep(0.1)
    for line in site.crowd.watcher.missing()[:20]:
        site.model.accuse("events", line)
    return there


def _report(site: Site, faults: Sequence[Done], there: dict[str, int], grown: Sequence[Growth]) -> str:
    tally, model, watcher = site.tally, site.model, site.crowd.watcher
    counted = Counter(fault.name for fault in faults)
    outcomes = ", ".join(f"{number:,} {name}" for name, number in sorted(tally.outcomes.items()))
    told = ", ".join(f"{number:,} {kind.removeprefix('customer.')}" for kind, number in sorted(watcher.told.items()))
    works = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in tally.done.most_common())
    rows = [_cells(one) for one in grown]
    return (
        f"Run on {datetime.now(UTC):%d %B %Y} for {MINUTES:g} minutes with seed {SEED}: {os.cpu_count()} cores, "
        f"{CLIENTS} clients. Requests: {outcomes}. What was shown was compared {model.compared:,} times with what must "
        f"be, and was something else {len(model.wrong)} times. In the end there were {there['customers']:,} customers "
        f"and {there['tombstones']:,} tombstones. {sum(watcher.told.values()):,} events ({told}), read over "
        f"{watcher.streams} streams; {tally.replays:,} replays of idempotency keys.\n\n"
        f"{table(('Fault', 'times'), [[name, str(number)] for name, number in sorted(counted.items())])}\n"
        f"{table(('Low water of a gateway', 'first third', 'last third', 'a minute', 'verdict'), rows)}\n"
        f"The work: {works}."
    )


def _cells(one: Growth) -> list[str]:
    unit = "memory, MB" if one.name == "memory" else one.name
    return [unit, f"{one.first:.0f}", f"{one.last:.0f}", f"{one.slope:+.2f}", "flat" if one.flat else "grows"]


if __name__ == "__main__":
    main()
