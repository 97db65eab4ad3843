"""The gateway's own keys: rotated by the calendar, shared by all gateways of a store, sealed at rest."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey

from app.auth.key_ring import OUTLIVES
from app.auth.sealing import Seal, WrongSecret
from app.auth.signing import SealedKey, SigningKeys
from storage.store import Store
from tests.wiretap import recorder

START = datetime(2100, 1, 1, tzinfo=UTC)
"""So late that mongod itself, which goes by its own clock, deletes nothing meanwhile."""
SECRET, OTHER = "a secret of thirty-two characters", "another secret of the same length"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
recorder()


@dataclass
class MovedClock:
    """A clock that stands still until it is moved."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


Gateway = Callable[..., SigningKeys]


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def gateway(store: Store, clock: MovedClock) -> Gateway:
    """Gives the keys as one more gateway of the store sees them, right after its start."""
    return lambda secret=None, own_clock=None: SigningKeys.of(store.signing_keys, own_clock or clock, secret)


async def kids(keys: SigningKeys) -> list[str]:
    return [key["kid"] for key in await keys.published()]


def signed(key: ECKey) -> str:
    return jwt.encode({"alg": "ES256", "kid": key.kid}, {"sub": "x"}, key, algorithms=["ES256"])


def private_parts(documents: list[dict[str, Any]]) -> list[bytes]:
    return [bytes(document["private"]) for document in documents]


async def stored(store: Store) -> list[dict[str, Any]]:
    return await store.client[store.database]["signing_keys"].find({}).sort("_id", 1).to_list(None)


class TestRotation:
    async def test_the_first_key_signs_at_once_and_verifies(self, gateway: Gateway) -> None:
        keys = gateway()
        signer = await keys.signer()
        assert await kids(keys) == [signer.kid]
        public = await keys.key(str(signer.kid), "ES256")
        assert public is not None
        assert jwt.decode(signed(signer), public, algorithms=["ES256"]).claims == {"sub": "x"}

    async def test_only_public_members_are_published(self, gateway: Gateway) -> None:
        (key,) = await gateway().published()
        assert set(key) == {"kty", "crv", "x", "y", "use", "alg", "kid"}
        assert (key["alg"], key["crv"], key["use"]) == ("ES256", "P-256", "sig")
        public = await gateway().key(key["kid"], "ES256")
        assert public is not None
        assert not public.is_private

    async def test_a_key_signs_for_30_days_with_the_next_one_published_a_day_before(
        self, gateway: Gateway, clock: MovedClock
    ) -> None:
        first = (await gateway().signer()).kid
        clock.now = START + 29 * DAY - timedelta(milliseconds=1)
        assert await kids(gateway()) == [first]
        clock.now = START + 29 * DAY
        second, old = await kids(gateway())
        assert old == first
        clock.now = START + 30 * DAY - timedelta(milliseconds=1)
        assert (await gateway().signer()).kid == first
        clock.now = START + 30 * DAY
        assert (await gateway().signer()).kid == second

    async def test_an_old_key_is_published_until_its_last_token_and_the_skew_have_passed(
        self, gateway: Gateway, clock: MovedClock, store: Store
    ) -> None:
        first = str((await gateway().signer()).kid)
        clock.now = START + 29 * DAY
        await kids(gateway())
        end = START + 30 * DAY + OUTLIVES
        clock.now = end - timedelta(milliseconds=1)
        assert first in await kids(gateway())
        assert await gateway().key(first, "ES256") is not None
        clock.now = end
        assert first not in await kids(gateway())
        assert await gateway().key(first, "ES256") is None
        assert (await stored(store))[0]["expires"] == end.replace(tzinfo=None)
        assert timedelta(seconds=900 + 60) <= OUTLIVES <= timedelta(hours=1)

    @pytest.mark.parametrize("late", [29.99, 30, 45, 400])
    async def test_a_key_that_nobody_made_in_time_is_still_published_for_an_hour_before_it_signs(
        self, gateway: Gateway, clock: MovedClock, late: float
    ) -> None:
        first = (await gateway().signer()).kid
        clock.now = START + late * DAY
        second = next(kid for kid in await kids(gateway()) if kid != first)
        assert (await gateway().signer()).kid == first
        clock.now += HOUR - timedelta(milliseconds=1)
        assert (await gateway().signer()).kid == first
        clock.now += timedelta(milliseconds=1)
        assert (await gateway().signer()).kid == second
        assert first in await kids(gateway())

    async def test_over_half_a_year_there_are_never_more_than_two_keys(
        self, gateway: Gateway, clock: MovedClock, store: Store
    ) -> None:
        seen: set[str] = set()
        for _ in range(183):
            keys = gateway()
            signer = str((await keys.signer()).kid)
            published = await kids(keys)
            assert signer in published
            assert len(published) <= 2
            seen.add(signer)
            clock.now += DAY
        assert len(seen) == 7
        assert [document["_id"] for document in await stored(store)] == list(range(1, 8))

    async def test_gateways_whose_clocks_differ_by_the_skew_know_each_other_s_keys(
        self, gateway: Gateway, clock: MovedClock
    ) -> None:
        late = MovedClock(START - timedelta(seconds=60))
        first = (await gateway().signer()).kid
        assert (await gateway(own_clock=late).signer()).kid == first
        clock.now, late.now = START + 30 * DAY, START + 30 * DAY - timedelta(seconds=60)
        for keys in (gateway(), gateway(own_clock=late)):
            assert (await gateway().key(str((await keys.signer()).kid), "ES256")) is not None


