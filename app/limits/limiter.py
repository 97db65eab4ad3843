"""What a request may spend: by caller, by address before it is known who calls, and by credentials that fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import structlog
from limits import RateLimitItem

from app.limits.addresses import party
from app.limits.daily import DailyQuotas
from app.limits.meter import Meter, Policy
from app.limits.redis import open_redis
from app.limits.refusals import Refused
from app.limits.storage import WindowStorage
from app.limits.table import SharedTable
from app.limits.windows import OFF, parse_rate
from app.settings import Settings
from resolvers.context import Budget, Caller
from storage.quotas import Quotas

CALLER: Final = Policy("caller", "You have spent what you may in this time. Try again after {seconds} seconds.")
ADDRESS: Final = Policy(
    "address", "Too many requests without credentials came from your address. Try again after {seconds} seconds."
)
FAILED: Final = Policy(
    "failed-credentials", "Too many credentials from your address were not good. Try again after {seconds} seconds."
)
_ALONE: Final = "The table of limits cannot be opened: this worker counts them on its own"
FAILURES: Final = parse_rate("10/minute")
"""How many credentials of one address may fail."""


class Limiter(Protocol):
    """Who may go on. Every refusal is a `Refused`: rate-limited or quota-exhausted, with the budgets to show."""

    def asks_store(self, caller: Caller) -> bool:
        """Tell whether what the caller spends is counted in the store too, which takes time."""

    async def spend(self, caller: Caller, units: int = 1, paid: int = 0) -> tuple[Budget, ...]:
        """Take what a request costs, beyond what it has `paid`, from the caller's rate limit, then its daily quota.

        Returns both as they are then, the one with the least left first. Nothing is taken from the quota for
        what the rate limit refuses. What the quota refuses has taken from the rate limit once on each worker;
        after that the worker knows, and takes nothing.

        Raises:
            Refused: there is not enough left.
            Problem: unavailable where the store does not answer about the quota.
        """

    async def spend_anonymous(self, address: str) -> tuple[Budget, ...]:
        """Take a unit for a request without credentials. Raises `Refused`."""

    async def failed(self, address: str) -> None:
        """Count credentials that were not good. Raises `Refused` instead of letting the 401 through."""

    async def check_failures(self, address: str) -> None:
        """Let pass unless too many credentials of the address have failed lately. Raises `Refused`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the settings, where a caller's own allowance says nothing else."""

    meter: Meter
    daily: DailyQuotas
    rate: RateLimitItem
    quota: int | None = None

    def asks_store(self, caller: Caller) -> bool:
        """Tell whether the caller has a quota, which is counted in the store."""
        return self.quota is not None or caller.allowance.daily_quota is not None

    async def spend(self, caller: Caller, units: int = 1, paid: int = 0) -> tuple[Budget, ...]:
        """Take from both budgets; see `Limiter`."""
        allowed = caller.allowance
        rate = parse_rate(allowed.rate_limit) if allowed.rate_limit else self.rate
        quota = allowed.daily_quota or self.quota
        if quota is None:
            return (await self.meter.spend(CALLER, rate, caller.id, units, paid),)
        self.daily.check(caller.id, quota, units)
        budget = await self.meter.spend(CALLER, rate, caller.id, units, paid)
        try:
            daily = await self.daily.spend(caller.id, quota, units)
        except Refused as refusal:
            refusal.budgets += (budget,)
            raise
        return (budget, daily) if budget.left <= daily.left else (daily, budget)

    async def spend_anonymous(self, address: str) -> tuple[Budget, ...]:
        """Take a unit of the address."""
        return (await self.meter.spend(ADDRESS, self.rate, party(address), 1),)

    async def failed(self, address: str) -> None:
        """Count a failure of the address."""
        await self.meter.spend(FAILED, FAILURES, party(address), 1)

    async def check_failures(self, address: str) -> None:
        """Look at the failures of the address."""
        await self.meter.check(FAILED, FAILURES, party(address))


class NoLimits:
    """For `GATEWAY_RATE_LIMIT=off`: nothing is counted, shown or refused."""

    def asks_store(self, caller: Caller) -> bool:  # noqa: ARG002 - as Limiter has it
        """Nothing is counted anywhere."""
        return False

    async def spend(self, caller: Caller, units: int = 1, paid: int = 0) -> tuple[Budget, ...]:  # noqa: ARG002 - as Limiter has it
        """Let pass."""
        return ()

    async def spend_anonymous(self, address: str) -> tuple[Budget, ...]:  # noqa: ARG002 - as Limiter has it
        """Let pass."""
        return ()

    async def failed(self, address: str) -> None:
        """Let pass."""

    async def check_failures(self, address: str) -> None:
        """Let pass."""


def _open_table(path: Path | None) -> SharedTable:
    try:
        return SharedTable(path)
    except OSError as error:  # better a worker that counts alone than one that does not serve
        structlog.get_logger().warning(_ALONE, error=type(error).__qualname__)
        return SharedTable()


@asynccontextmanager
async def open_limiter(settings: Settings, quotas: Quotas) -> AsyncIterator[Limiter]:
    """Give the limiter of the settings, and close what it counts in at the end. Redis may be away."""
    if settings.rate_limit == OFF:
        yield NoLimits()
        return
    async with AsyncExitStack() as stack:
        table = stack.enter_context(closing(_open_table(settings.limits_table)))
        storage: WindowStorage = table
        if settings.redis_url is not None:
            storage = await stack.enter_async_context(open_redis(settings.redis_url, table))
        rate = parse_rate(settings.rate_limit)
        yield Limits(Meter(storage), DailyQuotas(quotas), rate, settings.daily_quota)
