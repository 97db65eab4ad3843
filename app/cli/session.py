"""What every command needs: settings, the store's address, plain errors."""

from __future__ import annotations

import asyncio
import re
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext, suppress
from typing import NoReturn, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console

from app.observe import audit
from app.settings import Settings
from storage.deadlines import wire_deadline
from storage.errors import BadAddress, StoreError, opening
from storage.mongod import EmbeddedMongod, MongodError, acquire
from storage.store import Store, StoreOptions, open_store

T = TypeVar("T")
OUT = Console()
ERR = Console(stderr=True)
MISUSED, IN_PART = 2, 3
"""Exit codes beside 0 and 1."""
ENDS = (
    "A command ends with 0 when it did what it should, 1 when it failed, 2 when it was used wrongly and nothing was "
    "tried, 3 when it did a part (an import that refused lines), 130 when Ctrl-C stopped it."
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_COMMAND_SECONDS = 5.0
_CALL_SECONDS = 30.0
_WATCH_SECONDS = 0.5
BAD_ADDRESS = (
    "GATEWAY_MONGODB_URL cannot be read. It looks like mongodb://user:password@host:27017/?replicaSet=rs0, "
    "with reserved characters percent-encoded."
)
NO_ANSWER = "the store does not answer. Is MongoDB running, and GATEWAY_MONGODB_URL right? Try `gateway check`."


def fail(message: str) -> NoReturn:
    """End the command with a sentence for people and exit code 1."""
    ERR.print(f"gateway: {message}", style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1)


def misuse(message: str) -> NoReturn:
    """End the command with a sentence for people and exit code 2: it was used wrongly, and nothing was tried."""
    ERR.print(f"gateway: {message}", style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(MISUSED)


def read_settings(**changes: object) -> Settings:
    """Return the settings with the command's own options over them; ends the command when they are wrong."""
    try:
        return Settings(**{name: value for name, value in changes.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        faults = "; ".join(_fault(entry["loc"], entry["msg"]) for entry in error.errors(include_input=False))
        misuse(f"these settings are wrong: {faults}. See docs/settings.md.")
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else (error.strerror or "unknown").lower()
        misuse(f"the file .env cannot be read: {reason}.")


def _fault(location: tuple[int | str, ...], message: str) -> str:
    """Return what is wrong with which setting; never its value, which may be a secret."""
    told = message.removeprefix("Value error, ")
    return f"GATEWAY_{str(location[0]).upper()}: {told}" if location else told


@contextmanager
def telling() -> Iterator[None]:
    """End the command with a sentence where the store inside cannot be used."""
    try:
        yield
    except MongodError as error:
        fail(str(error))
    except BadAddress:
        fail(BAD_ADDRESS)
    except StoreError:
        fail(NO_ANSWER)


@contextmanager
def store_address(settings: Settings) -> Iterator[str]:
    """Give the store's address: the one set, else that of the embedded mongod, started if need be.

    Raises:
        MongodError: the embedded mongod does not start.
    """
    if settings.mongodb_url is not None:
        yield settings.mongodb_url
        return
    with acquire(settings.data_dir) as mongod, _watched(mongod):
        yield mongod.url


@contextmanager
def _watched(mongod: EmbeddedMongod) -> Iterator[None]:
    """Have the embedded mongod started again when it and its keeper were killed together."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_WATCH_SECONDS):
            with suppress(MongodError):  # tried again, and said by /health/ready meanwhile
                mongod.revive()

    threading.Thread(target=watch, name="mongod-watch", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


@asynccontextmanager
async def opened(options: StoreOptions) -> AsyncIterator[Store]:
    """Open the store; raises `BadAddress` where its address cannot be read."""
    async with AsyncExitStack() as stack:
        with opening():
            store = await stack.enter_async_context(open_store(options))
        yield store


def check_address(settings: Settings, url: str) -> None:
    """Raise `BadAddress` where the store's address cannot be read; connects to nothing."""

    async def look() -> None:
        async with opened(StoreOptions(url, settings.mongodb_database, settings.mongodb_driver)):
            pass

    asyncio.run(look())


def with_store(
    settings: Settings,
    work: Callable[[Store], Awaitable[T]],
    seconds: float | None = _COMMAND_SECONDS,
    *,
    indexed: bool = True,
) -> T:
    """Run work on the open store and return its result; a store that fails ends the command.

    With `seconds` None only each call of the store has a limit. What may take long may also wait longer for one call.
    The indexes are made first, unless `indexed` leaves that to the work.
    """

    async def run(url: str) -> T:
        timeout = _CALL_SECONDS if seconds is None or seconds > _CALL_SECONDS else _COMMAND_SECONDS
        options = StoreOptions(url, settings.mongodb_database, settings.mongodb_driver, timeout)
        async with opened(options) as store:
            with wire_deadline(_COMMAND_SECONDS):
                await store.ping()
            with nullcontext() if seconds is None else wire_deadline(seconds):
                if indexed:
                    await store.ensure_indexes()
                return await work(store)

    with telling(), store_address(settings) as url:
        return asyncio.run(run(url))


@contextmanager
def audited(settings: Settings, operation: str, *, dry_run: bool = False) -> Iterator[dict[str, object]]:
    """Put what the command does inside into the audit's file, where one is set; ends the command where it cannot."""
    try:
        with audit.audited(None if dry_run else settings.audit_log, operation) as facts:
            yield facts
    except audit.Unwritten as error:
        fail(f"GATEWAY_AUDIT_LOG cannot be written ({error}).")


def check_text(name: str, text: str) -> None:
    """End the command where a word of the command line is not text: the store takes none that is not UTF-8."""
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        misuse(f"{name} is not UTF-8.")


def printable(text: str) -> str:
    """Return text that came from others without what a terminal would obey."""
    return _CONTROL.sub("?", text)


def emit(text: str) -> None:
    """Write plain text on standard output, never wrapped or coloured; ends the command where that cannot be."""
    if sys.stdout is None:
        fail("standard output is closed.")
    try:
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape") + b"\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        fail(f"standard output cannot be written: {(error.strerror or 'unknown').lower()}.")
