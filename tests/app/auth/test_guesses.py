"""Nothing of a secret can be learned from how it is compared: it is never compared, but found by its hash."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.keys import SECRET_PREFIX, digest, new_secret
from tests.conftest import StartGateway
from tests.harness import make_new_key
from tests.secrets import like
from tests.wiretap import recorder

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