class TestManyGateways:
    async def test_workers_that_start_at_once_sign_with_one_key(self, gateway: Gateway, store: Store) -> None:
        signers = await asyncio.gather(*(gateway().signer() for _ in range(16)))
        assert len({signer.kid for signer in signers}) == 1
        assert len(await stored(store)) == 1

    async def test_workers_that_rotate_at_once_make_one_key(
        self, gateway: Gateway, clock: MovedClock, store: Store
    ) -> None:
        await gateway().signer()
        clock.now = START + 29.5 * DAY
        rings = await asyncio.gather(*(kids(gateway()) for _ in range(16)))
        assert {len(ring) for ring in rings} == {2}
        assert len({ring[0] for ring in rings}) == 1
        assert len(await stored(store)) == 2

    async def test_rotations_by_hand_at_once_make_a_key_each(self, gateway: Gateway) -> None:
        made = await asyncio.gather(*(gateway().rotate() for _ in range(5)))
        assert sorted(one.generation for one in made) == [1, 2, 3, 4, 5]
        assert (await gateway().signer()).kid == max(made, key=lambda one: one.generation).kid

    async def test_after_a_restart_the_same_key_signs(self, gateway: Gateway) -> None:
        before = await gateway(SECRET).signer()
        after = await gateway(SECRET).signer()
        assert before.as_dict(private=True) == after.as_dict(private=True)


class TestReading:
    async def test_many_who_ask_at_once_cost_one_read(self, gateway: Gateway, store: Store) -> None:
        kid, keys = str((await gateway().signer()).kid), gateway()
        with recorder().recording(store.database) as commands:
            await asyncio.gather(*(keys.key(kid, "ES256") for _ in range(50)), *(keys.signer() for _ in range(50)))
        assert [next(iter(command)) for command in commands] == ["find"]

    async def test_a_new_key_of_another_gateway_is_found_at_once_by_all_who_ask(
        self, gateway: Gateway, store: Store
    ) -> None:
        keys = gateway()
        await keys.signer()
        made = await gateway().rotate()
        with recorder().recording(store.database) as commands:
            found = await asyncio.gather(*(keys.key(made.kid, "ES256") for _ in range(50)))
        assert None not in found
        assert len(commands) == 1

    async def test_c061_unknown_kids_do_not_make_every_request_a_read(self, gateway: Gateway, store: Store) -> None:
        keys = gateway()
        await keys.signer()
        with recorder().recording(store.database) as commands:
            for number in range(50):
                assert await keys.key(f"unknown{number}", "ES256") is None
        assert len(commands) <= 2

    @pytest.mark.parametrize("algorithm", ["HS256", "RS256", "none", "ES384", ""])
    async def test_c055_the_key_is_for_one_algorithm(self, gateway: Gateway, algorithm: str) -> None:
        keys = gateway()
        assert await keys.key(str((await keys.signer()).kid), algorithm) is None

    @pytest.mark.parametrize("kid", ["", "../1", "1 OR 1=1", "\0", "é", "x" * 10_000, '{"$ne": null}', None])
    async def test_c056_a_strange_kid_is_no_key(self, gateway: Gateway, kid: str | None) -> None:
        assert await gateway().key(kid, "ES256") is None


class TestByHand:
    async def test_a_rotation_by_hand_signs_at_once_and_keeps_what_was_signed(
        self, gateway: Gateway, clock: MovedClock
    ) -> None:
        keys = gateway()
        first = await keys.signer()
        made = await keys.rotate()
        assert (await keys.signer()).kid == made.kid
        assert await kids(keys) == [made.kid, first.kid]
        clock.now += OUTLIVES
        assert await kids(gateway()) == [made.kid]

    async def test_a_rotation_by_hand_outruns_the_key_that_waits_for_its_turn(
        self, gateway: Gateway, clock: MovedClock
    ) -> None:
        await gateway().signer()
        clock.now = START + 29.5 * DAY
        waiting = (await kids(gateway()))[0]
        made = await gateway().rotate()
        assert (await gateway().signer()).kid == made.kid
        clock.now = START + 30 * DAY
        assert (await gateway().signer()).kid == made.kid
        assert waiting not in await kids(gateway())

    async def test_dropping_ends_the_older_keys_at_once(self, gateway: Gateway) -> None:
        leaked = await gateway().signer()
        made = await gateway().rotate(drop=True)
        assert await kids(gateway()) == [made.kid]
        assert await gateway().key(str(leaked.kid), "ES256") is None

    async def test_rotating_an_empty_store_makes_the_first_key(self, gateway: Gateway) -> None:
        made = await gateway().rotate(drop=True)
        assert made.generation == 1
        assert (await gateway().signer()).kid == made.kid


