"""Fixtures of the contract: a client of GraphQL over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from tests.contract.asking import JSON, RESPONSE
from tests.harness import Gateway


@pytest.fixture(scope="session")
def door(gateway: Gateway) -> Iterator[httpx2.Client]:
    """A client that asks for the media type of GraphQL over HTTP."""
    headers = {"X-API-Key": gateway.key, "Accept": RESPONSE, "Content-Type": JSON}
    with gateway.client(**headers) as client:
        yield client
