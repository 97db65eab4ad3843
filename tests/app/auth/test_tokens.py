"""Which tokens are good, and the many that are not: a table of attacks, tried on the verifier and at both doors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import Key, OKPKey

from app.auth.cache import BoundedCache
from app.auth.claims import SKEW_SECONDS, InvalidToken, VerifiedToken
from app.auth.jwks import RemoteKeys, StaticKey
from app.auth.outside import outside_caller
from app.auth.tokens import MAX_TOKEN, Issuer, TokenVerifier
from app.settings import ASYMMETRIC
from resolvers.context import ALL_SCOPES, Caller
from tests.app.auth.attacks import ABSENT, ATTACKS, KIDS, NAME, NOW, SECONDS, Build, long_token, public_jwk
from tests.app.auth.issuer import AUDIENCE, JWKS, TLS, IssuerServer, issuing

GOOD = {
    "RS256": "rsa", "RS384": "rsa", "RS512": "rsa", "PS256": "rsa", "PS384": "rsa", "PS512": "rsa",
    "ES256": "p256", "ES384": "p384", "ES512": "p521", "EdDSA": "ed25519", "Ed25519": "ed25519", "Ed448": "ed448",
}  # fmt: skip


class Clock:
    """A clock that the test sets."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@asynccontextmanager
async def verifying(issuer: IssuerServer, clock: Clock | None = None, **changes: Any) -> AsyncIterator[TokenVerifier]:
    """Give a verifier of the tokens of one issuer, whose keys are read from `issuer`."""
    async with httpx2.AsyncClient(verify=TLS) as client:
        keys = RemoteKeys(client, NAME, issuer.url + JWKS)
        chosen: dict[str, Any] = {"name": NAME, "audience": AUDIENCE, "algorithms": ASYMMETRIC, **changes}
        try:
            yield verifier(Issuer(keys=keys, caller=outside_caller, **chosen), clock=clock)
        finally:
            await keys.aclose()


def verifier(*issuers: Issuer, clock: Clock | None = None) -> TokenVerifier:
    return TokenVerifier(issuers, clock or Clock(), BoundedCache(maxsize=100))


def static(name: str = "rsa", **changes: Any) -> Issuer:
    """An issuer with one key that is set."""
    keys = StaticKey.parse(json.dumps(public_jwk(name)))
    chosen: dict[str, Any] = {"name": NAME, "audience": AUDIENCE, "algorithms": ASYMMETRIC, **changes}
    return Issuer(keys=keys, caller=outside_caller, **chosen)


@pytest.fixture(scope="module")
def publisher() -> Iterator[IssuerServer]:
    """An issuer with a key of every kind, which no test changes."""
    with issuing(*KIDS) as server:
        yield server


async def refusal(tokens: TokenVerifier, token: str) -> str:
    """Return why a token is refused."""
    try:
        said = await tokens.verify(token)
    except InvalidToken as invalid:
        return invalid.reason
    raise AssertionError(f"accepted: {said}")


@pytest.mark.parametrize("name", ATTACKS)
async def test_c055_to_c059_each_attack_is_refused_and_for_its_own_reason(publisher: IssuerServer, name: str) -> None:
    reason, make = ATTACKS[name]
    async with verifying(publisher) as tokens:
        assert await refusal(tokens, make(Build())) == reason
        await tokens.verify(Build().signed())  # it is the attack that is refused, and nothing else


def test_there_are_many_attacks() -> None:
    print(f"{len(ATTACKS)} kinds of bad tokens are refused")
    assert len(ATTACKS) > 200


@pytest.mark.parametrize(("algorithm", "kid"), GOOD.items(), ids=GOOD)
async def test_every_algorithm_that_is_allowed_works(publisher: IssuerServer, algorithm: str, kid: str) -> None:
    token = Build(algorithm=algorithm, kid=kid).signed()
    async with verifying(publisher) as tokens:
        assert (await tokens.verify(token)).subject == "user-1"


