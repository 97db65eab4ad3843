"""Running the server: one process or several workers, with our own logs."""

from __future__ import annotations

import ctypes
import ipaddress
import os
import signal
import sys
from contextlib import suppress
from typing import Any, Final

import uvicorn

from app.cli.session import fail
from app.settings import Settings

FACTORY: Final = "app.cli.server:worker_app"
_GRACE_SECONDS: Final = 10
_KEEP_ALIVE_SECONDS: Final = 20
_PR_SET_PDEATHSIG: Final = 1


def check_transport(settings: Settings, *, insecure: bool) -> None:
    """End the command unless the address is local, or the transport secure (CRM API Guidelines, Security)."""
    if (settings.tls_cert is None) != (settings.tls_key is None):
        fail("set both GATEWAY_TLS_CERT and GATEWAY_TLS_KEY, or neither.")
    for path in (settings.tls_cert, settings.tls_key):
        if path is not None and not path.is_file():
            fail(f"there is no file {path}.")
    if insecure or is_local(settings.host) or settings.tls_cert or settings.trusted_proxies:
        return
    fail(
        f"{settings.host} is not a local address, so HTTPS is needed: set GATEWAY_TLS_CERT and GATEWAY_TLS_KEY, "
        "or GATEWAY_TRUSTED_PROXIES where a proxy ends TLS, or say --insecure."
    )


def is_local(host: str) -> bool:
    """Tell whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def hand_over(settings: Settings, mongodb_url: str) -> None:
    """Put the settings where worker processes read them."""
    for name, value in settings.model_dump(exclude_none=True, exclude_defaults=True).items():
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        os.environ[f"GATEWAY_{name.upper()}"] = text
    os.environ["GATEWAY_MONGODB_URL"] = mongodb_url


def run(settings: Settings, mongodb_url: str, *, reload: bool = False) -> None:
    """Serve until told to stop (SIGINT, SIGTERM); running requests get `_GRACE_SECONDS` to end."""
    hand_over(settings, mongodb_url)
    uvicorn.run(FACTORY, factory=True, workers=settings.workers, reload=reload, **_options(settings))


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "host": settings.host,
        "port": settings.port,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": _GRACE_SECONDS,
        "timeout_keep_alive": _KEEP_ALIVE_SECONDS,
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": ",".join(settings.trusted_proxies) or None,
        "ssl_certfile": str(settings.tls_cert) if settings.tls_cert else None,
        "ssl_keyfile": str(settings.tls_key) if settings.tls_key else None,
    }


def worker_app() -> Any:
    """Return the application of one worker process, which ends when its parent does."""
    from app.main import create_app

    if os.environ.get("GATEWAY_WORKERS", "1") != "1":
        _end_with_parent()
    return create_app()


def _end_with_parent() -> None:
    """On Linux ask the kernel for SIGTERM when the parent dies; elsewhere the parent's own end has to do."""
    if sys.platform == "linux":
        with suppress(OSError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
