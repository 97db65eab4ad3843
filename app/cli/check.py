"""`gateway check`: what is wrong, and how to mend it."""

from __future__ import annotations

import asyncio
import difflib
import json
import os
import resource
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from app.cli.check_store import FREE_BYTES, check_store
from app.cli.check_transport import check_transport
from app.cli.finding import Finding
from app.cli.session import BAD_ADDRESS, OUT, emit, opened, read_settings, store_address
from app.settings import Settings
from storage.errors import BadAddress
from storage.mongod import MongodError
from storage.store import StoreOptions

_FEW_FILES: Final = 4096
_SECONDS: Final = 3.0
_COLOURS: Final = {"good": "green", "warning": "yellow", "bad": "red"}


def check(as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone.")] = False) -> None:
    """Find what is wrong, and say how to mend it: settings, port, certificate, disk, store, keys, issuer, Redis.

    Ends with 1 where something is bad.
    """
    from app.cli.check_services import check_services

    settings = read_settings()
    findings = [*check_settings(settings), *_store_findings(settings), *asyncio.run(check_services(settings))]
    if as_json:
        emit(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            _show(finding)
    if any(finding.state == "bad" for finding in findings):
        raise typer.Exit(1)


def _show(finding: Finding) -> None:
    cure = f" → {finding.cure}" if finding.cure and finding.state != "good" else ""
    told = escape(f"{finding.subject}: {finding.found}{cure}")
    OUT.print(f"[{_COLOURS[finding.state]}]{finding.state:8}[/] {told}", highlight=False, soft_wrap=True)


def check_settings(settings: Settings) -> Iterator[Finding]:
    """Look at what can be seen without the store."""
    yield from _unknown_names()
    yield from check_transport(settings)
    yield _open_files()
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


def _open_files() -> Finding:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most != resource.RLIM_INFINITY and most < _FEW_FILES:
        cure = "raise it (ulimit -Hn, or LimitNOFILE of systemd): each connection needs one"
        return Finding("open files", "warning", f"this process may have {most}", cure)
    return Finding("open files", "good", "enough for thousands of connections")


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
    if free < FREE_BYTES:
        return Finding("disk", "bad", found, "free at least 1 GiB or set GATEWAY_DATA_DIR")
    return Finding("disk", "good", found)


def _store_findings(settings: Settings) -> list[Finding]:
    async def look(url: str) -> list[Finding]:
        options = StoreOptions(url, settings.mongodb_database, settings.mongodb_driver, timeout=_SECONDS)
        async with opened(options) as store:
            return await check_store(store, settings)

    try:
        with store_address(settings) as url:
            return asyncio.run(look(url))
    except MongodError as error:
        return [Finding("store", "bad", "the embedded MongoDB does not start", str(error))]
    except BadAddress:
        return [Finding("store", "bad", "its address is wrong", BAD_ADDRESS)]
