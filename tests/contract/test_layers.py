"""The house keeps its plan: imports go one way, modules stay small."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("app", "schema", "resolvers", "storage")
SCRIPTS = ROOT / "app" / "playground" / "src"
MAX_LINES = 300


def test_imports_keep_the_one_direction() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 kept, 0 broken" in done.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_is_longer_than_300_lines(package: str) -> None:
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / package).rglob("*.py")}
    assert {str(path.relative_to(ROOT)) for path, lines in sizes.items() if lines > MAX_LINES} == set()


def test_whatever_is_public_has_a_docstring() -> None:
    rules = "D100,D101,D102,D103,D104,D106"
    command = [str(Path(sys.executable).with_name("ruff")), "check", "--no-cache", "--select", rules, *PACKAGES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout


def test_no_modules_import_each_other_in_a_circle_not_even_late() -> None:
    modules = {_dotted(path): path for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    graph = {name: {*_imported(path)} & {*modules} - {name} for name, path in modules.items()}
    assert graph["app.cli.main"] >= {"app.cli.documents", "app.cli.playground"}, "imports inside functions count"
    TopologicalSorter(graph).prepare()  # a CycleError names the circle


def test_no_scripts_of_the_pages_import_each_other_in_a_circle() -> None:
    scripts = {path.resolve(): path for path in SCRIPTS.rglob("*") if path.suffix in {".js", ".ts", ".tsx"}}
    graph = {path: {*_found(path)} & {*scripts} for path in scripts}
    assert graph[SCRIPTS / "graphql" / "fetcher.ts"] >= {SCRIPTS / "graphql" / "seen.ts"}
    assert graph[SCRIPTS / "twin" / "twins.js"] >= {SCRIPTS / "twin" / "to-rest.js"}
    TopologicalSorter(graph).prepare()


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _found(path: Path) -> Iterator[Path]:
    """Yield what a script imports, for its types as well, under each of the names that it may have."""
    for name in re.findall(r"""(?:from |import |import\()['"](\.[^'"]+)['"]""", path.read_text(encoding="utf-8")):
        yield from (path.parent.joinpath(f"{name}{ending}").resolve() for ending in ("", ".ts", ".tsx", ".js"))
