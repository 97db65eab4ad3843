"""The documentation is true: every example in README and docs runs, every name in them exists.

How examples are written, so that they can be run:

- All blocks of one page run in order in one folder, against a gateway of the page's own with 100 demo customers.
- `bash` blocks run as they stand. Variables last for the page, and programs see those that it exports;
  `http://127.0.0.1:8000` is the running gateway and `cgw_…` its key; `make` and `docker` are only looked up. `graphql`
  blocks are sent, with the variables of a `json` block behind them; without an answer shown they must give no errors.
  `python` blocks run; `ini` blocks are settings, `yaml` blocks are YAML.
- A `json`, `http` or `text` block behind them is the answer. What differs from run to run (ids, times, tags, and
  words that end in `…`) is compared by form, and stands for the real value from there on. `"…"` as the last
  member or item stands for more of them, a line `…` for more lines. `http` shows some of the headers.
- A block with a title is a file of that name; a `text` with a title is a picture, and the paths in it exist.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.main import app as command_line
from app.rest.openapi import openapi
from app.settings import Settings
from resolvers.context import ALL_SCOPES, Scope
from resolvers.operations import OPERATIONS
from resolvers.problems import PROBLEM_TYPES
from tests.conftest import StartGateway
from tests.contract.reading import FENCE, ROOT, Reader, add_demo_customers, blocks

GENERATED = {"commands.md", "metrics.md", "parity.md", "problems.md", "settings.md"}
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", *(page for page in DOCS if page.name not in GENERATED)]
TWO_DOORS = ROOT / "docs/tasks.md"
"""Its columns are read one by one, in test_tasks.py."""


def by_page(page: Path) -> str:
    """Return the name under which a page's test is shown."""
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", [page for page in PAGES if page != TWO_DOORS], ids=by_page)
def test_every_example_runs_and_answers_what_the_page_shows(
    page: Path, start_gateway: StartGateway, tmp_path: Path
) -> None:
    examples = blocks(page)
    if not examples:
        return
    gateway = start_gateway()
    add_demo_customers(gateway)
    reader = Reader(gateway, tmp_path, {"cgw_…": gateway.key})
    for block in examples:
        reader.follow(block)
    reader.end()


def slug(heading: str) -> str:
    """Return the anchor that GitHub and MkDocs make of a heading."""
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading.lower())).strip("-")


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", [*PAGES, *(page for page in DOCS if page.name in GENERATED)], ids=by_page)
def test_every_link_leads_to_a_file_and_a_heading_of_this_tree(page: Path) -> None:
    for path, _, anchor in (link.partition("#") for link in re.findall(r"\]\((?!https?:)([^)\s]*)\)", prose(page))):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        if anchor:
            headings = re.findall(r"^#+ (.*)$", prose(target), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, f"{path}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=by_page)
def test_a_table_ends_with_a_blank_line_and_no_sentence_stands_twice(page: Path) -> None:
    text = prose(page)
    assert re.findall(r"^\|.*\n(?![|\n]|$|<!--).*", text, re.MULTILINE) == []
    sentences = [
        one
        for one in re.split(r"(?<=[.:])\s", " ".join(text.split()))
        if len(one) > 60 and not re.search(r"\||<br>", one)
    ]
    assert {one for one in sentences if sentences.count(one) > 1} == set()


def test_the_page_of_keys_names_all_that_each_scope_allows() -> None:
    told = dict(re.findall(r"^\| `(customers:\w+)` \| (.*) \|$", prose(ROOT / "docs/keys.md"), re.MULTILINE))
    assert told.keys() == set(ALL_SCOPES)
    words = {
        "import": "import",
        "export": "export",
        "delete": "erase",
        "webhook": "webhooks",
        "explain": "store answers",
    }
    admin = [operation.name.lower() for operation in OPERATIONS if operation.scope is Scope.ADMIN]
    for name in admin:
        said = [word for kind, word in words.items() if kind in name]
        assert said, f"{name} is of a kind that the page does not know"
        assert [word for word in said if word not in told["customers:admin"].lower()] == []
    assert "metrics" in told["customers:admin"]


def test_the_page_of_architecture_leads_to_every_decision() -> None:
    told = prose(ROOT / "docs/architecture.md")
    assert [page.name for page in DOCS if page.parent.name == "decisions" and page.name not in told] == []


@pytest.mark.parametrize("name", ["architecture", "contributing"])
def test_every_file_that_the_pages_about_the_house_name_is_there(name: str) -> None:
    told = (ROOT / f"docs/{name}.md").read_text(encoding="utf-8")
    named = re.findall(r"\b(?:app|schema|resolvers|storage|tests|docs)/[\w./-]*\w\b", told)
    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_rest_guide_lists_exactly_the_routes_of_openapi() -> None:
    rows = re.findall(r"^\| `(/[^`]*)` \| ((?:`[A-Z]+`(?:, )?)+) \|", prose(ROOT / "docs/rest.md"), re.MULTILINE)
    listed = {(path, method) for path, methods in rows for method in re.findall(r"[A-Z]+", methods) if method != "HEAD"}
    served = {(path, method.upper()) for path, item in openapi()["paths"].items() for method in item}
    methods = {"GET", "POST", "PUT", "PATCH", "DELETE"}
    assert listed == {(path, method) for path, method in served if method in methods and path != "/graphql"}


def test_every_address_in_the_docs_is_served() -> None:
    paths = [*openapi()["paths"], "/api/v1"]
    known = re.compile("|".join(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) for path in paths))
    named = {(page.name, path) for page in PAGES for path in re.findall(r"`(/[^`\s?#]*)[^`]*`", prose(page))}
    assert not [(page, path) for page, path in named if not known.fullmatch(path)]


