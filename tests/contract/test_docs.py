"""The documentation is true: every example in README and docs runs, every name in them exists.

How examples are written, so that they can be run:

- All blocks of one page run in order in one folder, against a gateway of the page's own with 100 demo customers.
- `bash` blocks run as they stand. Variables last for the page; `http://127.0.0.1:8000` is the running gateway and
  `cgw_…` its key; `make` and `docker` are only looked up. `graphql` blocks are sent, with the variables of a `json`
  block behind them; without an answer shown they must give no errors. `python` blocks run; `ini` blocks are settings,
  `yaml` blocks are YAML.
- A `json`, `http` or `text` block behind them is the answer. What differs from run to run (ids, times, tags, and
  words that end in `…`) is compared by form, and stands for the real value from there on. `"…"` as the last
  member or item stands for more of them, a line `…` for more lines. `http` shows some of the headers.
- A block with a title is a file of that name; a `text` with a title is a picture, and the paths in it exist.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from app.cli.demo import demo_customers
from app.cli.main import app as command_line
from app.rest.openapi import openapi
from app.settings import Settings
from resolvers.problems import PROBLEM_TYPES
from storage.store import StoreOptions, open_store
from tests.conftest import StartGateway
from tests.harness import Gateway

ROOT = Path(__file__).parents[2]
GENERATED = {"commands.md", "metrics.md", "parity.md", "problems.md", "settings.md"}
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", *(page for page in DOCS if page.name not in GENERATED)]
HERE = "http://127.0.0.1:8000"
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
TOKEN = re.compile(
    rf"(?P<uuid>{UUID})|(?P<time>\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z)"
    r"|v(?P<version>\d+)-(?P<start>[0-9a-f]{8})|(?P<line>(?<![^\n])…\n)|(?P<word>[\w~-]*…)"
)
FENCE = re.compile(r"^```(\w*)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REFUSED = re.compile(r'HTTP/1.1 [45]|\{"type":"http|\{"errors"')
PRELUDE = """
set -euo pipefail
set -a
gateway() { case "$1" in serve|dev) command gateway "$@" --help >/dev/null ;; *) command gateway "$@" ;; esac; }
make() { for target; do grep -q "^$target:.*## " "$ROOT/Makefile"; done; }
docker() { [ "$1 $2" = "compose -f" ] && [ -f "$ROOT/$3" ]; }
[ ! -f .variables ] || . ./.variables
"""


def by_page(page: Path) -> str:
    """Return the name under which a page's test is shown."""
    return str(page.relative_to(ROOT))


@dataclass(frozen=True)
class Block:
    """A fenced block and where it begins."""

    place: str
    language: str
    title: str
    text: str


