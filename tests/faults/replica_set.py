"""A replica set of three real mongods on loopback, which know each other by the addresses of relays."""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bson import ObjectId
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from storage.mongod import find_mongod
from storage.mongod_spawn import environment, tie_to_parent
from tests.commands import until
from tests.faults.relay import Mode, Peer, Relay, Relays

ELECTION: Final = 1000
"""Milliseconds without a primary after which the others elect one."""
HEARTBEAT: Final = 250
"""Milliseconds between two heartbeats; with the default, 2000, a set that elects so soon deposes primaries in vain."""
ROLES: Final = {"writing": ["readWriteAnyDatabase", "dbAdminAnyDatabase"], "reading": ["readAnyDatabase"]}
_NAME: Final = "faults"
_PORTS: Final = range(20_000, 32_000)
"""Below those that Linux gives to connections: such a one could take the port of a server that is killed."""
_GATEWAY: Final = b"customer-gateway"
_PASSWORD: Final = "loopback-only"
_KEY: Final = "bG9vcGJhY2sgb25seSwgYW5kIG9ubHkgZm9yIHRlc3Rz"
_SOCKET: Final = re.compile(r"socket:\[(\d+)\]")

Client = MongoClient[dict[str, Any]]


def free_port() -> int:
    """Return a port that nobody listens at, and that no connection from here gets while its server is away."""
    while True:
        with suppress(OSError), socket.create_server(("127.0.0.1", secrets.choice(_PORTS)), reuse_port=False) as free:
            return int(free.getsockname()[1])


@dataclass
class Member:
    """One mongod, in a folder of its own."""

    number: int
    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    stopped: bool = False
    relay: Relay = field(init=False)
    client: Client = field(init=False)

    def start(self) -> None:
        """Start it; it may take some seconds until it answers."""
        self.folder.mkdir(exist_ok=True)
        key = self.folder / "key"
        if not key.exists():
            key.touch(mode=0o600)
            key.write_text(_KEY)
        options: dict[str, object] = {
            "--dbpath": self.folder, "--port": self.port, "--bind_ip": "127.0.0.1", "--replSet": _NAME,
            "--keyFile": key, "--wiredTigerCacheSizeGB": 0.25, "--oplogSize": 512, "--syncdelay": 5,
        }  # fmt: skip
        words = [str(word) for option in options.items() for word in option]
        switches = ["--noscripting", "--nounixsocket", "--quiet"]
        parameters = {
            "diagnosticDataCollectionEnabled": "false",
            "scramSHA256IterationCount": "5000",
            "oplogNetworkTimeoutBufferSeconds": "1",  # else a majority may lack for six seconds after an election
        }
        switches += [word for item in parameters.items() for word in ("--setParameter", "=".join(item))]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(find_mongod()), *words, *switches],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(),
                preexec_fn=tie_to_parent(),  # noqa: PLW1509 - started from the main thread, before others matter
            )

    @property
    def runs(self) -> bool:
        """Whether its process lives."""
        return self.process is not None and self.process.poll() is None

    def signal(self, number: int) -> None:
        """Send its process a signal."""
        assert self.process is not None
        self.stopped = number == signal.SIGSTOP
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait(20)

    def hello(self) -> Mapping[str, Any]:
        """Return what it says of itself; nothing where it does not answer."""
        if not self.runs or self.stopped:
            return {}
        try:
            return self.client.admin.command("hello")
        except PyMongoError:
            return {}

    @property
    def is_primary(self) -> bool:
        """Whether it takes writes now."""
        return bool(self.hello().get("isWritablePrimary"))

    def state(self) -> str:
        """Return what it is, what it thinks of the others, and the end of its log."""
        assert self.process is not None
        said: object = f"ended with {self.process.poll()}"
        if self.runs:
            try:
                said = self.client.admin.command("replSetGetStatus")
            except PyMongoError as error:
                said = error
        links = [(link.peer, link.mode) for link in list(self.relay.links)]
        log = (self.folder / "log").read_text(errors="replace")[-20_000:]
        return f"member {self.number}: {said}\nlinks to it: {links}\n{log}"

    def sockets(self) -> set[str]:
        """Return the inodes of the sockets that its process holds."""
        found = set()
        assert self.process is not None
        with suppress(OSError):
            for entry in Path(f"/proc/{self.process.pid}/fd").iterdir():
                with suppress(OSError):
                    if match := _SOCKET.match(os.readlink(entry)):  # noqa: PTH115 - it is no path
                        found.add(match[1])
        return found


