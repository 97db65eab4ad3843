"""What callers, addresses and failing credentials may spend."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from statistics import fmean

import pytest

from app.limits.bounded import MAX_ENTRIES, Bounded
from app.limits.daily import DailyQuotas
from app.limits.limiter import Limits, open_limiter
from app.limits.meter import Meter
from app.limits.refusals import Refused, random_jitter
from app.limits.storage import State
from app.limits.table import SharedTable
from app.limits.windows import parse_rate
from app.settings import Settings
from resolvers.context import Allowance, Budget, Caller
from resolvers.problem import Problem
from resolvers.problems import QUOTA_EXHAUSTED, RATE_LIMITED, UNAVAILABLE
from storage.quotas import Quotas
from storage.store import Store, StoreOptions, open_store
from tests.app.limits.conftest import HandClock

ONE, OTHER = Caller("one", "one", frozenset()), Caller("other", "other", frozenset())
NOON = datetime(2100, 1, 31, 12, tzinfo=UTC)


class CountedTable(SharedTable):
    """A table that notes how often it is asked."""

    asked = 0

    async def spend(self, key: str, limit: int, expiry: int, amount: int) -> tuple[bool, State]:
        """Spend, and note it."""
        self.asked += 1
        return await super().spend(key, limit, expiry, amount)


@pytest.fixture
def table(clock: HandClock) -> CountedTable:
    """A table on the test's clock."""
    return CountedTable(slots=512, clock=clock)


pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture
async def nowhere() -> AsyncIterator[Quotas]:
    """Quotas in a store that is not there."""
    async with open_store(StoreOptions("mongodb://127.0.0.1:1", timeout=0.1)) as store:
        yield store.quotas
    gc.collect()  # the driver leaves sockets open that were never connected; here they may be found


Make = Callable[..., Limits]


@pytest.fixture
def make(table: CountedTable, clock: HandClock, nowhere: Quotas) -> Make:
    """Makes a worker's limits on the test's table and clock, without jitter unless the test wants it."""

    def limits(rate: str, quota: int | None = None, quotas: Quotas = nowhere, spread: bool = False) -> Limits:
        def now() -> datetime:
            return NOON + timedelta(seconds=clock.now - 1000)

        jitter = random_jitter if spread else lambda _below: 0
        daily = DailyQuotas(quotas, now, jitter)
        return Limits(Meter(table, clock, jitter), daily, parse_rate(rate), quota)

    return limits


async def refusal(spending: Awaitable[object]) -> Refused:
    """Return how a spending is refused."""
    with pytest.raises(Refused) as caught:
        await spending
    return caught.value


async def seconds_to_wait(spending: Awaitable[object]) -> int:
    """Return what a refusal says, 0 where there is none; both headers say the same."""
    try:
        await spending
    except Refused as refused:
        return refused.budgets[0].reset if refused.extra["retryAfter"] == refused.budgets[0].reset else -1
    return 0


async def test_each_caller_has_a_budget_of_its_own_and_sees_what_is_left(make: Make) -> None:
    limits = make("10/minute")
    assert await limits.spend(ONE, 4) == (Budget("caller", 10, 6, 60, 60),)
    assert await limits.spend(ONE, 6) == (Budget("caller", 10, 0, 60, 60),)
    assert await limits.spend(OTHER) == (Budget("caller", 10, 9, 60, 60),)


async def test_what_is_refused_says_when_it_passes_and_takes_nothing(make: Make) -> None:
    limits = make("10/minute")
    await limits.spend(ONE, 9)
    refused = await refusal(limits.spend(ONE, 2))
    assert refused.type is RATE_LIMITED
    assert refused.detail == "You have spent what you may in this time. Try again after 61 seconds."
    assert refused.extra == {"retryAfter": 61}
    assert refused.budgets == (Budget("caller", 10, 1, 60, 61),)
    assert (await limits.spend(ONE))[0].left == 0


@pytest.mark.parametrize("rate", ["3/2second", "1/second", "10/minute", "7/hour"])
@pytest.mark.parametrize("spread", [False, True], ids=["earliest", "with jitter"])
async def test_c045_after_retry_after_the_same_request_passes(
    make: Make, clock: HandClock, rate: str, spread: bool
) -> None:
    limits, item = make(rate, spread=spread), parse_rate(rate)
    refusals = 0
    for number in range(60):
        units = 1 + number % item.amount
        clock.now += number % 7 * item.get_expiry() / 20
        wait = await seconds_to_wait(limits.spend(ONE, units))
        refusals += wait > 0
        clock.now += wait
        if wait:
            await limits.spend(ONE, units)
    assert refusals > 5