def blocks(page: Path) -> list[Block]:
    """Return all fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    found = [
        Block(f"{page.name}:{text.count(chr(10), 0, match.start()) + 1}", match[1], match[2] or "", match[3])
        for match in FENCE.finditer(text)
    ]
    assert text.count("```") == 2 * len(found), "every block begins and ends at the start of a line"
    return found


@dataclass
class Reader:
    """Somebody who types in the examples of one page, and holds what comes against what the page shows."""

    gateway: Gateway
    folder: Path
    names: dict[str, str] = field(default_factory=dict)
    asked: str = ""
    answer: str | None = None
    log: str = ""

    def follow(self, block: Block) -> None:
        """Do what a block says, or compare its answer."""
        if block.language not in {"json", "http", "text"} or block.title:
            self._settle()
        step = getattr(self, f"_{block.language}", None)
        assert step, f"nobody knows how to check {block.language or 'a block without a language'!r}"
        (self._file if block.title else step)(block)

    def end(self) -> None:
        """Send what still waits for variables."""
        self._settle()

    def _file(self, block: Block) -> None:
        if block.language == "text":
            missing = [
                path
                for path in re.findall(r"(?<![\w/])(?:[a-z_]+/)+(?:[a-z_]+\.py)?", block.text)
                if not (ROOT / path).exists()
            ]
            assert not missing, missing
        else:
            (self.folder / block.title).write_text(self.real(block.text), encoding="utf-8")

    def _bash(self, block: Block) -> None:
        if block.text.strip() in {"make run", "gateway serve"}:
            self.answer, self.log = self._served("dev" if "make" in block.text else "serve")
            return
        script = f"{PRELUDE}{self.real(block.text)}\nexport -p > .variables"
        self.answer = self._ran(["bash", "-c", script])

    def _python(self, block: Block) -> None:
        self.answer = self._ran([sys.executable, "-c", self.real(block.text)])

    def _ini(self, block: Block) -> None:
        names = re.findall(r"^GATEWAY_(\w+)=", block.text, re.MULTILINE)
        assert len(names) == len(block.text.split("\n")) - 1
        assert {name.lower() for name in names} <= set(Settings.model_fields)
        (self.folder / "settings.env").write_text(block.text, encoding="utf-8")
        Settings(_env_file=self.folder / "settings.env")

    def _yaml(self, block: Block) -> None:
        assert yaml.safe_load(block.text)

    def _graphql(self, block: Block) -> None:
        self.asked = self.real(block.text)

    def _json(self, block: Block) -> None:
        shown = json.loads(block.text)
        if self.asked and not shown.keys() & {"data", "errors"}:
            self._send(json.loads(self.real(block.text)))
            return
        if self.asked:
            self._send({})
        answer = self._line(shown["message"]) if "timestamp" in shown else self.taken()
        self.compare(shown, json.loads(answer.partition("\r\n\r\n")[2] if answer.startswith("HTTP/") else answer))

    def _line(self, message: str) -> str:
        return next(line for line in self.log.splitlines() if f'"{message}"' in line)

    def _http(self, block: Block) -> None:
        head, _, body = block.text.partition("\n\n")
        real_head, _, real_body = self.taken().partition("\r\n\r\n")
        status, *headers = head.strip().split("\n")
        real_status, *real_headers = real_head.split("\r\n")
        assert real_status == status
        real = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in real_headers)}
        for name, _, value in (line.partition(": ") for line in headers):
            self.compare(value, real.get(name.lower()))
        if body:
            self.compare(json.loads(body), json.loads(real_body))

    def _text(self, block: Block) -> None:
        lines = [line.rstrip() for line in self.taken().splitlines()]
        self.compare(block.text, "\n".join(lines) + "\n")

    def _settle(self) -> None:
        """Send a document that no variables followed; its answer must be without errors unless one is shown."""
        if self.asked:
            self._send({})
        assert not REFUSED.match(self.answer or ""), self.answer
        self.answer = None

    def _send(self, variables: dict[str, Any]) -> None:
        self.answer = json.dumps(self.gateway.graphql(self.asked, **variables))
        if "errors" in self.answer:
            self.answer = json.dumps(dict(sorted(json.loads(self.answer).items(), reverse=True)))
        self.asked = ""

    def taken(self) -> str:
        """Return the answer that was waited for, once."""
        assert self.answer is not None, "there is nothing that this could be the answer to"
        answer, self.answer = self.answer, None
        return answer

    def _ran(self, command: list[str]) -> str:
        done = subprocess.run(
            command, check=False, cwd=self.folder, env=self._environment(), capture_output=True, timeout=60
        )
        assert done.returncode == 0, f"{done.returncode}: {done.stderr.decode()}{done.stdout.decode()}"
        return done.stdout.decode()

    def _environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        store = {"GATEWAY_MONGODB_URL": self.gateway.store_url, "GATEWAY_MONGODB_DATABASE": self.gateway.database}
        return {**os.environ, **store, "PATH": path, "ROOT": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}

    def _served(self, command: str) -> tuple[str, str]:
        """Run a gateway for a read, and a change where it serves; return what it wrote, as if it had listened where the page says."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        started = subprocess.Popen(
            ["gateway", command, "--port", str(port)],
            cwd=self.folder, env=self._environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            customers = f"http://127.0.0.1:{port}/api/v1/customers"
            _wait(f"{customers}?size=1", self.gateway.key, started)
            if command == "serve":
                _change(customers, self.gateway.key)
        finally:
            started.send_signal(signal.SIGINT)
            out, err = started.communicate(timeout=30)
        return out.replace(f":{port}", HERE[-5:]).replace(HERE, self.gateway.url), err

    def real(self, text: str) -> str:
        """Return a text of the page with the real values in it."""
        text = text.replace(HERE, self.gateway.url).replace(HERE[7:], self.gateway.url[7:])
        return TOKEN.sub(self._known, text)

    def _known(self, token: re.Match[str]) -> str:
        if token["start"]:
            return f"v{token['version']}-{self.names.get(token['start'], token['start'])}"
        return self.names.get(token[0], token[0])

    def compare(self, shown: Any, found: Any) -> None:
        """Hold what came against what the page shows."""
        if isinstance(shown, dict) and isinstance(found, dict):
            missing, more = shown.keys() - {"…"} - found.keys(), found.keys() - shown.keys()
            more -= {"extensions"} if "data" in shown else set()  # every GraphQL answer has its cost
            assert not missing, f"not in the answer: {missing}\n{found}"
            assert "…" in shown or not more, f"not on the page: {more}\n{found}"
            for name in shown.keys() - {"…", "requestId", "request_id", "durationMs"}:  # new each time
                self.compare(shown[name], found[name])
        elif isinstance(shown, list) and isinstance(found, list):
            wanted = shown[:-1] if shown[-1:] == ["…"] else shown
            assert len(wanted) == len(found) or (wanted != shown and len(wanted) < len(found)), found
            for one, other in zip(wanted, found, strict=False):
                self.compare(one, other)
        elif isinstance(shown, str) and isinstance(found, str):
            self._compare_text(shown, found)
        else:
            assert found == shown

    def _compare_text(self, shown: str, found: str) -> None:
        shown = shown.replace(HERE, self.gateway.url)
        tokens = list(TOKEN.finditer(shown))
        between = [re.escape(part) for part in _without(shown, tokens)]
        forms = [f"({self._form(token)})" for token in tokens]
        match = re.fullmatch("".join(a + b for a, b in zip(between, [*forms, ""], strict=True)), found)
        assert match, f"shown: {shown}\nfound: {found}"
        for token, value in zip(tokens, match.groups(), strict=True):
            self._remember(token, value)

    def _form(self, token: re.Match[str]) -> str:
        if token["uuid"]:
            return re.escape(self.names[token[0]]) if token[0] in self.names else UUID
        if token["start"]:
            return f"v{token['version']}-{self.names.get(token['start'], '[0-9a-f]{8}')}"
        if token["line"]:
            return r"(?:.*\n)*?"
        prefix = re.match(r"c\w+_", token[0])
        return r"[\d:.TZ-]{24}" if token["time"] else (prefix[0] if prefix else "") + r"[\w~-]*"

    def _remember(self, token: re.Match[str], value: str) -> None:
        if token["uuid"]:
            self.names |= {token[0]: value, token[0][:8]: value[:8]}
        elif token["word"] and len(token[0]) > 4:
            self.names[token[0]] = value