class ReplicaSet:
    """Three members; the relays in front of them tell the gateway from the members, and these apart."""

    def __init__(self, folders: list[Path]) -> None:
        self.members = [Member(number, folder) for number, folder in enumerate(folders)]
        self.relays = Relays([member.port for member in self.members], self._peer)
        for member, relay in zip(self.members, self.relays.all, strict=True):
            member.relay = relay

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the set until the end of the block; it has a primary and a user when that begins."""
        with self.relays.running():
            try:
                for member in self.members:
                    member.start()
                    member.client = self._client(member, socketTimeoutMS=500)
                self._initiate()
                yield
            finally:
                for member in self.members:
                    member.client.close()
                    if member.runs:
                        member.signal(signal.SIGCONT)
                        member.kill()

    @property
    def url(self) -> str:
        """The address for the gateway: the relays."""
        hosts = ",".join(f"127.0.0.1:{relay.port}" for relay in self.relays.all)
        return f"mongodb://gateway:{_PASSWORD}@{hosts}/?replicaSet={_NAME}&authSource=admin"

    def witness(self) -> Client:
        """Return a client that no fault of a link concerns: it speaks to the primary directly."""
        return self._client(self.wait_primary()[1])

    def primary(self, after: ObjectId | None = None) -> tuple[ObjectId, Member] | None:
        """Return the newest election and the member that it made primary, where that is after another election."""
        said = [(member.hello(), member) for member in self.members]
        primaries = [(one["electionId"], member) for one, member in said if one.get("isWritablePrimary")]
        newest = max(primaries, key=lambda one: one[0], default=None)
        return None if newest is None or (after is not None and newest[0] <= after) else newest

    def wait_primary(self, after: ObjectId | None = None, seconds: float = 180) -> tuple[ObjectId, Member]:
        """Return the newest election and its primary once there is one."""
        deadline = time.monotonic() + seconds
        while (found := self.primary(after)) is None:
            assert time.monotonic() < deadline, f"no primary within {seconds} s: {self.state()}"
            time.sleep(0.02)
        return found

    def state(self) -> str:
        """Return what each member is, thinks of the others and logged last; for whoever looks for a fault."""
        return "\n".join(member.state() for member in self.members)

    def wait_writes(self, after: ObjectId | None = None) -> float:
        """Return the moment when a majority has taken a write, which nothing but MongoDB itself has to do with."""
        while True:
            with suppress(PyMongoError), self._client(self.wait_primary(after)[1]) as client:
                client["faults"]["writes"].insert_one({})
                return time.monotonic()

    def wait_whole(self, seconds: float = 60) -> None:
        """Return when there is one primary and all others follow it."""

        def whole() -> bool:
            said = [member.hello() for member in self.members]
            primaries = sum(bool(one.get("isWritablePrimary")) for one in said)
            return primaries == 1 and sum(bool(one.get("secondary")) for one in said) == len(said) - 1

        until(whole, seconds, "the set being whole")

    def others(self, member: Member) -> list[Member]:
        """Return all members but one."""
        return [one for one in self.members if one is not member]

    def links(self, member: Member, peers: tuple[Peer, ...], mode: Mode) -> None:
        """Let the links of some peers to a member behave so."""
        self.relays.do(lambda: member.relay.set(peers, mode))

    def isolate(self, member: Member, mode: Mode, *, gateway: bool) -> None:
        """Let all links between a member and the others behave so, with `gateway` those from the gateway too."""
        numbers = tuple(one.number for one in self.others(member))
        self.links(member, (*numbers, "gateway") if gateway else numbers, mode)
        for one in self.others(member):
            self.links(one, (member.number,), mode)

    def allow(self, role: str) -> None:
        """Give the gateway's user the rights of `ROLES`, at once."""
        with self.witness() as client:
            client.admin.command("updateUser", "gateway", roles=ROLES[role])

    def step_down(self, member: Member) -> None:
        """Let a primary step down in favour of the others."""
        with suppress(PyMongoError), self._client(member) as client:
            client.admin.command("replSetStepDown", 10, secondaryCatchUpPeriodSecs=5)

    def make_primary(self, member: Member) -> None:
        """Let a member become primary."""

        def elected() -> bool:
            if member.is_primary:
                return True
            with suppress(PyMongoError), self._client(member) as client:
                client.admin.command("replSetStepUp")
            return member.is_primary

        until(elected, 30, "the election of a chosen member")

    def _client(self, member: Member, **options: Any) -> Client:
        return MongoClient(
            "127.0.0.1", member.port, directConnection=True, username="__system", password=_KEY, authSource="local",
            authMechanism="SCRAM-SHA-256", serverSelectionTimeoutMS=options.get("socketTimeoutMS", 10_000),
            heartbeatFrequencyMS=500, w="majority", **options,
        )  # fmt: skip

    def _initiate(self) -> None:
        hosts = [{"_id": one.number, "host": f"127.0.0.1:{one.relay.port}"} for one in self.members]
        settings = {"electionTimeoutMillis": ELECTION, "heartbeatIntervalMillis": HEARTBEAT}
        config = {"_id": _NAME, "members": hosts, "settings": settings}
        for member in self.members:
            until(lambda member=member: self._listens(member), 30, "a mongod's start")  # type: ignore[misc]
        with self._client(self.members[0]) as client:
            client.admin.command("replSetInitiate", config)
        with self.witness() as client:
            client.admin.command("createUser", "gateway", pwd=_PASSWORD, roles=ROLES["writing"])
        self.wait_whole()

    def _listens(self, member: Member) -> bool:
        assert member.runs, (member.folder / "log").read_text()[-2000:]
        with suppress(OSError), socket.create_connection(("127.0.0.1", member.port), 1):
            return True
        return False

    def _peer(self, first: bytes, near: int, far: int) -> Peer:
        """Tell who connected: the gateway introduces itself, and the ports say which member it is (on Linux)."""
        if _GATEWAY in first:
            return "gateway"
        inode = _inode_of(near, far)
        for member in self.members:
            if member.runs and inode in member.sockets():
                return member.number
        return "other"


def _inode_of(near: int, far: int) -> str:
    """Return the inode of the connection from one port to another; connections to several servers may share one."""
    with suppress(OSError):
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            words = line.split()
            ports = [int(address.rpartition(":")[2], 16) for address in words[1:3]]
            if ports == [near, far] and words[9] != "0":
                return words[9]
    return ""
