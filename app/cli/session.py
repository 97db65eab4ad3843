"""What every command needs: settings, the store's address, plain errors."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console

from app.settings import Settings
from storage.errors import StoreError, wire_deadline
from storage.mongod import MongodError, acquire
from storage.store import Store, StoreOptions, open_store

T = TypeVar("T")
OUT = Console()
ERR = Console(stderr=True)
_COMMAND_SECONDS = 10.0


def fail(message: str) -> NoReturn:
    """End the command with a sentence for people and exit code 1."""
    ERR.print(f"gateway: {message}", style="red", highlight=False, soft_wrap=True)
    raise typer.Exit(1)


def read_settings(**changes: object) -> Settings:
    """Return the settings with the command's own options over them; ends the command when they are wrong."""
    try:
        return Settings(**{name: value for name, value in changes.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        faults = "; ".join(f"GATEWAY_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors() if e["loc"])
        fail(f"these settings are wrong: {faults or error}. See docs/settings.md.")


@contextmanager
def store_address(settings: Settings) -> Iterator[str]:
    """Give the store's address: the one set, else that of the embedded mongod, started if need be."""
    if settings.mongodb_url is not None:
        yield settings.mongodb_url
        return
    try:
        mongod = acquire(settings.data_dir)
    except MongodError as error:
        fail(str(error))
    try:
        yield mongod.url
    finally:
        mongod.release()


def with_store(settings: Settings, work: Callable[[Store], Awaitable[T]], seconds: float = _COMMAND_SECONDS) -> T:
    """Run work on the open store and return its result; a store that fails ends the command."""

    async def run(url: str) -> T:
        options = StoreOptions(url, settings.mongodb_database, settings.mongodb_driver, _COMMAND_SECONDS)
        async with open_store(options) as store:
            with wire_deadline(seconds):
                await store.ensure_indexes()
                return await work(store)

    with store_address(settings) as url:
        try:
            return asyncio.run(run(url))
        except StoreError:
            fail("the store does not answer. Is MongoDB running, and GATEWAY_MONGODB_URL right? Try `gateway check`.")


def emit(text: str) -> None:
    """Write plain text on standard output, never wrapped or coloured."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