@pytest.mark.parametrize(("algorithm", "kid"), GOOD.items(), ids=GOOD)
async def test_c055_and_none_that_is_not(publisher: IssuerServer, algorithm: str, kid: str) -> None:
    token = Build(algorithm=algorithm, kid=kid).signed()
    others = tuple(name for name in ASYMMETRIC if name != algorithm)
    async with verifying(publisher, algorithms=others) as tokens:
        assert await refusal(tokens, token) == "alg"


@pytest.mark.parametrize("typ", [ABSENT, "JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+JWT"])
async def test_c058_the_types_of_access_tokens_are_taken(publisher: IssuerServer, typ: Any) -> None:
    async with verifying(publisher) as tokens:
        await tokens.verify(Build().with_header(typ=typ))


async def test_c056_keys_and_addresses_in_a_good_tokens_header_are_ignored_and_never_called(
    publisher: IssuerServer,
) -> None:
    with issuing("rsa-attacker") as trap:
        async with verifying(publisher) as tokens:
            for header in (
                {"jwk": public_jwk("rsa-attacker")},
                {"jku": trap.url + JWKS, "x5u": trap.url + "/cert"},
                {"x5c": ["MIIB" * 500], "x5t": "AAAA", "x5t#S256": "AAAA"},
                {"nonce": "n", "unknown": {"deep": [1]}, "cty": "json", "b64": True},
            ):
                await tokens.verify(Build().with_header(**header))
            for name, (reason, make) in ATTACKS.items():
                assert await refusal(tokens, make(Build(trap=trap.url))) == reason, name
        assert not trap.fetches
        assert not trap.arrived.is_set()


@pytest.mark.parametrize("ago", [-300, 0, 59, 59.9])
async def test_c060_a_token_lives_until_sixty_seconds_after_it_expired(publisher: IssuerServer, ago: float) -> None:
    async with verifying(publisher) as tokens:
        await tokens.verify(Build().with_claims(exp=SECONDS - ago))


@pytest.mark.parametrize("name", ["nbf", "iat"])
@pytest.mark.parametrize("ahead", [-300, 0, 59, 60])
async def test_c060_and_begins_sixty_seconds_before_its_time(publisher: IssuerServer, name: str, ahead: int) -> None:
    async with verifying(publisher) as tokens:
        await tokens.verify(Build().with_claims(**{name: SECONDS + ahead}))
        assert await refusal(tokens, Build().with_claims(**{name: SECONDS + 61})) == name


@pytest.mark.parametrize("hours", [-2, 2])
async def test_c060_two_hours_beside_the_issuers_clock_every_token_is_refused(
    publisher: IssuerServer, hours: int
) -> None:
    async with verifying(publisher, Clock(NOW + timedelta(hours=hours))) as tokens:
        assert await refusal(tokens, Build().signed()) == ("expired" if hours > 0 else "iat")


async def test_a_remembered_token_does_not_outlive_its_end(publisher: IssuerServer) -> None:
    clock = Clock()
    token = Build().signed()
    async with verifying(publisher, clock) as tokens:
        await tokens.verify(token)
        clock.now = NOW + timedelta(seconds=300 + SKEW_SECONDS - 1)
        await tokens.verify(token)
        clock.now += timedelta(seconds=1)
        assert await refusal(tokens, token) == "expired"


async def test_the_largest_token_is_taken(publisher: IssuerServer) -> None:
    token = long_token(Build(), MAX_TOKEN)
    assert len(token) == MAX_TOKEN
    async with verifying(publisher) as tokens:
        await tokens.verify(token)


async def test_what_a_token_says_is_kept(publisher: IssuerServer) -> None:
    token = Build().with_claims(client_id="app-7", aud=["x", AUDIENCE], scope="openid customers:write x:y")
    async with verifying(publisher) as tokens:
        said = await tokens.verify(token)
    assert said == VerifiedToken(NAME, "user-1", "app-7", frozenset({"customers:write"}), float(SECONDS + 300))


SCOPES: dict[str, tuple[Any, set[str]]] = {
    "absent": (ABSENT, set()),
    "empty": ("", set()),
    "one": ("customers:read", {"customers:read"}),
    "all": (" ".join(ALL_SCOPES), set(ALL_SCOPES)),
    "spaces": ("  customers:read   customers:delete ", {"customers:read", "customers:delete"}),
    "unknown ones": ("openid customers:* customers:read2 Customers:Read *", set()),
    "commas": ("customers:read,customers:write", set()),
    "list": (["customers:read", "openid"], {"customers:read"}),
    "words in a list": (["customers:read customers:write"], set()),
    "empty list": ([], set()),
}


