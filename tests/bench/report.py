"""What every report of a measurement needs: where it was made, tables, and its place in a page."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pymongo import MongoClient


def measured_on(url: str, *packages: str) -> str:
    """Return the date, the machine and the versions, with those of packages, of a measurement on a mongod."""
    with MongoClient[dict[str, Any]](url) as client:
        server = client.server_info()["version"]
    models = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    named = "".join(f"{name} {version(name)}, " for name in packages)
    return (
        f"Measured on {datetime.now(UTC):%d %B %Y}: {os.cpu_count()} cores ({models[0] if models else 'unknown'}), "
        f"{memory:.0f} GiB, Python {platform.python_version()}, {named}MongoDB {server} (embedded)."
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown, its first column of text and the others of numbers."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def put(page: Path, name: str, text: str) -> None:
    """Put a report between the comments `<!-- name -->` and `<!-- /name -->` of a page."""
    between = re.compile(rf"(<!-- {name} -->\n).*(<!-- /{name} -->)", re.DOTALL)
    page.write_text(
        between.sub(lambda found: f"{found[1]}{text}{found[2]}", page.read_text(encoding="utf-8")), encoding="utf-8"
    )
