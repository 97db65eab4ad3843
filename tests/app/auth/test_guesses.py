"""Nothing of a secret can be learned from how it is compared: it is never compared, but found by its hash."""

from __future__ import annotations

import ast
import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import pytest

from app.auth.cache import BoundedCache
from app.auth.credentials import LATELY_SECONDS, Authenticator
from app.auth.jwks import StaticKey
from app.auth.outside import outside_caller
from app.auth.remembered import RememberedCallers
from app.auth.tokens import Issuer, TokenVerifier
from app.http.heads import Heads
from resolvers.context import utc_now
from storage.keys import SECRET_PREFIX, Keys, digest, new_secret
from tests.app.auth.issuer import make_key, public, sign
from tests.commands import until
from tests.conftest import StartGateway
from tests.harness import make_new_key
from tests.secrets import like
from tests.streams import revoke
from tests.wiretap import recorder

CLAIMS: Final = {"iss": "https://login.example", "aud": "gateway", "sub": "one"}
ROOT = Path(__file__).parents[3]
SECRET = ("secret", "token", "key", "signature", "password", "hash")
"""What the names of variables end with that hold a secret, or what stands for one."""


def test_c064_of_a_guess_the_store_gets_the_hash_alone_however_much_of_it_is_right(
    start_gateway: StartGateway, mongod_url: str, database: str
) -> None:
    """So what is looked for has nothing in common with what is right, and no comparison can end early or late by it."""
    tap = recorder()
    gateway = start_gateway()
    right = make_new_key(mongod_url, database, ("customers:read",))
    secret = like(right.client_secret, SECRET_PREFIX)
    guesses = {like(right.key): None, right.record.clientId: secret, new_secret("cgw_"): None}
    with tap.recording(database) as commands:
        for name, part in guesses.items():
            with gateway.client() as client:
                auth: dict[str, Any] = {"headers": {"X-API-Key": name}} if part is None else {"auth": (name, part)}
                assert client.get("/api/v1/customers", **auth).status_code == 401
    asked = [command["filter"] for command in commands if command.get("find") == "keys"]
    near, basic, far = asked
    assert [near, far] == [{"hash": {"$eq": digest(name)}} for name, part in guesses.items() if part is None]
    assert basic == {"clientId": {"$eq": right.record.clientId}, "secretHash": {"$eq": digest(secret)}}
    assert not any(right.key[:20] in str(command) or secret[:20] in str(command) for command in commands)


class HandLoop(asyncio.SelectorEventLoop):
    """A loop whose time goes on as the test says."""

    now = 1000.0

    def time(self) -> float:
        return self.now


def test_c054_a_token_that_goes_on_to_be_used_is_held_up_by_no_guesses_and_one_that_rests_is() -> None:
    """A minute ago is lately, however long ago the token was good for the first time."""
    token = sign({"alg": "Ed25519"}, {**CLAIMS, "exp": 4102444800}, make_key("ed25519"), "Ed25519")
    source = StaticKey.parse(json.dumps(public(make_key("ed25519"))))
    trusted = Issuer(CLAIMS["iss"], CLAIMS["aud"], ("Ed25519",), source, outside_caller)
    verifier = TokenVerifier((trusted,), utc_now, BoundedCache(maxsize=10))
    nowhere = Keys(cast("Any", None), "none")
    known = Authenticator(nowhere, utc_now, RememberedCallers(2, 10), verifier, BoundedCache(maxsize=10))
    guarded: list[float] = []

    async def use(loop: HandLoop, later: float) -> None:
        loop.now += later
        for _ in range(3):
            await asyncio.sleep(0)  # what has ended by then ends

        async def guard() -> None:
            guarded.append(loop.now)

        await known.authenticate(Heads([(b"authorization", f"Bearer {token}".encode())]), guard)

    async def run() -> None:
        loop = cast("HandLoop", asyncio.get_running_loop())
        for later in (0, *[60] * 15, LATELY_SECONDS + 1):
            await use(loop, later)

    with asyncio.Runner(loop_factory=HandLoop) as runner:
        runner.run(run())
    assert guarded == [1000, 1000 + 15 * 60 + LATELY_SECONDS + 1]


def test_c054_a_key_that_has_ended_is_a_guess_as_any_other_though_it_was_good_lately(
    start_gateway: StartGateway, mongod_url: str, database: str
) -> None:
    tap = recorder()
    gateway = start_gateway(rate_limit="1000/hour")
    made = make_new_key(mongod_url, database, ("customers:read",))
    with gateway.client(**{"X-API-Key": made.key}) as client:
        assert client.get("/api/v1/viewer").status_code == 200
        revoke(gateway, made)
        until(lambda: client.get("/api/v1/viewer").status_code == 401, 5, "the end of the key")
        with tap.recording(database) as commands:
            statuses = [client.get("/api/v1/viewer").status_code for _ in range(20)]
    assert statuses[-1] == 429
    assert sum(command.get("find") == "keys" for command in commands) < 10


def comparisons() -> Iterator[tuple[str, int, str]]:
    """Yield each place where something that is named as a secret is compared by == or !=."""
    for path in sorted([*(ROOT / "app").rglob("*.py"), *(ROOT / "storage").rglob("*.py")]):
        if "node_modules" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
                for side in (node.left, *node.comparators):
                    name = ast.unparse(side)
                    if isinstance(side, ast.Name | ast.Attribute) and name.endswith(SECRET):
                        yield str(path.relative_to(ROOT)), node.lineno, ast.unparse(node)


def test_c064_no_secret_is_compared_but_by_compare_digest() -> None:
    assert list(comparisons()) == []


@pytest.mark.parametrize("given", ["if token == sent: pass", "if sent != self.secret: pass"])
def test_c064_such_a_comparison_would_be_found(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "storage").mkdir()
    (tmp_path / "app" / "one.py").write_text(given)
    monkeypatch.setattr("tests.app.auth.test_guesses.ROOT", tmp_path)
    assert len(list(comparisons())) == 1
