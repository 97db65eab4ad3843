"""`gateway check`: what is wrong, and how to mend it."""

from __future__ import annotations

import difflib
import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from app.settings import Settings, is_loopback
from resolvers.context import utc_now
from storage.errors import StoreError
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
    yield from _unknown_names()
    yield _transport(settings)
    yield _port(settings)
    if settings.trusted_documents:
        yield _documents(settings.trusted_documents)
    if settings.mongodb_url is None:
        yield _disk(settings)


def _unknown_names() -> Iterator[Finding]:
    known = {f"GATEWAY_{name.upper()}" for name in Settings.model_fields}
    for name in sorted(name for name in os.environ if name.startswith("GATEWAY_") and name not in known):
        near = difflib.get_close_matches(name, sorted(known), n=1)
        cure = f"did you mean {near[0]}?" if near else "take it out; the names are in docs/settings.md"
        yield Finding("settings", "warning", f"there is no setting {name}", cure)


def _transport(settings: Settings) -> Finding:
    if (settings.tls_cert is None) != (settings.tls_key is None):
        cure = "set both GATEWAY_TLS_CERT and GATEWAY_TLS_KEY, or neither"
        return Finding("transport", "bad", "a certificate without its key, or a key without its certificate", cure)
    if settings.tls_cert or settings.trusted_proxies:
        return Finding("transport", "good", "TLS here or at a trusted proxy")
    if is_loopback(settings.host):
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


def _documents(path: Path) -> Finding:
    from app.graphql.persisted import BadDocuments, read_trusted

    try:
        return Finding("trusted documents", "good", f"{len(read_trusted(path))} run, and no other")
    except BadDocuments as error:
        return Finding("trusted documents", "bad", str(error), "mend the file that GATEWAY_TRUSTED_DOCUMENTS names")


def _disk(settings: Settings) -> Finding:
    folder = settings.data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    found = f"{free // 1024**2} MiB free for {settings.data_dir}"
    if free < _FREE_BYTES:
        return Finding("disk", "bad", found, "free at least 1 GiB or set GATEWAY_DATA_DIR")
    return Finding("disk", "good", found)


def _indexes(missing: list[str]) -> Finding:
    if missing:
        found = f"missing: {', '.join(missing)}"
        return Finding("indexes", "warning", found, "gateway indexes makes them, and so does the next start")
    return Finding("indexes", "good", "all stand")


async def check_store(store: Store, settings: Settings) -> list[Finding]:
    """Look at the store: does it answer, has it its indexes, are there keys, can this gateway sign."""
    try:
        await store.ping()
        missing = await store.missing_indexes()
        keys = await store.keys.list()
        signing = await _signing(store, settings)
    except StoreError:
        cure = "is MongoDB running as a replica set, and GATEWAY_MONGODB_URL right?"
        return [Finding("store", "bad", "no primary answers", cure)]
    now = datetime.now(UTC)
    usable = [key for key in keys if key.works(now)]
    return [
        Finding("store", "good", "a primary answers"),
        _indexes(missing),
        Finding("keys", "good", f"{len(usable)} of {len(keys)} work")
        if usable
        else Finding(
            "keys", "warning", "there is none that works", "gateway keys create --name … --scope customers:read"
        ),
        signing,
    ]


async def _signing(store: Store, settings: Settings) -> Finding:
    from app.auth.signing import SEALED_CURE, SealedKey, SigningKeys

    subject = "signing keys"
    try:
        await SigningKeys.of(store.signing_keys, utc_now, settings.store_secret).check()
    except SealedKey as error:
        return Finding(subject, "bad", str(error), SEALED_CURE)
    if settings.mongodb_url and not settings.store_secret:
        return Finding(subject, "warning", "they lie unsealed in the store", "set GATEWAY_STORE_SECRET")
    return Finding(subject, "good", "this gateway can sign")