@pytest.mark.parametrize("name", SCOPES)
async def test_scopes_come_from_the_claim_and_unknown_ones_are_ignored(publisher: IssuerServer, name: str) -> None:
    said, expected = SCOPES[name]
    async with verifying(publisher) as tokens:
        assert (await tokens.authenticate(Build().with_claims(scope=said))).scopes == expected


async def test_a_caller_is_named_by_issuer_and_subject_and_its_id_tells_neither(publisher: IssuerServer) -> None:
    person = "jane.doe@example.com"
    async with verifying(publisher) as tokens:
        first = await tokens.authenticate(Build().with_claims(sub=person, client_id="app"))
        again = await tokens.authenticate(Build().with_claims(sub=person, azp="other", jti="2"))
        other = await tokens.authenticate(Build().with_claims(sub="someone"))
        machine = await tokens.authenticate(Build().with_claims(sub=ABSENT, client_id="someone"))
        party = await tokens.authenticate(Build().with_claims(sub=ABSENT, azp="app"))
    assert first.id == again.id
    assert [first.name, again.name, other.name, machine.name, party.name] == [
        "app",
        "other",
        "someone",
        "someone",
        "app",
    ]
    callers = [first, other, machine, party]
    assert len({caller.id for caller in callers}) == 4
    for caller in callers:
        assert caller.id.startswith("jwt_")
        assert len(caller.id) == 26
        assert "jane" not in caller.id


async def test_several_issuers_stand_side_by_side_and_none_signs_for_another() -> None:
    async def owner(token: VerifiedToken) -> Caller:
        if token.subject != "key-1":
            raise InvalidToken("owner")
        return Caller("key-1", "a key", token.scopes)

    def of(name: str, key: str, subject: str = "key-1") -> str:
        return Build(name, algorithm="Ed25519", kid=key).with_claims(sub=subject)

    own = Issuer("https://gateway.example", AUDIENCE, ("Ed25519",), static("ed25519-own").keys, owner)
    tokens = verifier(static("ed25519"), own)
    assert (await tokens.authenticate(of(own.name, "ed25519-own"))).id == "key-1"
    assert (await tokens.authenticate(of(NAME, "ed25519"))).id.startswith("jwt_")
    assert await refusal(tokens, of(own.name, "ed25519")) == "key"
    assert await refusal(tokens, of(NAME, "ed25519-own")) == "key"
    with pytest.raises(InvalidToken, match="owner"):
        await tokens.authenticate(of(own.name, "ed25519-own", "key-2"))
    assert await refusal(verifier(), of(NAME, "ed25519")) == "issuer"


async def test_with_a_key_that_is_set_a_token_needs_no_kid() -> None:
    tokens = verifier(static())
    await tokens.verify(Build().with_header(kid=ABSENT))
    for name, (_, make) in ATTACKS.items():
        if name != " kid absent":
            assert await refusal(tokens, make(Build())), name


class CountingKey(OKPKey):
    """A real key that counts how often it verifies."""

    times = 0

    def get_op_key(self, operation: Any) -> Any:
        CountingKey.times += 1
        return super().get_op_key(operation)


class Late:
    """A source that gives its key when it is told to, once to each of those who wait."""

    def __init__(self) -> None:
        self.asked = 0
        self.now = asyncio.Event()
        self.counting = CountingKey.import_key(public_jwk("ed25519"))

    async def key(self, _kid: str | None, _algorithm: str) -> Key | None:
        self.asked += 1
        await self.now.wait()
        return self.counting


