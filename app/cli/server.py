"""Running the server: one process or several workers, with our own logs."""

from __future__ import annotations

import asyncio
import ctypes
import multiprocessing
import os
import signal
import socket
import ssl
import sys
import time
from contextlib import nullcontext, suppress
from importlib.util import find_spec
from types import FrameType
from typing import Any, Final, NoReturn

import structlog
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import ChangeReload, Multiprocess
from uvicorn.supervisors.multiprocess import Process

from app.cli.listener import close_queue
from app.cli.memory import place_large_buffers, settled
from app.cli.session import fail
from app.limits.table import table_file
from app.observe.logs import adopt_strays, configure
from app.observe.workers import shared_folder
from app.settings import Settings, is_loopback

FACTORY: Final = "app.cli.server:worker_app"
_GRACE_SECONDS: Final = 10
_TAKEN_IN_SECONDS: Final = 0.05
"""How long whoever has connected is accepted, once nobody else can."""
_KEEP_ALIVE_SECONDS: Final = 20
_WORKER_SECONDS: Final = 20
"""How long a worker may take to start where it stands in for another, and to say that it is alive."""
_OPEN_FILES: Final = 65_536
_PR_SET_PDEATHSIG: Final = 1


class Server(uvicorn.Server):
    """uvicorn's server, which ends well when it is told to end: a clean stop is no failure."""

    stopped_early = False
    """Whether it was told to end before it had started; uvicorn may then call the start itself a failure."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - as uvicorn calls it
        """Stop gracefully; at once where it has not started yet, or at the second Ctrl-C."""
        if not self.started:
            self.stopped_early = True
            sys.exit(0)
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, but first take in those who have connected already: the system would reset their connections.

        The socket of a parent process is left as it is: another one will serve there.
        """
        if multiprocessing.parent_process() is None:
            close_queue(sockets or [])
            await asyncio.sleep(_TAKEN_IN_SECONDS)
        await super().shutdown(sockets)


class Workers(Multiprocess):
    """uvicorn's parent of workers, which lets go of the socket before them: what nobody accepts is to be refused.

    Once the gateway has served, a worker that fails to start is started again. What failed then worked before: the
    store is away, and the other workers must not end for that.
    """

    _served = False

    def keep_subprocess_alive(self) -> None:
        """Start what has ended again."""
        self._served = self._served or any(map(self._serves, self.processes))
        before = self.should_exit.is_set()
        super().keep_subprocess_alive()
        if self._served and self.should_exit.is_set() and not before:  # uvicorn gives up for a start that failed
            self.should_exit.clear()
            self._start_again()

    def _start_again(self) -> None:
        for place, process in enumerate(self.processes):
            if process.exitcode == STARTUP_FAILURE:
                structlog.get_logger().warning("A worker could not be started: it is started again")
                self.processes[place] = Process(self.config, self.sockets)
                self.processes[place].start()

    def _serves(self, process: Process) -> bool:
        # Waited for as long as uvicorn does: an answer that came too late would be taken for the next one's.
        return process.process.is_alive() and process.is_ready(self.config.timeout_worker_healthcheck)

    def handle_term(self) -> None:
        """End at SIGTERM."""
        self._let_go()
        super().handle_term()

    def handle_int(self) -> None:
        """End at Ctrl-C."""
        self._let_go()
        super().handle_int()

    def _let_go(self) -> None:
        self._end_starting()
        close_queue(self.sockets)
        time.sleep(_TAKEN_IN_SECONDS)
        for listener in self.sockets:
            listener.close()

    def _end_starting(self) -> None:
        """End workers that do not serve yet: they accept nobody, and hold the socket for as long as they start."""
        for process in self.processes:
            if not self._serves(process):
                process.process.kill()


def check_transport(settings: Settings, *, insecure: bool) -> None:
    """End the command unless the address is local, or the transport secure (CRM API Guidelines, Security)."""
    if (settings.tls_cert is None) != (settings.tls_key is None):
        fail("set both GATEWAY_TLS_CERT and GATEWAY_TLS_KEY, or neither.")
    _check_certificate(settings)
    if insecure or is_loopback(settings.host) or settings.tls_cert or settings.trusted_proxies:
        return
    fail(
        f"{settings.host} is not a local address, so HTTPS is needed: set GATEWAY_TLS_CERT and GATEWAY_TLS_KEY, "
        "or GATEWAY_TRUSTED_PROXIES where a proxy ends TLS, or say --insecure."
    )


def check_documents(settings: Settings) -> None:
    """End the command where there is a file of trusted documents and it cannot be used."""
    from app.graphql.persisted import BadDocuments, read_trusted

    try:
        if settings.trusted_documents:
            read_trusted(settings.trusted_documents)
    except BadDocuments as error:
        fail(f"GATEWAY_TRUSTED_DOCUMENTS: {error}.")