class TestSealing:
    async def test_a_sealed_key_lies_nowhere_in_the_store_as_it_is(self, gateway: Gateway, store: Store) -> None:
        signer = await gateway(SECRET).signer()
        secret = str(signer.as_dict(private=True)["d"])
        assert secret not in repr(await stored(store))
        assert (await stored(store))[0]["sealed"] is True
        plain = json.loads(private_parts(await self.plain(gateway, store))[0])
        assert plain["d"]

    async def plain(self, gateway: Gateway, store: Store) -> list[dict[str, Any]]:
        await store.client[store.database]["signing_keys"].delete_many({})
        await gateway().signer()
        return await stored(store)

    @pytest.mark.parametrize("secret", [None, OTHER], ids=["none", "another"])
    async def test_without_its_secret_a_gateway_says_so_and_makes_no_key_of_its_own(
        self, gateway: Gateway, store: Store, clock: MovedClock, secret: str | None
    ) -> None:
        signer = await gateway(SECRET).signer()
        for moved in (timedelta(0), 29.5 * DAY, 35 * DAY):
            clock.now = START + moved
            stranger = gateway(secret)
            for refused in (stranger.check, stranger.signer, stranger.rotate):
                with pytest.raises(SealedKey, match="GATEWAY_STORE_SECRET"):
                    await refused()
            assert await kids(stranger) == [signer.kid]
            assert await stranger.key(str(signer.kid), "ES256") is not None
        assert len(await stored(store)) == 1

    @pytest.mark.parametrize("secret", [None, OTHER], ids=["none", "another"])
    async def test_dropping_starts_anew_with_the_secret_that_is_set(
        self, gateway: Gateway, store: Store, secret: str | None
    ) -> None:
        await gateway(SECRET).signer()
        await gateway(secret).rotate(drop=True)
        await gateway(secret).check()
        assert [document["sealed"] for document in await stored(store)] == [secret is not None]

    async def test_a_plain_key_is_followed_by_a_sealed_one_an_hour_later(
        self, gateway: Gateway, store: Store, clock: MovedClock
    ) -> None:
        plain = (await gateway().signer()).kid
        sealing = gateway(SECRET)
        assert (await sealing.signer()).kid == plain
        assert [document["sealed"] for document in await stored(store)] == [False, True]
        with pytest.raises(SealedKey):
            await gateway().check()
        clock.now += HOUR
        assert (await sealing.signer()).kid != plain
        await sealing.check()
        with pytest.raises(SealedKey):
            await gateway().signer()
        assert len(await stored(store)) == 2

    async def test_checking_makes_nothing(self, gateway: Gateway, store: Store) -> None:
        await gateway().check()
        await gateway(SECRET).check()
        assert await stored(store) == []

    async def test_a_sealed_key_under_another_s_name_or_altered_is_not_opened(
        self, gateway: Gateway, store: Store
    ) -> None:
        await gateway(SECRET).signer()
        await gateway(SECRET).rotate()
        collection = store.client[store.database]["signing_keys"]
        first, second = private_parts(await stored(store))
        for forged in (first, second[:-1] + bytes([second[-1] ^ 1]), second[:5], b""):
            await collection.update_one({"_id": 2}, {"$set": {"private": forged}})
            with pytest.raises(SealedKey):
                await gateway(SECRET).signer()

    def test_a_seal_opens_what_it_closed_and_closes_nothing_twice_alike(self) -> None:
        seal = Seal.of(SECRET)
        one, two = seal.close(b"text", "name"), seal.close(b"text", "name")
        assert one != two
        assert seal.open(one, "name") == seal.open(two, "name") == b"text"
        for other, name in ((seal, "other"), (Seal.of(OTHER), "name")):
            with pytest.raises(WrongSecret):
                other.open(one, name)


async def test_a_signature_of_one_generation_is_not_good_by_another(gateway: Gateway) -> None:
    keys = gateway()
    token = signed(await keys.signer())
    made = await keys.rotate()
    public = await keys.key(made.kid, "ES256")
    assert public is not None
    with pytest.raises(BadSignatureError):
        jwt.decode(token, public, algorithms=["ES256"])