@pytest.mark.parametrize("rate", ["3/2second", "10/minute", "7/hour"])
async def test_c045_after_retry_after_a_request_passes_whose_first_unit_was_taken_before_its_price_was_known(
    make: Make, clock: HandClock, rate: str
) -> None:
    limits, item = make(rate), parse_rate(rate)
    refusals = 0
    for number in range(60):
        units = 2 + number % (item.amount - 1)
        clock.now += number % 7 * item.get_expiry() / 20 + await seconds_to_wait(limits.spend(ONE))
        wait = await seconds_to_wait(limits.spend(ONE, units - 1, paid=1))
        refusals += wait > 0
        clock.now += wait
        if wait:
            await limits.spend(ONE)
            await limits.spend(ONE, units - 1, paid=1)
    assert refusals > 5


async def test_c045_the_earliest_whole_second_is_told(make: Make, clock: HandClock) -> None:
    limits = make("10/minute")
    await limits.spend(ONE, 10)
    clock.now += 60
    seconds = (await refusal(limits.spend(ONE, 5))).extra["retryAfter"]
    clock.now += int(str(seconds)) - 1
    await refusal(make("10/minute").spend(ONE, 5))
    clock.now += 1
    await limits.spend(ONE, 5)


async def test_c049_those_who_are_refused_together_come_back_spread(make: Make) -> None:
    limits = make("1/minute", spread=True)
    await limits.spend(ONE)
    resets = [(await refusal(limits.spend(ONE))).budgets[0].reset for _ in range(1000)]
    assert max(resets) - min(resets) >= 6
    assert fmean(resets) == pytest.approx((min(resets) + max(resets)) / 2, abs=1)


async def test_an_empty_budget_is_remembered_until_a_unit_is_back(
    make: Make, table: CountedTable, clock: HandClock
) -> None:
    limits = make("10/minute")
    await limits.spend(ONE, 10)
    first = await refusal(limits.spend(ONE))
    asked = table.asked
    for _ in range(100):
        assert (await refusal(limits.spend(ONE))).budgets == first.budgets
    clock.now += 20
    assert (await refusal(limits.spend(ONE))).extra == {"retryAfter": 41}
    assert table.asked == asked
    clock.now += 41
    await limits.spend(ONE)
    assert table.asked == asked + 1


async def test_what_another_worker_spent_meanwhile_is_in_the_time_that_is_told(make: Make, clock: HandClock) -> None:
    one, other = make("10/minute"), make("10/minute")
    await one.spend(ONE, 8)
    await refusal(one.spend(ONE, 5))
    await other.spend(ONE, 2)
    seconds = (await refusal(one.spend(ONE, 9))).budgets[0].reset
    clock.now += seconds
    await one.spend(ONE, 9)


async def test_a_smaller_request_may_pass_while_a_larger_one_waits(make: Make) -> None:
    limits = make("10/minute")
    await limits.spend(ONE, 8)
    await refusal(limits.spend(ONE, 3))
    assert (await limits.spend(ONE, 2))[0].left == 0


async def test_what_costs_more_than_the_whole_budget_is_told_that_waiting_does_not_help(make: Make) -> None:
    limits = make("10/minute")
    refused = await refusal(limits.spend(ONE, 11))
    assert refused.type is RATE_LIMITED
    assert "retryAfter" not in refused.extra
    assert "Waiting does not help" in refused.detail
    assert refused.extra == {"cost": 11, "limit": 10}
    assert (await limits.spend(ONE, 10))[0].left == 0


async def test_a_caller_s_own_allowance_stands_in_place_of_the_setting(make: Make, store: Store) -> None:
    limits = make("10/minute", 1000, store.quotas)
    small = Caller("small", "small", frozenset(), Allowance("2/minute", 5))
    large = Caller("large", "large", frozenset(), Allowance(daily_quota=10**6))
    assert [(b.name, b.limit, b.left) for b in await limits.spend(small)] == [("caller", 2, 1), ("daily", 5, 4)]
    assert [(b.name, b.limit) for b in await limits.spend(large)] == [("caller", 10), ("daily", 10**6)]


async def test_c048_the_budget_with_the_least_left_stands_first(make: Make, store: Store) -> None:
    limits = make("10/minute", 12, store.quotas)
    assert [budget.name for budget in await limits.spend(ONE, 5)] == ["caller", "daily"]
    limits = make("10/minute", 6, store.quotas)
    assert [(budget.name, budget.left) for budget in await limits.spend(ONE)] == [("daily", 0), ("caller", 4)]


async def test_an_exhausted_quota_is_known_to_the_worker_and_spares_rate_and_store(
    make: Make, store: Store, table: CountedTable, clock: HandClock
) -> None:
    limits = make("100/minute", 5, store.quotas)
    await limits.spend(ONE, 4)
    refused = await refusal(limits.spend(ONE, 2))
    assert refused.type is QUOTA_EXHAUSTED
    assert refused.extra == {"retryAfter": 12 * 3600 + 1}
    assert [(b.name, b.left, b.reset) for b in refused.budgets] == [("daily", 1, 12 * 3600 + 1), ("caller", 94, 60)]
    asked = table.asked
    for _ in range(10):
        assert (await refusal(limits.spend(ONE, 2))).budgets[0].left == 1
    assert table.asked == asked
    assert [b.left for b in await limits.spend(ONE)] == [0, 93]
    clock.now += 12 * 3600
    assert [b.name for b in await limits.spend(ONE, 5)] == ["daily", "caller"]