def _without(text: str, tokens: list[re.Match[str]]) -> Iterator[str]:
    ends = [0, *(token.end() for token in tokens)]
    starts = [*(token.start() for token in tokens), len(text)]
    return (text[end:start] for end, start in zip(ends, starts, strict=True))


def _wait(url: str, key: str, started: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while started.poll() is None and time.monotonic() < deadline:
        with suppress(requests.ConnectionError):
            requests.get(url, headers={"X-API-Key": key}, timeout=10).raise_for_status()
            return
        time.sleep(0.05)
    raise AssertionError("the gateway did not start")


def _change(customers: str, key: str) -> None:
    """Give the first customer another last name."""
    headers = {"X-API-Key": key, "If-Match": "*"}
    first = requests.get(f"{customers}?size=1", headers=headers, timeout=10).json()["content"][0]
    body = {"lastName": f"{first['lastName']}-Rivera"}
    requests.patch(f"{customers}/{first['id']}", json=body, headers=headers, timeout=10).raise_for_status()


def _add_demo_customers(gateway: Gateway) -> None:
    async def add() -> None:
        async with open_store(StoreOptions(gateway.store_url, gateway.database)) as store:
            await store.customers.create_many(list(demo_customers(100)))

    asyncio.run(add())


@pytest.mark.parametrize("page", PAGES, ids=by_page)
def test_every_example_runs_and_answers_what_the_page_shows(
    page: Path, start_gateway: StartGateway, tmp_path: Path
) -> None:
    examples = blocks(page)
    if not examples:
        return
    gateway = start_gateway()
    _add_demo_customers(gateway)
    reader = Reader(gateway, tmp_path, {"cgw_…": gateway.key})
    for block in examples:
        try:
            reader.follow(block)
        except (AssertionError, KeyError, ValueError) as error:
            raise AssertionError(f"{block.place}\n{block.text}\n{error}") from error
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
