"""`gateway`: serve, dev, keys, demo, check and the documents."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.markup import escape

from app.cli import files, keys
from app.cli.check import Finding, check_settings, check_store
from app.cli.demo import demo_customers
from app.cli.loading import load
from app.cli.session import (
    BAD_ADDRESS,
    OUT,
    check_address,
    emit,
    fail,
    opened,
    read_settings,
    store_address,
    telling,
    with_store,
)
from app.settings import Settings, is_loopback
from app.version import API_VERSION, product_version
from resolvers.context import ALL_SCOPES
from storage.errors import BadAddress
from storage.mongod import MongodError
from storage.query import EVERYTHING
from storage.store import Store, StoreOptions

app = typer.Typer(
    help="Customer Gateway: GraphQL and REST over one MongoDB document.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(keys.app, name="keys")
files.register(app)

Host = Annotated[str | None, typer.Option("--host", help="Address to listen on (GATEWAY_HOST).")]
Port = Annotated[int | None, typer.Option("--port", help="Port to listen on (GATEWAY_PORT).")]
Workers = Annotated[int | None, typer.Option("--workers", help="Worker processes (GATEWAY_WORKERS).")]
_CHECK_SECONDS = 3.0
_DEV_CUSTOMERS = 100


def run() -> None:
    """Run the command line."""
    app()


@app.command(epilog="Example: gateway serve --host 127.0.0.1 --port 8000 --workers 2")
def serve(
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    reload: Annotated[bool, typer.Option("--reload", help="Start again when the code changes.")] = False,
    insecure: Annotated[bool, typer.Option("--insecure", help="Allow plain HTTP on a public address.")] = False,
) -> None:
    """Serve the gateway. Logs go to standard error, one JSON object a line."""
    from app.cli import server

    settings = read_settings(host=host, port=port, workers=workers)
    server.end_when_told()
    server.check_transport(settings, insecure=insecure)
    server.check_documents(settings)
    server.log_as_json(settings)
    with server.listen(settings) as listener, telling(), store_address(settings) as url:
        check_address(settings, url)
        at = settings.model_copy(update={"port": listener.getsockname()[1]})
        server.run(at, listener, url, reload=reload)


@app.command(epilog="Example: gateway dev --port 8000")
def dev(host: Host = None, port: Port = None) -> None:
    """Start everything on this machine, with demo customers and a ready API key, until Ctrl-C."""
    from app.cli import server

    settings = read_settings(host=host, port=port)
    if not is_loopback(settings.host):
        fail("gateway dev serves this machine only; use gateway serve for other addresses.")
    server.end_when_told()
    server.check_transport(settings, insecure=False)
    server.check_documents(settings)
    with server.listen(settings) as listener, telling(), store_address(settings) as url:
        local = settings.model_copy(update={"mongodb_url": url, "port": listener.getsockname()[1]})
        key = with_store(local, _prepare)
        _welcome(local.local_url(), key)
        server.run(local.model_copy(update={"dev_key": key, "dev": True}), listener, url)


async def _prepare(store: Store) -> str:
    """Make demo customers where there is none, and a key for a day; return the key."""
    if await store.customers.count(EVERYTHING) == 0:
        await store.customers.create_many(list(demo_customers(_DEV_CUSTOMERS)))
    now = datetime.now(UTC)
    made = await store.keys.create("gateway dev", ALL_SCOPES, now, now + timedelta(days=1))
    return made.key


def _welcome(base: str, key: str) -> None:
    emit(f"Customer Gateway {product_version()}: GraphQL and REST over one MongoDB document")
    emit(f"  home        {base}/")
    emit(f"  playground  {base}/graphql")
    emit(f"  REST docs   {base}/docs")
    emit(f"  API key     {key}   (all scopes, for one day)")
    emit("Paste this:")
    emit(f"curl -s -H 'X-API-Key: {key}' '{base}/api/v1/customers?size=2'")
    emit("Ctrl-C stops everything.")


@app.command(epilog="Example: gateway demo --count 1000")
def demo(count: Annotated[int, typer.Option("--count", min=1, help="How many customers.")] = 100) -> None:
    """Add demo customers: believable, varied, from many countries."""
    seed = int.from_bytes(os.urandom(4))

    async def work(store: Store) -> None:
        await load(store, demo_customers(count, seed), count)

    with_store(read_settings(), work, seconds=60 + count / 100, indexed=False)
    emit(f"added {count} customers")


@app.command()
def indexes() -> None:
    """Make every index that is missing, and list all."""
    for name in with_store(read_settings(), lambda store: store.ensure_indexes(), seconds=3600):
        emit(name)


@app.command()
def check(as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone.")] = False) -> None:
    """Find what is wrong with configuration, store, keys, disk, issuer and Redis, and say how to mend it."""
    from app.cli.check_services import check_services

    settings = read_settings()
    findings = [*check_settings(settings), *_store_findings(settings), *asyncio.run(check_services(settings))]
    if as_json:
        emit(json.dumps([{k: getattr(f, k) for k in ("subject", "state", "found", "cure")} for f in findings]))
    else:
        for finding in findings:
            colour = {"good": "green", "warning": "yellow", "bad": "red"}[finding.state]
            cure = f" → {finding.cure}" if finding.cure and finding.state != "good" else ""
            told = escape(f"{finding.subject}: {finding.found}{cure}")
            OUT.print(f"[{colour}]{finding.state:8}[/] {told}", highlight=False, soft_wrap=True)
    if any(finding.state == "bad" for finding in findings):
        raise typer.Exit(1)


def _store_findings(settings: Settings) -> list[Finding]:
    async def look(url: str) -> list[Finding]:
        options = StoreOptions(url, settings.mongodb_database, settings.mongodb_driver, timeout=_CHECK_SECONDS)
        async with opened(options) as store:
            return await check_store(store, settings)

    try:
        with store_address(settings) as url:
            return asyncio.run(look(url))
    except MongodError as error:
        return [Finding("store", "bad", "the embedded MongoDB does not start", str(error))]
    except BadAddress:
        return [Finding("store", "bad", "its address is wrong", BAD_ADDRESS)]


@app.command()
def schema() -> None:
    """Print the GraphQL schema (SDL)."""
    from schema.build import SchemaOptions, build_schema

    emit(build_schema(SchemaOptions()).as_str())


@app.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    from app.rest.openapi import openapi as document

    emit(json.dumps(document(), indent=2, ensure_ascii=False))


@app.command(hidden=True)
def documents(
    write: Annotated[bool, typer.Option("--write/--check", help="Write them, or say which differ.")] = False,
) -> None:
    """Keep the documents in docs/ that are made from the code: settings, problems, parity, GraphQL schema."""
    from app.cli import documents as made

    if write:
        made.write()
    elif names := made.differing():
        fail(f"not as the code has it, run `make docs`: {', '.join(names)}")


@app.command()
def version() -> None:
    """Print the versions of the product and of its API."""
    emit(f"customer-gateway {product_version()}, API {API_VERSION}")


if __name__ == "__main__":
    run()