def test_every_setting_in_the_docs_exists() -> None:
    known = {f"GATEWAY_{name.upper()}" for name in Settings.model_fields}
    texts = {page.name: page.read_text(encoding="utf-8") for page in [*PAGES, *DOCS]}
    named = {(name, setting) for name, text in texts.items() for setting in re.findall(r"\bGATEWAY_[A-Z_]+\b", text)}
    assert not [(name, setting) for name, setting in named if setting not in known]


def test_the_limits_of_graphql_in_the_docs_are_the_defaults_of_the_settings() -> None:
    rows = re.findall(
        r"^\| .+ \| ([\d,]+) \| `GATEWAY_(GRAPHQL_MAX_\w+)` \|", prose(ROOT / "docs/security.md"), re.MULTILINE
    )
    told = {name.lower(): int(number.replace(",", "")) for number, name in rows}
    fields = Settings.model_fields.items()
    assert told == {name: field.default for name, field in fields if name.startswith("graphql_max_")}


def test_every_command_in_the_docs_exists() -> None:
    groups = {group.name for group in command_line.registered_groups}
    commands = {
        command.name or command.callback.__name__ for command in command_line.registered_commands if command.callback
    }
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        assert set(re.findall(r"`gateway ([a-z]+)", prose(page))) <= {*groups, *commands}
        assert set(re.findall(r"`make ([a-z-]+)`", prose(page))) <= targets


def test_every_problem_in_the_docs_has_the_status_that_they_say() -> None:
    registry = {(str(kind.status), kind.slug) for kind in PROBLEM_TYPES}
    named = {pair for page in PAGES for pair in re.findall(r"\b([45]\d\d) `([a-z-]+)`", prose(page))}
    assert named
    assert named <= registry


def test_the_readme_lists_every_make_command() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert [target for target in targets if f"`make {target}`" not in prose(ROOT / "README.md")] == ["help"]


def test_the_site_builds_strictly_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    command = ["mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    for page in tmp_path.rglob("*.html"):
        loaded = re.findall(
            r"<(?:script|img|iframe)[^>]*src=\"?(?:https?:)?//|<link[^>]*href=\"?https?://", page.read_text()
        )
        assert not loaded, page
    for sheet in tmp_path.rglob("*.css"):
        assert not re.search(r"@import|url\([\"']?(?:https?:)?//", sheet.read_text(encoding="utf-8")), sheet
