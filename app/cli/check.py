"""`gateway check`: what is wrong, and how to mend it."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from app.cli.server import is_local
from app.settings import Settings
from storage.errors import StoreError
from storage.indexes import INDEXES
from storage.store import Store

State = Literal["good", "warning", "bad"]
_FREE_BYTES = 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `cure` says what to do where it is not good."""

    subject: str
    state: State
    found: str
    cure: str = ""


def check_settings(settings: Settings) -> Iterator[Finding]:
    """Look at what can be seen without the store."""
    yield _transport(settings)
    yield _port(settings)
    if settings.mongodb_url is None:
        yield _disk(settings)


def _transport(settings: Settings) -> Finding:
    if settings.tls_cert or settings.trusted_proxies:
        return Finding("transport", "good", "TLS here or at a trusted proxy")
    if is_local(settings.host):
        return Finding("transport", "good", f"{settings.host} is local")
    cure = "set GATEWAY_TLS_CERT and GATEWAY_TLS_KEY, or GATEWAY_TRUSTED_PROXIES"
    return Finding("transport", "bad", f"{settings.host} is not local and has no TLS", cure)


def _port(settings: Settings) -> Finding:
    address = f"{settings.host}:{settings.port}"
    try:
        with socket.create_connection((settings.host, settings.port), timeout=0.5):
            cure = "fine if it is this gateway; else stop it or set GATEWAY_PORT"
            return Finding("port", "warning", f"something listens at {address}", cure)
    except OSError:
        return Finding("port", "good", f"{address} is free")


def _disk(settings: Settings) -> Finding:
    folder = settings.data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    found = f"{free // 1024**2} MiB free for {settings.data_dir}"
    if free < _FREE_BYTES:
        return Finding("disk", "bad", found, "free at least 1 GiB or set GATEWAY_DATA_DIR")
    return Finding("disk", "good", found)


async def check_store(store: Store) -> list[Finding]:
    """Look at the store: does it answer, has it its indexes, are there keys."""
    try:
        await store.ping()
        made = set(await store.ensure_indexes())
        keys = await store.keys.list()
    except StoreError:
        cure = "is MongoDB running as a replica set, and GATEWAY_MONGODB_URL right?"
        return [Finding("store", "bad", "no primary answers", cure)]
    wanted = {f"{collection}.{model.document['name']}" for collection, models in INDEXES.items() for model in models}
    usable = [key for key in keys if key.revokedAt is None]
    return [
        Finding("store", "good", "a primary answers"),
        Finding("indexes", "good" if wanted <= made else "bad", f"{len(made)} stand", "run gateway indexes"),
        Finding("keys", "good", f"{len(usable)} not revoked")
        if usable
        else Finding("keys", "warning", "there is none", "gateway keys create --name … --scope customers:read"),
    ]
