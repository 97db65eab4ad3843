"""What a change says of the version it was made from: If-Match, If-None-Match, ifVersion, ifMatch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from resolvers.etags import etag, version_of
from resolvers.problem import JsonValue, Problem
from resolvers.problems import PRECONDITION_FAILED, PRECONDITION_MISSING
from storage.documents import Customer, CustomerId

Tags = tuple[str, ...]
ANY: Final[Tags] = ("*",)


@dataclass(frozen=True, slots=True)
class Precondition:
    """`match` and `none_match` hold ETags as the headers show them (quotes included), or `ANY`.

    A `match` without any fits no version (RFC 9110 section 13.1.1). `version` is GraphQL's form of the same.
    `required` refuses a change that says nothing.
    """

    match: Tags | None = None
    none_match: Tags = ()
    version: int | None = None
    required: bool = False

    @property
    def exact(self) -> bool:
        """Whether one version is meant, so that another writer's change must not be overtaken."""
        return self.version is not None or (self.match is not None and self.match != ANY)

    def check(self, customer: Customer, differing: Callable[[], Sequence[str]]) -> None:
        """Compare with the customer as it is now (RFC 9110 sections 13.1 and 13.2.2).

        Raises:
            Problem: precondition-missing or precondition-failed, with the present ETag and what
                `differing` says of the fields.
        """
        if self.required and not self.match and self.version is None:
            raise Problem(
                PRECONDITION_MISSING,
                "This change needs If-Match with the ETag of the version it was made from.",
                extra={"currentETag": etag(customer), "currentVersion": customer["version"]},
            )
        if not self._holds(customer):
            raise self._failed(customer, differing())

    def _failed(self, customer: Customer, differing: Sequence[str]) -> Problem:
        return Problem(
            PRECONDITION_FAILED,
            self._reason(customer),
            extra={
                "currentETag": etag(customer),
                "currentVersion": customer["version"],
                "differingFields": list(differing),
            },
        )

    def _reason(self, customer: Customer) -> str:
        """Return why the customer as it is now does not fit; what asks for a version comes first."""
        now = customer["version"]
        tags = self.match if self.match != ANY else None
        if tags is not None and not any(version_of(tag, customer["id"]) for tag in tags):
            return (
                f"No ETag that was sent is of this customer, whose version is now {now}: "
                "send one as it was told, in its quotes and without W/."
            )
        if self._fits(customer):
            return f"The customer is there, at version {now}, which If-None-Match excludes."
        return f"The customer has changed: its version is now {now}."

    def meaning(self, customer_id: CustomerId) -> JsonValue:
        """Return what is asked for, the same for `ifVersion` and for an ETag of that version."""
        none_match = list[JsonValue](sorted(self.none_match))
        if self.match == ANY:
            return ["*", none_match]
        found = {version_of(tag, customer_id) for tag in self.match or ()} | {self.version}
        versions = list[JsonValue](sorted(version for version in found if version is not None))
        return [versions if self.exact else None, none_match]

    def _holds(self, customer: Customer) -> bool:
        return self._fits(customer) and not (self.none_match == ANY or _names(self.none_match, customer))

    def _fits(self, customer: Customer) -> bool:
        """Tell whether the customer is at a version that is asked for."""
        if self.version is not None and self.version != customer["version"]:
            return False
        return self.match is None or self.match == ANY or _names(self.match, customer)


def _names(tags: Tags, customer: Customer) -> bool:
    return any(version_of(tag, customer["id"]) == customer["version"] for tag in tags)
