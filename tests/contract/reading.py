"""Somebody who reads a page of the documentation, types in its examples, and compares what comes."""

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

import requests
import yaml

from app.cli.demo import demo_customers
from app.settings import Settings
from storage.store import StoreOptions, open_store
from tests.harness import Gateway

ROOT = Path(__file__).parents[2]
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
gateway() { case "$1" in serve|dev) command gateway "$@" --help >/dev/null ;; *) command gateway "$@" ;; esac; }
make() { for target; do grep -q "^$target:.*## " "$ROOT/Makefile"; done; }
docker() { [ "$1 $2" = "compose -f" ] && [ -f "$ROOT/$3" ]; }
[ ! -f .variables ] || . ./.variables
"""
KEPT = """declare -p | grep -v '^declare -[[:alnum:]]*[rAa]\\|^declare -[^ ]* BASH' > .variables"""
"""Variables last for the page, as in a shell: programs see only those that the page exports."""


@dataclass(frozen=True)
class Block:
    """A fenced block and where it begins."""

    place: str
    language: str
    title: str
    text: str


def blocks(page: Path) -> list[Block]:
    """Return all fenced blocks of a page."""
    return blocks_of(page.read_text(encoding="utf-8"), page.name)


def blocks_of(text: str, name: str, line: int = 1) -> list[Block]:
    """Return all fenced blocks of a text that begins at a line of a page."""
    found = [
        Block(f"{name}:{text.count(chr(10), 0, match.start()) + line}", match[1], match[2] or "", match[3])
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
        """Do what a block says, or compare its answer.

        Raises:
            AssertionError: what comes is not what the page shows; it names the block.
        """
        try:
            self._follow(block)
        except (AssertionError, KeyError, ValueError) as error:
            raise AssertionError(f"{block.place}\n{block.text}\n{error}") from error

    def _follow(self, block: Block) -> None:
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
        script = f"{PRELUDE}{self.real(block.text)}\n{KEPT}"
        self.answer = self._ran(["bash", "-c", script])

    def _python(self, block: Block) -> None:
        script = f'{PRELUDE}exec "$0" -c "$1"'
        self.answer = self._ran(["bash", "-c", script, sys.executable, self.real(block.text)])

    def _js(self, block: Block) -> None:
        assert block.title, "a file, which a bash block runs"

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
        """Run a gateway for a read, and for a change where it only serves; return what it wrote.

        It wrote as if it had listened where the page says.
        """
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


def add_demo_customers(gateway: Gateway) -> None:
    async def add() -> None:
        async with open_store(StoreOptions(gateway.store_url, gateway.database)) as store:
            await store.customers.create_many(list(demo_customers(100)))

    asyncio.run(add())


def _change(customers: str, key: str) -> None:
    """Give the first customer another last name."""
    headers = {"X-API-Key": key, "If-Match": "*"}
    first = requests.get(f"{customers}?size=1", headers=headers, timeout=10).json()["content"][0]
    body = {"lastName": f"{first['lastName']}-Rivera"}
    requests.patch(f"{customers}/{first['id']}", json=body, headers=headers, timeout=10).raise_for_status()
