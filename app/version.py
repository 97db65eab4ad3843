"""The versions of the product and of its API."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final

API_VERSION: Final = "1.0.0"
"""MAJOR.MINOR.PATCH of the API, shown by every answer (REST API Design Guidelines, API-Version)."""


def product_version() -> str:
    """Return the version of the installed distribution, `unknown` in a tree that is not installed."""
    try:
        return version("customer-gateway")
    except PackageNotFoundError:
        return "unknown"
