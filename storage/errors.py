"""The store's own few errors, and the one place where the driver's errors become them."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

import pymongo
from pymongo import errors as driver

from storage.timing import waiting

Outcome = Literal["none", "unknown"]

_DEADLINE: ContextVar[float | None] = ContextVar("wire_deadline", default=None)
_DUPLICATE_KEY = 11000
_TOO_LARGE = {10334, 17419, 17420}  # BSONObjectTooLarge and its two elder codes
# An answer of the server to one command that says it was not run, so the write is certainly absent.
_REFUSED = {13, 18, 59, 66, 72, 112, 121, 251}


class StoreError(Exception):
    """Anything that the store can say instead of doing what was asked."""


class Duplicate(StoreError):
    """A unique index refused the write; `field` is the index's name. Nothing was stored."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class DocumentTooLarge(StoreError):
    """The document is over MongoDB's 16 MiB. Nothing was stored."""


class PageTooLarge(StoreError):
    """What was found does not fit into one batch of the store, which is 16 MiB."""


class WriteConflict(StoreError):
    """A transaction lost against another one. Nothing was stored; trying again is safe."""


class Unavailable(StoreError):
    """The store did not answer as it should.

    `outcome` is `none` only where it is certain that nothing was written, else `unknown`.
    """

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome: Outcome = outcome


class BadAddress(StoreError):
    """The store's address cannot be read; nothing was tried."""


def _translate(error: driver.PyMongoError, *, writing: bool) -> StoreError:
    if isinstance(error, driver.DuplicateKeyError):
        return Duplicate(next(iter((error.details or {}).get("keyPattern", {"": 1}))))
    if isinstance(error, driver.DocumentTooLarge):
        return DocumentTooLarge()
    if isinstance(error, driver.OperationFailure):
        return _translate_answer(error, writing=writing)
    # The driver raises these two before anything is sent; after a first attempt it raises that one's error.
    certain = isinstance(error, driver.ServerSelectionTimeoutError | driver.WaitQueueTimeoutError)
    return Unavailable("none" if certain or not writing else "unknown")


def _translate_answer(error: driver.OperationFailure, *, writing: bool) -> StoreError:
    if error.code in _TOO_LARGE:
        return DocumentTooLarge()
    if error.has_error_label("TransientTransactionError"):
        return WriteConflict()
    return Unavailable("none" if not writing or error.code in _REFUSED else "unknown")


@contextmanager
def reading() -> Iterator[None]:
    """Run a read; a driver's error leaves as `Unavailable('none')`."""
    try:
        with waiting():
            yield
    except driver.PyMongoError as error:
        raise _translate(error, writing=False) from error


@contextmanager
def writing() -> Iterator[None]:
    """Run a write; a driver's error leaves as a `StoreError` that tells the truth about the outcome."""
    try:
        with waiting():
            yield
    except driver.PyMongoError as error:
        raise _translate(error, writing=True) from error


@contextmanager
def inserting(count: int) -> Iterator[list[StoreError | None]]:
    """Run one unordered insert of several documents; the list it gives holds each one's error in the end, or None."""
    outcomes: list[StoreError | None] = [None] * count
    try:
        yield outcomes
    except driver.BulkWriteError as error:
        _tell_each(outcomes, error.details)
    except driver.PyMongoError as error:
        outcomes[:] = [_translate(error, writing=True) for _ in outcomes]


def _tell_each(outcomes: list[StoreError | None], said: Mapping[str, Any]) -> None:
    """Tell apart what became of each document; those of which nothing is said are stored only if the numbers agree."""
    refused = said["writeErrors"]
    if said["writeConcernErrors"] or said["nInserted"] + len(refused) != len(outcomes):
        outcomes[:] = [Unavailable("unknown") for _ in outcomes]
    for one in refused:
        kind = driver.DuplicateKeyError if one["code"] == _DUPLICATE_KEY else driver.WriteError
        outcomes[one["index"]] = _translate(kind(one["errmsg"], one["code"], one), writing=True)


@contextmanager
def opening() -> Iterator[None]:
    """Make a client; what the driver has against its address leaves as `BadAddress`, which does not repeat it.

    It only warns of an option that it does not know or cannot read, which would leave, say, TLS off.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            yield
    except (driver.ConfigurationError, ValueError, UserWarning) as error:
        raise BadAddress from error


@contextmanager
def wire_deadline(seconds: float) -> Iterator[None]:
    """Give every operation inside at most `seconds` on the wire, retries and server selection included."""
    bounded = max(seconds, 0.001)
    token = _DEADLINE.set(time.monotonic() + bounded)
    try:
        with pymongo.timeout(bounded):
            yield
    finally:
        _DEADLINE.reset(token)


def seconds_left() -> float | None:
    """Return how many seconds the wire's deadline leaves, None where there is none."""
    deadline = _DEADLINE.get()
    return None if deadline is None else deadline - time.monotonic()
