"""Relays before the members of a replica set, whose links can be made to fail in the ways that links fail."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Literal

Peer = int | Literal["gateway", "other"]
"""Who is at the near end of a link: a member by its number, the gateway, or anybody else."""
Mode = Literal["open", "refused", "held", "muted", "slow"]
"""What a link does: carries; ends and lets no new one come; holds all bytes back until it is mended, as a cable that
is pulled; loses what the member answers; carries late."""
FindPeer = Callable[[bytes, int, int], Peer]
"""Tells who connected by the first bytes that came, by the port from which, and by the port of the relay."""

SLOW: Final = 0.15
"""Seconds by which a slow link is late, in each direction."""
_RESET: Final = struct.pack("ii", 1, 0)


class _Pipe(asyncio.Protocol):
    """One end of a link: hands what comes to the link."""

    def __init__(self, link: Link, *, near: bool) -> None:
        self.link, self.near = link, near
        self.transport: asyncio.Transport | None = None
        self.waiting: deque[tuple[float, bytes]] = deque()
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self.link.began(self)

    def data_received(self, data: bytes) -> None:
        self.link.carry(self, data)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - as asyncio calls it
        self.link.ended(self)

    def reset(self) -> None:
        """End this end as a crashed machine does: what is on its way is lost, the other side sees a reset."""
        if self.transport is None or self.transport.is_closing():
            return
        with suppress(OSError):
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()

    def send(self, data: bytes) -> None:
        """Send at once, behind nothing."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)


class Link:
    """One connection through a relay: `near` is who connected, `far` the member."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.peer: Peer | None = None
        self.near = _Pipe(self, near=True)
        self.far = _Pipe(self, near=False)
        self.half_closed: list[_Pipe] = []
        self.lost = False
        relay.links.add(self)

    @property
    def mode(self) -> Mode:
        """What the link does now."""
        return "open" if self.peer is None else self.relay.mode_of(self.peer)

    def began(self, pipe: _Pipe) -> None:
        """Connect to the member once somebody has connected here, and let what came meanwhile through."""
        if pipe is self.near:
            self.relay.connect(self)
        elif self.near.transport is None or self.near.transport.is_closing():
            pipe.reset()
        else:
            self.flush()

    def carry(self, pipe: _Pipe, data: bytes) -> None:
        """Carry what came from one end to the other, late, or never."""
        if self.peer is None:
            self.peer = self.relay.recognise(self.near, data)
        mode = self.mode
        if mode == "refused":
            self.reset()
            return
        if mode == "muted" and pipe is self.far:
            self.lost = True
            return
        late = SLOW if mode == "slow" else 0.0
        pipe.waiting.append((asyncio.get_running_loop().time() + late, data))
        self.flush()

    def flush(self) -> None:
        """Send what is due, in order, unless the link holds it back."""
        if self.mode == "held" or self.far.transport is None:
            return
        now = asyncio.get_running_loop().time()
        for source, sink in ((self.near, self.far), (self.far, self.near)):
            while source.waiting and source.waiting[0][0] <= now:
                sink.send(source.waiting.popleft()[1])
            if source.waiting:
                asyncio.get_running_loop().call_at(source.waiting[0][0], self.flush)
            elif source in self.half_closed and sink.transport is not None:
                sink.transport.close()

    def ended(self, pipe: _Pipe) -> None:
        """End the other end too, once what was sent before has arrived."""
        self.half_closed.append(pipe)
        if len(self.half_closed) == 2:
            self.relay.links.discard(self)
        elif pipe.waiting or self.mode == "held":
            self.flush()
        else:
            other = self.far if pipe is self.near else self.near
            if other.transport is not None:
                other.transport.close()

    def reset(self) -> None:
        """End both ends as a broken machine in between does."""
        self.near.reset()
        self.far.reset()


@dataclass
class Relay:
    """The relay before one member: listens at `port`, carries to `target`."""

    target: int
    find_peer: FindPeer
    port: int = 0
    modes: dict[Peer, Mode] = field(default_factory=dict)
    links: set[Link] = field(default_factory=set)
    _pending: set[asyncio.Task[None]] = field(default_factory=set)

    def mode_of(self, peer: Peer) -> Mode:
        """Return what links of a peer do."""
        return self.modes.get(peer, "open")

    def recognise(self, near: _Pipe, first: bytes) -> Peer:
        """Tell who connected, by its first message or its ports."""
        assert near.transport is not None
        return self.find_peer(first, near.transport.get_extra_info("peername")[1], self.port)

    def connect(self, link: Link) -> None:
        """Connect a link to the member; where that does not listen the link is reset."""

        async def connect() -> None:
            try:
                await asyncio.get_running_loop().create_connection(lambda: link.far, "127.0.0.1", self.target)
            except OSError:
                link.near.reset()
                self.links.discard(link)

        task = asyncio.get_running_loop().create_task(connect())
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    def set(self, peers: tuple[Peer, ...], mode: Mode) -> None:
        """Let the links of some peers behave so from now on."""
        self.modes.update(dict.fromkeys(peers, mode))
        for link in list(self.links):
            if link.peer not in peers:
                continue
            if mode == "refused" or link.lost:  # after a lost answer nothing that follows could be understood
                link.reset()
            else:
                link.flush()

    def reset(self, peer: Peer) -> None:
        """Reset the links of a peer that there are now."""
        for link in list(self.links):
            if link.peer == peer:
                link.reset()


class Relays:
    """The relays before all members, in a thread with an event loop of its own."""

    def __init__(self, targets: list[int], find_peer: FindPeer) -> None:
        self.all = [Relay(target, find_peer) for target in targets]
        self._loop = asyncio.new_event_loop()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Listen until the end of the block."""
        thread = threading.Thread(target=self._loop.run_forever, name="relays", daemon=True)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
            yield
        finally:
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)
            self._loop.close()

    async def _listen(self) -> None:
        self._servers = []
        for relay in self.all:
            server = await self._loop.create_server(lambda relay=relay: Link(relay).near, "127.0.0.1", 0)  # type: ignore[misc]
            relay.port = server.sockets[0].getsockname()[1]
            self._servers.append(server)

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for relay in self.all:
            for link in list(relay.links):
                link.reset()
        await asyncio.sleep(0.05)

    def do(self, act: Callable[[], None]) -> None:
        """Do something to relays in their own thread, and return when it is done."""

        async def now() -> None:
            act()

        asyncio.run_coroutine_threadsafe(now(), self._loop).result(10)
