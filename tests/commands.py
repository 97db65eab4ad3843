"""The real `gateway` command for tests: run to its end, or started and stopped, each in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.forks import forks

COMMAND = (sys.executable, "-m", "app.cli.main")


def until(condition: Callable[[], object], seconds: float = 20, what: str = "it") -> None:
    """Return once the condition is true; fail where that takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.02)


def environment(folder: Path, **settings: object) -> dict[str, str]:
    """Return an environment of the gateway's own: its data below `folder`, and just these settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "COV_CORE"))}
    named = {f"GATEWAY_{name.upper()}": str(value) for name, value in settings.items()}
    return {**kept, "HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"), "NO_COLOR": "1", **named}


def gateway(folder: Path, *words: str, env: dict[str, str] | None = None, **settings: object) -> Ended:
    """Run a command to its end, outside of the source tree."""
    chosen = {**environment(folder, **settings), **(env or {})}
    if not env or all(name.startswith("GATEWAY_") for name in env):  # others may be read by an import
        return Ended(*forks().run(words, folder, chosen, timeout=60))
    done = subprocess.run(
        [*COMMAND, *words], cwd=folder, env=chosen, capture_output=True, text=True, timeout=60, check=False
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return what a command that went well printed, all of which is JSON."""
        assert self.code == 0, self.err
        return json.loads(self.out)


@dataclass(frozen=True)
class Started:
    """A gateway that runs as a process of its own."""

    process: subprocess.Popen[bytes]
    folder: Path
    env: dict[str, str]

    @property
    def out(self) -> str:
        """What it wrote to standard output so far."""
        return (self.folder / "out").read_text()

    @property
    def err(self) -> bytes:
        """What it wrote to standard error so far."""
        return (self.folder / "err").read_bytes()

    def log(self) -> list[dict[str, Any]]:
        """Return the log, each line of which must be an object of JSON."""
        return [json.loads(line) for line in self.err.split(b"\n")[:-1]]

    @property
    def url(self) -> str:
        """The address that the log names."""
        found = [entry["url"] for entry in self.log() if entry["message"] == "Listening"]
        return str(found[0])

    def client(self, key: str | None = None) -> httpx2.Client:
        """Return a client, with an API key or without."""
        headers = {"X-API-Key": key} if key else {}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=20)

    def run(self, *words: str) -> Ended:
        """Run another command beside it, with the same settings."""
        return gateway(self.folder, *words, env=self.env)

    def wait_ready(self, verify: ssl.SSLContext | bool = True) -> None:
        """Return once it says that it is ready."""
        until(lambda: b'"Listening"' in self.err or self.ended(), 40, "listening")
        until(lambda: self._is_ready(verify) or self.ended(), 40, "being ready")
        assert not self.ended(), self.err.decode()

    def _is_ready(self, verify: ssl.SSLContext | bool) -> bool:
        try:
            return httpx2.get(f"{self.url}/health/ready", verify=verify, timeout=5).status_code == 200
        except httpx2.TransportError:
            return False

    def ended(self) -> bool:
        """Tell whether the process has ended."""
        return self.process.poll() is not None

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)


def _heed_ctrl_c() -> None:
    """Let SIGINT stop a command: what a shell starts in the background, as it may these tests, ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def started(
    folder: Path,
    *words: str,
    env: dict[str, str] | None = None,
    command: tuple[str, ...] = COMMAND,
    **settings: object,
) -> Iterator[Started]:
    """Start a command; whatever it started has ended too at the end of the block."""
    chosen = {**environment(folder, **settings), **(env or {})}
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(
            [*command, *words],
            cwd=folder,
            env=chosen,
            stdin=subprocess.DEVNULL,
            preexec_fn=_heed_ctrl_c,  # noqa: PLW1509 - nothing else runs between fork and exec
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    try:
        yield Started(process, folder, chosen)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its own group: the workers too
        process.wait(20)
        until(lambda: not processes_of(folder), 20, "the end of its processes")


@contextmanager
def serving(folder: Path, *words: str, command: tuple[str, ...] = COMMAND, **settings: Any) -> Iterator[Started]:
    """Run `gateway serve` on a free port until the end of the block."""
    with started(folder, "serve", "--port", "0", *words, command=command, **settings) as server:
        server.wait_ready()
        yield server


def processes_of(folder: Path) -> list[int]:
    """Return the living processes whose command line names the folder: keepers and mongods."""
    return [pid for pid in _processes() if f"{folder}/" in command_line(pid) and alive(pid)]


def mongods_of(folder: Path) -> list[int]:
    """Return the living mongods of the folder."""
    return [pid for pid in processes_of(folder) if "--dbpath" in command_line(pid)]


def children_of(parent: int) -> list[int]:
    """Return the living children of a process."""
    return [pid for pid in _processes() if _stat(pid)[1:2] == [str(parent)] and alive(pid)]


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and is not yet waited for does not."""
    return _stat(pid)[:1] not in ([], ["Z"])


def command_line(pid: int) -> str:
    """Return the words of a process, separated by blanks; nothing once it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
    return ""


def _stat(pid: int) -> list[str]:
    """Return state, parent and so on of a process."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []


def _processes() -> list[int]:
    return [
        int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and entry.name != str(os.getpid())
    ]
