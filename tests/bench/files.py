"""What imports and exports cost: `python -m tests.bench.files`, or `make bench-files`.

Fills a database with `gateway demo`, exports it in each form, and imports each file into a database of its own.
Tells for each command the customers a second, the CPU time of the command in seconds, and the most memory it
took. `COUNT=10000` makes a short run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.processes import store
from tests.commands import COMMAND, environment

COUNT = int(os.environ.get("COUNT", "100000"))
STEPS = (
    ("one", ("demo", "--count", str(COUNT))),
    ("one", ("export", "all.ndjson")),
    ("one", ("export", "all.csv")),
    ("one", ("export", "all.backup", "--backup")),
    ("two", ("import", "all.ndjson")),
    ("three", ("import", "all.csv")),
    ("four", ("import", "all.backup", "--restore")),
    ("four", ("import", "all.backup", "--restore")),
    ("two", ("import", "all.ndjson", "--on-conflict", "update")),
)


def main() -> None:
    """Run every step and print what it cost."""
    with tempfile.TemporaryDirectory() as folder, store() as (mongod, _):
        for database, words in STEPS:
            _run(Path(folder), mongod.url, database, words)


def _run(folder: Path, url: str, database: str, words: tuple[str, ...]) -> None:
    env = environment(folder, mongodb_url=url, mongodb_database=f"files_{database}")
    began = time.monotonic()
    process = subprocess.Popen([*COMMAND, *words], cwd=folder, env=env, stdout=subprocess.DEVNULL)
    most = 0
    while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
        most = max(most, _megabytes(process.pid))
        time.sleep(0.05)
    _, status, used = ended
    seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(words)} ended with {process.returncode}")
    cpu = used.ru_utime + used.ru_stime
    sys.stdout.write(f"{' '.join(words):50} {COUNT / seconds:8,.0f} a second {cpu:6.1f} s CPU {most:5} MB\n")
    sys.stdout.flush()


def _megabytes(pid: int) -> int:
    """Return the most memory that a process has had so far."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) // 1024 if found else 0


if __name__ == "__main__":
    main()