def check_traces(settings: Settings) -> None:
    """End the command where traces are wanted and what makes them is not installed."""
    if settings.otel_endpoint is not None and find_spec("opentelemetry") is None:
        fail("GATEWAY_OTEL_ENDPOINT needs OpenTelemetry: pip install 'customer-gateway[otel]'.")


def _check_certificate(settings: Settings) -> None:
    if settings.tls_cert is None or settings.tls_key is None:
        return
    for path in (settings.tls_cert, settings.tls_key):
        if not path.is_file():
            fail(f"there is no file {path}.")
    try:
        # Without an answer of ours OpenSSL would ask the terminal for a password.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password=lambda: "")
    except (OSError, ValueError):
        fail("GATEWAY_TLS_CERT and GATEWAY_TLS_KEY must be a certificate and its unencrypted key, in PEM.")


def end_when_told() -> None:
    """Make SIGTERM end the process cleanly until the server listens to it itself.

    As the first process of a container it would else be ignored.
    """

    def end(_signal: int, _frame: FrameType | None) -> NoReturn:
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)


def log_as_json(settings: Settings) -> None:
    """From here on write nothing but JSON lines on standard error."""
    configure(settings.log_level)
    adopt_strays()


def hand_over(settings: Settings, mongodb_url: str) -> None:
    """Put the settings where worker processes read them."""
    for name, value in settings.model_dump(exclude_none=True).items():
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        os.environ[f"GATEWAY_{name.upper()}"] = text
    os.environ["GATEWAY_MONGODB_URL"] = mongodb_url


def raise_open_files() -> None:
    """Let this process, and the workers after it, open as many files as they may: each connection is one."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def run(settings: Settings, listener: socket.socket, mongodb_url: str, *, reload: bool = False) -> None:
    """Serve until told to stop (SIGINT, SIGTERM); running requests get `_GRACE_SECONDS` to end."""
    several = settings.workers > 1
    with table_file() if several else nullcontext() as table, shared_folder() if several else nullcontext() as folder:
        hand_over(settings.model_copy(update={"limits_table": table, "metrics_folder": folder}), mongodb_url)
        log_as_json(settings)
        raise_open_files()
        structlog.get_logger().info("Listening", url=settings.local_url())
        config = uvicorn.Config(FACTORY, factory=True, workers=settings.workers, reload=reload, **_options(settings))
        if not _run(config, listener):
            sys.exit(1)


def _run(config: uvicorn.Config, listener: socket.socket) -> bool:
    """Serve, and tell whether the application could be started."""
    server = Server(config)
    if config.should_reload:
        ChangeReload(config, target=server.run, sockets=[listener]).run()
        return True
    if config.workers > 1:
        parent = Workers(config, sockets=[listener])
        parent.run()
        return all(process.exitcode != STARTUP_FAILURE for process in parent.processes)
    try:
        server.run(sockets=[listener])
    except SystemExit as end:  # uvicorn's own where the application does not start, or ours
        return server.stopped_early or end.code == 0
    return True


def _options(settings: Settings) -> dict[str, Any]:
    from app.graphql.conversation import MAX_MESSAGE

    return {
        "http": "app.http.wire:GatewayProtocol",
        "ws": "app.http.sockets:SocketProtocol",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "date_header": False,  # the edge tells it, by the clock of Expires
        "timeout_graceful_shutdown": _GRACE_SECONDS,
        "timeout_keep_alive": _KEEP_ALIVE_SECONDS,
        "timeout_worker_healthcheck": _WORKER_SECONDS,
        "ws_max_size": MAX_MESSAGE,
        "ws_per_message_deflate": False,  # events are small, and secrets are not to be guessed by their length
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": ",".join(settings.trusted_proxies) or None,
        "ssl_certfile": str(settings.tls_cert) if settings.tls_cert else None,
        "ssl_keyfile": str(settings.tls_key) if settings.tls_key else None,
    }


def worker_app() -> Any:
    """Return the application of one process; a worker's ends when its parent does."""
    from app.main import create_app

    if (parent := multiprocessing.parent_process()) is not None:
        adopt_strays()
        _end_with_parent(parent.pid)
    place_large_buffers()
    app = create_app()
    app.router.lifespan_context = settled(app.router.lifespan_context)
    return app


def _end_with_parent(parent: int | None) -> None:
    """On Linux ask the kernel for SIGTERM when the parent dies; elsewhere the parent's own end has to do."""
    if sys.platform == "linux":
        with suppress(OSError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit(1)