async def test_a_token_that_comes_many_times_is_verified_once() -> None:
    token, source = Build(algorithm="Ed25519", kid="ed25519").signed(), Late()
    tokens = verifier(Issuer(NAME, AUDIENCE, ASYMMETRIC, source, outside_caller))
    CountingKey.times = 0
    waiting = [asyncio.create_task(tokens.verify(token)) for _ in range(200)]
    await asyncio.sleep(0)
    assert source.asked == 200
    source.now.set()
    assert len(set(await asyncio.gather(*waiting))) == 1
    await tokens.verify(token)
    assert (source.asked, CountingKey.times) == (200, 1)
    assert await refusal(tokens, token[:-8] + "AAAAAAA" + token[-1]) == "signature"


async def test_a_verified_token_is_forgotten_within_seconds(publisher: IssuerServer) -> None:
    token = Build().signed()
    async with verifying(publisher) as tokens:
        await tokens.verify(token)
        (timer,) = tokens.cache._handlers.values()
        assert 0 < timer.when() - asyncio.get_running_loop().time() <= 2


@cache
def good_tokens() -> tuple[str, ...]:
    return tuple(Build(algorithm=name, kid=GOOD[name]).signed() for name in ("RS256", "ES256", "Ed25519"))


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    """A loop of their own for tests that Hypothesis calls again and again."""
    with asyncio.Runner() as runner:
        yield runner


CHARACTERS = st.sampled_from('ABab01-_.=+/ \0\n"{}[]%äé\u2028')
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(["set", "cut", "add", "double"]), CHARACTERS), min_size=1, max_size=4
)


def mutilated(token: str, edits: list[tuple[float, str, str]]) -> str:
    for where, how, character in edits:
        at = int(where * max(len(token) - 1, 0))
        token = {
            "set": token[:at] + character + token[at + 1 :],
            "cut": token[:at] + token[at + 1 :],
            "add": token[:at] + character + token[at:],
            "double": token[:at] + token[at:] * 2,
        }[how]
    return token


class Set:
    """Keys of several kinds, all at hand."""

    async def key(self, kid: str | None, algorithm: str) -> Key | None:
        return await static(kid).keys.key(kid, algorithm) if kid in KIDS else None


@settings(deadline=None, max_examples=500, derandomize=True, database=None)
@given(st.integers(0, 2), EDITS)
def test_no_mutilated_token_is_accepted_and_none_is_more_than_refused(
    loop: asyncio.Runner, which: int, edits: Any
) -> None:
    token = good_tokens()[which]
    sent = mutilated(token, edits)
    tokens = verifier(Issuer(NAME, AUDIENCE, ASYMMETRIC, Set(), outside_caller))
    if sent == token:
        assert loop.run(tokens.verify(sent)).subject == "user-1"
    else:
        assert loop.run(refusal(tokens, sent))


ATOMS = st.sampled_from(
    [None, True, False, 0, -1, 1.5, 2**63, 1e308, "", "RS256", "none", "rsa", "JWT", AUDIENCE, NAME, "\0", "ä"]
)
VALUES = ATOMS | st.lists(ATOMS, max_size=3) | st.dictionaries(st.sampled_from(["kty", "alg", "x"]), ATOMS, max_size=2)
HEADERS = st.dictionaries(
    st.sampled_from("alg typ kid crit b64 cty jwk jku x5u x5c x5t zip enc epk".split()), VALUES, max_size=3
)
CLAIMS = st.dictionaries(st.sampled_from("iss aud exp nbf iat sub client_id azp scope jti".split()), VALUES, max_size=3)


@settings(deadline=None, max_examples=500, derandomize=True, database=None)
@given(HEADERS, CLAIMS)
def test_whatever_is_signed_is_refused_or_says_what_it_must(
    loop: asyncio.Runner, header: dict[str, Any], claims: dict[str, Any]
) -> None:
    build = Build(algorithm="ES256", kid="p256")
    build.header |= header
    build.claims |= claims
    tokens = verifier(Issuer(NAME, AUDIENCE, ASYMMETRIC, Set(), outside_caller))
    try:
        said = loop.run(tokens.verify(build.signed()))
    except InvalidToken:
        return
    assert (build.header["alg"], build.header["kid"], build.claims["iss"]) == ("ES256", "p256", NAME)
    assert AUDIENCE in build.claims["aud"]
    assert said.expires + SKEW_SECONDS > SECONDS
    assert said.subject or said.client_id
