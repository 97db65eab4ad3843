"""`gateway`: the commands, with those that serve, fill and print here and the others beside."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from app.cli import files, keys
from app.cli.check import check
from app.cli.demo import demo_customers
from app.cli.loading import load
from app.cli.reindexing import reindex
from app.cli.session import (
    ENDS,
    audited,
    check_address,
    emit,
    fail,
    misuse,
    read_settings,
    store_address,
    telling,
    with_store,
)
from app.settings import is_loopback
from app.version import API_VERSION, product_version
from resolvers.context import ALL_SCOPES
from storage.query import EVERYTHING
from storage.store import Store

app = typer.Typer(
    help="Customer Gateway: GraphQL and REST over one MongoDB document.",
    epilog=ENDS,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(keys.app, name="keys")
app.command(epilog="Examples: gateway check · gateway check --json")(check)
files.register(app)

Host = Annotated[str | None, typer.Option("--host", help="Address to listen on (GATEWAY_HOST).")]
Port = Annotated[int | None, typer.Option("--port", help="Port to listen on (GATEWAY_PORT).")]
Workers = Annotated[int | None, typer.Option("--workers", help="Worker processes (GATEWAY_WORKERS).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON alone.")]
_DEV_CUSTOMERS = 100
_START_SECONDS = 60.0
"""How long a first start may take: a slow or busy machine makes all indexes in it."""


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
    from app.cli.listener import listen

    settings = read_settings(host=host, port=port, workers=workers)
    server.end_when_told()
    server.check_transport(settings, insecure=insecure)
    server.check_documents(settings)
    server.check_traces(settings)
    server.log_as_json(settings)
    with listen(settings) as listener, telling(), store_address(settings) as url:
        check_address(settings, url)
        at = settings.model_copy(update={"port": listener.getsockname()[1]})
        server.run(at, listener, url, reload=reload)


@app.command(epilog="Example: gateway dev --port 8000")
def dev(host: Host = None, port: Port = None) -> None:
    """Start everything on this machine, with demo customers and a ready API key, until Ctrl-C."""
    from app.cli import server
    from app.cli.listener import listen

    settings = read_settings(host=host, port=port)
    if not is_loopback(settings.host):
        misuse("gateway dev serves this machine only; use gateway serve for other addresses.")
    server.end_when_told()
    server.check_transport(settings, insecure=False)
    server.check_documents(settings)
    server.check_traces(settings)
    with listen(settings) as listener, telling(), store_address(settings) as url:
        local = settings.model_copy(update={"mongodb_url": url, "port": listener.getsockname()[1]})
        with audited(local, "startOfDev"):
            key = with_store(local, _prepare, _START_SECONDS)
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


@app.command(epilog="Examples: gateway demo --count 1000 · gateway demo --count 50 --seed 7 --json")
def demo(
    count: Annotated[int, typer.Option("--count", min=1, help="How many customers.")] = 100,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="The same number makes the same customers; by default others.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add demo customers: believable, varied, from many countries."""
    chosen = int.from_bytes(os.urandom(4)) if seed is None else seed

    async def work(store: Store) -> int:
        return await load(store, demo_customers(count, chosen), count)

    settings = read_settings()
    with audited(settings, "addDemoCustomers") as facts:
        added = with_store(settings, work, seconds=60 + count / 100, indexed=False)
        facts["counts"] = {"created": added}
    if as_json:
        emit(json.dumps({"added": added, "present": count - added, "seed": chosen}))
        return
    emit(f"added {added} customers{f'; {count - added} were there already' if added < count else ''}")


@app.command(epilog="Example: gateway indexes")
def indexes(as_json: AsJson = False) -> None:
    """Make every index that is missing, and list all."""
    names = with_store(read_settings(), lambda store: store.ensure_indexes(), seconds=3600)
    emit(json.dumps(names) if as_json else "\n".join(names))


app.command(epilog="Examples: gateway reindex · gateway reindex --json")(reindex)


@app.command(epilog="Examples: gateway schema > schema.graphql · gateway schema --json > introspection.json")
def schema(
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer to an introspection instead.")] = False,
) -> None:
    """Print the GraphQL schema (SDL)."""
    from schema.build import SchemaOptions, build_schema

    built = build_schema(SchemaOptions())
    emit(json.dumps({"data": built.introspect()}) if as_json else built.as_str())


@app.command(epilog="Example: gateway openapi > openapi.json")
def openapi(
    as_json: Annotated[bool, typer.Option("--json", help="On one line.")] = False,
) -> None:
    """Print the OpenAPI document, which is JSON."""
    from app.rest.openapi import openapi as document

    emit(json.dumps(document(), indent=None if as_json else 2, ensure_ascii=False))


@app.command(hidden=True)
def documents(
    write: Annotated[bool, typer.Option("--write/--check", help="Write them, or say which differ.")] = False,
) -> None:
    """Keep what is made from the code: documents in docs/, and the playground's doors.json."""
    from app.cli import documents as made
    from app.cli import playground

    if write:
        made.write(app)
        playground.write()
    elif names := [*made.differing(app), *([] if playground.is_current() else [playground.DOORS.name])]:
        fail(f"not as the code has it, run `make docs`: {', '.join(names)}")


@app.command(epilog="Example: gateway version --json")
def version(as_json: AsJson = False) -> None:
    """Print the versions of the product and of its API."""
    if as_json:
        emit(json.dumps({"product": product_version(), "api": API_VERSION}))
    else:
        emit(f"customer-gateway {product_version()}, API {API_VERSION}")


if __name__ == "__main__":
    run()