async def test_more_than_a_day_s_quota_never_passes(make: Make, store: Store) -> None:
    limits = make("100/minute", 5, store.quotas)
    for _ in range(2):
        refused = await refusal(limits.spend(ONE, 6))
        assert (refused.type, "retryAfter" in refused.extra) == (QUOTA_EXHAUSTED, False)
    assert (await limits.spend(ONE, 5))[0].left == 0


async def test_what_the_rate_refuses_takes_nothing_from_the_quota(make: Make, store: Store) -> None:
    limits = make("2/minute", 100, store.quotas)
    await limits.spend(ONE, 2)
    for _ in range(5):
        await refusal(limits.spend(ONE))
    assert await store.quotas.spend(ONE.id, "2100-01-31", 1, 100) == (True, 3)


async def test_a_quota_that_cannot_be_counted_is_unavailable(make: Make) -> None:
    with pytest.raises(Problem) as caught:
        await make("10/minute", 100).spend(ONE)
    assert caught.value.type is UNAVAILABLE
    assert caught.value.extra == {"outcome": "none"}


SAME = [
    ("2001:db8::1", "2001:db8::ffff:1"),
    ("192.0.2.1", "::ffff:192.0.2.1"),
    ("", "no address"),
    ("fe80::1%a", "fe80::2%b"),
]
DIFFERENT = [("2001:db8::1", "2001:db8:0:1::1"), ("192.0.2.1", "192.0.2.2"), ("192.0.2.1", "")]


@pytest.mark.parametrize(("first", "second"), SAME)
async def test_one_party_has_one_budget(make: Make, first: str, second: str) -> None:
    limits = make("1/minute")
    assert await limits.spend_anonymous(first) == (Budget("address", 1, 0, 60, 60),)
    assert "without credentials" in (await refusal(limits.spend_anonymous(second))).detail


@pytest.mark.parametrize(("first", "second"), DIFFERENT)
async def test_other_parties_have_budgets_of_their_own(make: Make, first: str, second: str) -> None:
    limits = make("1/minute")
    await limits.spend_anonymous(first)
    await limits.spend_anonymous(second)


async def test_c050_addresses_and_callers_spend_nothing_of_each_other(make: Make) -> None:
    limits = make("1/minute")
    await limits.spend_anonymous("192.0.2.1")
    await limits.failed("192.0.2.1")
    assert (await limits.spend(Caller("192.0.2.1", "", frozenset())))[0].name == "caller"


async def test_c054_after_ten_failures_in_a_minute_the_address_has_to_wait(make: Make, clock: HandClock) -> None:
    limits = make("600/minute")
    for _ in range(10):
        await limits.check_failures("192.0.2.1")
        await limits.failed("192.0.2.1")
    for spending in (limits.check_failures("192.0.2.1"), limits.failed("192.0.2.1")):
        refused = await refusal(spending)
        assert refused.type is RATE_LIMITED
        assert refused.budgets == (Budget("failed-credentials", 10, 0, 60, 61),)
    await limits.check_failures("192.0.2.2")
    clock.now += 61
    await limits.check_failures("192.0.2.1")
    await limits.failed("192.0.2.1")


async def test_another_worker_sees_the_failures_too(make: Make) -> None:
    one, other = make("600/minute"), make("600/minute")
    for _ in range(10):
        await one.failed("192.0.2.1")
    await refusal(other.check_failures("192.0.2.1"))


def test_what_is_remembered_has_a_bound() -> None:
    kept = Bounded[int, int]()
    for number in range(MAX_ENTRIES + 5):
        kept[number] = number
    kept[5] = 0
    kept[-1] = 0
    assert len(kept) == MAX_ENTRIES
    assert 5 in kept
    assert 6 not in kept


async def test_off_ends_every_limit(nowhere: Quotas) -> None:
    settings = Settings(_env_file=None, rate_limit="off", daily_quota=1)
    own = Caller("own", "own", frozenset(), Allowance("1/hour", 1))
    async with open_limiter(settings, nowhere) as limiter:
        for _ in range(20):
            assert await limiter.spend(own, 100) == ()
            assert await limiter.spend_anonymous("") == ()
            await limiter.failed("")
            await limiter.check_failures("")


async def test_the_settings_say_what_is_limited(store: Store) -> None:
    settings = Settings(_env_file=None, rate_limit="5/2second", daily_quota=7)
    async with open_limiter(settings, store.quotas) as limiter:
        budgets = await limiter.spend(ONE)
        assert [(b.name, b.limit, b.window, b.left) for b in budgets] == [("caller", 5, 2, 4), ("daily", 7, 86400, 6)]
