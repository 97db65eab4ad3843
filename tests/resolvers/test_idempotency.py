"""A request that is repeated with its key has one effect and one outcome, over a real store with either driver."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.read_concern import ReadConcern

from resolvers.changes import Target
from resolvers.commands import AddPart, ChangeCustomer, ChangePart, CreateCustomer, DeleteCustomer, PartResult
from resolvers.context import Caller, Context, IdempotencyKey
from resolvers.customers import create_customer, delete_customer, replace_customer, update_customer
from resolvers.idempotency import Keyed, idempotency_key, once
from resolvers.part_operations import ADDRESSES, PHONE_NUMBERS
from resolvers.patches import JsonPatch, MergePatch, Replace
from resolvers.preconditions import ANY, Precondition
from resolvers.preferences import replace_preferences, set_preferences
from resolvers.problem import Problem
from storage.documents import Customer
from tests import factories
from tests.resolvers.conftest import Hands, NewContext
from tests.resolvers.test_changes import refused

KEY = IdempotencyKey("a key")


@pytest.fixture
def clock() -> Hands:
    """A clock at the present: the store takes away what has expired by its own."""
    return Hands(datetime.now(UTC))


def create(ctx: Context, body: dict[str, Any], key: IdempotencyKey = KEY) -> Awaitable[Customer]:
    """Create a customer with a key."""
    return create_customer(ctx, CreateCustomer(lambda: body, key=key))


def target(customer: Customer, version: int | None = None) -> Target:
    return Target(customer["id"], Precondition(version=version or customer["version"]))


async def stored(ctx: Context, **query: Any) -> list[dict[str, Any]]:
    """Return the customers of the store."""
    return await ctx.store.customers.collection.find(query, {"_id": 0, "keys": 0}).to_list(None)


async def entries(ctx: Context) -> list[dict[str, Any]]:
    """Return the entries of the ledger, those too of which a majority need not know."""
    found: list[dict[str, Any]] = await ledger(ctx).find().to_list(None)
    return found


def ledger(ctx: Context) -> Any:
    """Return the collection of entries."""
    return ctx.store.client[ctx.store.database]["ledger"].with_options(read_concern=ReadConcern("local"))


async def end_lease(ctx: Context) -> None:
    """Let the leases of all that runs be over."""
    past = {"$set": {"lease": datetime.now(UTC) - timedelta(seconds=1)}}
    await ledger(ctx).update_many({"lease": {"$exists": True}}, past)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ('"8e03978e"', "8e03978e"),
        ('"a b"', "a b"),
        (r'"a\"b\\c"', r"a\"b\c".replace(r"\"", '"')),
        ("a,b;c=1", "a,b;c=1"),
        ("k" * 255, "k" * 255),
        ('"' + "k" * 255 + '"', "k" * 255),
    ],
)
def test_c031_a_key_is_a_string_in_quotes_or_visible_ascii(text: str, key: str) -> None:
    assert idempotency_key(text) == key


@pytest.mark.parametrize(
    "text",
    ["", '""', " ", "a b", '"a', 'a"', '"a"b"', '"a";x=1', '"a", "b"', r'"a\b"', '{"$ne":1}', "a\0b", "a\nb",
     "schl\u00fcssel", '"\u00fc"', "k" * 256, '"' + "k" * 256 + '"', "k" * 10_000],
)  # fmt: skip
def test_c038_what_is_no_key_is_refused_before_anything_is_asked(text: str) -> None:
    with pytest.raises(Problem) as raised:
        idempotency_key(text)
    assert (raised.value.type.slug, raised.value.type.status) == ("idempotency-key", 400)


async def test_c033_the_same_request_again_gives_the_customer_as_it_was(context: NewContext) -> None:
    body = factories.customer()
    first, again = context(), context()
    customer = await create(first, body)
    changed = ChangeCustomer(target(customer), MergePatch(lambda: {"firstName": "Bea"}))
    await update_customer(context(), changed)
    assert await create(again, body) == customer
    assert (first.replayed, again.replayed) == (False, True)
    assert [one["version"] for one in await stored(first)] == [2]


async def test_c034_the_same_meaning_is_the_same_request_and_another_is_refused(context: NewContext) -> None:
    body = factories.customer(middleName=None)
    customer = await create(context(), body)
    same = {name: body[name] for name in reversed(body) if name != "middleName"}
    for sent in (same, {**body, "firstName": f" {body['firstName']} "}, {**body, "unknown": 1}):
        assert (await create(context(), sent))["id"] == customer["id"]
    for sent in ({**body, "firstName": "Bea"}, {**body, "addresses": body["addresses"] * 2}):
        problem = await refused(create(context(), sent))
        assert (problem.type.slug, problem.type.status, problem.replayed) == ("idempotency-key-reused", 422, False)
    change = ChangeCustomer(target(customer), MergePatch(dict), key=KEY)
    assert (await refused(update_customer(context(), change))).type.status == 422
    assert len(await stored(context())) == 1


CHANGES: dict[str, Callable[[Context, Customer, Precondition], Awaitable[Any]]] = {
    "merge": lambda ctx, one, when: update_customer(
        ctx, ChangeCustomer(Target(one["id"], when), MergePatch(lambda: {"firstName": "Bea"}), key=KEY)
    ),
    "patch": lambda ctx, one, when: update_customer(
        ctx,
        ChangeCustomer(
            Target(one["id"], when),
            JsonPatch(lambda: [{"op": "add", "path": "/addresses/-", "value": factories.address()}]),
            key=KEY,
        ),
    ),
    "replace": lambda ctx, one, when: replace_customer(
        ctx,
        ChangeCustomer(
            Target(one["id"], when), Replace(lambda: factories.customer(email=f"new.{one['email']}")), key=KEY
        ),
    ),
    "preferences": lambda ctx, one, when: set_preferences(
        ctx, ChangeCustomer(Target(one["id"], when), MergePatch(lambda: {"sms": True}), key=KEY)
    ),
    "all preferences": lambda ctx, one, when: replace_preferences(
        ctx, ChangeCustomer(Target(one["id"], when), Replace(lambda: {**factories.preferences(sms=True)}), key=KEY)
    ),
    "add": lambda ctx, one, when: ADDRESSES.add(
        ctx, AddPart(Target(one["id"], when), lambda: factories.address(city="Ulm"), key=KEY)
    ),
    "add a number": lambda ctx, one, when: PHONE_NUMBERS.add(
        ctx, AddPart(Target(one["id"], when), lambda: factories.phone_number(type="work"), key=KEY)
    ),
    "part": lambda ctx, one, when: ADDRESSES.update(
        ctx,
        ChangePart(Target(one["id"], when), one["addresses"][0]["id"], MergePatch(lambda: {"city": "Ulm"}), key=KEY),
    ),
    "list": lambda ctx, one, when: ADDRESSES.update_all(
        ctx, ChangeCustomer(Target(one["id"], when), MergePatch(lambda: [factories.address(city="Ulm")]), key=KEY)
    ),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_c033_a_change_is_made_once_and_answered_again_as_it_was(change: str, context: NewContext) -> None:
    customer = await create(context(), factories.customer(), IdempotencyKey("first"))
    exactly, any_version = Precondition(version=1), Precondition(match=ANY)
    first = await CHANGES[change](context(), customer, exactly)
    now = first.customer if isinstance(first, PartResult) else first
    assert now["version"] == 2
    later = MergePatch(lambda: {"addresses": [factories.address()], "lastName": "Later"})
    await update_customer(context(), ChangeCustomer(target(now), later))
    assert await CHANGES[change](context(), customer, exactly) == first
    assert (await refused(CHANGES[change](context(), customer, any_version))).type.status == 422
    assert [one["version"] for one in await stored(context())] == [3]


async def test_a_change_that_makes_no_difference_is_kept_too(context: NewContext) -> None:
    ctx = context()
    customer = await create(ctx, factories.customer(), IdempotencyKey("first"))
    change = ChangeCustomer(target(customer), MergePatch(lambda: {"firstName": customer["firstName"]}), key=KEY)
    assert await update_customer(ctx, change) == customer
    assert await stored(ctx) == [customer]
    await update_customer(ctx, ChangeCustomer(target(customer), MergePatch(lambda: {"firstName": "Bea"})))
    assert await update_customer(ctx, change) == customer
    await delete_customer(ctx, DeleteCustomer(Target(customer["id"], Precondition())))
    assert (await refused(update_customer(ctx, change))).type.slug == "gone"


async def test_c035_of_many_at_one_moment_one_runs_and_the_others_are_told_to_come_again(context: NewContext) -> None:
    body = factories.customer()
    answers = await asyncio.gather(*(create(context(), body) for _ in range(40)), return_exceptions=True)
    customers = [one for one in answers if isinstance(one, dict)]
    problems = [one for one in answers if isinstance(one, Problem)]
    assert len(customers) + len(problems) == 40
    assert {problem.type.slug for problem in problems} <= {"idempotency-in-progress"}
    assert all(problem.type.status == 409 and problem.extra["retryAfter"] in {1, 2, 3} for problem in problems)
    assert await stored(context()) == customers[:1]
    assert all(one == customers[0] for one in [*customers, await create(context(), body)])


async def test_c036_an_outcome_is_kept_for_a_day_and_no_longer(context: NewContext, clock: Hands) -> None:
    body = factories.customer()
    customer = await create(context(), body)
    clock.turn(hours=23, minutes=59)
    assert await create(context(), body) == customer
    clock.turn(minutes=1)
    other = {**body, "email": factories.unique_email()}
    assert (await create(context(), other))["id"] != customer["id"]
    assert len(await stored(context())) == 2
    (entry,) = await entries(context())
    assert entry["expires"].replace(tzinfo=UTC) - clock.now == pytest.approx(timedelta(hours=24), abs=timedelta(0, 1))


async def test_c037_another_caller_has_a_run_of_its_own(context: NewContext) -> None:
    body, other = factories.customer(), context()
    other.caller = Caller("other", "other", context().caller.scopes)  # type: ignore[union-attr]
    customer = await create(context(), body)
    problem = await refused(create(other, body))
    assert (problem.type.slug, problem.replayed, other.replayed) == ("conflict", False, False)
    assert (await create(context(), body))["id"] == customer["id"]
    assert len(await entries(context())) == 2


async def test_c039_refused_input_leaves_the_key_free(context: NewContext) -> None:
    ctx, body = context(), factories.customer()
    customer = await create(ctx, body, IdempotencyKey("first"))
    attempts: list[Awaitable[Any]] = [
        create(ctx, {**body, "email": "nobody"}),
        update_customer(ctx, ChangeCustomer(target(customer), MergePatch(lambda: {"firstName": ""}), key=KEY)),
        update_customer(ctx, ChangeCustomer(target(customer), JsonPatch(dict), key=KEY)),
        update_customer(
            ctx, ChangeCustomer(Target(customer["id"], Precondition(required=True)), MergePatch(dict), key=KEY)
        ),
        ADDRESSES.add(ctx, AddPart(target(customer), dict, key=KEY)),
        ADDRESSES.replace_all(ctx, ChangeCustomer(target(customer), Replace(list), key=KEY)),
        create_customer(context("customers:read"), CreateCustomer(lambda: body, key=KEY)),
    ]
    assert [(await refused(one)).type.status for one in attempts] == [422, 422, 400, 412, 422, 422, 403]
    assert len(await entries(ctx)) == 1
    assert (await create(ctx, factories.customer()))["version"] == 1


async def test_a_problem_that_the_store_decides_is_an_outcome(context: NewContext) -> None:
    ctx = context()
    taken = await create(ctx, factories.customer(), IdempotencyKey("first"))
    body = factories.customer(email=taken["email"])
    first = await refused(create(ctx, body))
    await delete_customer(ctx, DeleteCustomer(Target(taken["id"], Precondition())))
    again = await refused(create(ctx, body))
    assert (first.type.slug, first.replayed, again.replayed) == ("conflict", False, True)
    assert (again.type, again.detail, dict(again.extra)) == (first.type, first.detail, dict(first.extra))
    assert await stored(ctx) == []


@pytest.mark.parametrize(("version", "gone", "slug"), [(7, False, "precondition-failed"), (1, True, "gone")])
async def test_a_change_that_was_too_late_stays_so(version: int, gone: bool, slug: str, context: NewContext) -> None:
    ctx = context()
    customer = await create(ctx, factories.customer(), IdempotencyKey("first"))
    if gone:
        await delete_customer(ctx, DeleteCustomer(Target(customer["id"], Precondition())))
    change = ChangeCustomer(target(customer, version), MergePatch(lambda: {"firstName": "Bea"}), key=KEY)
    problems = [await refused(update_customer(ctx, change)) for _ in range(2)]
    assert [(problem.type.slug, problem.replayed) for problem in problems] == [(slug, False), (slug, True)]
    assert problems[0].extra == problems[1].extra


async def test_an_erased_customer_leaves_nothing_in_the_ledger_and_its_replay_is_410(context: NewContext) -> None:
    ctx, body = context(), factories.customer(lastName="Zyxwv")
    customer = await create(ctx, body)
    change = ChangeCustomer(target(customer), MergePatch(lambda: {"firstName": "Qponm"}), key=IdempotencyKey("b"))
    await update_customer(ctx, change)
    assert "Zyxwv" in repr(await entries(ctx))
    await delete_customer(ctx, DeleteCustomer(Target(customer["id"], Precondition())))
    assert all(entry.keys() == {"_id", "operation", "fence", "expires", "erased"} for entry in await entries(ctx))
    for attempt in (create(ctx, body), update_customer(ctx, change), create(ctx, factories.customer())):
        problem = await refused(attempt)
        assert (problem.type.slug, problem.replayed) == ("gone", True)
    assert await stored(ctx) == []


async def test_c041_a_change_whose_outcome_is_not_written_is_not_made(context: NewContext) -> None:
    ctx, customer = context(), await create(context(), factories.customer(), IdempotencyKey("first"))

    async def run(under: Context) -> Customer:
        assert under.claim is not None

        async def half(session: Any) -> bool:
            await ctx.store.customers.collection.delete_one({"id": customer["id"]}, session=session)
            raise KeyError("the worker is gone")

        await under.claim.complete({"customer": customer}, half)
        return customer

    with pytest.raises(KeyError):
        await once(ctx, "test", Keyed(KEY, None, lambda outcome: outcome["customer"]), run)
    assert await stored(ctx) == [customer]
    assert len(await entries(ctx)) == 1
    assert await once(ctx, "another", keyed(), lambda under: effect(under, "mended")) == "mended"


class Stuck:
    """A run that claims its key, begins its transaction, and gets no further until it is let go."""

    def __init__(self, ctx: Context, *, begins: bool) -> None:
        self.claimed, self.begin, self.begun, self.go_on = (asyncio.Event() for _ in range(4))
        self.ctx = ctx
        self.begins = begins
        self.runs = 0
        self.task = asyncio.create_task(once(ctx, "test", keyed(), self.run))

    async def run(self, under: Context) -> str:
        self.runs += 1
        self.claimed.set()
        await self.begin.wait()
        if not self.begins:
            await self.go_on.wait()
        return await effect(under, "the first run", self.hang if self.begins else None)

    async def hang(self) -> None:
        self.begun.set()
        await self.go_on.wait()


def keyed() -> Keyed[str]:
    return Keyed(KEY, None, lambda outcome: str(outcome["made"]))


async def effect(under: Context, name: str, pause: Callable[[], Awaitable[None]] | None = None) -> str:
    """Write something and its outcome; `pause` is waited for between the write and the commit."""
    assert under.claim is not None

    async def write(session: Any) -> bool:
        await under.store.customers.collection.insert_one({"id": "effect", "by": name}, session=session)
        if pause is not None:
            await pause()
        return True

    await under.claim.complete({"made": name}, write)
    return name


@pytest.mark.parametrize("begins", [True, False])
async def test_c042_a_run_that_died_is_taken_over_and_can_do_nothing_should_it_live(
    begins: bool, context: NewContext
) -> None:
    first = Stuck(context(), begins=begins)
    await first.claimed.wait()
    running = await refused(once(context(), "test", keyed(), lambda under: effect(under, "too early")))
    assert running.type.slug == "idempotency-in-progress"
    assert running.extra["retryAfter"] in {1, 3}  # 1 while a majority does not know of the claim
    await end_lease(first.ctx)
    first.begin.set()
    if begins:
        await first.begun.wait()
    second = context()
    assert await once(second, "test", keyed(), lambda under: effect(under, "the second run")) == "the second run"
    first.go_on.set()
    assert await first.task == "the second run"
    assert (first.runs, first.ctx.replayed, second.replayed) == (1, True, False)
    assert [one["by"] for one in await stored(first.ctx)] == ["the second run"]


async def test_c042_of_several_who_take_over_one_does(context: NewContext) -> None:
    first = Stuck(context(), begins=False)
    await first.claimed.wait()
    await end_lease(first.ctx)
    retries = (once(context(), "test", keyed(), lambda under: effect(under, "again")) for _ in range(8))
    answers = await asyncio.gather(*retries, return_exceptions=True)
    assert "again" in answers
    problems = [one for one in answers if isinstance(one, Problem)]
    assert {problem.type.slug for problem in problems} <= {"idempotency-in-progress"}
    assert answers.count("again") + len(problems) == len(answers)
    first.begin.set()
    first.go_on.set()
    assert await first.task == "again"
    assert len(await stored(first.ctx)) == 1


async def test_c034_a_dead_run_leaves_its_key_to_the_same_request_only(context: NewContext) -> None:
    first = Stuck(context(), begins=False)
    await first.claimed.wait()
    await end_lease(first.ctx)
    assert (await refused(create(context(), factories.customer()))).type.slug == "idempotency-key-reused"
    first.begin.set()
    first.go_on.set()
    assert await first.task == "the first run"


async def test_two_keys_for_one_email_make_one_customer(context: NewContext) -> None:
    body = factories.customer()
    attempts = (create(context(), body, IdempotencyKey(str(number))) for number in range(8))
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    assert sorted(type(one).__name__ for one in answers) == [*["Problem"] * 7, "dict"]
    assert {one.type.slug for one in answers if isinstance(one, Problem)} == {"conflict"}
    assert len(await stored(context())) == 1
