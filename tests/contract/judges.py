"""What other people's checkers say of the gateway, in one table: `python -m tests.contract.judges`, or `make judges`.

Most of them are tests already, which this runs; those that ask a registry, or need a release to compare with, say so
where there is none. It ends with 1 where a judge finds something.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from app.cli.documents import graphql_schema
from app.rest.openapi import openapi
from tests.contract.changes import ROOT, broken_since, last_tag
from tests.contract.licences import PRODUCTION, bundled, python, unexplained

_SECONDS: Final = 120
JUDGES: Final = {
    "graphql-http": ("61 audits of GraphQL over HTTP", ("test_judges.py::test_c080",)),
    "graphql-ws": ("26 audits of graphql-transport-ws, close codes among them", ("test_judges.py::test_c099",)),
    "Redocly": ("OpenAPI; warnings are explained in the test", ("test_judges.py::test_redocly",)),
    "Spectral": ("OpenAPI by its own rules", ("test_judges.py::test_spectral_finds_nothing[oas]",)),
    "Spectral, OWASP": ("OpenAPI by the rules of OWASP", ("test_judges.py::test_spectral_finds_nothing[owasp]",)),
    "Standard Webhooks": ("Its own verifier takes what is sent", ("test_doors.py::test_m106",)),
    "Schemathesis": ("The running gateway by OpenAPI", ("test_schemathesis.py::",)),
    "Clients": (
        "Clients that others make of both schemas compile and work",
        ("test_typescript.py::", "test_python.py::"),
    ),
    "Prometheus, Grafana": ("Alerts and panels ask for what is there", ("test_monitoring.py::",)),
}
"""The checkers that are tests: what each of them judges, and how its tests are called."""
FILES: Final = (
    "tests/contract/test_judges.py", "tests/contract/test_schemathesis.py", "tests/contract/test_monitoring.py",
    "tests/clients", "tests/app/webhooks/test_doors.py",
)  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What a judge says: `found` is None where nobody was there to ask."""

    name: str
    judges: str
    found: int | None
    told: str


def main() -> None:
    """Ask all of them, print the table, and end with 1 where one found something."""
    verdicts = [*_tests(), _changes(), _licences(), *_vulnerabilities()]
    width = max(len(one.name) for one in verdicts)
    for one in verdicts:
        said = "not asked" if one.found is None else "finds nothing" if not one.found else f"FINDS {one.found}"
        sys.stdout.write(f"{one.name:{width}}  {said:13}  {one.told}; {one.judges}\n")
    sys.exit(int(any(one.found for one in verdicts)))


def _tests() -> Iterator[Verdict]:
    with tempfile.TemporaryDirectory(prefix="judges-") as folder:
        report = Path(folder) / "report.xml"
        chosen = ["-q", "--no-cov", f"--junit-xml={report}", "-k", "test_doors and verifier or not test_doors"]
        subprocess.run([sys.executable, "-m", "pytest", *chosen, *FILES], cwd=ROOT, check=False, stdout=sys.stderr)
        yield from told(report.read_text(encoding="utf-8"))


def told(report: str) -> Iterator[Verdict]:
    """Give the verdicts in a report of pytest, in the form of JUnit; a judge that has no test there finds one thing."""
    cases = [(_name(case), bool(list(case))) for case in ElementTree.fromstring(report).iter("testcase")]
    for name, (judges, prefixes) in JUDGES.items():
        own = [failed for case, failed in cases if case.startswith(prefixes)]
        yield Verdict(name, judges, sum(own) if own else 1, f"{len(own) - sum(own)} of {len(own)} tests pass")


def _name(case: ElementTree.Element) -> str:
    return f"{case.attrib['classname'].rpartition('.')[2]}.py::{case.attrib['name']}"


def _changes() -> Verdict:
    tag, judges = last_tag(), "OpenAPI and the GraphQL schema break no client of the last release"
    if tag is None:
        return Verdict("Changes", judges, None, "there is no tag yet to compare with")
    broken = broken_since(tag, openapi(), graphql_schema())
    return Verdict("Changes", judges, len(broken), f"since {tag}: {'; '.join(broken) or 'nothing is broken'}")


def _licences() -> Verdict:
    packages = [*python(PRODUCTION), *bundled()]
    odd = unexplained(packages)
    listed = f"{len(packages)} packages{': ' if odd else ''}{'; '.join(odd)}"
    return Verdict("Licences", "No copyleft without a reason in what is run", len(odd), listed)


def _vulnerabilities() -> Iterator[Verdict]:
    judges = "Known vulnerabilities of what is run"
    yield _asked("pip-audit", judges, ["pip-audit", "--disable-pip", "--format=json", "-r", PRODUCTION[1]], ROOT)
    yield _asked("npm audit", judges, ["npm", "audit", "--omit=dev", "--json"], ROOT / "app/playground")


def _asked(name: str, judges: str, command: Sequence[str], folder: Path) -> Verdict:
    """Ask a program that asks a registry, where there is one and the registry answers."""
    if shutil.which(command[0]) is None:
        return Verdict(name, judges, None, f"{command[0]} is not installed")
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False)
        return Verdict(name, judges, vulnerable(json.loads(done.stdout)), "the registry answered")
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return Verdict(name, judges, None, "its registry cannot be reached from here")


def vulnerable(report: Mapping[str, object]) -> int:
    """Return how many packages a report of pip-audit or npm audit names.

    Raises:
        KeyError: it is the report of neither: it tells why there is none.
    """
    if "dependencies" in report and isinstance(report["dependencies"], list):
        return sum(bool(one.get("vulns")) for one in report["dependencies"])
    found = report["vulnerabilities"]
    return len(found) if isinstance(found, dict) else 0


if __name__ == "__main__":
    main()
