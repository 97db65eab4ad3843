"""What is deprecated: one registry, which both doors, their documents and the metrics read.

`DEPRECATIONS` is the one place to write it down; nothing is today. Source: RFC 9745 and RFC 8594; REST API Design
Guidelines, Versioning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from resolvers.problem import Problem
from resolvers.problems import RETIRED

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class Deprecation:
    """One thing that clients should stop to use.

    `name` is short and stays (a metric has it as a label), `what` is said to people, `instead` tells them in a
    sentence what to use. `since` and `sunset` are aware moments; from `sunset` on a request that names the thing is
    410 `retired`. `link` is the address of a page about it, `successor` that of what takes its place.

    Where it is found:
        operations: names of declared operations, at both doors and by every address.
        rest: `/api/v1` or `/customers` (all below an address), `GET /api/v1/customers` (one method of it),
            `GET /api/v1/customers?page_size` (a parameter of that, in this one spelling).
        fields: of a customer, in REST: `middleName`, `addresses.street2`.
        graphql: schema coordinates: `Customer.middleName`, `Query.customers(search:)`, `CustomerOrderField.ID`.
    """

    name: str
    what: str
    instead: str
    since: datetime
    link: str
    sunset: datetime | None = None
    successor: str | None = None
    operations: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    graphql: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name of a deprecation: small letters, digits, hyphens")
        if self.since.tzinfo is None or (self.sunset is not None and self.sunset.tzinfo is None):
            raise ValueError(f"{self.name}: the moments need a time zone")
        if self.sunset is not None and self.sunset < self.since:
            raise ValueError(f"{self.name}: the sunset is before the deprecation (RFC 9745 section 4)")
        if not (self.operations or self.rest or self.fields or self.graphql):
            raise ValueError(f"{self.name}: it is not said where this is")

    @property
    def notice(self) -> str:
        """What people read of it, beside the thing itself."""
        until = f", ends on {self.sunset:%Y-%m-%d}" if self.sunset else ""
        return f"Deprecated since {self.since:%Y-%m-%d}{until}: {self.instead}"

    def check(self, now: datetime) -> None:
        """Let pass who uses it before its sunset. Raises retired."""
        if self.sunset is not None and now >= self.sunset:
            detail = f"{self.what} ended on {self.sunset:%Y-%m-%d}. {self.instead}"
            raise Problem(RETIRED, detail, resource="deprecations")


@dataclass(frozen=True, slots=True, eq=False)
class Deprecations:
    """All that is deprecated, each under a name of its own."""

    entries: tuple[Deprecation, ...] = ()

    def __post_init__(self) -> None:
        names = [one.name for one in self.entries]
        if len(set(names)) < len(names):
            raise ValueError("two deprecations have the same name")

    def __iter__(self) -> Iterator[Deprecation]:
        return iter(self.entries)

    def __bool__(self) -> bool:
        return bool(self.entries)


DEPRECATIONS: Final = Deprecations()
"""What is deprecated today."""


def unknown(wanted: Iterable[str], known: Iterable[str]) -> ValueError | None:
    """Return the error that tells which of the places are nowhere, None where all are known."""
    lost = sorted(set(wanted) - set(known))
    return ValueError(f"deprecated, but nowhere to be found: {', '.join(lost)}") if lost else None
