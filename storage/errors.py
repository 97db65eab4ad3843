"""The store's own few errors, and the one place where the driver's errors become them."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Literal, cast

import pymongo
from pymongo import errors as driver

from storage.deadlines import GRACE, HardEnd, seconds_left
from storage.driver import first_attempt
from storage.timing import current

Outcome = Literal["none", "unknown"]

_DUPLICATE_KEY = 11000
_TOO_LARGE = {10334, 17419, 17420}  # BSONObjectTooLarge and its two elder codes
# An answer of the server to one command that says it was not run, so what it was to write is certainly absent.
_REFUSED = {13, 18, 59, 66, 72, 112, 121}
_HISTORY_LOST = {280, 286}  # ChangeStreamFatalError: the place is not found; ChangeStreamHistoryLost: it is too old


class StoreError(Exception):
    """Anything that the store can say instead of doing what was asked."""


class Duplicate(StoreError):
    """A unique index refused the write; `field` is the first path of that index. Nothing was stored."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class DocumentTooLarge(StoreError):
    """The document is over MongoDB's 16 MiB. Nothing was stored."""


class PageTooLarge(StoreError):
    """What was found does not fit into one batch of the store, which is 16 MiB."""


class WriteConflict(StoreError):
    """A transaction lost against another one. Nothing was stored; trying again is safe."""


class ClaimLost(StoreError):
    """What a run with an idempotency key was about to store is not its own any more. Nothing was stored."""


class Unavailable(StoreError):
    """The store did not answer as it should.

    `outcome` is `none` only where it is certain that nothing was written, else `unknown`.
    """

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome: Outcome = outcome


class LeaseLost(StoreError):
    """Another worker holds the operation now. Nothing was stored."""


class HistoryLost(StoreError):
    """The store no longer has the changes after this place, or has lost its collections; what is missing is unknown."""


class UnknownPosition(StoreError):
    """This names no place among the changes of this store."""


class ReaderTooSlow(StoreError):
    """More changes wait for a reader than it may leave waiting; `position` is where it can go on."""

    def __init__(self, position: str) -> None:
        super().__init__(position)
        self.position = position


class BadAddress(StoreError):
    """The store's address cannot be read; nothing was tried."""


def _translate(error: driver.PyMongoError, *, writing: bool) -> StoreError:
    if isinstance(error, driver.DuplicateKeyError):
        return Duplicate(next(iter((error.details or {}).get("keyPattern", {"": 1}))))
    if isinstance(error, driver.DocumentTooLarge):
        return DocumentTooLarge()
    if isinstance(error, driver.ServerSelectionTimeoutError):
        return Unavailable("none")  # after an earlier attempt the driver raises what that one ended with
    if error.has_error_label("TransientTransactionError"):  # which the driver takes away where a commit is in doubt
        return WriteConflict()
    if isinstance(error, driver.OperationFailure):
        return _translate_answer(error, writing=writing)
    return Unavailable("none" if not writing or _never_begun(error) else "unknown")


def _translate_answer(error: driver.OperationFailure, *, writing: bool) -> StoreError:
    if isinstance(error, driver.BulkWriteError) and not writing:
        return _translate_first(error)
    if error.code in _TOO_LARGE:
        return DocumentTooLarge()
    if error.code in _HISTORY_LOST:
        return HistoryLost()
    return Unavailable("none" if not writing or _never_begun(error) else "unknown")


def _never_begun(error: driver.PyMongoError) -> bool:
    """Tell whether it is certain that a write was not done.

    What the server says of one document takes earlier attempts into account. Any other refusal says nothing of an
    attempt before it, whose answer may have been lost.
    """
    refused = isinstance(error, driver.OperationFailure) and error.code in _REFUSED
    if refused and isinstance(error, driver.WriteError):
        return True
    return (refused or isinstance(error, driver.WaitQueueTimeoutError)) and first_attempt(error)


def _translate_first(error: driver.BulkWriteError) -> StoreError:
    """Translate what ended the ordered writes of a transaction that is not committed."""
    first: dict[str, Any] = next(iter((error.details or {}).get("writeErrors", ())), {})
    if first.get("code") == _DUPLICATE_KEY:
        return Duplicate(next(iter(first.get("keyPattern", {"": 1}))))
    return DocumentTooLarge() if first.get("code") in _TOO_LARGE else Unavailable("none")


class _Calling:
    """One call of the driver, or several: counted, ended in time and when told, and with our errors."""

    __slots__ = ("_end", "_limit", "_spent", "_task", "_told", "_writing")

    def __init__(self, *, writing: bool) -> None:
        self._writing = writing
        self._end: HardEnd | None = None

    def __enter__(self) -> None:
        self._task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._told = self._task.cancelling()
        left = seconds_left()
        if left is not None:
            if left <= 0:
                raise Unavailable("none")
            self._limit = pymongo.timeout(left)
            self._limit.__enter__()
            self._end = HardEnd(left + GRACE)
        self._spent = current()
        if self._spent is not None:
            self._spent.calls += 1
            self._spent.begin()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if self._spent is not None:
            self._spent.end()
        if self._end is not None:
            self._limit.__exit__(None, None, None)
            if self._end.over(error):
                raise Unavailable("unknown" if self._writing else "none") from error
        if isinstance(error, driver.PyMongoError):
            raise _translate(error, writing=self._writing) from error
        if error is None and self._task.cancelling() > self._told:
            # Until Python 3.12 asyncio.wait_for, by which PyMongo sends, gives its result to whoever cancels it in the
            # turn in which that comes (CPython issue 81839): the task would go on as if nobody had told it to end.
            raise asyncio.CancelledError


def reading() -> _Calling:
    """Run a read, within the wire's deadline; a driver's error leaves as `Unavailable('none')`."""
    return _Calling(writing=False)


def writing() -> _Calling:
    """Run a write, within the wire's deadline; an error leaves as a `StoreError` that is true about the outcome."""
    return _Calling(writing=True)


def uncommitted() -> _Calling:
    """Run the writes of a transaction up to its commit: whatever fails there, nothing was stored."""
    return _Calling(writing=False)


@contextmanager
def aborting() -> Iterator[None]:
    """Undo a transaction in a short time of its own; where that fails the server does it by itself."""
    with suppress(driver.PyMongoError), pymongo.timeout(GRACE):
        yield


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
