"""Fixtures of the tests of tokens: real issuers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.app.auth.issuer import IssuerServer, issuing


@pytest.fixture
def issuer() -> Iterator[IssuerServer]:
    """An issuer of the test's own, with one key."""
    with issuing("ed25519") as server:
        yield server
